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

bool vmx_checks_pass(struct check_inputs *in)
{
	in->reads = 0;
#define CHECK(identifier, section, group, outcome, subject, applies, holds, rule)                  \
	if ((applies) && !(holds))                                                                 \
		return false;
#include "sim/vmx-model/checks_controls.def"
#include "sim/vmx-model/checks_guest.def"
#include "sim/vmx-model/checks_host.def"
#undef CHECK
	return true;
}
