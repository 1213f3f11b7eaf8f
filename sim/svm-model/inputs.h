/* SPDX-License-Identifier: Apache-2.0 */
/* What VMRUN's checks read: a VMCB, the processor, and memory that the VMCB points to. */
#ifndef LOCKSTEP_SIM_SVM_MODEL_INPUTS_H
#define LOCKSTEP_SIM_SVM_MODEL_INPUTS_H

#include "sim/svm-model/svm.h"

#define SVM_INPUT_WORDS ((SVM_INPUT_COUNT + 63) / 64)

struct svm_inputs {
	struct check_inputs in;
	struct cpu *cpu; /* whose memory is asked; NULL: nobody's */
	u64 known[SVM_INPUT_WORDS];
};

/* VMRUN on @cpu of the VMCB in @value: memory is looked at when a check asks. */
void svm_inputs_open(struct svm_inputs *inputs, struct cpu *cpu, u64 *value);

/* A dump: nothing of the VMCB is known yet, nor will be of the host. @cpu says what the processor
 * has; NULL: one with everything and the widest addresses. */
void svm_inputs_open_dump(struct svm_inputs *inputs, const struct cpu *cpu, u64 *value);

void svm_inputs_set(struct svm_inputs *inputs, unsigned int input, u64 value);

#endif
