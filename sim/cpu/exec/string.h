/* SPDX-License-Identifier: Apache-2.0 */
/* What repeated instructions share (MOVS and the like, INS and OUTS). */
#ifndef LOCKSTEP_SIM_CPU_EXEC_STRING_H
#define LOCKSTEP_SIM_CPU_EXEC_STRING_H

#include "sim/cpu/op.h"

/* Elements left, by the address size. */
u64 string_count(const struct cpu *cpu, const struct op *op);
/* @by elements are done and committed. */
void string_count_down(struct cpu *cpu, const struct op *op, u64 by);
/* True if an event, TF or a breakpoint wants the instruction to be left after this element. */
bool string_must_stop(struct cpu *cpu);

/* Commits RIP at the instruction itself, which is not over and does not count. */
void string_suspend(struct cpu *cpu, const struct op *op);

#define STRING_LEAVE                                                                               \
	do {                                                                                       \
		string_suspend(cpu, op);                                                           \
		LEAVE;                                                                             \
	} while (0)

#endif
