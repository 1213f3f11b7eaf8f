/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/recorded.h"

#include <inttypes.h>
#include <string.h>

#include "machine/cpu_model.h"
#include "tools/diff/saved.h"
#include "tools/size.h"
#include "tools/trace_view.h"
#include "traces/events.h"

struct recorded {
	char *path;
	struct trace_view view;
	const struct diff_fields *fields;
	unsigned int vcpus;
	GArray *column; /* of a "compared" line the field, -1: none here */
	struct diff_event event[2];
	uint64_t events;
	uint64_t *registers;   /* of all vCPUs, by now */
	unsigned int unlisted; /* MSRs of the reference that are not in it */
	const uint64_t *ahead; /* a record that was read and not used yet */
	bool ended;
};

/* --- the head --- */

static const char *text_of(const struct recorded *recorded, const char *key)
{
	return trace_reader_text(recorded->view.reader, key, 0);
}

static uint64_t number_of(const struct recorded *recorded, const char *key)
{
	const char *text = text_of(recorded, key);
	uint64_t number = 0;

	return text && !number_parse(text, UINT64_MAX, &number) ? number : 0;
}

const char *recorded_engine(const struct recorded *recorded)
{
	const char *text = text_of(recorded, "engine");

	return text ? text : "unknown";
}

const char *recorded_version(const struct recorded *recorded)
{
	const char *text = text_of(recorded, "version");

	return text ? text : "";
}

const char *recorded_case(const struct recorded *recorded)
{
	return text_of(recorded, "case");
}

struct recorded *recorded_open(const char *path, struct ls_error *err)
{
	struct recorded *recorded = g_new0(struct recorded, 1);

	recorded->path = g_strdup(path);
	trace_view_open(&recorded->view, path, err);
	recorded->view.events = UINT64_C(1) << TRACE_COMPARED;
	if (!err->code && !text_of(recorded, "granularity"))
		ls_error_set(err, -EINVAL,
			     "'%s' has nothing that can be compared; 'lockstep diff --save-trace' "
			     "makes such a trace",
			     path);
	if (!err->code)
		return recorded;
	recorded_close(recorded);
	return NULL;
}

void recorded_close(struct recorded *recorded)
{
	trace_view_close(&recorded->view);
	if (recorded->column)
		g_array_unref(recorded->column);
	g_free(recorded->registers);
	g_free(recorded->event[0].registers);
	g_free(recorded->event[1].registers);
	g_free(recorded->path);
	g_free(recorded);
}

/* --- the machine --- */

static int adopt_text(const struct recorded *recorded, const char *key, char **text,
		      struct ls_error *err)
{
	const char *own = text_of(recorded, key);
	g_autofree char *plain = own ? g_strcompress(own) : NULL;

	if (!*text)
		*text = g_steal_pointer(&plain);
	else if (g_strcmp0(*text, plain))
		return ls_error_set(err, -EINVAL, "'%s' was recorded with --%s '%s', not '%s'",
				    recorded->path, key, plain ? plain : "", *text);
	return 0;
}

static int adopt_number(const struct recorded *recorded, const char *key, uint64_t *number,
			struct ls_error *err)
{
	uint64_t own = number_of(recorded, key);

	if (!*number)
		*number = own;
	return *number == own
		       ? 0
		       : ls_error_set(err, -EINVAL,
				      "'%s' was recorded with --%s %" PRIu64 ", not %" PRIu64,
				      recorded->path, key, own, *number);
}

static int adopt_granularity(const struct recorded *recorded, struct diff_options *options,
			     struct ls_error *err)
{
	bool step = !strcmp(text_of(recorded, "granularity"), "step");

	if (!options->any_granularity && options->step != step)
		return ls_error_set(err, -EINVAL, "'%s' was recorded by %s, not by %s",
				    recorded->path, step ? "step" : "exit",
				    options->step ? "step" : "exit");
	options->any_granularity = false;
	options->step = step;
	return 0;
}

static int adopt_image(const struct recorded *recorded, struct diff_case *test,
		       struct ls_error *err)
{
	const char *image = text_of(recorded, "image"), *name = recorded_case(recorded);
	uint64_t hash = number_of(recorded, "image-hash");

