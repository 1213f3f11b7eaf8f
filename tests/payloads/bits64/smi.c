/* SPDX-License-Identifier: Apache-2.0 */
/* An SMI of a machine that was started without firmware: the loader has put a handler where SMBASE
 * is after RESET (SDM 3C:32.4, 32.11; APM 2:10.2.2), and the program goes on. */
#include "apic.h"
#include "payload.h"

#define SMI_COMMAND  0x200
#define REVISION     0x3fefcul /* in the saved state: SDM 3C:32.4.1, APM 2:10.2.3 */

static void send(void)
{
	APIC(0x310) = APIC(0x20);
	APIC(0x300) = SMI_COMMAND;
	for (int i = 0; i < 100; i++)
		__asm__ volatile("nop");
}

void payload(void)
{
	word flags;

	APIC(0xf0) = 0x1ff;
	CHECK_EQUAL(*(volatile u32 *)REVISION, 0);
	send();
	section("SMM was there, and is left");
	CHECK(*(volatile u32 *)REVISION != 0);
	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	CHECK_EQUAL(flags & 0x202, 2);
	send();
}
