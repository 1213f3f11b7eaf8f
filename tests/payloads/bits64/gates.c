/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit interrupt and trap gates: SDM 3A:6.14.1, 6.12.1.2, 6.13; error codes, privilege, flags. */
#include "payload.h"

#define VECTOR            0x60
#define IDT_ERROR(vector) ((vector)*8 + 2)

static void raise_vector(void)
{
	__asm__ volatile("int $0x60");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

extern const char code_int[], code_int3[];
__asm__("code_int: int $0x60; ud2; code_int3: int3; ud2");

static void user_int(void)
{
	enter_user(code_int, 0);
}

static void user_int3(void)
{
	enter_user(code_int3, 0x200);
}

static void delivery(void)
{
	section("SDM 3A:6.14.1 a gate delivers");
	EXPECT_TRAP(raise_vector, VECTOR, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE0);
	CHECK_EQUAL(trap.ss, SEL_DATA0);

	section("SDM 3A:6.12.1.3 interrupt gates clear IF, trap gates don't");
	idt[VECTOR].type = GATE_TRAP;
	EXPECT_TRAP(raise_vector, VECTOR, NO_ERROR);
	gate_reset(VECTOR);
}

static void types(void)
{
	section("SDM 3A:6.13 not-present gate: #NP with the IDT bit");
	idt[VECTOR].type = 0x0e;
	EXPECT_TRAP(raise_vector, 11, IDT_ERROR(VECTOR));
	section("SDM 3A:6.13 EXT is set for an exception that is no INT n");
	idt[6].type = 0x0e;
	EXPECT_TRAP(undefined, 11, IDT_ERROR(6) + 1);
	gate_reset(6);

	section("SDM 3A:6.14.1 only 64-bit interrupt and trap gates");
	for (u8 type = 0; type < 16; type++) {
		idt[VECTOR].type = 0x80 | type;
		if (type != 14 && type != 15)
			EXPECT_TRAP(raise_vector, 13, IDT_ERROR(VECTOR));
	}
	gate_reset(VECTOR);
}

static void limit_of_table(void)
{
	u16 limit = VECTOR * 16 + 15;

	section("SDM 3A:6.10 beyond the IDT's limit: #GP");
	idt_load(limit - 1);
	EXPECT_TRAP(raise_vector, 13, IDT_ERROR(VECTOR));
	idt_load(limit);
	EXPECT_TRAP(raise_vector, VECTOR, NO_ERROR);
	idt_load(sizeof(idt) - 1);
}

static void handler(void)
{
	section("SDM 2A INT n: the gate's code segment");
	idt[VECTOR].selector = 0;
	EXPECT_TRAP(raise_vector, 13, 0);
	idt[VECTOR].selector = SEL_DATA0;
	EXPECT_TRAP(raise_vector, 13, SEL_DATA0);
	idt[VECTOR].selector = SEL_CODE3;
	EXPECT_TRAP(raise_vector, 13, SEL_CODE3);
	idt[VECTOR].selector = SEL_CODE0_32;
	EXPECT_TRAP(raise_vector, 13, SEL_CODE0_32);
	idt[VECTOR].selector = GDT_ENTRIES * 8;
	EXPECT_TRAP(raise_vector, 13, GDT_ENTRIES * 8);
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0 & 0x7f, FLAGS_64);
	idt[VECTOR].selector = SEL_FREE;
	EXPECT_TRAP(raise_vector, 11, SEL_FREE);
	idt[VECTOR].selector = SEL_CODE0 | 4;
	EXPECT_TRAP(raise_vector, 13, SEL_CODE0 | 4);
	gate_reset(VECTOR);

	section("SDM 2A INT n: a handler that is not canonical");
	gate_set(VECTOR, UINT64_C(0x800000000000), GATE_INTERRUPT);
	EXPECT_TRAP(raise_vector, 13, 0);
	gate_reset(VECTOR);
}

static void privilege(void)
{
	section("SDM 3A:6.12.1.2 DPL holds for INT n, not for exceptions");
	EXPECT_TRAP(user_int, 13, IDT_ERROR(VECTOR));
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	EXPECT_TRAP(user_int3, 13, IDT_ERROR(3));
	idt[VECTOR].type |= GATE_USER;
	EXPECT_TRAP(user_int, VECTOR, NO_ERROR);
}

static void stack_switch(void)
{
	section("SDM 3A:6.14.4 stack switch: RSP0, null SS, frame");
	CHECK_EQUAL(trap_ss, 0);
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	CHECK_EQUAL(trap.sp, STACK_TOP(user_stack));
	CHECK_EQUAL(trap_stack, (STACK_TOP(kernel_stack) & ~15ul) - 40);
	idt[3].type |= GATE_USER;
	EXPECT_TRAP(user_int3, 3, NO_ERROR);
	CHECK_EQUAL(trap.flags & 0x200, 0x200);
	CHECK_EQUAL(trap_handler_flags & 0x200, 0);
	idt[3].type = GATE_TRAP | GATE_USER;
	EXPECT_TRAP(user_int3, 3, NO_ERROR);
	CHECK_EQUAL(trap_handler_flags & 0x200, 0x200);
	gate_reset(3);

	section("SDM 3A:6.14.4 RSP0 that is not canonical: #SS(0)");
	tss.rsp[0] = UINT64_C(0x900000000000);
	idt[12].ist = 1;
	tss.ist[0] = STACK_TOP(other_stack);
	EXPECT_TRAP(user_int, 12, 0);
	tss.rsp[0] = STACK_TOP(kernel_stack);
	gate_reset(12);
	gate_reset(VECTOR);
}

void payload(void)
{
	delivery();
	types();
	limit_of_table();
	handler();
	privilege();
	stack_switch();
}
