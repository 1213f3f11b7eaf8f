/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one clock and deadline queue of a VM. Units are nanoseconds of guest time since the VM
 * was created. Models on both sides of the seam (local APIC, PIT, RTC, PM timer, network)
 * keep time with it and with nothing else; there is no host clock behind this interface.
 */
#ifndef LOCKSTEP_CLOCK_H
#define LOCKSTEP_CLOCK_H

#include <stdint.h>

#define LS_NEVER UINT64_MAX

/* Embedded in its owner. fn is called once a deadline has been reached, on the thread that
 * advances the clock, with the timer disarmed; it may arm it again. Timers with the same
 * deadline fire in the order in which they were armed. */
struct ls_timer {
	uint64_t deadline; /* ns; LS_NEVER while disarmed. Written by the clock only. */
	uint64_t sequence; /* order among equal deadlines. Written by the clock only. */
	void (*fn)(struct ls_timer *timer, uint64_t now);
	void *opaque;
};

struct ls_clock {
	/* Guest time now, in ns; inside an instruction, the time at its start. */
	uint64_t (*now)(struct ls_clock *clock);
	/* (Re-)arms @timer. A deadline that has passed fires before the next instruction. */
	void (*arm)(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline);
	/* Arms it as it was when a state was saved: @sequence says where among equal deadlines. */
	void (*restore)(struct ls_clock *clock, struct ls_timer *timer, uint64_t deadline,
			uint64_t sequence);
	/* Idempotent. After it returns, fn is not called. */
	void (*disarm)(struct ls_clock *clock, struct ls_timer *timer);
};

#endif
