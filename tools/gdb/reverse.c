/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backwards (GDB manual, 6 and E.2): the machine is taken back to a snapshot and goes from there to
 * the place that is asked for. Which breakpoint comes last shows a run up to where the machine was.
 * That looks at the last piece first, and then at ever larger ones before it, so that neither a
 * breakpoint that is met all the time nor one that was met long ago takes long.
 */
#include <errno.h>
#include <string.h>

#include "tools/gdb/internal.h"

#define FIRST_PIECE 1000u /* instructions */
#define PIECE_GROWS 32u

static uint64_t executed(const struct gdb_stub *stub)
{
	return machine_retired(stub->machine, MACHINE_EVERY_VCPU);
}

void gdb_remember(struct gdb_stub *stub)
{
	if (machine_config(stub->machine)->history &&
	    (machine_is_past(stub->machine) || !machine_has_history(stub->machine)))
		machine_history_begin(stub->machine, NULL);
}

bool gdb_may_write(struct gdb_stub *stub)
{
	if (machine_is_past(stub->machine)) {
		gdb_reply(stub, "E.this is the past, which cannot be changed: let the guest run on "
				"to where it was");
		return false;
	}
	machine_history_end(stub->machine);
	return true;
}

/* --- moves; true: one was made, false: gdb is to be told of stub->last --- */

static bool run(struct gdb_stub *stub, enum gdb_stage stage, unsigned int vcpu,
		uint64_t instructions, enum gdb_armed armed)
{
	stub->running = true;
	stub->reverse.stage = stage;
	machine_run_to(stub->machine, vcpu, instructions);
	gdb_run(stub, armed);
	return true;
}

static bool stop(struct gdb_stub *stub, const struct gdb_stop *stop)
{
	stub->reverse.stage = GDB_FORWARD;
	stub->last = *stop;
	stub->vcpu = stub->step_vcpu = stop->vcpu;
	return false;
}

/* As far back as one can see. */
static bool stop_at_first(struct gdb_stub *stub)
{
	const struct gdb_stop begin = {.vcpu = stub->reverse.vcpu,
				       .signal = GDB_SIGNAL_TRAP,
				       .reason = "replaylog:begin;"};

	machine_go_back(stub->machine, MACHINE_EVERY_VCPU, machine_history_first(stub->machine),
			NULL);
	return stop(stub, &begin);
}

/* Near to the place, and then there. */
static bool approach(struct gdb_stub *stub, unsigned int vcpu, uint64_t instructions)
{
	if (machine_go_back(stub->machine, vcpu, instructions, NULL))
		return stop_at_first(stub);
	return run(stub, GDB_APPROACH, vcpu, instructions, GDB_ARM_NOTHING);
}

/* --- a step --- */

static uint64_t rip_of(struct gdb_stub *stub, unsigned int vcpu)
{
	struct kvm_regs regs = {0};

	ls_ioctl_ptr(machine_engine(stub->machine), machine_vcpu(stub->machine, vcpu), KVM_GET_REGS,
		     &regs);
	return regs.rip;
}

static bool step(struct gdb_stub *stub)
{
	struct gdb_reverse *reverse = &stub->reverse;

	reverse->step_ends = true;
	if (!reverse->retired)
		return stop_at_first(stub);
	return approach(stub, reverse->last.vcpu, reverse->retired - 1);
}

/* A breakpoint may be where an interrupt has led to and no instruction was executed yet: then it is
 * the interrupt that the step takes back. */
static bool step_ended(struct gdb_stub *stub)
{
	struct gdb_reverse *reverse = &stub->reverse;

	if (!reverse->step_ends && rip_of(stub, reverse->last.vcpu) == reverse->rip)
		return step(stub);
	return stop(stub, &reverse->last);
}

/* --- a search --- */

