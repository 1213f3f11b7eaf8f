/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of VM entry as rows (SDM 3C:27.1 to 27.3): what they read, and how each fails. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_CHECKS_H
#define LOCKSTEP_SIM_VMX_MODEL_CHECKS_H

#include "sim/cpu/check.h"
#include "sim/vmx-model/vmcs.h"

/* Inputs: fields of the VMCS first, by enum vmcs_field. */
enum vmx_input {
	VMX_INPUT_BEFORE = VMCS_FIELD_COUNT - 1,
#define VMX_INPUT(identifier, name) INPUT_##identifier,
#include "sim/vmx-model/check_inputs.def"
#undef VMX_INPUT
	INPUT_CAPABILITY, /* + enum vmx_msr */
	VMX_INPUT_COUNT = INPUT_CAPABILITY + VMX_MSR_COUNT
};
#define VMX_INPUT_WORDS ((VMX_INPUT_COUNT + 63) / 64)

/* In the order in which they are judged. Those of controls and of host state may be judged in any
 * order (SDM 3C:27.2). */
enum vmx_check_group {
	VMX_CHECK_BASIC,
	VMX_CHECK_CONTROLS,
	VMX_CHECK_HOST,
	VMX_CHECK_GUEST,
	VMX_CHECK_END
};

/* struct check_row.outcome: VMfailInvalid, VMfailValid with that number (SDM 3C:31.4), or a VM exit
 * for invalid guest state with an exit qualification (27.8). */
#define VMX_FAIL_INVALID 0
#define VMX_EXIT_33      0x40

extern const struct check_table vmx_checks;

/* Whether none fails. Nothing but memory may be missing. @judged: none did the last time, and since
 * then no control nor host state has changed; of their rows just those are judged that read more.
 */
bool vmx_checks_pass(struct check_inputs *in, bool judged);

#endif
