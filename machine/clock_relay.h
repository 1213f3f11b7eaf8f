/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that another one stands behind, which may be exchanged: devices keep this one. */
#ifndef LOCKSTEP_MACHINE_CLOCK_RELAY_H
#define LOCKSTEP_MACHINE_CLOCK_RELAY_H

#include <lockstep/clock.h>

struct clock_relay {
	struct ls_clock base;
	struct ls_clock *to; /* NULL: it is gone, and with it what was armed */
};

void clock_relay_init(struct clock_relay *relay);

#endif
