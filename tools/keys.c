/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/keys.h"

#include <ctype.h>

#define CTRL(letter) ((letter)&0x1f)

static enum keys_action keys_escape(uint8_t byte)
{
	if (byte == CTRL('A'))
		return KEYS_SEND;
	switch (tolower(byte)) {
	case 'x':
		return KEYS_LEAVE;
	case 'c':
		return KEYS_MONITOR;
	case 'h':
	case '?':
		return KEYS_HELP;
	default:
		return KEYS_NOTHING;
	}
}

enum keys_action keys_press(struct keys *keys, uint8_t byte, int64_t now)
{
	if (keys->escaped) {
		keys->escaped = false;
		return keys_escape(byte);
	}
	if (byte == CTRL('A')) {
		keys->escaped = true;
		return KEYS_NOTHING;
	}
	if (byte != CTRL('C')) {
		keys->interrupts = 0;
		return KEYS_SEND;
	}
	if (!keys->interrupts || now - keys->first_interrupt > KEYS_SECOND) {
		keys->interrupts = 0;
		keys->first_interrupt = now;
	}
	keys->interrupts++;
	return keys->interrupts == KEYS_INTERRUPTS ? KEYS_DEAF : KEYS_SEND;
}

void keys_guest_spoke(struct keys *keys)
{
	keys->interrupts = 0;
}
