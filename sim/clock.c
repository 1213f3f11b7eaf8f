/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clock.h"
#include "sim/cpu/op.h"
#include "sim/cpu/segment.h"
#include "sim/vm.h"

static struct sim_clock *of_base(struct ls_clock *base)
{
	return (struct sim_clock *)base;
}

/* The vCPU whose turn it is may be ahead of the clock. */
static u64 clock_now(struct ls_clock *base)
{
	struct sim_clock *clock = of_base(base);
	struct vm *vm = clock->vm;
	u64 now = clock->time;
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++)
		if (vm->vcpu[n]->until != LS_NEVER && sim_vcpu_time(vm->vcpu[n]) > now)
			now = sim_vcpu_time(vm->vcpu[n]);
	return now;
}

/* A vCPU that is under way must not run past a deadline that it has just set. */
static void shorten_runs(struct vm *vm, u64 deadline)
{
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++) {
		struct cpu *cpu = &vm->vcpu[n]->cpu;
		unsigned int ahead = cpu->op ? cpu->op->number : 0;
		u64 now = cpu_time(cpu);
		s64 left = deadline > now ? (s64)(deadline - now) : 0;

		if (!vm->vcpu[n]->in_guest || vm->vcpu[n]->until == LS_NEVER)
			continue;
		if (deadline < cpu->time_bound)
			cpu->time_bound = deadline;
		if (left + ahead < cpu->budget)
			cpu_set_budget(cpu, left + ahead);
	}
}

/* Under the VM's lock. */
static void take_out(struct sim_clock *clock, struct ls_timer *timer)
{
	unsigned int n, i;

	if (timer->deadline == LS_NEVER)
		return;
	timer->deadline = LS_NEVER;
	for (n = 0; n < clock->armed; n++) {
		if (clock->timer[n] != timer)
			continue;
		for (i = n + 1; i < clock->armed; i++)
			clock->timer[i - 1] = clock->timer[i];
		clock->armed--;
		break;
	}
}

static void clock_disarm(struct ls_clock *base, struct ls_timer *timer)
{
	struct sim_clock *clock = of_base(base);

	vm_lock_take(&clock->vm->lock);
	take_out(clock, timer);
	vm_lock_give(&clock->vm->lock);
}

static bool is_after(const struct ls_timer *timer, u64 deadline, u64 sequence)
{
	return timer->deadline > deadline ||
	       (timer->deadline == deadline && timer->sequence > sequence);
}

static void put_in(struct sim_clock *clock, struct ls_timer *timer, u64 deadline, u64 sequence)
{
	unsigned int n;

	take_out(clock, timer);
	if (deadline == LS_NEVER || clock->armed == SIM_TIMERS_MAX)
		return;
	timer->deadline = deadline;
	timer->sequence = sequence;
	if (sequence >= clock->sequence)
		clock->sequence = sequence + 1;
	for (n = clock->armed; n && is_after(clock->timer[n - 1], deadline, sequence); n--)
		clock->timer[n] = clock->timer[n - 1];
	clock->timer[n] = timer;
	clock->armed++;
	shorten_runs(clock->vm, deadline);
}

static void clock_restore(struct ls_clock *base, struct ls_timer *timer, u64 deadline, u64 sequence)
{
	struct sim_clock *clock = of_base(base);

	vm_lock_take(&clock->vm->lock);
	put_in(clock, timer, deadline, sequence);
	vm_lock_give(&clock->vm->lock);
}

static void clock_arm(struct ls_clock *base, struct ls_timer *timer, u64 deadline)
{
	struct sim_clock *clock = of_base(base);

	vm_lock_take(&clock->vm->lock);
	put_in(clock, timer, deadline, clock->sequence);
	vm_lock_give(&clock->vm->lock);
}

void sim_clock_init(struct sim_clock *clock, struct vm *vm)
{
	*clock = (struct sim_clock){.base = {.now = clock_now,
					     .arm = clock_arm,
					     .restore = clock_restore,
					     .disarm = clock_disarm},
				    .vm = vm};
}

u64 sim_clock_next(const struct sim_clock *clock)
{
	return clock->armed ? clock->timer[0]->deadline : LS_NEVER;
}

static bool is_due(const struct sim_clock *clock, u64 now)
{
	return clock->armed && clock->timer[0]->deadline <= now;
}

static void fire_first(struct sim_clock *clock)
{
	struct ls_timer *timer = clock->timer[0];

	if (timer->deadline > clock->time)
		clock->time = timer->deadline;
	take_out(clock, timer);
	timer->fn(timer, clock->time);
}

void sim_clock_advance(struct sim_clock *clock, u64 now)
{
	if (now < clock->time)
		now = clock->time;
	while (is_due(clock, now))
		fire_first(clock);
	clock->time = now;
}

static bool is_of_chips(const struct vm *vm, const struct ls_timer *timer)
{
	unsigned int n;

	for (n = 0; n < vm->vcpus; n++)
		if (timer == &vm->vcpu[n]->lapic.timer)
			return true;
	return timer == &vm->pit.timer;
}

void sim_clock_advance_chips(struct sim_clock *clock, u64 now)
{
	while (is_due(clock, now) && is_of_chips(clock->vm, clock->timer[0]))
		fire_first(clock);
}

bool sim_clock_follow(struct sim_clock *clock, u64 now)
{
	sim_clock_advance_chips(clock, now);
	if (is_due(clock, now))
		return false;
	if (clock->time < now)
		clock->time = now;
	return true;
}
