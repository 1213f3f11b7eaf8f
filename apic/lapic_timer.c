/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC's timer (SDM 3A:11.5.4). Nothing ticks: counts are computed from the clock. */
#include <stddef.h>

#include "apic/lapic_internal.h"

#define NS 1000000000ull

static uint32_t timer_mode(const struct lapic *lapic)
{
	return lapic->regs[LAPIC_LVT_TIMER >> 4] & LAPIC_TIMER_MODE;
}

static bool mode_counts(uint32_t mode)
{
	return mode == LAPIC_TIMER_ONE_SHOT || mode == LAPIC_TIMER_PERIODIC;
}

/* Divide configuration: bits 3, 1, 0 are log2(divisor) - 1, 7 being divide by 1. */
static unsigned int divisor(const struct lapic *lapic)
{
	uint32_t value = lapic->regs[LAPIC_TIMER_DIVIDE >> 4];
	unsigned int code = (value & 3) | (value >> 1 & 4);

	return code == 7 ? 1 : 2u << code;
}

/* At 1 GHz a count is a nanosecond: no 128 bits are needed. */
static bool counts_are_ns(const struct lapic *lapic)
{
	return lapic->config.timer_hz == NS;
}

static uint64_t ns_to_counts(const struct lapic *lapic, uint64_t ns)
{
	if (counts_are_ns(lapic))
		return ns / divisor(lapic);
	return (unsigned __int128)ns * lapic->config.timer_hz / (NS * divisor(lapic));
}

/* Rounds up: the first ns at which that many counts have passed. */
static uint64_t counts_to_ns(const struct lapic *lapic, uint64_t counts)
{
	unsigned __int128 scaled = (unsigned __int128)counts * (NS * divisor(lapic));

	if (counts_are_ns(lapic))
		return counts * divisor(lapic);
	return (scaled + lapic->config.timer_hz - 1) / lapic->config.timer_hz;
}

static uint64_t reload_counts(const struct lapic *lapic)
{
	uint64_t initial = lapic->regs[LAPIC_TIMER_INITIAL >> 4];
	uint64_t least = ns_to_counts(lapic, lapic->config.min_period_ns);

	return initial < least ? least : initial;
}

static void arm(struct lapic *lapic, uint64_t time)
{
	lapic_note(lapic, LAPIC_NOTE_TIMER_ARMED, time);
	lapic->clock->arm(lapic->clock, &lapic->timer, time);
}

static void arm_count(struct lapic *lapic)
{
	arm(lapic, lapic->timer_start + counts_to_ns(lapic, lapic->timer_count));
}

static void start_count(struct lapic *lapic, uint64_t now, uint64_t count)
{
	lapic->timer_start = now;
	lapic->timer_count = count;
	if (count)
		arm_count(lapic);
	else
		lapic->clock->disarm(lapic->clock, &lapic->timer);
}

/* The count has reached 0 at or before @now: the next period, however many have gone by. */
static void next_period(struct lapic *lapic, uint64_t now)
{
	uint64_t elapsed = ns_to_counts(lapic, now - lapic->timer_start);
	uint64_t reload = reload_counts(lapic);

	if (timer_mode(lapic) != LAPIC_TIMER_PERIODIC || !reload) {
		lapic->timer_count = 0;
		return;
	}
	if (elapsed >= lapic->timer_count)
		lapic->timer_count += ((elapsed - lapic->timer_count) / reload + 1) * reload;
	arm_count(lapic);
}

static void timer_expired(struct ls_timer *timer, uint64_t now)
{
	struct lapic *lapic = timer->opaque;

	lapic_note(lapic, LAPIC_NOTE_TIMER_EXPIRED, now);
	if (timer_mode(lapic) == LAPIC_TIMER_TSC_DEADLINE)
		lapic->tsc_deadline = 0;
	else
		next_period(lapic, now);
	lapic_local_interrupt(lapic, LAPIC_LVT_TIMER);
}

void lapic_timer_init(struct lapic *lapic)
{
	lapic->timer = (struct ls_timer){
		.deadline = LS_NEVER,
		.fn = timer_expired,
		.opaque = lapic,
	};
}

