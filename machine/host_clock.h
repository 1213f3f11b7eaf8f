/* SPDX-License-Identifier: Apache-2.0 */
/* struct ls_clock over the host's monotonic clock, for an engine that has no clock of its
 * own. All calls under the machine lock, `now` excepted. */
#ifndef LOCKSTEP_MACHINE_HOST_CLOCK_H
#define LOCKSTEP_MACHINE_HOST_CLOCK_H

#include <lockstep/clock.h>

struct host_clock;

/* @armed is called when a timer was armed that is due before all others. NULL: no memory. */
struct host_clock *host_clock_create(void (*armed)(void *opaque), void *opaque);
void host_clock_destroy(struct host_clock *clock);
/* It is @now. */
void host_clock_set(struct host_clock *clock, uint64_t now);
struct ls_clock *host_clock_base(struct host_clock *clock);
/* Earliest deadline, LS_NEVER if none. */
uint64_t host_clock_next(const struct host_clock *clock);
/* Fires what is due at @now. */
void host_clock_fire(struct host_clock *clock, uint64_t now);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t host_time_ns(void);

#endif
