/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of 64-bit event delivery: alignment, IST, TSS limit (SDM 3A:6.14.2, 6.14.4, 6.14.5). */
#include "payload.h"

static void unaligned(void)
{
	__asm__ volatile("mov %%rsp, %%rbx; and $~15, %%rsp; sub $5, %%rsp; int $0x60" : : : "rbx");
}

static void with_error(void)
{
	__asm__ volatile("mov %0, %%fs" : : "r"(GDT_ENTRIES * 8));
}

extern const char code_int[];
__asm__("code_int: int $0x60; ud2");

static void from_user(void)
{
	enter_user(code_int, 0);
}

static void set_tr_limit(u32 limit)
{
	gdt[SEL_TSS / 8] = descriptor((u32)(word)&tss, limit, 0x89, 0);
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

void payload(void)
{
	word top = STACK_TOP(other_stack);

	idt[0x60].type |= GATE_USER;

	section("SDM 3A:6.14.2 RSP is aligned down to 16 before the pushes");
	EXPECT_TRAP(unaligned, 0x60, NO_ERROR);
	CHECK_EQUAL((trap_stack + 40) & 15, 0);
	CHECK_EQUAL(trap.sp & 15, 11);
	CHECK_EQUAL(trap_stack + 40, trap.sp & ~15ul);
	CHECK_EQUAL(trap.ss, SEL_DATA0);
	CHECK_EQUAL(trap_ss, SEL_DATA0);

	section("SDM 3A:6.14.5 IST, without a change of level SS stays");
	for (unsigned int ist = 1; ist <= 7; ist++) {
		tss.ist[ist - 1] = top - 256 * ist + 7;
		idt[0x60].ist = ist;
		EXPECT_TRAP(unaligned, 0x60, NO_ERROR);
		CHECK_EQUAL(trap_stack, ((top - 256 * ist + 7) & ~15ul) - 40);
		CHECK_EQUAL(trap_ss, SEL_DATA0);
		EXPECT_TRAP(from_user, 0x60, NO_ERROR);
		CHECK_EQUAL(trap_stack, ((top - 256 * ist + 7) & ~15ul) - 40);
		CHECK_EQUAL(trap_ss, 0);
	}
	section("SDM 3A:6.14.2 the error code lies below the frame");
	idt[13].ist = 1;
	EXPECT_TRAP(with_error, 13, GDT_ENTRIES * 8);
	CHECK_EQUAL(trap_stack, ((top - 256 + 7) & ~15ul) - 40);
	gate_reset(13);

	section("SDM 2A INT n: IST that is not canonical, #SS(0), whatever the handler's RIP");
	tss.ist[0] = UINT64_C(0x900000000000);
	idt[0x60].ist = 1;
	EXPECT_TRAP(unaligned, 12, 0);
	idt[0x60].offset_high = 0x9000;
	EXPECT_TRAP(unaligned, 12, 0);
	idt[0x60].offset_high = 0;

	section("SDM 2A INT n: RSPn or ISTn beyond the TSS limit, #TS(TR)");
	tss.ist[0] = top;
	set_tr_limit(36 + 7);
	EXPECT_TRAP(unaligned, 0x60, NO_ERROR);
	set_tr_limit(36 + 6);
	EXPECT_TRAP(unaligned, 10, SEL_TSS);
	idt[0x60].ist = 0;
	set_tr_limit(4 + 7);
	EXPECT_TRAP(from_user, 0x60, NO_ERROR);
	set_tr_limit(sizeof(tss) - 1);
	gate_reset(0x60);
}
