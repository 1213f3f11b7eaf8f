/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/stream/fold.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <lockstep/extension.h>

#include "traces/events.h"
#include "traces/record.h"

#define PLACES 64 /* of a row: 16 elements of 4 parts */

/* --- fields by the names of the state table --- */

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

void fold_add_row(struct fold *fold, struct ls_engine *engine, const char *row)
{
	bool known = !is_elsewhere(row) && !is_event(engine, row);

	for (unsigned int place = 0; place < PLACES; place++) {
		char name[80];
		int field;

		name_of(known ? row : "", place, name, sizeof(name));
		field = diff_fields_find(fold->fields, name);
		g_array_append_val(fold->column, field);
	}
	if (!strcmp(row, "significand of R0-7"))
		fold->significands = fold->rows;
	if (!strcmp(row, "sign and exponent of R0-7"))
		fold->exponents = fold->rows;
	fold->rows++;
}

void fold_start(struct fold *fold, const struct diff_fields *fields)
{
	*fold = (struct fold){.fields = fields,
			      .column = g_array_new(FALSE, FALSE, sizeof(int)),
			      .significands = UINT_MAX,
			      .exponents = UINT_MAX,
			      .fsw = (unsigned int)diff_fields_find(fields, "FSW")};
	for (unsigned int n = 0; n < 16; n++) {
		unsigned int low = n % 2 * 64;
		g_autofree char *name = g_strdup_printf("ST%u[%u:%u]", n / 2, low + 63, low);

		fold->stack[n] = (unsigned int)diff_fields_find(fields, name);
	}
}

void fold_finish(struct fold *fold)
{
	for (unsigned int n = 0; n < 16 && fold->significands != UINT_MAX; n++) {
		int field = (int)fold->stack[n];

		g_array_append_val(fold->column, field);
	}
}

void fold_free(struct fold *fold)
{
	if (fold->column)
		g_array_unref(fold->column);
	fold->column = NULL;
}

/* --- values --- */

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

/* The table has R0 to R7, KVM's calls ST(0) to ST(7): SDM 1:8.1.2. */
static void set_stack(const struct fold *fold, struct folded *to)
{
	unsigned int top = to->registers[fold->fsw] >> 11 & 7;

	for (unsigned int n = 0; n < 16; n++)
		to->registers[fold->stack[n]] = to->x87[(top + n / 2) & 7][n % 2];
}

/* Whether it is of the x87. */
static bool set_field(const struct fold *fold, struct folded *to, uint64_t key, uint64_t value)
{
	unsigned int row = key & 0xffff, element = key >> 16 & 0xf;
	unsigned int place = row * PLACES + element * 4 + (key >> 32 & 3);
	int field = row < fold->rows ? g_array_index(fold->column, int, place) : -1;

	if (row == fold->significands)
		to->x87[element & 7][0] = value;
	else if (row == fold->exponents)
		to->x87[element & 7][1] = value;
	else if (field >= 0)
		to->registers[field] = as_kvm(fold->fields->row[field].name, value);
	return row == fold->significands || row == fold->exponents || field == (int)fold->fsw;
}

/* Everything is 0 that the state where a chunk begins does not name. */
void fold_take(const struct fold *fold, struct folded *to, const uint64_t *record)
{
	struct trace_instruction insn;
	const uint64_t *value;
	bool stack = false;

	trace_instruction_parse(record, &insn);
	value = insn.values;
	if (LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT)
		memset(to->registers, 0, fold->fields->count * sizeof(uint64_t));
	for (uint32_t changed = insn.changed; changed; changed &= changed - 1)
		set_field(fold, to, (uint64_t)__builtin_ctz(changed), *value++);
	for (unsigned int i = 0; i < insn.states; i++)
		stack |= set_field(fold, to, insn.state[2 * i], insn.state[2 * i + 1]);
	if (stack)
		set_stack(fold, to);
}
