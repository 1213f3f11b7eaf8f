/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of the terminal mean: the escape key, and Ctrl-C on a guest that is deaf. */
#ifndef LOCKSTEP_TOOLS_KEYS_H
#define LOCKSTEP_TOOLS_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/* Pressed this often within KEYS_SECOND while the guest prints nothing, Ctrl-C leaves. */
#define KEYS_INTERRUPTS 3
#define KEYS_SECOND     1000000 /* in microseconds */

struct keys {
	bool escaped; /* the last key was Ctrl-A */
	unsigned int interrupts;
	int64_t first_interrupt; /* microseconds */
};

enum keys_action {
	KEYS_NOTHING,
	KEYS_SEND, /* to the guest */
	KEYS_DEAF, /* the guest ignores Ctrl-C: leave */
	KEYS_LEAVE,
	KEYS_MONITOR,
	KEYS_HELP,
};

/* @now: microseconds on any clock that only goes forward. */
enum keys_action keys_press(struct keys *keys, uint8_t byte, int64_t now);
/* The guest printed something: it is alive. */
void keys_guest_spoke(struct keys *keys);

#endif
