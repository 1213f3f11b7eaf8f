/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions while an exception is delivered: SDM 3A:6.15, tables 6-4 and 6-5. */
#include "payload.h"

static volatile word unmapped = 0x140000000; /* beyond the 4 GiB that start.S maps */

static void page_fault(void)
{
	*(volatile u8 *)unmapped = 0;
}

static void divide(void)
{
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : : "eax", "ecx", "edx");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void not_present_segment(void)
{
	__asm__ volatile("mov %0, %%fs" : : "r"(SEL_FREE));
}

static void software(void)
{
	__asm__ volatile("int $0");
}

static void absent(u8 vector)
{
	idt[vector].type = 0x0e;
}

void payload(void)
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, ACCESS_DATA0 & 0x7f, FLAGS_32);

	section("contributory, then contributory: #DF(0)");
	absent(0);
	EXPECT_TRAP(divide, 8, 0);
	section("the saved RIP of #DF is the faulting instruction's here");
	CHECK(trap.ip >= (word)divide && trap.ip < (word)divide + 32);
	section("contributory, then page fault: the page fault is handled");
	gate_reset(0);
	idt[0].ist = 1;
	tss.ist[0] = unmapped;
	EXPECT_TRAP(divide, 14, 2);
	CHECK_EQUAL(trap_cr2, unmapped - 8);
	gate_reset(0);

	section("page fault, then contributory: #DF(0)");
	absent(14);
	EXPECT_TRAP(page_fault, 8, 0);
	CHECK_EQUAL(trap_cr2, unmapped);
	gate_reset(14);
	section("page fault, then page fault: #DF(0), CR2 of the second");
	idt[14].ist = 1;
	EXPECT_TRAP(page_fault, 8, 0);
	CHECK_EQUAL(trap_cr2, unmapped - 8);
	gate_reset(14);

	section("benign, then contributory: handled, with EXT");
	absent(6);
	EXPECT_TRAP(undefined, 11, 6 * 8 + 2 + 1);
	gate_reset(6);
	section("benign, then page fault: handled");
	idt[6].ist = 1;
	EXPECT_TRAP(undefined, 14, 2);
	gate_reset(6);

	section("contributory #NP, #GP beyond the IDT: #DF");
	absent(11);
	EXPECT_TRAP(not_present_segment, 8, 0);
	gate_reset(11);

	section("INT n is benign whatever its vector, and has no EXT");
	absent(0);
	EXPECT_TRAP(software, 11, 2);
	gate_reset(0);
}
