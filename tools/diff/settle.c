/* SPDX-License-Identifier: Apache-2.0 */
/* A difference that has a row is none, and a row that its case does not need is one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/symbols.h"
#include "tools/diff/comparison.h"

#define NEAR 0x200 /* bytes about RSP */

static struct expected_run run_of(const struct comparison *c)
{
	return (struct expected_run){c->dut, c->version, c->options->step, c->test->name};
}

/* --- where in memory --- */

/* As rows say it, whose suite is built anew at times: by RSP or by a symbol of the image. */
static void name_word(const struct comparison *c, const struct symbols *symbols, uint64_t gpa,
		      char *name, size_t room)
{
	int64_t far = (int64_t)(gpa - registers_of(c, REF)[diff_fields_find(c->fields, "RSP")]);
	uint64_t offset;
	const struct symbol *symbol = symbols_find(symbols, gpa, &offset);

	if (symbol && (symbol->size || far <= -NEAR || far >= NEAR))
		snprintf(name, room, "memory %s+0x%" PRIx64, symbol->name, offset);
	else if (far > -NEAR && far < NEAR)
		snprintf(name, room, "memory RSP%c0x%" PRIx64, far < 0 ? '-' : '+',
			 (uint64_t)(far < 0 ? -far : far));
}

/* --- what differs --- */

static int find_row(const struct comparison *c, const struct symbols *symbols,
		    const struct diff_value *value)
{
	struct expected_run run = run_of(c);
	char name[96];
	struct expected_difference difference = {.instruction = c->before.instruction.mnemonic,
						 .field = name,
						 .ref = value->value[REF],
						 .dut = value->value[DUT]};
	uint64_t gpa;

	g_strlcpy(name, value->field, sizeof(name));
	if (sscanf(value->field, "memory 0x%" SCNx64, &gpa) == 1)
		name_word(c, symbols, gpa, name, sizeof(name));
	return expected_find(&run, &difference);
}

/* A trace tells of memory only that it differs: so much can be held against rows. */
static bool settle_hash(const struct comparison *c, bool *used)
{
	struct expected_run run = run_of(c);
	bool any = false;

	for (unsigned int i = 0; i < expected_count; i++) {
		if (!expected_applies(&expected_rows[i], &run) ||
		    !g_str_has_prefix(expected_rows[i].field, "memory "))
			continue;
		used[i] = any = true;
	}
	return any;
}

static bool settle_value(const struct comparison *c, const struct symbols *symbols,
			 const struct diff_value *value, bool *used)
{
	int row;

	if (!value->differs)
		return true;
	if (!strcmp(value->field, MEMORY_HASH))
		return settle_hash(c, used);
	row = find_row(c, symbols, value);
	if (row >= 0)
		used[row] = true;
	return row >= 0;
}

/* Each of the values has its row. */
static bool settle_values(struct comparison *c, bool *used)
{
	struct symbols symbols = {0};
	struct ls_error err;
	bool all = !c->more;

	symbols_load(&symbols, c->test->image, &err);
	for (guint i = 0; i < c->result->values->len && all; i++)
		all = settle_value(c, &symbols, g_ptr_array_index(c->result->values, i), used);
	symbols_free(&symbols);
	return all;
}

static bool settle_control(struct comparison *c, bool *used)
{
	struct expected_run run = run_of(c);
	int row = expected_find(&run, &c->control);

	if (row >= 0)
		used[row] = true;
	return row >= 0;
}

/* --- rows that nothing needed --- */

static void complain_expected(struct comparison *c, const bool *used)
{
	struct expected_run run = run_of(c);

	for (unsigned int i = 0; i < expected_count; i++) {
		g_autofree char *text = NULL;

		if (used[i] || !expected_applies(&expected_rows[i], &run))
			continue;
		text = expected_text(&expected_rows[i]);
		diff_verdict(c->result, DIFF_DIFFERENT,
			     "the expected difference in %s did not show; take its row out of "
			     "expected.def",
			     text);
	}
}

/* Of what is recorded, only steps that were merged show again. */
static bool quirk_due(const struct comparison *c, unsigned int row)
{
	enum quirk_kind kind = quirk_rows[row].kind;

	return c->config[REF].single_step && !c->quirk_used[row] &&
	       (!c->recorded || kind == QUIRK_MERGES || kind == QUIRK_RUNS_GUEST);
}

static void complain_quirks(struct comparison *c)
{
	for (unsigned int i = 0; i < quirk_count; i++)
		if (quirk_due(c, i) &&
		    quirk_applies(&quirk_rows[i], c->dut, c->version, c->test->name))
			diff_verdict(c->result, DIFF_DIFFERENT,
				     "the quirk of %s did not show; take its row out of quirks.def",
				     quirk_rows[i].mnemonic);
}

void comparison_settle(struct comparison *c, const struct diff_used *used)
{
	g_autofree bool *rows = g_new0(bool, expected_count + 1);
	bool different = c->result->verdict == DIFF_DIFFERENT;
	bool declared =
		different && (c->control.field ? settle_control(c, rows) : settle_values(c, rows));

	for (unsigned int i = 0; i < quirk_count; i++)
		used->quirk[i] |= c->quirk_used[i];
	if (declared) {
		c->result->declared = 1;
		c->result->verdict = DIFF_EQUAL;
		g_clear_pointer(&c->result->text, g_free);
		for (unsigned int i = 0; i < expected_count; i++)
			used->expected[i] |= rows[i];
	}
	if (c->result->verdict != DIFF_EQUAL)
		return;
	complain_expected(c, rows);
	if (!declared)
		complain_quirks(c);
}
