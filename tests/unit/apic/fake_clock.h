/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that a test moves by hand; it fires timers as include/lockstep/clock.h promises. */
#ifndef LOCKSTEP_TESTS_FAKE_CLOCK_H
#define LOCKSTEP_TESTS_FAKE_CLOCK_H

#include <lockstep/clock.h>
#include <stddef.h>

#define FAKE_TIMERS 32

struct fake_clock {
	struct ls_clock clock;
	uint64_t ns;
	uint64_t sequence;
	struct ls_timer *timers[FAKE_TIMERS];
	unsigned int fired;
};

static inline uint64_t fake_clock_now(struct ls_clock *clock)
{
	return ((struct fake_clock *)clock)->ns;
}

static inline void fake_clock_disarm(struct ls_clock *clock, struct ls_timer *timer)
{
	struct fake_clock *fake = (struct fake_clock *)clock;
	unsigned int i;

	timer->deadline = LS_NEVER;
	for (i = 0; i < FAKE_TIMERS; i++) {
		if (fake->timers[i] == timer)
			fake->timers[i] = NULL;
	}
}

static inline void fake_clock_arm(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline)
{
	struct fake_clock *fake = (struct fake_clock *)clock;
	unsigned int i;

	fake_clock_disarm(clock, timer);
	if (deadline == LS_NEVER)
		return;
	timer->deadline = deadline;
	timer->sequence = fake->sequence++;
	for (i = 0; fake->timers[i]; i++)
		;
	fake->timers[i] = timer;
}

static inline void fake_clock_init(struct fake_clock *fake)
{
	*fake = (struct fake_clock){
		.clock = {.now = fake_clock_now,
			  .arm = fake_clock_arm,
			  .disarm = fake_clock_disarm},
	};
}

static inline struct ls_timer *fake_clock_first(struct fake_clock *fake)
{
	struct ls_timer *first = NULL;
	unsigned int i;

	for (i = 0; i < FAKE_TIMERS; i++) {
		struct ls_timer *timer = fake->timers[i];

		if (timer &&
		    (!first || timer->deadline < first->deadline ||
		     (timer->deadline == first->deadline && timer->sequence < first->sequence)))
			first = timer;
	}
	return first;
}

/* The earliest deadline, or LS_NEVER. */
static inline uint64_t fake_clock_next(struct fake_clock *fake)
{
	struct ls_timer *first = fake_clock_first(fake);

	return first ? first->deadline : LS_NEVER;
}

/* Moves to @ns; what is due on the way fires at its own time. */
static inline void fake_clock_set(struct fake_clock *fake, uint64_t ns)
{
	struct ls_timer *timer;

	while ((timer = fake_clock_first(fake)) && timer->deadline <= ns) {
		if (timer->deadline > fake->ns)
			fake->ns = timer->deadline;
		fake_clock_disarm(&fake->clock, timer);
		fake->fired++;
		timer->fn(timer, fake->ns);
	}
	fake->ns = ns;
}

static inline void fake_clock_advance(struct fake_clock *fake, uint64_t ns)
{
	fake_clock_set(fake, fake->ns + ns);
}

/* Moves to @ns at once: what is due fires late. */
static inline void fake_clock_jump(struct fake_clock *fake, uint64_t ns)
{
	fake->ns = ns;
	fake_clock_set(fake, ns);
}

#endif
