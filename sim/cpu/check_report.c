/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/cpu/check_report.h"

#define VALUES_MAX 512

void check_report_failure(struct check_inputs *in, const struct check_row *row, char *text,
			  size_t size)
{
	const struct check_row *rows = in->table->rows, *end = rows + in->table->count;
	char values[VALUES_MAX];
	size_t used;

	check_judge(in, row);
	check_describe(in, values, sizeof(values));
	used = snprintf(text, size, "VM entry: %s (%s): %s: %s; wanted: %s",
			in->table->outcome_name(row->outcome), row->identifier, row->manual, values,
			row->rule);
	for (const char *before = "; so fail "; ++row < end && used < size;)
		if (check_judge(in, row) == CHECK_FAIL) {
			used += snprintf(text + used, size - used, "%s%s", before, row->identifier);
			before = ", ";
		}
}

static void print_failure(struct check_inputs *in, const struct check_row *row, FILE *to)
{
	char values[VALUES_MAX];

	check_describe(in, values, sizeof(values));
	fprintf(to, "%s: %s, %s\n  wanted: %s: %s\n  found: %s\n", row->identifier, row->manual,
		in->table->outcome_name(row->outcome), in->table->input_name(row->subject),
		row->rule, values);
}

static void judge(struct check_inputs *in, const struct check_row *row, struct check_tally *tally,
		  FILE *to)
{
	switch (check_judge(in, row)) {
	case CHECK_PASS:
		tally->passed++;
		break;
	case CHECK_UNKNOWN:
		tally->unknown++;
		tally->missing[in->missing / 64] |= BIT(in->missing % 64);
		break;
	default:
		tally->failed++;
		print_failure(in, row, to);
		if (!tally->first)
			tally->first = row;
	}
}

void check_report_all(struct check_inputs *in, u8 from, struct check_tally *tally, FILE *to)
{
	memset(tally, 0, sizeof(*tally));
	for (unsigned int i = 0; i < in->table->count; i++)
		if (in->table->rows[i].group >= from)
			judge(in, &in->table->rows[i], tally, to);
	if (tally->first)
		fprintf(to, "VM entry: %s, by %s\n", in->table->outcome_name(tally->first->outcome),
			tally->first->identifier);
	else
		fprintf(to, "VM entry: no check is known to fail\n");
}

void check_report_tally(const struct check_table *table, const struct check_tally *tally, FILE *to)
{
	const char *before = "";

	fprintf(to, "failed: %u, passed: %u\n", tally->failed, tally->passed);
	if (!tally->unknown)
		return;
	fprintf(to, "unknown: %u, for want of ", tally->unknown);
	for (unsigned int i = 0; i < 64 * CHECK_INPUT_WORDS; i++)
		if (tally->missing[i / 64] >> i % 64 & 1) {
			fprintf(to, "%s%s", before, table->input_name(i));
			before = ", ";
		}
	fputs("\n", to);
}
