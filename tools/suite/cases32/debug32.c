/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps in 32-bit code: SDM 3A 6.8.3, SDM 3B 18.3.1.4. */
#define THEME "debug32"
#include "steps.h"

static bool step_hook(struct trap_frame *frame)
{
	if (frame->vector == 1)
		trap.flags &= ~(word)FLAG_TF;
	return show_step(frame);
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

CASE(p32_int1,
     "INT1 is #DB, a trap, at level 3, too; EXT in the error code of what its delivery meets")
{
	TRY_USER("int1");
	TRY("int1");
	show(READ_REGISTER("dr6"));
	idt[1].type &= 0x7f;
	TRY("int1");
	gate_reset(1);
}
