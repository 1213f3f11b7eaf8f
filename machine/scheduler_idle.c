/* SPDX-License-Identifier: Apache-2.0 */
/* No vCPU can run: guest time goes on to the next deadline, or the host brings something, or it is
 * the end. */
#include "machine/host_clock.h"
#include "machine/internal.h"
#include "machine/net_gate.h"

/* Idle guest time is skipped at full speed until the guest has been quiet this long; then
 * a guest that waits at a prompt sleeps in real time instead of spinning through its ticks. */
#define QUIET_NS 1000000000
/* After this much time with every vCPU in HLT with interrupts off, no NMI is going to come;
 * with no timer armed none can. */
#define DEAD_NS 2000000000
/* True when every vCPU has been in HLT with interrupts disabled, or has never been started,
 * for so long that nothing will wake it. */
static bool scheduler_is_dead(struct machine *machine, uint64_t now, uint64_t deadline)
{

	for (unsigned int i = 0; i < machine->vcpu_count; i++) {
		if (machine->suspended || machine->vcpus[i].run->if_flag) {
			machine->turns.dead_since = LS_NEVER;
			return false;
		}
	}
	if (machine->turns.dead_since == LS_NEVER)
		machine->turns.dead_since = now;
	return deadline == LS_NEVER || now - machine->turns.dead_since >= DEAD_NS;
}

void scheduler_end_halted(struct machine *machine)
{
	control_end(machine, MACHINE_END_HALTED, MACHINE_EXIT_HALTED, 0, "%s",
		    machine->suspended ? "the guest sleeps (ACPI S3) and nothing will wake it"
				       : "every vCPU is halted and nothing is left to wake one");
}

/* Waits with the host for up to @skip ns of guest time; returns where guest time is then. */
static uint64_t scheduler_sleep(struct machine *machine, uint64_t now, uint64_t skip)
{
	uint64_t start = host_time_ns(), slept;

	poll_sources(machine, skip > INT64_MAX ? INT64_MAX : (int64_t)skip);
	slept = host_time_ns() - start;
	return now + (slept < skip ? slept : skip);
}

/* As far as the clock went then. Where nothing was due, the host had to wake the machine. */
static void scheduler_idle_replay(struct machine *machine, uint64_t deadline)
{
	const struct machine_input *idle = input_replay(machine, INPUT_IDLE);

	if (idle)
		scheduler_advance(machine, idle->value);
	else if (deadline != LS_NEVER)
		scheduler_advance(machine, deadline);
	else if (!input_replay_more(machine) && !machine->history.on)
		scheduler_end_halted(machine);
}

static void scheduler_idle_virtual(struct machine *machine, uint64_t now, uint64_t deadline)
{
	bool quiet = now - machine->quiet_since > QUIET_NS, slept = false;

	if (input_replaying(machine)) {
		scheduler_idle_replay(machine, deadline);
		return;
	}
	if (deadline == LS_NEVER) {
		if (poll_can_wake(machine))
			poll_sources(machine, -1);
		else
			scheduler_end_halted(machine);
		return;
	}
	if (deadline > now && (poll_paces(machine) || (quiet && poll_can_wake(machine)))) {
		deadline = scheduler_sleep(machine, now, deadline - now);
		slept = true;
	}
	/* A network's timer is not there when the run is made again. */
	if (slept || machine->net_gate)
		input_log_add(machine, INPUT_IDLE, deadline, NULL, 0);
	scheduler_advance(machine, deadline);
}

void scheduler_idle(struct machine *machine)
{
	uint64_t now = scheduler_now(machine);
	uint64_t deadline = least(scheduler_next_deadline(machine), net_gate_deadline(machine));

	if (scheduler_is_dead(machine, now, deadline) ||
	    (machine->suspended && deadline == LS_NEVER)) {
		scheduler_end_halted(machine);
		return;
	}
	if (machine->config.clock == MACHINE_CLOCK_VIRTUAL) {
		scheduler_idle_virtual(machine, now, deadline);
		return;
	}
	if (deadline == LS_NEVER && !poll_can_wake(machine)) {
		scheduler_end_halted(machine);
		return;
	}
	now = scheduler_host_now(machine);
	if (deadline > now)
		poll_sources(machine, deadline == LS_NEVER ? -1 : (int64_t)(deadline - now));
	scheduler_advance(machine, scheduler_host_now(machine));
}
