/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/clock_relay.h"

static struct ls_clock *behind(struct ls_clock *base)
{
	return ((struct clock_relay *)base)->to;
}

static uint64_t relay_now(struct ls_clock *base)
{
	return behind(base)->now(behind(base));
}

static void relay_arm(struct ls_clock *base, struct ls_timer *timer, uint64_t deadline)
{
	behind(base)->arm(behind(base), timer, deadline);
}

static void relay_restore(struct ls_clock *base, struct ls_timer *timer, uint64_t deadline,
			  uint64_t sequence)
{
	behind(base)->restore(behind(base), timer, deadline, sequence);
}

static void relay_disarm(struct ls_clock *base, struct ls_timer *timer)
{
	if (behind(base))
		behind(base)->disarm(behind(base), timer);
}

void clock_relay_init(struct clock_relay *relay)
{
	relay->base = (struct ls_clock){.now = relay_now,
					.arm = relay_arm,
					.restore = relay_restore,
					.disarm = relay_disarm};
}
