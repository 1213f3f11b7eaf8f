/* SPDX-License-Identifier: Apache-2.0 */
/* #AC while #AC is delivered is benign (SDM 3A:6.15, table 6-5), so a processor tries for ever. The
 * run has to end by itself, at the instruction limit. */
#include "payload.h"

#define CR0_AM  0x40000u
#define FLAG_AC 0x40000u

extern const char misaligned[];
__asm__("misaligned: mov (%esp), %eax; ud2");

void payload(void)
{
	/* The handler stays at level 3, on the stack that is misaligned. */
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, 0x9f, FLAGS_32);
	idt[17] = gate_make((word)misaligned, SEL_FREE, GATE_INTERRUPT);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | CR0_AM);
	print("PASSED if this is the last line\n");
	enter_level(misaligned, FLAG_AC, SEL_CODE3 | 3, SEL_DATA3 | 3, STACK_TOP(user_stack) - 2);
}
