/* SPDX-License-Identifier: Apache-2.0 */
/* All checks of VM entry in one function, for the entries that pass: the same rows, without a note
 * of what each has read. */
#include "sim/vmx-model/checks.h"

/* Memory is looked at when a check asks for it; everything else is known. */
ALWAYS_INLINE u64 input_at_once(struct check_inputs *in, unsigned int input)
{
	if (input >= INPUT_LINK_HEADER && input <= INPUT_MEMORY_PDPTE3)
		return check_input(in, input);
	return in->value[input];
}

#define CHECK_INPUT input_at_once
#include "sim/vmx-model/check_words.h"

/* What rows of controls and of host state read beside these fields and what a processor has:
 * memory, the mode that it is in, and CR0 for injected events. */
static bool reads_more(struct check_inputs *in)
{
	return INJECTS || (PRIMARY(TPR_SHADOW) && !SECONDARY(VIRTUAL_INTERRUPT_DELIVERY)) ||
	       IN(CPU_LMA) != EXIT(HOST_ADDRESS_SPACE_SIZE);
}

bool vmx_checks_pass(struct check_inputs *in, bool judged)
{
	bool kept = judged && !reads_more(in);

	in->reads = 0;
#define KEPT(group) (kept && ((group) == VMX_CHECK_CONTROLS || (group) == VMX_CHECK_HOST))
#define CHECK(identifier, section, group, outcome, subject, applies, holds, rule)                  \
	if (!KEPT(VMX_CHECK_##group) && (applies) && !(holds))                                     \
		return false;
#include "sim/vmx-model/checks_controls.def"
#include "sim/vmx-model/checks_guest.def"
#include "sim/vmx-model/checks_host.def"
#undef CHECK
#undef KEPT
	return true;
}
