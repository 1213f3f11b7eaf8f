/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of VM entry read: a VMCS, the processor, and memory that the VMCS points to. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_INPUTS_H
#define LOCKSTEP_SIM_VMX_MODEL_INPUTS_H

#include "sim/vmx-model/checks.h"

struct cpu;

struct vmx_inputs {
	struct check_inputs in;
	struct cpu *cpu; /* whose memory is asked; NULL: nobody's */
	u64 value[VMX_INPUT_COUNT];
	u64 known[VMX_INPUT_WORDS];
};

/* An entry on @cpu: all of it is known, once the fields of the VMCS and the first inputs up to
 * INPUT_MOV_SS_BLOCKING are filled in; memory is looked at when a check asks. */
void vmx_inputs_open(struct vmx_inputs *inputs, struct cpu *cpu);

/* A dump: nothing of the VMCS is known yet. @cpu says what the processor has; NULL: one that offers
 * all controls and has the widest addresses. */
void vmx_inputs_open_dump(struct vmx_inputs *inputs, const struct cpu *cpu);

void vmx_inputs_set(struct vmx_inputs *inputs, unsigned int input, u64 value);

#endif
