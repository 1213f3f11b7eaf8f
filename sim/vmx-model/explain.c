/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "sim/vmx-model/explain.h"

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
	struct check_tally tally;

	_Static_assert(VMX_INPUT_WORDS <= CHECK_INPUT_WORDS, "a tally has no room for the inputs");
	/* The conditions of the instruction itself are not in a dump. */
	check_report_all(&inputs->in, VMX_CHECK_BASIC + 1, &tally, to);
	print_reason(inputs, to);
	check_report_tally(inputs->in.table, &tally, to);
}
