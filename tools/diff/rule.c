/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of the manual that the reference followed where the engines part. */
#include <inttypes.h>

#include "tools/diff/comparison.h"

/* SDM 3A:6.3.1, table 6-1; each has its page in 6.15. */
static const char *const exceptions[32] = {
	[0] = "#DE",  [1] = "#DB",  [3] = "#BP",  [4] = "#OF",  [5] = "#BR",
	[6] = "#UD",  [7] = "#NM",  [8] = "#DF",  [10] = "#TS", [11] = "#NP",
	[12] = "#SS", [13] = "#GP", [14] = "#PF", [16] = "#MF", [17] = "#AC",
	[18] = "#MC", [19] = "#XM", [20] = "#VE", [21] = "#CP",
};

static void append_event(GString *rule, int vector)
{
	if (vector < 0)
		g_string_append(rule, "no exception");
	else if (vector < 32 && exceptions[vector])
		g_string_append_printf(rule, "%s (SDM 3A:6.15, interrupt %d)", exceptions[vector],
				       vector);
	else
		g_string_append_printf(rule, "interrupt %d (SDM 3A:6.%s)", vector,
				       vector == 2 ? "7" : "3.2");
}

char *rule_describe(const struct comparison *c)
{
	const struct ls_instruction *instruction = &c->before.instruction;
	int vector[2];
	GString *rule;

	if (!c->options->step || !instruction->mnemonic)
		return NULL;
	rule = g_string_new(NULL);
	g_string_append_printf(rule, "%s: %s %s at 0x%" PRIx64, instruction->manual,
			       instruction->mnemonic, instruction->encoding, c->before.linear_rip);
	if (instruction->varies)
		g_string_append(rule, ", whose result is left to the implementation");
	pair_exceptions(c, vector);
	if (vector[REF] >= 0 || vector[DUT] >= 0) {
		g_string_append_printf(rule, "; %s: ", diff_side_label(c->options, REF));
		append_event(rule, vector[REF]);
		g_string_append_printf(rule, ", %s: ", diff_side_label(c->options, DUT));
		if (is_step(c->now[DUT]))
			append_event(rule, vector[DUT]);
		else
			g_string_append(rule, "ran on");
	}
	return g_string_free(rule, FALSE);
}
