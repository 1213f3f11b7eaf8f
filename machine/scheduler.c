/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round-robin on one host thread. Time is one line: a vCPU's turn moves the VM's clock from
 * where the turn before left it, so that no vCPU ever sees time (a TSC, the PM timer) run
 * backwards against another. When no vCPU can run, the clock skips to the next deadline.
 * Host input is looked at between turns only. Nothing here depends on host time unless the
 * clock is MACHINE_CLOCK_HOST, so the same input gives the same run.
 */
#include <errno.h>
#include <string.h>

#include "machine/console.h"
#include "machine/host_clock.h"
#include "machine/internal.h"
#include "machine/net_gate.h"
#include "traces/events.h"

/* A turn when nobody else waits for it: long, but short enough for the terminal. */
#define SOLO_QUANTUM_NS 1000000

uint64_t scheduler_next_deadline(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);

	if (machine->host_clock)
		return host_clock_next(machine->host_clock);
	return ext->clock_next_deadline(machine->engine, machine->vm);
}

void scheduler_advance(struct machine *machine, uint64_t now)
{
	machine_lock(machine);
	if (machine->host_clock)
		host_clock_fire(machine->host_clock, now);
	else
		machine_ext(machine)->clock_advance(machine->engine, machine->vm, now);
	machine_unlock(machine);
}

uint64_t scheduler_host_now(const struct machine *machine)
{
	return host_time_ns() - machine->host_start;
}

/* The vCPU whose turn was cut goes on with it: leaving the run changes nothing for the guest. */
static struct vcpu *scheduler_resume(struct machine *machine)
{
	struct vcpu *vcpu = machine->turns.cut ? &machine->vcpus[machine->turns.cut - 1] : NULL;

	if (!vcpu || machine->suspended || machine->turns.end <= scheduler_now(machine) ||
	    !machine_ext(machine)->vcpu_runnable(machine->engine, vcpu->fd)) {
		machine->turns.cut = 0;
		return NULL;
	}
	return vcpu;
}

static struct vcpu *scheduler_pick(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);

	for (unsigned int i = 0; i < machine->vcpu_count && !machine->suspended; i++) {
		unsigned int at = (machine->turns.next + i) % machine->vcpu_count;
		struct vcpu *vcpu = &machine->vcpus[at];

		if (ext->vcpu_runnable(machine->engine, vcpu->fd)) {
			machine->turns.next = (at + 1) % machine->vcpu_count;
			return vcpu;
		}
	}
	return NULL;
}

static bool scheduler_counts(const struct machine *machine)
{
	return machine->config.max_instructions || machine->config.state_hash_every ||
	       machine->config.at_instructions || machine->config.replay || machine->config.debug ||
	       machine->config.leave.at.kind == MACHINE_TRIGGER_INSTRUCTIONS ||
	       ls_trace_wants(machine->vcpus[0].trace, TRACE_FEED) ||
	       ls_trace_wants(machine->vcpus[0].trace, TRACE_SNAPSHOT);
}

/* Has the vCPU stop where something is to be done within its turn, of which @done instructions are
 * over: at the limit, which counts the instructions of all vCPUs, the next point of the state hash,
 * the place that the config names, and where the recorded turn was cut. */
static void scheduler_set_limit(struct machine *machine, struct vcpu *vcpu, uint64_t done)
{
	const struct machine_config *config = &machine->config;
	uint64_t executed = machine->turns.executed + done;
	uint64_t distance = state_hash_distance(machine, executed);

	distance = least(distance, trigger_distance(machine, executed));
	distance = least(distance, debug_distance(vcpu, executed));
	distance = least(distance, history_distance(machine, executed));
	if (config->max_instructions)
		distance = least(distance, config->max_instructions - executed);
	if (config->at_instructions > executed)
		distance = least(distance, config->at_instructions - executed);
	if (machine->turns.replayed)
		distance = least(distance, machine->turns.replayed->value - executed);
	machine_ext(machine)->vcpu_limit(machine->engine, vcpu->fd, distance);
}

static bool scheduler_hash(struct machine *machine)
{
	int ret = state_hash_look(machine, machine->turns.executed);

	if (ret)
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0, "no state hash: %s",
			    strerror(-ret));
	return !ret;
}

/* Before a turn. Returns false when there is no way on. */
static bool scheduler_limit(struct machine *machine, struct vcpu *vcpu)
{
	uint64_t limit = machine->config.max_instructions;

	if (!scheduler_counts(machine))
		return true;
	if (!scheduler_hash(machine))
		return false;
	if (limit && machine->turns.executed >= limit) {
		control_end(machine, MACHINE_END_LIMIT, MACHINE_EXIT_LIMIT, vcpu->index,
			    "stopped after %llu instructions, the limit",
			    (unsigned long long)machine->turns.executed);
		return false;
	}
	if (!machine->turns.cut)
		machine->turns.replayed = input_replay(machine, INPUT_TURN_CUT);
	scheduler_set_limit(machine, vcpu, 0);
	return true;
}

/* The place that the config names is reached. */
static bool scheduler_at(struct machine *machine, uint64_t executed)
{
	struct machine_config *config = &machine->config;

	if (!config->at_instructions || executed != config->at_instructions)
		return false;
	config->at_instructions = config->at(config->at_opaque, machine);
	return true;
}

/* It is reached within the turn, which then goes on. */
static bool scheduler_at_within(struct machine *machine, struct vcpu *vcpu, uint64_t done)
{
	if (!scheduler_at(machine, machine->turns.executed + done))
		return false;
	scheduler_set_limit(machine, vcpu, done);
	return true;
}

/* Moves the VM's clock to where @vcpu, which alone has run since it stood at @start, has come.
 * In virtual time that includes what its device accesses have cost. */
