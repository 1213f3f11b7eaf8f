/* SPDX-License-Identifier: Apache-2.0 */
/* Judging rows of checks: check.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/cpu/check.h"

u64 check_input_fetch(struct check_inputs *in, unsigned int input)
{
	u64 value = 0;

	if (in->fetch && in->fetch(in, input, &value))
		return in->value[input] = value;
	if (in->missing == CHECK_NOTHING)
		in->missing = input;
	return in->value[input] = 0;
}

enum check_verdict check_judge(struct check_inputs *in, const struct check_row *row)
{
	bool holds;

	in->reads = 0;
	in->missing = CHECK_NOTHING;
	if (in->mutant && in->mutant->row == row)
		return in->mutant->holds ? CHECK_PASS : CHECK_FAIL;
	holds = (row->applies && !row->applies(in)) || row->holds(in);
	if (in->missing != CHECK_NOTHING)
		return CHECK_UNKNOWN;
	return holds ? CHECK_PASS : CHECK_FAIL;
}

const struct check_row *check_first_failure(struct check_inputs *in, unsigned int from,
					    unsigned int end)
{
	const struct check_row *rows = in->table->rows;

	for (unsigned int i = from; i < in->table->count && rows[i].group < end; i++)
		if (check_judge(in, &rows[i]) == CHECK_FAIL)
			return &rows[i];
	return NULL;
}

const struct check_row *check_next_failure(struct check_inputs *in, const struct check_row *row)
{
	const struct check_row *end = in->table->rows + in->table->count;

	while (++row < end)
		if (check_judge(in, row) == CHECK_FAIL)
			return row;
	return NULL;
}

const struct check_row *check_find(const struct check_table *table, const char *identifier)
{
	for (unsigned int i = 0; i < table->count; i++)
		if (!strcmp(table->rows[i].identifier, identifier))
			return &table->rows[i];
	return NULL;
}

static bool read_before(const struct check_inputs *in, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (in->read[i] == in->read[n])
			return true;
	return false;
}

void check_describe(const struct check_inputs *in, char *text, size_t size)
{
	size_t used = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < in->reads && used < size; i++) {
		const char *name = in->table->input_name(in->read[i]);
		const char *comma = used ? ", " : "";

		if (read_before(in, i))
			continue;
		if (in->read[i] == in->missing)
			used += snprintf(text + used, size - used, "%s%s is missing", comma, name);
		else
			used += snprintf(text + used, size - used, "%s%s = 0x%" PRIx64, comma, name,
					 in->value[in->read[i]]);
	}
}
