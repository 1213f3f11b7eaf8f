/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of host and guest (APM 2:15.16, 15.25). */
#ifndef LOCKSTEP_SIM_SVM_MODEL_TRANSLATION_H
#define LOCKSTEP_SIM_SVM_MODEL_TRANSLATION_H

#include "sim/svm-model/svm.h"

/* With the registers of the world to be: the second stage, the TLB by ASID and TLB_CONTROL, the
 * mode. */
void svm_world_enter(struct cpu *cpu);
/* The same without TLB_CONTROL, which asks at VMRUN. */
void svm_world_return(struct cpu *cpu);
void svm_world_leave(struct cpu *cpu);
/* INVLPGA. */
void svm_world_invalidate(struct cpu *cpu, u64 linear, u32 asid);

#endif
