/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host thread per vCPU. HLT waits inside KVM_RUN; the engine's own chips wake it. The
 * thread that called machine_run keeps the clock, looks at host input and carries out what
 * the guest asks of the machine.
 */
#include <string.h>

#include "machine/console.h"
#include "machine/host_clock.h"
#include "machine/internal.h"

/* An engine with a clock of its own may arm timers from its vCPU threads without a word to
 * us; its clock is therefore fed at least this often. */
#define FEED_NS 200000
/* With only our own clock nothing is missed: this is for signals. */
#define WAIT_NS 100000000
/* In virtual time the vCPUs drive the clock, and the engine gives us a word when there is something
 * to do. This is for what needs no haste: each look takes a host processor from a vCPU. */
#define LOOK_NS 1000000
/* No wait of ours is shorter. */
#define LEAST_NS 20000
/* No vCPU gets this far between two looks. */
#define JUMP_NS 1000000000
#define DEAD_NS 2000000000

struct idleness {
	uint64_t since, host_since; /* guest and host time; LS_NEVER: not idle */
};

static void *parallel_vcpu(void *argument)
{
	struct vcpu *vcpu = argument;
	struct machine *machine = vcpu->machine;

	while (!machine->ending) {
		int ret;

		if (!control_enter(machine, vcpu)) {
			control_park(machine);
			continue;
		}
		ret = vcpu_run(vcpu);
		control_leave(machine, vcpu);
		if (exit_handle(vcpu, ret) == EXIT_HALT)
			sched_yield(); /* an engine whose HLT does not wait */
	}
	return NULL;
}

/* All vCPUs wait inside KVM_RUN. */
static bool parallel_idle(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);

	if (!control_all_in_guest(machine))
		return false;
	for (unsigned int i = 0; i < machine->vcpu_count; i++) {
		if (ext->vcpu_runnable(machine->engine, machine->vcpus[i].fd))
			return false;
	}
	return true;
}

/* Guest time of the virtual clock: that of the vCPU that is farthest, or, with all of them
 * idle, the next deadline. */
static uint64_t parallel_virtual_now(struct machine *machine, bool idle)
{
	const struct ls_extension *ext = machine_ext(machine);
	uint64_t now = machine->clock->now(machine->clock), farthest = now;

	for (unsigned int i = 0; i < machine->vcpu_count; i++) {
		uint64_t local = ext->vcpu_time(machine->engine, machine->vcpus[i].fd);

		/* Read while the vCPU runs: a torn value shows as a jump, and is not taken. */
		if (local > farthest && local - now < JUMP_NS)
			farthest = local;
	}
	if (idle && !poll_paces(machine)) {
		uint64_t deadline = scheduler_next_deadline(machine);

		if (deadline != LS_NEVER && deadline > farthest)
			farthest = deadline;
	}
	return farthest;
}

/* As scheduler.c: everybody has been in HLT for long, with interrupts off or with no timer
 * left. Whether they are off shows only when a vCPU leaves the guest. */
static void parallel_check_dead(struct machine *machine, struct idleness *idleness)
{
	uint64_t now = machine->clock->now(machine->clock);
	bool dead;

	if (!parallel_idle(machine)) {
		idleness->since = LS_NEVER;
		return;
	}
	if (idleness->since == LS_NEVER) {
		idleness->since = now;
		idleness->host_since = host_time_ns();
	}
	if (now - idleness->since < DEAD_NS && host_time_ns() - idleness->host_since < DEAD_NS)
		return;
	idleness->since = LS_NEVER;
	dead = !machine->suspended && !poll_can_wake(machine) &&
	       scheduler_next_deadline(machine) == LS_NEVER;
	if (!dead) {
		machine_pause(machine);
		dead = !machine->suspended;
		for (unsigned int i = 0; i < machine->vcpu_count; i++)
			dead &= !machine->vcpus[i].run->if_flag;
		machine_resume(machine);
	}
	if (dead)
		scheduler_end_halted(machine);
}

/* True if the vCPU, which is not in the guest, waits with interrupts off: only an NMI or another
 * vCPU could wake it. */
static bool parallel_is_stuck(const struct vcpu *vcpu)
{
	struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_RUNNABLE};

	ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_MP_STATE, &state);
	return state.mp_state != KVM_MP_STATE_RUNNABLE && !vcpu->run->if_flag;
}

/* An engine that does not say who could run is asked now and then, with its vCPUs stopped. They
 * are dead if two looks find them so. */