	if (test->theme && g_strcmp0(name, test->name))
		return ls_error_set(err, -EINVAL, "'%s' is not of the case '%s'", recorded->path,
				    test->name);
	if (!test->called && image)
		test->called = g_strcompress(image);
	if (!test->image)
		test->image = g_strdup(test->called);
	if (!test->image)
		return ls_error_set(err, -EINVAL, "'%s' does not tell its payload: name it",
				    recorded->path);
	if (!g_file_test(test->image, G_FILE_TEST_EXISTS))
		return ls_error_set(err, -ENOENT, "there is no '%s', the payload of '%s'",
				    test->image, recorded->path);
	return saved_image_hash(test->image) == hash
		       ? 0
		       : ls_error_set(err, -EINVAL, "'%s' is of another build of '%s'",
				      recorded->path, test->theme ? test->name : test->image);
}

int recorded_adopt(const struct recorded *recorded, struct diff_options *options,
		   struct diff_case *test, struct ls_error *err)
{
	uint64_t vcpus = test->vcpus;
	int ret = adopt_text(recorded, "cpu", &options->cpu, err);

	if (!ret)
		ret = adopt_number(recorded, "memory", &options->memory, err);
	if (!ret)
		ret = adopt_number(recorded, "smp", &vcpus, err);
	if (!ret && text_of(recorded, "append"))
		ret = adopt_text(recorded, "append", &test->append, err);
	if (!ret)
		ret = adopt_granularity(recorded, options, err);
	test->vcpus = (unsigned int)vcpus;
	return ret ? ret : adopt_image(recorded, test, err);
}

/* --- its state at the start --- */

/* "VCPU LEAF INDEX FLAGS EAX EBX ECX EDX" */
static void read_leaves(const struct recorded *recorded, unsigned int vcpu,
			struct kvm_cpuid2 *leaves)
{
	const char *line;

	leaves->nent = 0;
	for (unsigned int n = 0; (line = trace_reader_text(recorded->view.reader, "cpuid", n)) &&
				 leaves->nent < CPUID_ROOM;
	     n++) {
		struct kvm_cpuid_entry2 *leaf = &leaves->entries[leaves->nent];
		unsigned int of;

		if (sscanf(line, "%u %x %x %x %x %x %x %x", &of, &leaf->function, &leaf->index,
			   &leaf->flags, &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx) == 8 &&
		    of == vcpu)
			leaves->nent++;
	}
}

static int give_leaves(const struct recorded *recorded, struct machine *machine, unsigned int vcpu,
		       struct ls_error *err)
{
	g_autofree union cpuid_buffer *leaves = g_new0(union cpuid_buffer, 1);
	int ret;

	read_leaves(recorded, vcpu, &leaves->head);
	if (!leaves->head.nent)
		return 0;
	ret = ls_ioctl_ptr(machine_engine(machine), machine_vcpu(machine, vcpu), KVM_SET_CPUID2,
			   leaves);
	return ret < 0 ? ls_error_set(err, ret, "the reference cannot be the processor of '%s': %s",
				      recorded->path, g_strerror(-ret))
		       : 0;
}

static void map_columns(struct recorded *recorded, struct diff_fields *fields)
{
	g_autofree bool *there = g_new0(bool, fields->count);
	const char *name;

	recorded->column = g_array_new(FALSE, FALSE, sizeof(int));
	for (unsigned int n = 0; (name = trace_reader_text(recorded->view.reader, "compared", n));
	     n++) {
		int field = diff_fields_find(fields, name);

		g_array_append_val(recorded->column, field);
		if (field >= 0)
			there[field] = true;
	}
	for (unsigned int i = 0; i < fields->count; i++) {
		if (there[i] || !fields->row[i].mask)
			continue;
		/* An MSR that one of the engines does not list is in no live comparison, either. */
		recorded->unlisted += fields->row[i].msr != 0;
		if (fields->row[i].msr)
			fields->row[i].mask = 0;
		else
			diff_fields_leave_out(fields, i);
	}
}

unsigned int recorded_unlisted(const struct recorded *recorded)
{
	return recorded->unlisted;
}

static int damaged(const struct recorded *recorded, struct ls_error *err)
{
	return ls_error_set(err, -EBADMSG, "'%s' is damaged: its events make no sense",
			    recorded->path);
}

/* --- records --- */

static const struct trace_fields_COMPARED *fields_of(const uint64_t *record)
{
	return (const void *)(record + 2);
}

static const uint64_t *next_record(struct recorded *recorded, struct ls_error *err)
{
	const uint64_t *record = recorded->ahead;
	unsigned int vcpu;

	recorded->ahead = NULL;
	if (record)
		return record;
	return trace_view_next(&recorded->view, &vcpu, &record, err) ? record : NULL;
}