static bool search(struct gdb_stub *stub)
{
	struct gdb_reverse *reverse = &stub->reverse;
	uint64_t near = reverse->wanted ? reverse->from : reverse->to - 1;

	reverse->hits = 0;
	if (!reverse->to || machine_go_back(stub->machine, MACHINE_EVERY_VCPU, near, NULL))
		return stop_at_first(stub);
	if (!reverse->wanted)
		reverse->from = MAX(MAX(executed(stub), reverse->floor),
				    reverse->to - MIN(reverse->to, reverse->size));
	return run(stub, GDB_SKIP, MACHINE_EVERY_VCPU, reverse->from, GDB_ARM_NOTHING);
}

/* What was hit last is where the guest is to stop, for a watchpoint before it wrote. */
static bool searched(struct gdb_stub *stub)
{
	struct gdb_reverse *reverse = &stub->reverse;

	if (reverse->wanted) /* which has come before */
		return stop(stub, &stub->last);
	if (reverse->hits && reverse->last.watch) {
		reverse->step_ends = true;
		reverse->last.hit = false;
		return approach(stub, MACHINE_EVERY_VCPU, reverse->at - 1);
	}
	if (reverse->hits) {
		reverse->wanted = reverse->hits;
		return search(stub);
	}
	if (reverse->floor && reverse->from <= reverse->floor) {
		reverse->step_ends = true;
		reverse->last = (struct gdb_stop){.vcpu = reverse->vcpu, .signal = GDB_SIGNAL_TRAP};
		return approach(stub, MACHINE_EVERY_VCPU, reverse->floor);
	}
	if (reverse->from <= machine_history_first(stub->machine))
		return stop_at_first(stub);
	reverse->to = reverse->from;
	if (reverse->size < reverse->to)
		reverse->size *= PIECE_GROWS;
	return search(stub);
}

/* It is within the piece; where the machine has been stopped already it does not stop again. */
static bool counts(const struct gdb_stub *stub)
{
	const struct gdb_reverse *reverse = &stub->reverse;
	uint64_t at = executed(stub);

	if (!stub->last.hit || at > reverse->to)
		return false;
	return at < reverse->to || stub->last.watch || reverse->to != reverse->start;
}

static bool search_stopped(struct gdb_stub *stub)
{
	struct gdb_reverse *reverse = &stub->reverse;
	unsigned int vcpu = stub->last.vcpu;

	if (reverse->stage == GDB_SEARCH && !counts(stub))
		return searched(stub);
	if (counts(stub)) {
		reverse->hits++;
		reverse->last = stub->last;
		reverse->at = executed(stub);
		if (reverse->hits == reverse->wanted)
			return stop(stub, &stub->last);
		if (!stub->last.watch && !stub->last.note)
			return run(stub, GDB_PASS, vcpu, machine_retired(stub->machine, vcpu) + 1,
				   GDB_ARM_WATCHPOINTS);
	}
	return run(stub, GDB_SEARCH, MACHINE_EVERY_VCPU, reverse->to, GDB_ARM_ALL);
}

bool gdb_reverse_goes_on(struct gdb_stub *stub)
{
	switch (stub->reverse.stage) {
	case GDB_FORWARD:
		return false;
	case GDB_APPROACH:
		return step_ended(stub);
	default:
		return search_stopped(stub);
	}
}

/* --- what gdb asks for --- */

void gdb_reverse_step(struct gdb_stub *stub)
{
	unsigned int vcpu = stub->step_vcpu;
	bool hit = stub->last.hit && !stub->last.watch && stub->last.vcpu == vcpu, moved;

	stub->reverse = (struct gdb_reverse){.vcpu = vcpu,
					     .last = {.vcpu = vcpu, .signal = GDB_SIGNAL_TRAP},
					     .retired = machine_retired(stub->machine, vcpu),
					     .rip = rip_of(stub, vcpu)};
	moved = hit ? approach(stub, vcpu, stub->reverse.retired) : step(stub);
	if (!moved)
		gdb_reply_stop(stub);
}

void gdb_reverse_continue(struct gdb_stub *stub)
{
	uint64_t now = executed(stub);

	stub->reverse = (struct gdb_reverse){
		.vcpu = stub->step_vcpu, .start = now, .to = now, .size = FIRST_PIECE};
	if (stub->until < now)
		stub->reverse.floor = stub->until;
	if (!search(stub))
		gdb_reply_stop(stub);
}
