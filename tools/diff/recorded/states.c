/* SPDX-License-Identifier: Apache-2.0 */
/* A trace that `lockstep diff --save-trace` made: all that a comparison looks at. */
#include <inttypes.h>
#include <string.h>

#include "tools/diff/recorded/file.h"
#include "tools/diff/recorded/saved.h"
#include "traces/events.h"

/* --- the machine --- */

static int adopt_text(const struct recorded *recorded, const char *key, char **text,
		      struct ls_error *err)
{
	const char *own = recorded_text(recorded, key);
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
	uint64_t own = recorded_number(recorded, key);

	if (!*number)
		*number = own;
	return *number == own
		       ? 0
		       : ls_error_set(err, -EINVAL,
				      "'%s' was recorded with --%s %" PRIu64 ", not %" PRIu64,
				      recorded->path, key, own, *number);
}

static int adopt_image(const struct recorded *recorded, struct diff_case *test,
		       struct ls_error *err)
{
	const char *image = recorded_text(recorded, "image"), *name = recorded_case(recorded);
	uint64_t hash = recorded_number(recorded, "image-hash");

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

static int adopt(struct recorded *recorded, struct diff_options *options, struct diff_case *test,
		 struct ls_error *err)
{
	uint64_t vcpus = test->vcpus;
	int ret = adopt_text(recorded, "cpu", &options->cpu, err);

	if (!ret)
		ret = adopt_number(recorded, "memory", &options->memory, err);
	if (!ret)
		ret = adopt_number(recorded, "smp", &vcpus, err);
	if (!ret && recorded_text(recorded, "append"))
		ret = adopt_text(recorded, "append", &test->append, err);
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

int recorded_give_leaves(const struct recorded *recorded, struct machine *machine,
			 unsigned int vcpu, struct ls_error *err)
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
	const char *name;

	recorded->column = g_array_new(FALSE, FALSE, sizeof(int));
	for (unsigned int n = 0; (name = trace_reader_text(recorded->view.reader, "compared", n));
	     n++) {
		int field = diff_fields_find(fields, name);

		g_array_append_val(recorded->column, field);
	}
	recorded_leave_out(recorded, fields, recorded->column);
}

/* --- records --- */

static const struct trace_fields_COMPARED *fields_of(const uint64_t *record)
{
	return (const void *)(record + 2);
}

/* Changed registers of one vCPU. */
static int take_registers(struct recorded *recorded, const uint64_t *record, struct ls_error *err)
{
	const struct trace_fields_COMPARED *from = fields_of(record);
	const uint64_t *pair = (const uint64_t *)(from + 1);
	uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*from);

	if (from->size % 16 || from->size > room || from->vcpu >= recorded->vcpus)
		return recorded_damaged(recorded, err);
	for (uint64_t n = 0; n < from->size / 16; n++, pair += 2) {
		int field = pair[0] < recorded->column->len
				    ? g_array_index(recorded->column, int, pair[0])
				    : -1;

		if (pair[0] >= recorded->column->len)
			return recorded_damaged(recorded, err);
		if (field >= 0)
			recorded->registers[from->vcpu * recorded->fields->count +
					    (unsigned int)field] = pair[1];
	}
	return 0;
}

/* Memory that has changed. */
static int take_line(struct recorded *recorded, const uint64_t *record, struct ls_error *err)
{
	const struct trace_fields_COMPARED_LINE *from = (const void *)(record + 2);
	uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*from);
	uint8_t *to = ram_copy_ptr(&recorded->memory, from->address, from->size);

	if (from->size > room || !to)
		return recorded_damaged(recorded, err);
	memcpy(to, from + 1, from->size);
	return 0;
}

static const uint64_t *record_behind_lines(struct recorded *recorded, struct ls_error *err)
{
	const uint64_t *record;

	while ((record = recorded_record(recorded, err)) &&
	       LS_TRACE_EVENT(record[0]) == TRACE_COMPARED_LINE)
		if (take_line(recorded, record, err))
			return NULL;
	return record;
}

/* All of one event: of an end and of the start there are records of each vCPU. */
static int take_event(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	const uint64_t *record = record_behind_lines(recorded, err);
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
	for (; record && record[1] == number && LS_TRACE_EVENT(record[0]) == TRACE_COMPARED;
	     record = recorded_record(recorded, err))
		if (take_registers(recorded, record, err))
			return err->code;
	recorded->ahead = record;
	return err->code;
}

static int start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		 struct ls_error *err)
{
	struct diff_event first = {0};

	map_columns(recorded, fields);
	/* Both began with the payload and nothing else. */
	if (recorded_has(recorded->view.reader) >> TRACE_COMPARED_LINE & 1)
		ram_copy_take(&recorded->memory, reference);
	if (take_event(recorded, &first, err))
		return err->code;
	if (first.exit.reason != DIFF_START)
		return recorded_damaged(recorded, err);
	for (unsigned int n = 0; n < recorded->vcpus; n++) {
		if (recorded_give_leaves(recorded, reference, n, err))
			return err->code;
		diff_fields_equalise_to(fields, machine_engine(reference),
					machine_vcpu(reference, n),
					recorded->registers + n * fields->count);
	}
	return 0;
}

static int take(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	uint64_t expected = recorded->events + 1;

	event->number = expected;
	if (take_event(recorded, event, err))
		return err->code;
	if (event->number != expected)
		event->exit = (struct machine_exit){.reason = DIFF_TORN, .value = 1};
	event->number = recorded->events;
	return 0;
}

const struct recorded_kind recorded_states_exit = {
	.events = UINT64_C(1) << TRACE_COMPARED | UINT64_C(1) << TRACE_COMPARED_LINE,
	.adopt = adopt,
	.start = start,
	.take = take,
};

const struct recorded_kind recorded_states_step = {
	.events = UINT64_C(1) << TRACE_COMPARED | UINT64_C(1) << TRACE_COMPARED_LINE,
	.step = true,
	.adopt = adopt,
	.start = start,
	.take = take,
};
