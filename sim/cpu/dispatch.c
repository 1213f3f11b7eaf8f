/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: events, then traces, until there is a reason to stop. */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/address_space.h"
#include "sim/cpu/branch_record.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/decode.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/wait.h"

void cpu_set_budget(struct cpu *cpu, s64 instructions)
{
	u64 now = cpu_retired(cpu);

	cpu->budget = instructions;
	cpu->retired = now + (u64)instructions;
}

/* --- edges --- */

/* Ops are constant to their handlers; the trace that they lead to is the one thing that grows on
 * them. */
HANDLER(dispatch_search_relative)
{
	const struct trace *trace = trace_find(cpu, cpu->reg[REG_RIP]);

	if (trace)
		((struct op *)op)->disp = (s64)trace;
	CHAIN(trace);
}

HANDLER(dispatch_search_indirect)
{
	const struct trace *trace = trace_find(cpu, cpu->reg[REG_RIP]);

	(void)op;
	if (trace)
		*trace_recent(cpu, cpu->reg[REG_RIP]) = trace;
	CHAIN(trace);
}

HANDLER(dispatch_leave_behind)
{
	u64 rip = OP_NEXT_RIP(cpu, op);

	CPU_BRANCH(op->flags & OP_CODE64 ? rip : (u32)rip);
}

/* --- running --- */

static void run_trace(struct cpu *cpu, const struct trace *trace)
{
#ifdef LS_TAIL_CALLS
	trace->op->fn(cpu, trace->op);
#else
	const struct op *op = trace->op;

	while (op)
		op = op->fn(cpu, op);
#endif
}

static void run_some(struct cpu *cpu)
{
	const struct trace *trace = trace_get(cpu);

	if (unlikely(cpu->budget < trace->count))
		trace = trace_get_scratch(cpu, cpu->budget);
	run_trace(cpu, trace);
}

/* One instruction alone: under TF, a shadow, RF or breakpoints, or because it reaches a device. */
static void run_one(struct cpu *cpu)
{
	bool tf = cpu->rflags & FLAG_TF, watched = cpu_watches(cpu), guest = cpu->guest;
	bool records = branch_recorded(cpu);
	u64 linear = cpu->reg[REG_RIP] + (cpu_64bit(cpu) ? 0 : SEG_BASE(cpu, SEG_CS));

	debug_check_fetch(cpu, linear);
	cpu->shadow_running = cpu->shadow;
	cpu->rf_running = cpu->rflags & FLAG_RF;
	cpu->single = true;
	event_set(cpu, EVENT_STEP);
	const struct trace *trace = trace_get_alone(cpu);
	u64 rip = cpu->reg[REG_RIP], next = rip + trace->bytes;
	s64 budget = cpu->budget;
	bool branched;

	if (debugger_watches(cpu, trace->gpa))
		debugger_stop_physical(cpu);
	cpu->shadow = SHADOW_NONE;
	cpu->rflags &= ~FLAG_RF; /* after the instruction, unless it sets it (SDM 3B:18.3.1.1) */
	run_trace(cpu, trace);
	cpu->single = cpu->rerun_alone = false;
	cpu->io.completed = cpu->io.consumed = 0;
	branched = cpu->budget != budget && cpu->reg[REG_RIP] != next;
	if (unlikely(records) && branched && cpu->guest == guest) /* VMRUN is no branch */
		branch_record(cpu, rip, cpu->reg[REG_RIP]);
	if (tf || watched || cpu->pending_debug || cpu->debugger.control)
		debug_after_instruction(cpu, tf, branched);
	if (unlikely(cpu->monitor_trap.on))
		event_monitor_trap(cpu);
	cpu_update_step(cpu);
}

/* The instruction at cpu->op did not finish: what ran before it in its trace has. */
static void commit_partial(struct cpu *cpu)
{
	if (!cpu->op)
		return;
	cpu->reg[REG_RIP] += cpu->op->offset;
	cpu->budget -= cpu->op->number;
	cpu->op = NULL;
}

static void undo_single(struct cpu *cpu)
{
	if (!cpu->single)
		return;
	cpu->shadow = cpu->shadow_running;
	cpu->rflags |= cpu->rf_running;
	cpu->single = false;
}

/* An abandoned instruction comes back as it was. True if cpu_run has to return. */
static bool take_abandon(struct cpu *cpu)
{
	commit_partial(cpu);
	undo_single(cpu);
	cpu->io.consumed = 0;
	if (event_abandoned(cpu))
		return cpu->exit != CPU_EXIT_NONE;
	cpu->rerun_alone = true;
	event_set(cpu, EVENT_STEP);
	return cpu->exit != CPU_EXIT_NONE;
}

static void take_exception(struct cpu *cpu)
{
	commit_partial(cpu);
	if (!cpu->single) /* for a VM exit, which saves what held at the instruction */
		cpu->shadow_running = SHADOW_NONE;
	cpu->single = cpu->rerun_alone = false;
	cpu->shadow = SHADOW_NONE;
	cpu->io.completed = cpu->io.consumed = 0;
	cpu->exception_due = true;
	cpu_update_step(cpu);
}

/* A VM exit: the instruction in progress comes back as it was, then the model changes worlds. */
static void take_vendor_exit(struct cpu *cpu)
{
	commit_partial(cpu);
	undo_single(cpu);
	cpu->rerun_alone = false;
	cpu->io.completed = cpu->io.consumed = 0;
	if (unlikely(cpu->recorder))
		recorder_settle(cpu, true);
	cpu->vendor->exit(cpu);
	cpu->delivering.active = cpu->delivering.injected = false;
	event_clear(cpu, EVENT_STEP);
	cpu_update_mode(cpu);
}

