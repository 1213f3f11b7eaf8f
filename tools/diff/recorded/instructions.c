/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of a run, instruction by instruction: each is an event, with the records up to it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tools/diff/recorded/file.h"
#include "traces/events.h"
#include "traces/record.h"

/* --- fields by the names of the state table --- */

#define PLACES 64 /* of a row: 16 elements of 4 parts */

static unsigned int place_of(uint64_t key)
{
	return (unsigned int)((key & 0xffff) * PLACES + (key >> 16 & 0xf) * 4 + (key >> 32 & 3));
}

/* Rows in which KVM's calls show what another row holds, or what runs on by itself. */
static bool is_elsewhere(const char *row)
{
	static const char *const names[] = {"EFER",     "FS_BASE",      "GS_BASE", "APIC_BASE",
					    "SMM_BASE", "TSC_DEADLINE", NULL};

	return g_strv_contains(names, row) || g_str_has_prefix(row, "PMC") ||
	       g_str_has_prefix(row, "A_PMC") || g_str_has_prefix(row, "FIXED_CTR");
}

/* Those of events are in no instruction's record (sim/cpu/recorder.c). */
static bool is_event(struct ls_engine *engine, const char *row)
{
	const struct ls_table *states =
		engine->ext->table ? engine->ext->table(engine, "state") : NULL;

	for (size_t n = 0; states && n < states->rows; n++)
		if (!strcmp(states->cell(engine, n, 0), row))
			return !strcmp(states->cell(engine, n, 1), "event");
	return false;
}

/* The comparison's name of part @place of a row: "XMM3[127:64]" for YMM0-15's third, second part.
 */
static void name_of(const char *row, unsigned int place, char *name, size_t size)
{
	unsigned int element = place / 4, part = place % 4, low = part % 2 * 64;

	if (!strcmp(row, "YMM0-15"))
		snprintf(name, size, "%s%u[%u:%u]", part < 2 ? "XMM" : "YMM high", element,
			 low + 63, low);
	else
		snprintf(name, size, "%s", place ? "" : row);
}

/* What KVM's calls make of a value of the state table. */
static uint64_t as_kvm(const char *name, uint64_t value)
{
	uint64_t valid = 0;

	if (g_str_has_suffix(name, " access rights"))
		return value & 1u << 16 ? 1u << 16 : value & 0x70ff; /* diff_fields: without G */
	if (strcmp(name, "FTW"))
		return value;
	for (unsigned int n = 0; n < 8; n++) /* SDM 1:10.5.1.1: a bit for two */
		valid |= (uint64_t)((value >> 2 * n & 3) != 3) << n;
	return valid;
}

static void set_field(struct recorded *recorded, uint64_t key, uint64_t value)
{
	unsigned int place = place_of(key);
	int field =
		place < recorded->column->len ? g_array_index(recorded->column, int, place) : -1;

	if ((key & 0xffff) == recorded->significands)
		recorded->x87[key >> 16 & 7][0] = value;
	else if ((key & 0xffff) == recorded->exponents)
		recorded->x87[key >> 16 & 7][1] = value;
	else if (field >= 0)
		recorded->registers[field] = as_kvm(recorded->fields->row[field].name, value);
}

/* The table has R0 to R7, KVM's calls ST(0) to ST(7): SDM 1:8.1.2. */
static void set_stack(struct recorded *recorded)
{
	unsigned int top = recorded->registers[recorded->fsw] >> 11 & 7;

	for (unsigned int n = 0; n < 16; n++)
		recorded->registers[recorded->stack[n]] = recorded->x87[(top + n / 2) & 7][n % 2];
}

/* Everything is 0 that the state where a chunk begins does not name. */
static void take_state(struct recorded *recorded, const uint64_t *record)
{
	struct trace_instruction insn;
	const uint64_t *value;

	trace_instruction_parse(record, &insn);
	value = insn.values;
	if (LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT)
		memset(recorded->registers, 0, recorded->fields->count * sizeof(uint64_t));
	for (uint32_t changed = insn.changed; changed; changed &= changed - 1)
		set_field(recorded, (uint64_t)__builtin_ctz(changed), *value++);
	for (unsigned int i = 0; i < insn.states; i++)
		set_field(recorded, insn.state[2 * i], insn.state[2 * i + 1]);
}

/* --- events --- */

static void map_row(struct recorded *recorded, const struct diff_fields *fields, const char *row)
{
	for (unsigned int place = 0; place < PLACES; place++) {
		char name[80];
		int field;

		name_of(row, place, name, sizeof(name));
		field = diff_fields_find(fields, name);
		g_array_append_val(recorded->column, field);
	}
}

