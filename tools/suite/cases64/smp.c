/* SPDX-License-Identifier: Apache-2.0 */
/* Several processors: SDM 3A 9.4. */
#define THEME "smp"
#include "suite.h"

#define APIC 0xfee00000ul

/* Real-mode code that goes to 0x8000, where a startup IPI with vector 8 sends it. */
extern const u8 other_start[], other_end[];
__asm__(".pushsection .text; .code16; other_start: mov %cs, %ax; mov %ax, %ds; movl $0x600d, 0x100;"
	"mov %cs, 0x104; mov %sp, 0x106; pushf; pop %ax; mov %ax, 0x108; lock incl 0x110; 1: cli; "
	"hlt; jmp 1b;"
	"other_end: .code64; .popsection");

static volatile u32 *const shared = (volatile u32 *)0x8000;

static void send(u32 value)
{
	*(volatile u32 *)(APIC + 0xf0) = 0x1ff;
	*(volatile u32 *)(APIC + 0x300) = value;
	while (*(volatile u32 *)(APIC + 0x300) & 0x1000)
		;
}

static void prepare(void)
{
	__builtin_memset((void *)0x8000, 0, 512);
	__builtin_memcpy((void *)0x8000, other_start, (size_t)(other_end - other_start));
}

CASE_SMP(startup_ipi, 2,
	 "INIT and SIPI start the other processor in real mode at the vector's page")
{
	prepare();
	send(0xc4500);
	send(0xc4608);
	while (!shared[0x110 / 4])
		__asm__ volatile("pause");
}

CASE_SMP(startup_ipi_twice, 2, "a second SIPI to a running processor is ignored")
{
	prepare();
	send(0xc4500);
	send(0xc4608);
	while (!shared[0x110 / 4])
		__asm__ volatile("pause");
	send(0xc4608);
	for (int n = 0; n < 10000; n++)
		__asm__ volatile("pause");
}

CASE_SMP(startup_many, 4, "broadcast IPIs start all others, who count with LOCK")
{
	prepare();
	send(0xc4500);
	send(0xc4608);
	while (shared[0x110 / 4] < 3)
		__asm__ volatile("pause");
}

CASE_SMP(init_again, 2, "INIT stops a processor, which starts again by SIPI")
{
	prepare();
	send(0xc4500);
	send(0xc4608);
	while (shared[0x110 / 4] < 1)
		__asm__ volatile("pause");
	send(0xc4500);
	send(0xc4608);
	while (shared[0x110 / 4] < 2)
		__asm__ volatile("pause");
}