/* Changed registers of one vCPU. */
static int take_registers(struct recorded *recorded, const uint64_t *record, struct ls_error *err)
{
	const struct trace_fields_COMPARED *from = fields_of(record);
	const uint64_t *pair = (const uint64_t *)(from + 1);
	uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*from);

	if (from->size % 16 || from->size > room || from->vcpu >= recorded->vcpus)
		return damaged(recorded, err);
	for (uint64_t n = 0; n < from->size / 16; n++, pair += 2) {
		int field = pair[0] < recorded->column->len
				    ? g_array_index(recorded->column, int, pair[0])
				    : -1;

		if (pair[0] >= recorded->column->len)
			return damaged(recorded, err);
		if (field >= 0)
			recorded->registers[from->vcpu * recorded->fields->count +
					    (unsigned int)field] = pair[1];
	}
	return 0;
}

/* All of one event: of an end and of the start there are records of each vCPU. */
static int take_event(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	const uint64_t *record = next_record(recorded, err);
	const struct trace_fields_COMPARED *from;
	uint64_t number = record ? record[1] : 0;

	if (!record)
		return err->code;
	from = fields_of(record);
	*event = (struct diff_event){
		.number = number,
		.exit = {.reason = (uint32_t)from->reason,
			 .size = (uint32_t)from->access,
			 .count = (uint32_t)from->count,
			 .write = from->write != 0,
			 .address = from->address,
			 .value = from->value},
		.end = (enum machine_end)from->end,
		.code = (int)from->code,
		.vcpu = from->vcpu < recorded->vcpus ? (unsigned int)from->vcpu : 0,
		.physical_rip = UINT64_MAX,
		.memory = from->memory,
		.registers = event->registers,
	};
	for (; record && record[1] == number; record = next_record(recorded, err))
		if (take_registers(recorded, record, err))
			return err->code;
	recorded->ahead = record;
	return err->code;
}

int recorded_equalise(struct recorded *recorded, struct diff_fields *fields,
		      struct machine *reference, struct ls_error *err)
{
	struct diff_event start = {0};

	recorded->fields = fields;
	recorded->vcpus = machine_vcpu_count(reference);
	recorded->registers = g_new0(uint64_t, recorded->vcpus * fields->count);
	for (int n = 0; n < 2; n++)
		recorded->event[n].registers = g_new0(uint64_t, recorded->vcpus * fields->count);
	map_columns(recorded, fields);
	if (take_event(recorded, &start, err))
		return err->code;
	if (start.exit.reason != DIFF_START)
		return damaged(recorded, err);
	for (unsigned int n = 0; n < recorded->vcpus; n++) {
		if (give_leaves(recorded, reference, n, err))
			return err->code;
		diff_fields_equalise_to(fields, machine_engine(reference),
					machine_vcpu(reference, n),
					recorded->registers + n * fields->count);
	}
	return 0;
}

static struct diff_event *present(struct recorded *recorded)
{
	return &recorded->event[(recorded->events - 1) & 1];
}

const struct diff_event *recorded_next(struct recorded *recorded, struct ls_error *err)
{
	const struct diff_fields *fields = recorded->fields;
	struct diff_event *event;
	const uint64_t *registers;

	if (recorded->ended)
		return present(recorded);
	event = &recorded->event[recorded->events & 1];
	event->exit = (struct machine_exit){.reason = DIFF_TORN};
	event->number = recorded->events + 1;
	if (take_event(recorded, event, err))
		return NULL;
	if (event->number != recorded->events + 1)
		event->exit = (struct machine_exit){.reason = DIFF_TORN, .value = 1};
	memcpy(event->registers, recorded->registers,
	       recorded->vcpus * fields->count * sizeof(uint64_t));
	registers = event->registers + event->vcpu * fields->count;
	event->linear_rip = registers[fields->rip] + registers[fields->cs_base];
	event->number = recorded->events++;
	recorded->ended = event->exit.reason == DIFF_END || event->exit.reason == DIFF_TORN;
	return event;
}

void recorded_give_bytes(struct recorded *recorded, const uint8_t *bytes)
{
	memcpy(present(recorded)->bytes, bytes, sizeof(present(recorded)->bytes));
}

void recorded_give_instruction(struct recorded *recorded, const struct diff_event *from)
{
	recorded_give_bytes(recorded, from->bytes);
	present(recorded)->physical_rip = from->physical_rip;
}
