/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps in 32-bit code: SDM 3A 6.8.3, SDM 3B 18.3.1.4. */
#define THEME "debug32"
#include "suite.h"

static word first_step;

static bool step_hook(struct trap_frame *frame)
{
	if (frame->vector != 1)
		return false;
	if (!first_step)
		first_step = frame->ip;
	show(frame->ip - first_step);
	show(READ_REGISTER("dr6"));
	WRITE_REGISTER("dr6", 0xffff0ff0);
	frame->flags &= ~(word)FLAG_TF;
	trap.flags &= ~(word)FLAG_TF;
	if (trap_count < 12 && (frame->ax & 0xff) != 0x77)
		frame->flags |= FLAG_TF;
	return true;
}

#define STEPS "pushf; orl $0x100, (%esp); popf;"

CASE(step_pop_ss, "POP SS holds the single-step trap off for one instruction")
{
	trap_hook = step_hook;
	TRY("xor %eax, %eax; push $0x10;" STEPS "pop %ss; inc %eax; mov $0x77, %al; nop");
}

CASE(p32_step, "a trap after each instruction, and none in the handler")
{
	trap_hook = step_hook;
	TRY("xor %eax, %eax;" STEPS "inc %eax; nop; mov $0x77, %al; nop");
}
