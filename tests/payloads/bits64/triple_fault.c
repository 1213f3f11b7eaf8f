/* SPDX-License-Identifier: Apache-2.0 */
/* A contributory exception while #DF is delivered shuts the processor down (SDM 3A:6.15). The run
 * has to end by itself, with the exit status of a triple fault. */
#include "payload.h"

void payload(void)
{
	idt[8].type = 0x0e;
	idt[13].type = 0x0e;
	print("PASSED if this is the last line\n");
	__asm__ volatile("mov %0, %%fs" : : "r"(GDT_ENTRIES * 8));
	print("FAIL the processor is still running\n");
}
