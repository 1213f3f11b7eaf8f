/* SPDX-License-Identifier: Apache-2.0 */
/* How traces follow each other, and what the run loop and the handlers share. */
#ifndef LOCKSTEP_SIM_CPU_DISPATCH_H
#define LOCKSTEP_SIM_CPU_DISPATCH_H

#include "sim/cpu/op.h"
#include "sim/cpu/trace_cache.h"

/* Values that longjmp brings back to the run loop. */
enum { UNWIND_NONE, UNWIND_EXCEPTION, UNWIND_ABANDON };

/* True if the whole trace may run: nothing to look up, and no deadline inside it. */
ALWAYS_INLINE bool trace_may_run(const struct cpu *cpu, const struct trace *trace)
{
	return !__atomic_load_n(&cpu->event, __ATOMIC_RELAXED) && cpu->budget >= trace->count;
}

/* Goes on in @target if it exists and may run, else back to the run loop. RIP and budget are
 * committed. */
#define CHAIN(target)                                                                              \
	do {                                                                                       \
		const struct trace *chain_trace = (target);                                        \
		if (likely(chain_trace && trace_may_run(cpu, chain_trace)))                        \
			DISPATCH(chain_trace->op);                                                 \
		LEAVE;                                                                             \
	} while (0)

/* A branch within the page of its trace: the target trace hangs on the op (op->disp). */
#define JUMP_LINKED(target_rip)                                                                    \
	do {                                                                                       \
		const struct trace *link = (const struct trace *)op->disp;                         \
		cpu->reg[REG_RIP] = (target_rip);                                                  \
		cpu->budget -= op->number + 1;                                                     \
		if (unlikely(!link))                                                               \
			link = trace_link(cpu, op);                                                \
		CHAIN(link);                                                                       \
	} while (0)

/* A branch to anywhere, in 64-bit code. */
#define JUMP_ANYWHERE(target_rip)                                                                  \
	do {                                                                                       \
		cpu->reg[REG_RIP] = (target_rip);                                                  \
		cpu->budget -= op->number + 1;                                                     \
		CHAIN(trace_find(cpu, cpu->reg[REG_RIP]));                                         \
	} while (0)

/* True for branches whose target lies in the page of their trace (set by the trace builder). */
#define OP_LINKABLE(op) ((op)->is4)

#endif
