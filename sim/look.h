/* SPDX-License-Identifier: Apache-2.0 */
/* Memory as a vCPU's software sees it, for somebody outside; looking sets no accessed or dirty bit.
 */
#ifndef LOCKSTEP_SIM_LOOK_H
#define LOCKSTEP_SIM_LOOK_H

#include "sim/cpu/cpu.h"

/* 1, or 2 in a guest of VMX or SVM. */
unsigned int look_level(const struct cpu *cpu);
/* Where @address is in the VM's memory: a linear one of that level's, or (@linear unset) one that
 * it takes for physical. False: nowhere, or no such level now. */
bool look_translate(const struct cpu *cpu, unsigned int level, bool linear, u64 address, u64 *gpa);

#endif