static void parallel_look_dead(struct machine *machine, struct idleness *idleness)
{
	uint64_t now = host_time_ns();
	bool stuck = !machine->suspended;

	if (now - idleness->host_since < DEAD_NS)
		return;
	idleness->host_since = now;
	machine_pause(machine);
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		stuck = stuck && parallel_is_stuck(&machine->vcpus[i]);
	machine_resume(machine);
	if (stuck && idleness->since != LS_NEVER)
		scheduler_end_halted(machine);
	idleness->since = stuck ? now : LS_NEVER;
}

static void parallel_check_limit(struct machine *machine)
{
	uint64_t executed = 0;

	if (!machine->config.max_instructions)
		return;
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		executed += vcpu_instructions(&machine->vcpus[i]);
	if (executed >= machine->config.max_instructions)
		control_end(machine, MACHINE_END_LIMIT, MACHINE_EXIT_LIMIT, 0,
			    "stopped after %llu instructions, the limit",
			    (unsigned long long)executed);
}

/* The engine's vCPUs keep the virtual clock by themselves. */
static bool parallel_drives(struct machine *machine)
{
	const struct ls_extension *ext = machine_ext(machine);

	return machine->config.clock == MACHINE_CLOCK_VIRTUAL && !machine->host_clock && ext &&
	       ext->vcpu_drive_clock && ext->vm_watch_time;
}

static int64_t bounded_wait(uint64_t left, int64_t least, int64_t most)
{
	if (left > (uint64_t)most)
		return most;
	return (int64_t)left < least ? least : (int64_t)left;
}

/* How long nobody needs us, the next deadline being @left ns away. */
static int64_t parallel_wait(struct machine *machine, uint64_t left)
{
	if (!parallel_drives(machine))
		return bounded_wait(left, 0, machine->host_clock ? WAIT_NS : FEED_NS);
	if (!parallel_idle(machine))
		return LOOK_NS;
	/* Nobody was woken by what fired last: on to the next, in its own time or at once. */
	return bounded_wait(poll_paces(machine) || left == LS_NEVER ? left : 0, LEAST_NS, LOOK_NS);
}

static void parallel_keep_time(struct machine *machine)
{
	bool own_clock = machine->host_clock != NULL;
	uint64_t now, deadline;

	if (own_clock || machine->config.clock == MACHINE_CLOCK_HOST)
		now = scheduler_host_now(machine);
	else
		now = parallel_virtual_now(machine, parallel_idle(machine));
	scheduler_advance(machine, now);

	machine_lock(machine);
	deadline = scheduler_next_deadline(machine);
	machine_unlock(machine);
	if (deadline != LS_NEVER)
		deadline = deadline > now ? deadline - now : 0;
	poll_sources(machine, parallel_wait(machine, deadline));
}

static void parallel_poke(void *opaque)
{
	machine_poke(opaque);
}

static void parallel_drive(struct machine *machine, bool on)
{
	const struct ls_extension *ext = machine_ext(machine);

	if (!parallel_drives(machine))
		return;
	ext->vm_watch_time(machine->engine, machine->vm, on ? parallel_poke : NULL, machine);
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		ext->vcpu_drive_clock(machine->engine, machine->vcpus[i].fd, on);
}

static void parallel_end(struct machine *machine)
{
	pthread_mutex_lock(&machine->run_lock);
	machine->ending = true;
	pthread_cond_broadcast(&machine->run_changed);
	pthread_mutex_unlock(&machine->run_lock);
	machine_pause(machine); /* kicks until all have left the guest */
	for (unsigned int i = 0; i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->threaded)
			pthread_join(vcpu->thread, NULL);
		vcpu->threaded = false;
	}
	machine->ending = false;
	parallel_drive(machine, false);
	machine_resume(machine);
}

int scheduler_run_parallel(struct machine *machine, struct ls_error *err)
{
	struct idleness idleness = {.since = LS_NEVER, .host_since = host_time_ns()};
	int ret = 0;

	parallel_drive(machine, true);
	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		ret = pthread_create(&vcpu->thread, NULL, parallel_vcpu, vcpu);
		vcpu->threaded = !ret;
	}
	if (ret) {
		ls_error_set(err, -ret, "cannot start a thread per vCPU: %s", strerror(ret));
		parallel_end(machine);
		return -ret;
	}
	while (control_service(machine)) {
		machine_lock(machine);
		console_exchange(machine);
		machine_unlock(machine);
		parallel_check_limit(machine);
		if (machine_ext(machine)->vcpu_runnable)
			parallel_check_dead(machine, &idleness);
		else
			parallel_look_dead(machine, &idleness);
		parallel_keep_time(machine);
	}
	parallel_end(machine);
	return 0;
}
