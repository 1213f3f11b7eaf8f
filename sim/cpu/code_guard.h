/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to lines of memory that the processor has looked at ahead of time (traces, monitors) are
 * to be seen. */
#ifndef LOCKSTEP_SIM_CPU_CODE_GUARD_H
#define LOCKSTEP_SIM_CPU_CODE_GUARD_H

#include "sim/cpu/cpu.h"

/* From the return on, no TLB of any vCPU lets a store to the page of [gpa, gpa + size) pass unseen, and
 * one to its lines has what was made of them dropped. Look at the bytes only then. False: so it was before. */
bool code_guard(struct cpu *cpu, u64 gpa, unsigned int size);

#endif
