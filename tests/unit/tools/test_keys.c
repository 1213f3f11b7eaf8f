/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the terminal, as docs/lockstep.1 lists them under KEYS. */
#include "tests/unit/check.h"
#include "tools/keys.h"

#define CTRL_A 0x01
#define CTRL_C 0x03

static enum keys_action escape_then(uint8_t key)
{
	struct keys keys = {0};

	CHECK_EQUAL(keys_press(&keys, CTRL_A, 0), KEYS_NOTHING);
	return keys_press(&keys, key, 0);
}

static void the_escape_key_takes_one_key(void)
{
	struct keys keys = {0};

	CHECK_EQUAL(escape_then('x'), KEYS_LEAVE);
	CHECK_EQUAL(escape_then('X'), KEYS_LEAVE);
	CHECK_EQUAL(escape_then('c'), KEYS_MONITOR);
	CHECK_EQUAL(escape_then('h'), KEYS_HELP);
	CHECK_EQUAL(escape_then(CTRL_A), KEYS_SEND);
	CHECK_EQUAL(escape_then('q'), KEYS_NOTHING);
	/* The key after it is an ordinary one again. */
	keys_press(&keys, CTRL_A, 0);
	keys_press(&keys, CTRL_A, 0);
	CHECK_EQUAL(keys_press(&keys, 'x', 0), KEYS_SEND);
}

static void all_other_keys_go_to_the_guest(void)
{
	struct keys keys = {0};
	unsigned int key;

	for (key = 0; key < 256; key++) {
		if (key != CTRL_A)
			CHECK_EQUAL(keys_press(&keys, (uint8_t)key, 0), KEYS_SEND);
	}
}

static void three_interrupts_leave_a_deaf_guest(void)
{
	struct keys keys = {0};

	CHECK_EQUAL(keys_press(&keys, CTRL_C, 1000), KEYS_SEND);
	CHECK_EQUAL(keys_press(&keys, CTRL_C, 300000), KEYS_SEND);
	CHECK_EQUAL(keys_press(&keys, CTRL_C, 600000), KEYS_DEAF);
}

static void slow_interrupts_are_keys(void)
{
	struct keys keys = {0};
	int i;

	for (i = 0; i < 10; i++)
		CHECK_EQUAL(keys_press(&keys, CTRL_C, i * 600000), KEYS_SEND);
}

static void a_guest_that_answers_is_not_deaf(void)
{
	struct keys keys = {0};
	int i;

	for (i = 0; i < 10; i++) {
		CHECK_EQUAL(keys_press(&keys, CTRL_C, i), KEYS_SEND);
		keys_guest_spoke(&keys);
	}
	/* Nor is one whose person typed something else in between. */
	keys_press(&keys, CTRL_C, 20);
	keys_press(&keys, CTRL_C, 21);
	keys_press(&keys, 'a', 22);
	CHECK_EQUAL(keys_press(&keys, CTRL_C, 23), KEYS_SEND);
}

static CU_TestInfo tests[] = {
	{"the escape key takes one key", the_escape_key_takes_one_key},
	{"all other keys go to the guest", all_other_keys_go_to_the_guest},
	{"three interrupts leave a deaf guest", three_interrupts_leave_a_deaf_guest},
	{"slow interrupts are keys", slow_interrupts_are_keys},
	{"a guest that answers is not deaf", a_guest_that_answers_is_not_deaf},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: keys", tests)
