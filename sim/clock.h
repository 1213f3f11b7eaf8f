/* SPDX-License-Identifier: Apache-2.0 */
/* The VM's clock and its deadlines. All calls under the VM's lock, `now` excepted. */
#ifndef LOCKSTEP_SIM_CLOCK_H
#define LOCKSTEP_SIM_CLOCK_H

#include <lockstep/clock.h>

#include "mmu/types.h"

#define SIM_TIMERS_MAX 512

struct vm;

struct sim_clock {
	struct ls_clock base;
	struct vm *vm;
	u64 time; /* ns; a running vCPU may be ahead of it */
	u64 sequence;
	struct ls_timer *timer[SIM_TIMERS_MAX]; /* armed, earliest first */
	unsigned int armed;
};

void sim_clock_init(struct sim_clock *clock, struct vm *vm);
u64 sim_clock_next(const struct sim_clock *clock);
/* Moves forward and fires what is due, in order; each timer sees its own deadline as `now`. */
void sim_clock_advance(struct sim_clock *clock, u64 now);
/* The same for the VM's own chips, and only up to the first timer of somebody else. */
void sim_clock_advance_chips(struct sim_clock *clock, u64 now);
/* Both for a vCPU that runs on its own: the clock follows it. False if it may not yet, for the first
 * timer of somebody else. */
bool sim_clock_follow(struct sim_clock *clock, u64 now);

#endif
