/* SPDX-License-Identifier: Apache-2.0 */
/* How the guest stops for gdb and goes on. */
#include <stdio.h>
#include <string.h>

#include <lockstep/extension.h>

#include "tools/gdb/internal.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define DR6_TRAPS 0xfull
#define DR6_BS    (1u << 14)
#define DR6_KNOWN 0xe00full

static bool in_turns(const struct gdb_stub *stub)
{
	return machine_config(stub->machine)->schedule == MACHINE_ROUND_ROBIN;
}

/* --- what the engine is told --- */

/* Time goes on while a guest in host time stands: without this each step would end in the timer's
 * handler. */
static uint32_t step_flags(struct ls_engine *engine)
{
	int known = ls_ioctl(engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);

	return KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |
	       (known > 0 ? (uint32_t)known & KVM_GUESTDBG_BLOCKIRQ : 0);
}

/* @more: KVM_GUESTDBG_INJECT_*, or 0. */
static void arm_vcpu(struct gdb_stub *stub, unsigned int vcpu, uint32_t more)
{
	struct ls_engine *engine = machine_engine(stub->machine);
	struct kvm_guest_debug debug = {.control = more ? KVM_GUESTDBG_ENABLE | more : 0};
	bool events = stub->armed != GDB_ARM_NOTHING;
	int fd = machine_vcpu(stub->machine, vcpu);

	if (stub->armed != GDB_ARM_NOTHING)
		gdb_breakpoints_fill(&stub->breakpoints, stub->armed == GDB_ARM_WATCHPOINTS,
				     &debug);
	if (stub->stepping == vcpu && !in_turns(stub))
		debug.control |= step_flags(engine);
	ls_ioctl_ptr(engine, fd, KVM_SET_GUEST_DEBUG, &debug);
	if (engine->ext->vcpu_break)
		engine->ext->vcpu_break(engine, fd, events && stub->vm_entry,
					events && stub->vm_exit);
}

static void arm(struct gdb_stub *stub)
{
	for (unsigned int n = 0; n < machine_vcpu_count(stub->machine); n++)
		arm_vcpu(stub, n, 0);
}

void gdb_refresh(struct gdb_stub *stub)
{
	if (stub->running && !stub->pauses && in_turns(stub) && stub->armed == GDB_ARM_ALL &&
	    gdb_breakpoints_insert(&stub->breakpoints, stub->machine))
		arm(stub);
}

void gdb_lift(void *opaque, bool lift)
{
	struct gdb_stub *stub = opaque;

	if (!stub->running || stub->pauses || stub->armed != GDB_ARM_ALL)
		return;
	if (lift)
		gdb_breakpoints_lift(&stub->breakpoints, stub->machine);
	else
		gdb_refresh(stub);
}

/* --- stopping --- */

/* #DB: a watchpoint of ours, a breakpoint, or a step. False: it is the guest's. */
static bool explain_debug(struct gdb_stub *stub, struct gdb_stop *stop, uint64_t dr6)
{
	const struct gdb_breakpoint *hit = gdb_breakpoint_hit(&stub->breakpoints, dr6);

	if (hit && hit->kind == GDB_BREAK_HARDWARE)
		snprintf(stop->reason, sizeof(stop->reason), "hwbreak:;");
	else if (hit && hit->kind == GDB_BREAK_SOFTWARE)
		snprintf(stop->reason, sizeof(stop->reason), "swbreak:;");
	else if (hit)
		snprintf(stop->reason, sizeof(stop->reason), "%s:%llx;",
			 hit->kind == GDB_WATCH_WRITE ? "watch" : "awatch",
			 (unsigned long long)hit->address);
	stop->watch = hit && hit->kind >= GDB_WATCH_WRITE;
	return hit || (stub->stepping == stop->vcpu && dr6 & DR6_BS);
}

/* It has gone on up to the present. */
static bool ends_history(const struct gdb_stub *stub)
{
	return stub->reverse.stage == GDB_FORWARD && stub->stepping == GDB_NO_STEP &&
	       machine_retired(stub->machine, MACHINE_EVERY_VCPU) != stub->until;
}

static bool explain(struct gdb_stub *stub, struct gdb_stop *stop,
		    const struct kvm_debug_exit_arch *exit)
{
	if (!exit && ends_history(stub))
		snprintf(stop->reason, sizeof(stop->reason), "replaylog:end;");
	if (!exit)
		return true; /* where it was to run to */
	switch (exit->exception) {
	case VECTOR_DB:
		return explain_debug(stub, stop, exit->dr6);
	case VECTOR_BP:
		snprintf(stop->reason, sizeof(stop->reason), "swbreak:;");
		return gdb_breakpoint_at(&stub->breakpoints, stub->machine, stop->vcpu, exit->pc);
	case LS_DEBUG_VM_ENTRY:
		stop->note = "VM entry";
		return true;
	default:
		stop->note = "VM exit";
		return true;
	}
}

static void note_stop(struct gdb_stub *stub, const struct gdb_stop *stop)
{
	stub->pauses++;
	if (stub->stop_count < GDB_STOPS_MAX)
		stub->stops[stub->stop_count++] = *stop;
}

