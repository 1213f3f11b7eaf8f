/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/recorded/saved.h"

#include <string.h>

#include "machine/cpu_model.h"
#include "machine/memory.h"
#include "tools/diff/recorded/ram_copy.h"
#include "traces/events.h"
#include "traces/format.h"
#include "traces/writer.h"

struct saved {
	struct trace_writer *writer;
	const struct diff_fields *fields;
	unsigned int vcpus;
	GArray *columns;        /* of the fields that are compared: their indices */
	uint64_t *last;         /* what the file has of them so far, vCPU by vCPU */
	uint64_t *pairs;        /* the changes of one record */
	uint64_t number;        /* of events */
	struct ram_copy memory; /* what the file has of memory so far */
};

static char *head_text(const struct saved *saved, const char *text)
{
	GString *head = g_string_new(text);

	for (guint i = 0; i < saved->columns->len; i++) {
		unsigned int field = g_array_index(saved->columns, unsigned int, i);

		g_string_append_printf(head, "compared %s\n", saved->fields->row[field].name);
	}
	return g_string_free(head, FALSE);
}

static void choose_columns(struct saved *saved)
{
	saved->columns = g_array_new(FALSE, FALSE, sizeof(unsigned int));
	for (unsigned int i = 0; i < saved->fields->count; i++)
		if (saved->fields->row[i].mask)
			g_array_append_val(saved->columns, i);
	saved->last = g_new0(uint64_t, saved->vcpus * saved->columns->len);
	saved->pairs = g_new0(uint64_t, 2 * saved->columns->len);
}

static void saved_free(struct saved *saved)
{
	g_array_unref(saved->columns);
	g_free(saved->last);
	g_free(saved->pairs);
	ram_copy_free(&saved->memory);
	g_free(saved);
}

struct saved *saved_open(const char *path, const char *text, const struct diff_fields *fields,
			 unsigned int vcpus, struct ls_error *err)
{
	struct saved *saved = g_new0(struct saved, 1);
	struct trace_writer_config config = {.path = path, .vcpus = 1, .events = UINT64_MAX};
	g_autofree char *head = NULL;

	saved->fields = fields;
	saved->vcpus = vcpus;
	choose_columns(saved);
	config.text = head = head_text(saved, text);
	saved->writer = trace_writer_open(&config, err);
	if (saved->writer)
		return saved;
	saved_free(saved);
	return NULL;
}

/* {column, value} of each register that is not as the last record left it; how many. */
static unsigned int changes(struct saved *saved, unsigned int vcpu, const uint64_t *registers)
{
	uint64_t *last = saved->last + vcpu * saved->columns->len;
	unsigned int n = 0;

	for (guint i = 0; i < saved->columns->len; i++) {
		uint64_t value = registers[g_array_index(saved->columns, unsigned int, i)];

		if (value == last[i])
			continue;
		last[i] = value;
		saved->pairs[2 * n] = i;
		saved->pairs[2 * n++ + 1] = value;
	}
	return n;
}

static void emit(struct saved *saved, const struct diff_event *event, unsigned int vcpu,
		 const uint64_t *registers)
{
	uint64_t size = 16 * (uint64_t)changes(saved, vcpu, registers);

	TRACE_EMIT_BYTES(
		trace_writer_sink(saved->writer, 0), saved->number, COMPARED, saved->pairs, size,
		.vcpu = vcpu, .reason = event->exit.reason, .address = event->exit.address,
		.access = event->exit.size, .count = event->exit.count, .write = event->exit.write,
		.value = event->exit.value, .end = event->end,
		.code = (uint64_t)(int64_t)event->code, .memory = event->memory, .size = size);
}

void saved_start(struct saved *saved, struct machine *machine)
{
	const struct diff_event start = {.exit = {.reason = DIFF_START}};
	g_autofree uint64_t *registers = g_new0(uint64_t, saved->fields->count);

	ram_copy_take(&saved->memory, machine);
	for (unsigned int n = 0; n < saved->vcpus; n++) {
		diff_fields_read(saved->fields, machine_engine(machine), machine_vcpu(machine, n),
				 NULL, registers);
		emit(saved, &start, n, registers);
	}
}

#define PAGE 4096u
#define LINE 64u

static void emit_lines(struct saved *saved, struct machine *machine, uint64_t gpa)
{
	const uint8_t *page = machine_memory_ptr(machine, gpa, PAGE);
	uint8_t *last = ram_copy_ptr(&saved->memory, gpa, PAGE);

	for (unsigned int at = 0; at < PAGE; at += LINE) {
		if (!memcmp(page + at, last + at, LINE))
			continue;
		memcpy(last + at, page + at, LINE);
		TRACE_EMIT_BYTES(trace_writer_sink(saved->writer, 0), saved->number, COMPARED_LINE,
				 page + at, LINE, .address = gpa + at, .size = LINE);
	}
}

void saved_add(struct saved *saved, const struct diff_event *event, struct side *side)
{
	const GArray *changed = side_changed(side);

	unsigned int first = event->vcpu, after = event->vcpu + 1;

	if (event->exit.reason == DIFF_END) {
		first = 0;
		after = saved->vcpus;
	}
	saved->number++;
	for (guint i = 0; i < changed->len; i++)
		emit_lines(saved, side_machine(side), g_array_index(changed, uint64_t, i));
	for (unsigned int n = first; n < after; n++)
		emit(saved, event, n, event->registers + n * saved->fields->count);
}

int saved_close(struct saved *saved, struct ls_error *err)
{
	int ret = trace_writer_close(saved->writer, err);

	saved_free(saved);
	return ret;
}

uint64_t saved_image_hash(const char *path)
{
	g_autofree char *bytes = NULL;
	gsize size = 0;

	g_file_get_contents(path, &bytes, &size, NULL);
	return format_check(bytes, size);
}

void saved_append_leaves(GString *text, struct machine *machine, unsigned int vcpu)
{
	g_autofree union cpuid_buffer *leaves = g_new0(union cpuid_buffer, 1);

	leaves->head.nent = CPUID_ROOM;
	if (ls_ioctl_ptr(machine_engine(machine), machine_vcpu(machine, vcpu), KVM_GET_CPUID2,
			 leaves) < 0)
		return;
	for (uint32_t i = 0; i < leaves->head.nent; i++) {
		const struct kvm_cpuid_entry2 *leaf = &leaves->head.entries[i];

		g_string_append_printf(text, "cpuid %u 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x\n", vcpu,
				       leaf->function, leaf->index, leaf->flags, leaf->eax,
				       leaf->ebx, leaf->ecx, leaf->edx);
	}
}
