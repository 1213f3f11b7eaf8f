/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "sim/vmx-model/explain.h"

#define VALUES_MAX 512

/* --- a failed entry, for the log --- */

void vmx_explain_failure(struct check_inputs *in, const struct check_row *row, char *text,
			 size_t size)
{
	const struct check_row *rows = in->table->rows, *end = rows + in->table->count;
	char values[VALUES_MAX];
	size_t used;

	check_judge(in, row);
	check_describe(in, values, sizeof(values));
	used = snprintf(text, size, "VM entry: %s (%s): %s: %s; wanted: %s",
			vmx_outcome_name(row->outcome), row->identifier, row->manual, values,
			row->rule);
	for (const char *before = "; so fail "; ++row < end && used < size;)
		if (check_judge(in, row) == CHECK_FAIL) {
			used += snprintf(text + used, size - used, "%s%s", before, row->identifier);
			before = ", ";
		}
}

/* --- a dump --- */

struct tally {
	unsigned int passed, failed, unknown;
	u64 missing[VMX_INPUT_WORDS];
};

static void print_failure(struct check_inputs *in, const struct check_row *row, FILE *to)
{
	char values[VALUES_MAX];

	check_describe(in, values, sizeof(values));
	fprintf(to, "%s: %s, %s\n  wanted: %s: %s\n  found: %s\n", row->identifier, row->manual,
		vmx_outcome_name(row->outcome), in->table->input_name(row->subject), row->rule,
		values);
}

/* The conditions of the instruction itself are not in a dump. */
static bool about_vmcs(const struct check_row *row)
{
	return row->group > VMX_CHECK_BASIC;
}

static const struct check_row *judge_all(struct check_inputs *in, struct tally *tally, FILE *to)
{
	const struct check_row *first = NULL;

	for (unsigned int i = 0; i < in->table->count; i++) {
		const struct check_row *row = &in->table->rows[i];

		if (!about_vmcs(row))
			continue;
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
			if (!first)
				first = row;
		}
	}
	return first;
}

static void print_missing(const struct check_table *table, const struct tally *tally, FILE *to)
{
	const char *before = "";

	fprintf(to, "unknown: %u, for want of ", tally->unknown);
	for (unsigned int i = 0; i < VMX_INPUT_COUNT; i++)
		if (tally->missing[i / 64] >> i % 64 & 1) {
			fprintf(to, "%s%s", before, table->input_name(i));
			before = ", ";
		}
	fputs("\n", to);
}

static bool known(const struct vmx_inputs *inputs, unsigned int input)
{
	return inputs->known[input / 64] >> input % 64 & 1;
}

/* What the processor said that the dump is from. */
static void print_reason(const struct vmx_inputs *inputs, FILE *to)
{
	if (known(inputs, VMCS_EXIT_REASON) && (inputs->value[VMCS_EXIT_REASON] & BIT(31)))
		fprintf(to,
			"the dump itself: failed VM entry, exit %" PRIu64 ", qualification %" PRIu64
			"\n",
			inputs->value[VMCS_EXIT_REASON] & 0xffff,
			inputs->value[VMCS_EXIT_QUALIFICATION]);
	if (known(inputs, VMCS_INSTRUCTION_ERROR) && inputs->value[VMCS_INSTRUCTION_ERROR])
		fprintf(to, "the dump itself: VM-instruction error %" PRIu64 "\n",
			inputs->value[VMCS_INSTRUCTION_ERROR]);
}

void vmx_explain_dump(struct vmx_inputs *inputs, FILE *to)
{
	struct tally tally = {0};
	const struct check_row *first = judge_all(&inputs->in, &tally, to);

	if (first)
		fprintf(to, "VM entry: %s, by %s\n", vmx_outcome_name(first->outcome),
			first->identifier);
	else
		fprintf(to, "VM entry: no check is known to fail\n");
	print_reason(inputs, to);
	fprintf(to, "failed: %u, passed: %u\n", tally.failed, tally.passed);
	if (tally.unknown)
		print_missing(inputs->in.table, &tally, to);
}
