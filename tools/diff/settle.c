/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of known differences make of a comparison. */
#include "tools/diff/comparison.h"
#include "tools/diff/expected.h"

static struct expected_run run_of(const struct comparison *c)
{
	return (struct expected_run){c->dut, c->version, c->options->step, c->test->name};
}

/* A difference that has a row is none. */
static bool settle_difference(struct comparison *c, const struct diff_used *used)
{
	struct expected_run run = run_of(c);
	int found = c->first && c->result->verdict == DIFF_DIFFERENT
			    ? expected_find(&run, c->first, c->first_bits)
			    : -1;

	if (found < 0)
		return false;
	used->expected[found] = true;
	c->result->declared++;
	c->result->verdict = DIFF_EQUAL;
	return true;
}

/* Of what is recorded, only steps that were merged show again. */
static bool quirk_due(const struct comparison *c, unsigned int row)
{
	return c->config[REF].single_step && !c->quirk_used[row] &&
	       (!c->recorded || quirk_rows[row].kind == QUIRK_MERGES);
}

/* A row that its case does not need is a difference: between the row and what happens. */
static void settle_rows(struct comparison *c)
{
	struct expected_run run = run_of(c);

	for (unsigned int i = 0; i < expected_count; i++)
		if (expected_applies(&expected_rows[i], &run))
			diff_verdict(c->result, DIFF_DIFFERENT,
				     "the expected difference in %s did not show; take its row out "
				     "of expected.def",
				     expected_rows[i].field);
	for (unsigned int i = 0; i < quirk_count; i++)
		if (quirk_due(c, i) &&
		    quirk_applies(&quirk_rows[i], run.engine, run.version, run.test))
			diff_verdict(c->result, DIFF_DIFFERENT,
				     "the quirk of %s did not show; take its row out of quirks.def",
				     quirk_rows[i].mnemonic);
}

void comparison_settle(struct comparison *c, const struct diff_used *used)
{
	bool declared = settle_difference(c, used);

	for (unsigned int i = 0; i < quirk_count; i++)
		used->quirk[i] |= c->quirk_used[i];
	if (c->result->verdict == DIFF_EQUAL && !declared)
		settle_rows(c);
}
