/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that step themselves by TF, up to 12 times or until AL is 0x77. */
#ifndef SUITE_STEPS_H
#define SUITE_STEPS_H

#include "suite.h"

static word first_step __attribute__((aligned(8))); /* so that a case may be moved */

/* Of a case's hook: shows where a #DB came, and steps on. */
static bool show_step(struct trap_frame *frame)
{
	if (frame->vector != 1)
		return false;
	if (!first_step)
		first_step = frame->ip;
	show(frame->ip - first_step);
	show(READ_REGISTER("dr6"));
	WRITE_REGISTER("dr6", 0xffff0ff0);
	frame->flags &= ~(word)FLAG_TF;
	if (trap_count < 12 && (frame->ax & 0xff) != 0x77)
		frame->flags |= FLAG_TF;
	return true;
}

#endif
