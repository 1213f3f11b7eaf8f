/* SPDX-License-Identifier: Apache-2.0 */
/* How traces follow each other, and what the run loop and the handlers share. */
#ifndef LOCKSTEP_SIM_CPU_DISPATCH_H
#define LOCKSTEP_SIM_CPU_DISPATCH_H

#include "sim/cpu/op.h"
#include "sim/cpu/trace_cache.h"

/* Values that longjmp brings back to the run loop. */
enum { UNWIND_NONE, UNWIND_EXCEPTION, UNWIND_ABANDON, UNWIND_VENDOR };

/* True if the whole trace may run: nothing to look up, and no deadline inside it. */
ALWAYS_INLINE bool trace_may_run(const struct cpu *cpu, const struct trace *trace)
{
	return !__atomic_load_n(&cpu->event, __ATOMIC_RELAXED) && cpu->budget >= trace->count;
}

/* Goes on in @target if it may run, else back to the run loop. RIP and budget are committed. */
#define CHAIN_TO(target)                                                                           \
	do {                                                                                       \
		const struct trace *chain_trace = (target);                                        \
		if (likely(trace_may_run(cpu, chain_trace)))                                       \
			DISPATCH(chain_trace->op);                                                 \
		LEAVE;                                                                             \
	} while (0)

/* The same where @target may be NULL. */
#define CHAIN(target)                                                                              \
	do {                                                                                       \
		const struct trace *chain_found = (target);                                        \
		if (!chain_found)                                                                  \
			LEAVE;                                                                     \
		CHAIN_TO(chain_found);                                                             \
	} while (0)

/* RIP and budget are committed and no trace is known: looks for it and keeps it for the next time,
 * on op->disp or among the recent ones. */
HANDLER(dispatch_search_relative);
HANDLER(dispatch_search_indirect);

/* The instruction at @op is done, and what is behind it in its trace must not follow at once:
 * events and budget are to be looked at. */
HANDLER(dispatch_leave_behind);

/* A branch within the page of its trace, whose target trace, once found, stays the same. */
#define JUMP_LINKED(target_rip)                                                                    \
	do {                                                                                       \
		const struct trace *link = (const struct trace *)op->disp;                         \
		COMMIT_BRANCH(target_rip);                                                         \
		if (unlikely(!link))                                                               \
			CONTINUE_IN(dispatch_search_relative);                                     \
		CHAIN_TO(link);                                                                    \
	} while (0)

/* A branch to where @guess, the trace that it went to last, is known to be (trace_is_at). */
#define JUMP_GUESSED(target_rip, guess)                                                            \
	do {                                                                                       \
		COMMIT_BRANCH(target_rip);                                                         \
		CHAIN_TO(guess);                                                                   \
	} while (0)

/*
 * Calls leave the op behind them, which ends their trace, on a small stack; it keeps the trace that
 * the return went on in. A return takes it as its guess. What is on the stack is never trusted.
 */
ALWAYS_INLINE void return_push(struct cpu *cpu, const struct op *point)
{
	cpu->return_top = (cpu->return_top + 1) % RETURN_STACK;
	cpu->return_point[cpu->return_top] = point;
}

ALWAYS_INLINE const struct op *return_pop(struct cpu *cpu)
{
	const struct op *point = cpu->return_point[cpu->return_top];

	cpu->return_top = (cpu->return_top - 1) % RETURN_STACK;
	return point;
}

/* True for branches whose target lies in the page of their trace (set by the trace builder). */
#define OP_LINKABLE(op) ((op)->is4)

/* Bits that no other thread touches, or clears: what stands is not set again. */
static inline void event_set(struct cpu *cpu, u32 bits)
{
	if (bits & ~__atomic_load_n(&cpu->event, __ATOMIC_RELAXED))
		__atomic_fetch_or(&cpu->event, bits, __ATOMIC_RELAXED);
}

static inline void event_clear(struct cpu *cpu, u32 bits)
{
	__atomic_fetch_and(&cpu->event, ~bits, __ATOMIC_RELAXED);
}

/* mode.c: EVENT_STEP stands as long as instructions have to run alone. */
void cpu_update_step(struct cpu *cpu);

#endif