static void map_stack(struct recorded *recorded, const struct diff_fields *fields)
{
	recorded->fsw = (unsigned int)diff_fields_find(fields, "FSW");
	for (unsigned int n = 0; n < 16; n++) {
		unsigned int low = n % 2 * 64;
		g_autofree char *name = g_strdup_printf("ST%u[%u:%u]", n / 2, low + 63, low);
		int field = diff_fields_find(fields, name);

		recorded->stack[n] = (unsigned int)field;
		g_array_append_val(recorded->column, field);
	}
}

/* The file's state rows are what it tells of registers. Where the next instruction is, only that
 * one's record tells. */
static int start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		 struct ls_error *err)
{
	const char *row;

	recorded->view.snapshots = true;
	recorded->column = g_array_new(FALSE, FALSE, sizeof(int));
	recorded->significands = recorded->exponents = UINT_MAX;
	for (unsigned int n = 0; (row = trace_reader_text(recorded->view.reader, "state", n));
	     n++) {
		map_row(recorded, fields,
			is_elsewhere(row) || is_event(machine_engine(reference), row) ? "" : row);
		if (!strcmp(row, "significand of R0-7"))
			recorded->significands = n;
		if (!strcmp(row, "sign and exponent of R0-7"))
			recorded->exponents = n;
	}
	map_stack(recorded, fields);
	recorded_leave_out(recorded, fields);
	fields->row[fields->rip].mask = 0;
	return recorded_give_leaves(recorded, reference, 0, err);
}

static void keep(struct recorded *recorded, const uint64_t *record)
{
	g_array_append_vals(recorded->group, record, LS_TRACE_WORDS(record[0]));
}

static bool retires(const uint64_t *record)
{
	return LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION &&
	       (LS_TRACE_FLAGS(record[0]) & LS_TRACE_RETIRED);
}

static int take(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	const uint64_t *record;
	bool done = false;

	if (recorded->events)
		g_array_set_size(recorded->group, 0);
	event->no_rip = true;
	while (!done && (record = recorded_record(recorded, err))) {
		if (LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION)
			take_state(recorded, record);
		keep(recorded, record);
		done = retires(record);
		event->retired = record[1] + 1;
	}
	set_stack(recorded);
	if (done)
		event->exit.reason = KVM_EXIT_DEBUG;
	return err->code;
}

/* Of an instruction's execution, as all records up to it. */
static bool begins(const uint64_t *record)
{
	return LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION && record[2];
}

/* Up to the first instruction. An MSR that the state table has and KVM's calls show otherwise (one
 * of the other vendor's, say) differs from here on. */
static int level(struct recorded *recorded, struct diff_fields *fields, const uint64_t *registers,
		 struct ls_error *err)
{
	const uint64_t *record;

	while ((record = recorded_record(recorded, err)) && !begins(record)) {
		if (LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION)
			take_state(recorded, record);
		keep(recorded, record);
	}
	recorded->ahead = record;
	for (unsigned int i = 0; i < fields->count; i++)
		if (fields->row[i].msr &&
		    ((recorded->registers[i] ^ registers[i]) & fields->row[i].mask))
			diff_fields_leave_out(fields, i);
	return err->code;
}

static void tell(const struct recorded *recorded, GPtrArray *lines)
{
	(void)recorded;
	g_ptr_array_add(lines, g_strdup("memory that no instruction stores to"));
}

bool recorded_extend(struct recorded *recorded, bool registers, struct ls_error *err)
{
	const uint64_t *record = recorded_record(recorded, err);

	if (!record || begins(record) ||
	    (registers && LS_TRACE_EVENT(record[0]) != TRACE_INSTRUCTION)) {
		recorded->ahead = record;
		return false;
	}
	if (LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION)
		take_state(recorded, record);
	set_stack(recorded);
	keep(recorded, record);
	recorded_show(recorded);
	return true;
}

const struct recorded_kind recorded_instructions = {
	.events = ~(UINT64_C(1) << TRACE_FEED | UINT64_C(1) << TRACE_SNAPSHOT),
	.step = true,
	.wants = ~(UINT64_C(1) << TRACE_FEED | UINT64_C(1) << TRACE_SNAPSHOT),
	.adopt = recorded_adopt_run,
	.tell = tell,
	.start = start,
	.level = level,
	.take = take,
};