void lapic_timer_stop(struct lapic *lapic)
{
	lapic->clock->disarm(lapic->clock, &lapic->timer);
	lapic->timer_count = 0;
	lapic->tsc_deadline = 0;
}

uint32_t lapic_timer_current(const struct lapic *lapic)
{
	uint32_t initial = lapic->regs[LAPIC_TIMER_INITIAL >> 4];
	uint64_t elapsed, left;

	if (!mode_counts(timer_mode(lapic)) || !lapic->timer_count)
		return 0;
	elapsed = ns_to_counts(lapic, lapic->clock->now(lapic->clock) - lapic->timer_start);
	if (elapsed < lapic->timer_count)
		left = lapic->timer_count - elapsed;
	else if (timer_mode(lapic) == LAPIC_TIMER_ONE_SHOT)
		left = 0;
	else /* due, not yet fired */
		left = reload_counts(lapic) - (elapsed - lapic->timer_count) % reload_counts(lapic);
	return left < initial ? left : initial;
}

void lapic_timer_write_initial(struct lapic *lapic, uint32_t value)
{
	if (timer_mode(lapic) == LAPIC_TIMER_TSC_DEADLINE)
		return; /* SDM 3A:11.5.4.1 */
	*lapic_reg(lapic, LAPIC_TIMER_INITIAL) = value;
	if (!mode_counts(timer_mode(lapic)))
		return;
	start_count(lapic, lapic->clock->now(lapic->clock),
		    timer_mode(lapic) == LAPIC_TIMER_PERIODIC && value ? reload_counts(lapic)
								       : value);
}

void lapic_timer_write_divide(struct lapic *lapic, uint32_t value)
{
	uint32_t left = lapic_timer_current(lapic);

	*lapic_reg(lapic, LAPIC_TIMER_DIVIDE) = value;
	if (lapic->timer_count && left)
		start_count(lapic, lapic->clock->now(lapic->clock), left);
}

void lapic_timer_mode_changed(struct lapic *lapic, uint32_t old)
{
	uint32_t mode = timer_mode(lapic);

	/* Between one-shot and periodic the count goes on; what to do at 0 is asked then. */
	old &= LAPIC_TIMER_MODE;
	if (old == mode || (mode_counts(old) && mode_counts(mode)))
		return;
	/* "Transitioning between TSC-deadline mode and other timer modes also disarms" */
	lapic_timer_stop(lapic);
	*lapic_reg(lapic, LAPIC_TIMER_INITIAL) = 0;
}

/* --- TSC deadline (SDM 3A:11.5.4.1) --- */

uint64_t lapic_timer_get_tsc_deadline(const struct lapic *lapic)
{
	return timer_mode(lapic) == LAPIC_TIMER_TSC_DEADLINE ? lapic->tsc_deadline : 0;
}

static void arm_deadline(struct lapic *lapic)
{
	struct ls_timer *timer = &lapic->timer;
	struct ls_clock *clock = lapic->clock;

	clock->disarm(clock, timer);
	if (!lapic->tsc_deadline)
		return;
	if (lapic->ops->tsc_now(lapic->owner) >= lapic->tsc_deadline)
		timer_expired(timer, clock->now(clock));
	else
		arm(lapic, lapic->ops->tsc_to_ns(lapic->owner, lapic->tsc_deadline));
}

void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t tsc)
{
	if (timer_mode(lapic) != LAPIC_TIMER_TSC_DEADLINE)
		return;
	lapic->tsc_deadline = tsc;
	arm_deadline(lapic);
}

void lapic_tsc_changed(struct lapic *lapic)
{
	if (timer_mode(lapic) == LAPIC_TIMER_TSC_DEADLINE)
		arm_deadline(lapic);
}

void lapic_timer_restore(struct lapic *lapic, uint32_t current)
{
	uint32_t initial = *lapic_reg(lapic, LAPIC_TIMER_INITIAL);
	uint64_t count = current < initial ? current : initial;

	lapic_timer_stop(lapic);
	if (!mode_counts(timer_mode(lapic)) || !initial)
		return;
	if (!count && timer_mode(lapic) == LAPIC_TIMER_PERIODIC)
		count = reload_counts(lapic);
	start_count(lapic, lapic->clock->now(lapic->clock), count);
}