/* The guest's own INT3 or #DB, which it gets now; DR6 holds what it would have (api.rst). */
static void give_back(struct gdb_stub *stub, unsigned int vcpu,
		      const struct kvm_debug_exit_arch *exit)
{
	struct ls_engine *engine = machine_engine(stub->machine);
	int fd = machine_vcpu(stub->machine, vcpu);
	struct kvm_debugregs debug;

	if (exit->exception == VECTOR_BP) {
		arm_vcpu(stub, vcpu, KVM_GUESTDBG_INJECT_BP);
		return;
	}
	if (ls_ioctl_ptr(engine, fd, KVM_GET_DEBUGREGS, &debug) >= 0) {
		debug.dr6 = (debug.dr6 & ~DR6_TRAPS) | (exit->dr6 & DR6_KNOWN);
		ls_ioctl_ptr(engine, fd, KVM_SET_DEBUGREGS, &debug);
	}
	arm_vcpu(stub, vcpu, KVM_GUESTDBG_INJECT_DB);
}

void gdb_stopped(void *opaque, unsigned int vcpu, const struct kvm_debug_exit_arch *exit)
{
	struct gdb_stub *stub = opaque;
	struct gdb_stop stop = {.vcpu = vcpu, .signal = GDB_SIGNAL_TRAP, .hit = exit != NULL};

	if (stub->link.fd >= 0 && explain(stub, &stop, exit)) {
		note_stop(stub, &stop);
		return;
	}
	if (exit)
		give_back(stub, vcpu, exit);
	machine_resume(stub->machine);
}

/* All vCPUs stand, and the guest's memory is its own. */
static void stand_still(struct gdb_stub *stub)
{
	machine_pause(stub->machine);
	machine_resume(stub->machine);
	machine_settle(stub->machine);
	gdb_breakpoints_lift(&stub->breakpoints, stub->machine);
	stub->stepping = GDB_NO_STEP;
}

static void take_stop(struct gdb_stub *stub)
{
	stand_still(stub);
	stub->until = 0;
	stub->last = stub->stops[0];
	memmove(stub->stops, stub->stops + 1, --stub->stop_count * sizeof(stub->stops[0]));
	stub->vcpu = stub->step_vcpu = stub->last.vcpu;
	stub->running = false;
}

void gdb_interrupt(struct gdb_stub *stub, unsigned int signal)
{
	const struct gdb_stop stop = {.vcpu = stub->vcpu, .signal = signal};

	machine_pause(stub->machine);
	stub->reverse.stage = GDB_FORWARD;
	note_stop(stub, &stop);
	if (!stub->running)
		take_stop(stub);
}

void gdb_reply_stop(struct gdb_stub *stub)
{
	const struct gdb_stop *stop = &stub->last;
	g_autofree char *text = g_strdup_printf("T%02xthread:%x;%s", stop->signal,
						GDB_THREAD(stop->vcpu), stop->reason);

	gdb_reply(stub, text);
}

static void tell_note(struct gdb_stub *stub, const struct gdb_stop *stop)
{
	g_autofree char *line =
		g_strdup_printf("%s on vCPU %u, which is at level %u now\n", stop->note, stop->vcpu,
				machine_level(stub->machine, stop->vcpu));
	g_autoptr(GString) packet = g_string_new("O");

	gdb_put_hex(packet, line, strlen(line));
	gdb_reply(stub, packet->str);
}

void gdb_tell(struct gdb_stub *stub)
{
	if (!stub->running || !stub->stop_count)
		return;
	take_stop(stub);
	if (gdb_reverse_goes_on(stub))
		return;
	if (stub->last.note)
		tell_note(stub, &stub->last);
	gdb_reply_stop(stub);
}

/* --- going on --- */

void gdb_run(struct gdb_stub *stub, enum gdb_armed armed)
{
	stub->armed = armed;
	if (armed == GDB_ARM_ALL)
		gdb_breakpoints_insert(&stub->breakpoints, stub->machine);
	arm(stub);
	while (stub->pauses) {
		stub->pauses--;
		machine_resume(stub->machine);
	}
}

/* A step's end; else the present, if it is ahead, or where `monitor until` says. */
static void set_goal(struct gdb_stub *stub)
{
	struct machine *machine = stub->machine;
	uint64_t now = machine_retired(machine, MACHINE_EVERY_VCPU);
	bool past = machine_is_past(machine);

	if (stub->stepping != GDB_NO_STEP)
		machine_run_to(machine, stub->stepping,
			       machine_retired(machine, stub->stepping) + 1);
	else if (now < stub->until && !(past && stub->until >= machine_history_last(machine)))
		machine_run_to(machine, MACHINE_EVERY_VCPU, stub->until);
	else if (past)
		machine_run_to_present(machine, stub->vcpu);
	else
		machine_run_to(machine, GDB_NO_STEP, UINT64_MAX);
}

void gdb_resume(struct gdb_stub *stub, unsigned int step)
{
	stub->running = true;
	stub->stepping = step;
	if (stub->stop_count)
		return; /* gdb_tell is next */
	if (in_turns(stub))
		set_goal(stub);
	gdb_remember(stub);
	gdb_run(stub, GDB_ARM_ALL);
}

void gdb_let_go(struct gdb_stub *stub)
{
	stub->running = false;
	stub->stop_count = 0;
	stub->stepping = GDB_NO_STEP;
	machine_pause(stub->machine);
	gdb_breakpoints_lift(&stub->breakpoints, stub->machine);
	stub->breakpoints.count = 0;
	machine_run_to(stub->machine, GDB_NO_STEP, UINT64_MAX);
	machine_history_end(stub->machine);
	stub->reverse.stage = GDB_FORWARD;
	stub->pauses++;
	gdb_run(stub, GDB_ARM_ALL);
}
