/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/host_clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As many as devices have; more is a bug of ours, and such a timer never fires. */
#define HOST_TIMERS 128

struct host_clock {
	struct ls_clock base;
	uint64_t start;
	uint64_t sequence;
	struct ls_timer *timers[HOST_TIMERS]; /* armed ones, earliest first */
	size_t count;
	void (*armed)(void *opaque);
	void *opaque;
};

uint64_t host_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t host_clock_now(struct ls_clock *base)
{
	return host_time_ns() - ((struct host_clock *)base)->start;
}

static void host_clock_disarm(struct ls_clock *base, struct ls_timer *timer)
{
	struct host_clock *clock = (struct host_clock *)base;

	for (size_t i = 0; i < clock->count; i++) {
		if (clock->timers[i] != timer)
			continue;
		clock->count--;
		memmove(&clock->timers[i], &clock->timers[i + 1],
			(clock->count - i) * sizeof(clock->timers[0]));
		break;
	}
	timer->deadline = LS_NEVER;
}

static bool is_after(const struct ls_timer *timer, uint64_t deadline, uint64_t sequence)
{
	return timer->deadline > deadline ||
	       (timer->deadline == deadline && timer->sequence > sequence);
}

static void host_clock_restore(struct ls_clock *base, struct ls_timer *timer, uint64_t deadline,
			       uint64_t sequence)
{
	struct host_clock *clock = (struct host_clock *)base;
	size_t at;

	host_clock_disarm(base, timer);
	if (deadline == LS_NEVER || clock->count == HOST_TIMERS)
		return;
	timer->deadline = deadline;
	timer->sequence = sequence;
	if (sequence >= clock->sequence)
		clock->sequence = sequence + 1;
	for (at = clock->count; at > 0 && is_after(clock->timers[at - 1], deadline, sequence); at--)
		clock->timers[at] = clock->timers[at - 1];
	clock->timers[at] = timer;
	clock->count++;
	if (at == 0 && clock->armed)
		clock->armed(clock->opaque);
}

static void host_clock_arm(struct ls_clock *base, struct ls_timer *timer, uint64_t deadline)
{
	host_clock_restore(base, timer, deadline, ((struct host_clock *)base)->sequence);
}

struct host_clock *host_clock_create(void (*armed)(void *opaque), void *opaque)
{
	struct host_clock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return NULL;
	clock->base = (struct ls_clock){.now = host_clock_now,
					.arm = host_clock_arm,
					.restore = host_clock_restore,
					.disarm = host_clock_disarm};
	clock->start = host_time_ns();
	clock->armed = armed;
	clock->opaque = opaque;
	return clock;
}

void host_clock_destroy(struct host_clock *clock)
{
	free(clock);
}

void host_clock_set(struct host_clock *clock, uint64_t now)
{
	clock->start = host_time_ns() - now;
}

struct ls_clock *host_clock_base(struct host_clock *clock)
{
	return &clock->base;
}

uint64_t host_clock_next(const struct host_clock *clock)
{
	return clock->count ? clock->timers[0]->deadline : LS_NEVER;
}

void host_clock_fire(struct host_clock *clock, uint64_t now)
{
	while (clock->count && clock->timers[0]->deadline <= now) {
		struct ls_timer *timer = clock->timers[0];

		host_clock_disarm(&clock->base, timer);
		timer->fn(timer, now);
	}
}
