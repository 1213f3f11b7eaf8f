/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/dumps.h"

#include <stdio.h>
#include <string.h>

#include "tools/trace_view.h"
#include "traces/events.h"
#include "traces/writer.h"

#define DUMP_MAX (64u << 20)

static void dump_free(void *opaque)
{
	struct ls_dump *dump = opaque;

	g_free((char *)dump->format);
	g_free((struct ls_dump_field *)dump->fields);
	g_free(dump);
}

static GPtrArray *dumps_new(void)
{
	return g_ptr_array_new_with_free_func(dump_free);
}

/* Of the names only those that the engine's tables have are kept. */
static void add_copy(void *dumps, const struct ls_dump *dump)
{
	struct ls_dump *copy = g_memdup2(dump, sizeof(*dump));

	copy->format = g_strdup(dump->format);
	copy->fields = g_memdup2(dump->fields, dump->count * sizeof(*dump->fields));
	g_ptr_array_add(dumps, copy);
}

/* --- files --- */

char *dumps_file(const char *path, gsize *size, struct ls_error *err)
{
	g_autoptr(GError) error = NULL;
	char *data = NULL;

	if (!g_file_get_contents(path, &data, size, &error)) {
		ls_error_set(err, -EIO, "%s", error->message);
		return NULL;
	}
	if (*size <= DUMP_MAX)
		return data;
	ls_error_set(err, -EFBIG, "'%s' is larger than 64 MiB: cut the dump out of it", path);
	g_free(data);
	return NULL;
}

bool dumps_is_trace(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint64_t magic = 0;
	bool whole = file && fread(&magic, sizeof(magic), 1, file) == 1;

	if (file)
		fclose(file);
	return whole && magic == FILE_MAGIC;
}

GPtrArray *dumps_read(struct ls_engine *engine, const char *path, struct ls_error *err)
{
	g_autoptr(GPtrArray) dumps = dumps_new();
	gsize size;
	g_autofree char *data = dumps_file(path, &size, err);

	if (!data)
		return NULL;
	if (!engine->ext->dump_read(engine, data, size, add_copy, dumps, NULL))
		return g_steal_pointer(&dumps);
	ls_error_set(err, -EINVAL,
		     "'%s' is no trace.dat of trace-cmd, and has no dump of a VMCS or VMCB that "
		     "'lockstep explain' knows",
		     path);
	return NULL;
}

/* --- to a trace --- */

/* The head names each field that is there once: "control VENDOR FIELD NAME". */
static char *head_text(const GPtrArray *dumps)
{
	g_autoptr(GHashTable) named = g_hash_table_new(NULL, NULL);
	GString *text = g_string_new("vcpus 1\n");

	for (guint n = 0; n < dumps->len; n++) {
		const struct ls_dump *dump = g_ptr_array_index(dumps, n);

		for (unsigned int i = 0; i < dump->count; i++) {
			const struct ls_dump_field *field = &dump->fields[i];

			if (g_hash_table_add(named, (void *)field->name))
				g_string_append_printf(text, "control %d 0x%x %s\n", dump->svm,
						       field->field, field->name);
		}
	}
	return g_string_free(text, FALSE);
}

static void write_dump(struct ls_trace_sink *sink, const struct ls_dump *dump, uint64_t number)
{
	TRACE_EMIT_BYTES(sink, number, DUMP, dump->format, strlen(dump->format),
			 .vendor = dump->svm, .fields = dump->count,
			 .format = strlen(dump->format));
	for (unsigned int i = 0; i < dump->count; i++)
		TRACE_EMIT(sink, number, DUMP_FIELD, .vendor = dump->svm,
			   .field = dump->fields[i].field, .value = dump->fields[i].value);
}

int dumps_to_trace(const GPtrArray *dumps, const char *path, struct ls_error *err)
{
	g_autofree char *text = head_text(dumps);
	const struct trace_writer_config config = {
		.path = path, .vcpus = 1, .events = UINT64_MAX, .text = text};
	struct trace_writer *writer = trace_writer_open(&config, err);

	if (!writer)
		return err->code;
	for (guint n = 0; n < dumps->len; n++)
		write_dump(trace_writer_sink(writer, 0), g_ptr_array_index(dumps, n), n + 1);
	return trace_writer_close(writer, err);
}

/* --- from a trace --- */

struct reading {
	GPtrArray *dumps;
	GArray *fields; /* of the last dump, so far */
	uint64_t due;   /* of them, still to come */
};

static void begin_dump(struct reading *reading, const uint64_t *record)
{
	const struct trace_fields_DUMP *head = (const void *)(record + 2);
	uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*head);
	struct ls_dump *dump = g_new0(struct ls_dump, 1);

	dump->svm = head->vendor == 1;
	dump->format = g_strndup((const char *)(head + 1), MIN(head->format, room));
	reading->due = head->fields;
	g_array_set_size(reading->fields, 0);
	g_ptr_array_add(reading->dumps, dump);
}

static bool add_field(struct reading *reading, const uint64_t *record)
{
	const struct trace_fields_DUMP_FIELD *from = (const void *)(record + 2);
	struct ls_dump_field field = {.field = (uint32_t)from->field, .value = from->value};
	struct ls_dump *dump = reading->dumps->len
				       ? g_ptr_array_index(reading->dumps, reading->dumps->len - 1)
				       : NULL;

	if (!dump || !reading->due || dump->svm != (from->vendor == 1))
		return false;
	g_array_append_val(reading->fields, field);
	if (--reading->due)
		return true;
	dump->count = reading->fields->len;
	dump->fields = g_memdup2(reading->fields->data, dump->count * sizeof(field));
	return true;
}

static bool add_record(struct reading *reading, const uint64_t *record)
{
	if (LS_TRACE_EVENT(record[0]) != TRACE_DUMP)
		return add_field(reading, record);
	if (reading->due)
		return false;
	begin_dump(reading, record);
	return true;
}

static void read_dumps(struct reading *reading, struct trace_view *view, const char *path,
		       struct ls_error *err)
{
	const uint64_t *record;
	unsigned int vcpu;
	bool whole = true;

	if (trace_view_open(view, path, err))
		return;
	view->events = UINT64_C(1) << TRACE_DUMP | UINT64_C(1) << TRACE_DUMP_FIELD;
	while (whole && trace_view_next(view, &vcpu, &record, err))
		whole = add_record(reading, record);
	if (!err->code && (!whole || reading->due))
		ls_error_set(err, -EBADMSG, "'%s' has a dump whose fields are not all there", path);
	else if (!err->code && !reading->dumps->len)
		ls_error_set(err, -ENODATA,
			     "the trace '%s' has no dump; 'lockstep trace import' makes one that "
			     "has of what a hypervisor printed",
			     path);
}

GPtrArray *dumps_from_trace(const char *path, struct ls_error *err)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(struct ls_dump_field));
	struct reading reading = {.dumps = dumps_new(), .fields = fields};
	struct trace_view view = {0};

	read_dumps(&reading, &view, path, err);
	trace_view_close(&view);
	if (!err->code)
		return reading.dumps;
	g_ptr_array_unref(reading.dumps);
	return NULL;
}