static uint64_t scheduler_follow(struct machine *machine, struct vcpu *vcpu, uint64_t start)
{
	uint64_t now;

	if (machine->config.clock == MACHINE_CLOCK_HOST)
		now = scheduler_host_now(machine);
	else
		now = machine_ext(machine)->vcpu_time(machine->engine, vcpu->fd) + vcpu->charge;
	vcpu->charge = 0;
	scheduler_advance(machine, now > start ? now : start);
	return now;
}

/* Not entered any more, or left for a kick: with no instruction of the turn done, nothing was. What
 * the guest has asked for itself, an end or a reset, is nothing from outside: it comes again. */
static void scheduler_note_cut(struct machine *machine, struct vcpu *vcpu, uint64_t before,
			       bool counts)
{
	uint64_t done = machine->turns.executed;

	if (atomic_load(&machine->request) != REQUEST_NONE)
		return;
	if (counts)
		done += vcpu_instructions(vcpu) - before;
	input_log_add(machine, done != machine->turns.began ? INPUT_TURN_CUT : INPUT_NOT_ENTERED,
		      done, NULL, 0);
}

/* Looking at the state, or leaving the run, is none of the guest's business. */
static bool scheduler_was_cut(struct machine *machine)
{
	uint64_t every = machine->config.state_hash_every;

	return atomic_load(&machine->leave) ||
	       (machine->config.debug && control_is_held(machine)) ||
	       (every && machine->turns.executed % every == 0);
}

/* The turn is over, or cut. @before: instructions when it began. */
static void scheduler_leave_turn(struct machine *machine, struct vcpu *vcpu, uint64_t start,
				 uint64_t end, uint64_t before)
{
	bool cut = false;
	uint64_t now;

	/* Nothing of the vCPU hangs in the air between two turns. */
	if (atomic_load(&machine->request) != REQUEST_END)
		vcpu_settle(vcpu);
	now = scheduler_follow(machine, vcpu, start);
	if (scheduler_counts(machine)) {
		machine->turns.executed += vcpu_instructions(vcpu) - before;
		/* An access that ended the turn has retired only now. */
		scheduler_at(machine, machine->turns.executed);
		if (!trigger_distance(machine, machine->turns.executed))
			scheduler_hash(machine);
		trigger_executed(machine, machine->turns.executed);
		cut = history_executed(machine);
		debug_executed(vcpu);
	}
	machine->turns.cut = 0;
	if ((cut || scheduler_was_cut(machine)) && now < end) {
		machine->turns.cut = vcpu->index + 1;
		machine->turns.end = end;
	}
}

static void scheduler_turn(struct machine *machine, struct vcpu *vcpu)
{
	const struct ls_extension *ext = machine_ext(machine);
	struct ls_engine *engine = machine->engine;
	uint64_t quantum = machine->turns.solo ? SOLO_QUANTUM_NS : machine->config.quantum_ns;
	uint64_t start = scheduler_now(machine), before = 0;
	uint64_t end = machine->turns.cut ? machine->turns.end : start + quantum;
	bool counts = scheduler_counts(machine);
	enum exit_action action;

	if (!scheduler_limit(machine, vcpu))
		return;
	if (input_replay(machine, INPUT_NOT_ENTERED))
		return;
	if (counts)
		before = vcpu_instructions(vcpu);
	ext->vcpu_run_until(engine, vcpu->fd, end);
	do {
		int ret;

		if (!control_enter(machine, vcpu)) {
			scheduler_note_cut(machine, vcpu, before, counts);
			break;
		}
		ret = vcpu_run(vcpu);
		control_leave(machine, vcpu);
		action = exit_handle(vcpu, ret);
		if (ret == -EINTR)
			scheduler_note_cut(machine, vcpu, before, counts);
		if (action == EXIT_TURN && counts &&
		    scheduler_at_within(machine, vcpu, vcpu_instructions(vcpu) - before))
			action = EXIT_CONTINUE;
		if (vcpu->charge && scheduler_follow(machine, vcpu, start) >= end)
			break;
	} while (action == EXIT_CONTINUE);
	scheduler_leave_turn(machine, vcpu, start, end, before);
}

/* What has come from outside meanwhile. False: that has stopped the machine. */
static bool scheduler_begin_turn(struct machine *machine)
{
	history_look(machine);
	recording_look(machine);
	if (machine->source_count)
		poll_sources(machine, 0);
	if (control_is_held(machine))
		return false;
	machine->turn++;
	machine->turns.began = machine->turns.executed;
	machine->turns.replayed = NULL;
	if (input_replay_stops(machine)) {
		machine_stop(machine);
		return false;
	}
	net_gate_exchange(machine);
	console_exchange(machine);
	return true;
}

void scheduler_run_round_robin(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);

	/* In host time short turns: the guest's clock stands nearly still within one. */
	machine->turns.solo =
		machine->vcpu_count == 1 && machine->config.clock == MACHINE_CLOCK_VIRTUAL;
	if (ext->vcpu_drive_clock)
		ext->vcpu_drive_clock(machine->engine, machine->vcpus[0].fd, machine->turns.solo);
	while (control_service(machine)) {
		struct vcpu *vcpu = scheduler_resume(machine);

		if (!vcpu && scheduler_begin_turn(machine))
			vcpu = scheduler_pick(machine);
		else if (!vcpu)
			continue;
		if (vcpu) {
			machine->turns.dead_since = LS_NEVER;
			scheduler_turn(machine, vcpu);
		} else {
			scheduler_idle(machine);
		}
	}
	if (machine->result.end == MACHINE_END_INTERRUPTED)
		input_log_add(machine, INPUT_STOP, 0, NULL, 0);
}