#define EVENTS_TAKEN                                                                               \
	(EVENT_INTERRUPT | EVENT_NMI | EVENT_SMI | EVENT_INIT | EVENT_SIPI | EVENT_TRAP |          \
	 EVENT_MACHINE_CHECK | EVENT_VENDOR)

/* What the processor itself or another thread asked for. */
static enum cpu_exit take_leave(struct cpu *cpu)
{
	u32 event = __atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE);

	if (event & EVENT_STOP) {
		event_clear(cpu, EVENT_STOP);
		return cpu->exit;
	}
	if (event & EVENT_KICK) {
		event_clear(cpu, EVENT_KICK);
		return CPU_EXIT_EVENT;
	}
	return CPU_EXIT_NONE;
}

/* Nothing opens for it before cpu_update_mode or vendor_reopen is called. */
static bool interrupt_may_wait(const struct cpu *cpu)
{
	return cpu->arbitrates ? cpu->shadow == SHADOW_NONE : !(cpu->rflags & FLAG_IF);
}

/* There may be an interrupt and nothing else, and it can't be taken here. */
static bool interrupt_is_held(const struct cpu *cpu, u32 event)
{
	return (event & EVENTS_TAKEN) == EVENT_INTERRUPT && !cpu->arbitrates &&
	       !((cpu->rflags & FLAG_IF) && cpu->shadow == SHADOW_NONE);
}

/* Looks at everything that may stop the flow. Returns an exit, or CPU_EXIT_NONE to go on. */
static enum cpu_exit take_events(struct cpu *cpu)
{
	u32 event = __atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE);

	if (event & EVENT_SHOOTDOWN) {
		event_clear(cpu, EVENT_SHOOTDOWN);
		cpu->platform->shootdown(cpu);
	}
	if (event & EVENT_STOP)
		return take_leave(cpu);
	/* An instruction that user space has answered finishes first. */
	if (!cpu->rerun_alone || !cpu->io.completed) {
		while ((event & EVENTS_TAKEN) && !interrupt_is_held(cpu, event) &&
		       event_take_pending(cpu)) {
			event = __atomic_load_n(&cpu->event, __ATOMIC_ACQUIRE);
			/* A guest's hypervisor may have it leave before its next instruction. */
			if (!cpu->guest || !(event & EVENT_VENDOR))
				return take_leave(cpu);
		}
		if ((event & EVENT_INTERRUPT) && interrupt_may_wait(cpu)) {
			event_clear(cpu, EVENT_INTERRUPT);
			cpu->interrupt_waits = true;
		}
	}
	return take_leave(cpu);
}

/* Exceptions may follow each other for ever with no instruction between them: a handler that faults
 * at once, #AC in the delivery of #AC (benign: SDM 3A:6.15, table 6-5). From the second on each
 * takes the time of an instruction, and what asks for an exit is heard. */
static enum cpu_exit pace_exceptions(struct cpu *cpu)
{
	u64 last = cpu->last_exception;

	cpu->last_exception = cpu_retired(cpu);
	if (likely(cpu->last_exception != last))
		return CPU_EXIT_NONE;
	if (cpu->budget <= 0)
		return CPU_EXIT_BUDGET;
	cpu->budget--;
	cpu->last_exception++;
	return take_leave(cpu);
}

static enum cpu_exit run_loop(struct cpu *cpu)
{
	for (;;) {
		cpu->op = NULL;
		if (unlikely(cpu->recorder))
			recorder_settle(cpu, cpu->exception_due || (cpu->event & ~EVENT_STEP));
		if (unlikely(cpu->exception_due)) {
			enum cpu_exit exit = pace_exceptions(cpu);

			if (exit != CPU_EXIT_NONE)
				return exit;
			cpu->exception_due = false;
			event_deliver_exception(cpu);
		}
		if (unlikely(cpu->event)) {
			enum cpu_exit exit = take_events(cpu);

			if (exit != CPU_EXIT_NONE)
				return exit;
			if (unlikely(cpu->exception_due)) /* an INIT became one */
				continue;
		}
		if (unlikely(cpu->activity != ACTIVITY_RUNNING) && !wait_over(cpu))
			return cpu->activity == ACTIVITY_SHUTDOWN && !cpu->guest ? CPU_EXIT_SHUTDOWN
										 : CPU_EXIT_HALT;
		if (cpu->budget <= 0)
			return CPU_EXIT_BUDGET;
		if (unlikely(cpu->event & EVENT_STEP))
			run_one(cpu);
		else
			run_some(cpu);
	}
}

enum cpu_exit cpu_run(struct cpu *cpu)
{
	cpu->host_x87_clear = 0; /* nothing is known of this thread's */
	if (unlikely(cpu->recorder))
		recorder_settle(cpu, true); /* user space may have changed anything */
	switch (setjmp(cpu->unwind)) {
	case UNWIND_EXCEPTION:
		take_exception(cpu);
		break;
	case UNWIND_ABANDON:
		if (take_abandon(cpu))
			return cpu->exit;
		break;
	case UNWIND_VENDOR:
		take_vendor_exit(cpu);
		break;
	}
	return run_loop(cpu);
}
