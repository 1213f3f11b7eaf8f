/* SPDX-License-Identifier: Apache-2.0 */
/* Far JMP, CALL and RET, call gates, conforming code, limits: SDM 3A:5.8; SDM 2 CALL, JMP, RET. */
#include "payload.h"

#define SEL_GATE       SEL_FREE
#define SEL_CONFORMING (SEL_FREE + 8)
#define SEL_OTHER      (SEL_FREE + 16)
#define SEL_CODE1      (SEL_FREE + 24)
#define SEL_STACK1     (SEL_FREE + 32)

struct __attribute__((packed)) {
	u32 offset;
	u16 selector;
} far_pointer;
extern const char target[], user_call[], user_jump[], user_after[], gate_target[], back_code[];
u32 seen_cs, seen_ss, seen_esp, seen[8];

__asm__("target: mov %cs, seen_cs; mov %ss, seen_ss; mov %esp, seen_esp; int $0x61\n"
	"user_call: push $0x1111; push $0x2222; push $0x3333; lcall *far_pointer\n"
	"user_after: mov %esp, %ebx; mov %ds, %ecx; mov %fs, %edx; int $0x62\n"
	"user_jump: ljmp *far_pointer; ud2\n"
	/* the gate's procedure: notes its frame and returns, dropping three parameters */
	"gate_target: mov %cs, %ss:seen_cs; mov %ss, %ss:seen_ss; mov %esp, %ss:seen_esp\n"
	"push %eax; mov $0, %eax; 1: mov %ss:4(%esp,%eax,4), %edi; mov %edi, %ss:seen(,%eax,4)\n"
	"inc %eax; cmp $7, %eax; jne 1b; pop %eax; lret $12\n"
	"back_code: lret");

static u64 gate(const void *offset, u16 selector, u8 access, u8 count)
{
	u32 address = (u32)offset;

	return (address & 0xffff) | (u64)selector << 16 | (u64)count << 32 | (u64)access << 40 |
	       (u64)(address >> 16) << 48;
}

static void jump(void)
{
	__asm__ volatile("ljmp *%0" : : "m"(far_pointer));
}

static void call(void)
{
	__asm__ volatile("lcall *%0" : : "m"(far_pointer) : "memory");
}

static void from_user_call(void)
{
	enter_user(user_call, 0);
}

static void from_user_jump(void)
{
	enter_user(user_jump, 0);
}

static void go(u16 selector, const void *offset)
{
	far_pointer.selector = selector;
	far_pointer.offset = (u32)offset;
}

static void direct(void)
{
	section("SDM 3A:5.8.1 direct transfers: null, limit, type, DPL, RPL, presence");
	go(SEL_CODE0, target);
	EXPECT_TRAP(jump, 0x61, NO_ERROR);
	CHECK_EQUAL(seen_cs, SEL_CODE0);
	go(3, target);
	EXPECT_TRAP(jump, 13, 0);
	EXPECT_TRAP(call, 13, 0);
	go(GDT_ENTRIES * 8, target);
	EXPECT_TRAP(jump, 13, GDT_ENTRIES * 8);
	go(SEL_CODE0 | 4, target); /* no LDT */
	EXPECT_TRAP(jump, 13, SEL_CODE0 | 4);
	go(SEL_DATA0, target);
	EXPECT_TRAP(jump, 13, SEL_DATA0);
	go(SEL_CODE3 | 3, target);
	EXPECT_TRAP(jump, 13, SEL_CODE3);
	go(SEL_CODE0 | 1, target);
	EXPECT_TRAP(call, 13, SEL_CODE0);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0 & 0x7f, FLAGS_32);
	go(SEL_OTHER, target);
	EXPECT_TRAP(jump, 11, SEL_OTHER);
	section("SDM 2A JMP: beyond the limit, #GP(0)");
	gdt[SEL_OTHER / 8] = descriptor(0, (u32)target - 1, ACCESS_CODE0, 4);
	EXPECT_TRAP(jump, 13, 0);
	EXPECT_TRAP(call, 13, 0);
	section("SDM 3A:3.4.5.1 the accessed bit is set");
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0 & 0xfe, FLAGS_32);
	EXPECT_TRAP(jump, 0x61, NO_ERROR);
	CHECK_EQUAL(gdt[SEL_OTHER / 8] >> 40 & 0xff, ACCESS_CODE0);
	section("SDM 3A:5.8.1.2 conforming code keeps CPL");
	gdt[SEL_CONFORMING / 8] = descriptor(0, 0xffffffff, 0x9e, FLAGS_32);
	idt[0x61].type |= GATE_USER;
	go(SEL_CONFORMING, target);
	EXPECT_TRAP(from_user_jump, 0x61, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CONFORMING | 3);
	gdt[SEL_CONFORMING / 8] = descriptor(0, 0xffffffff, 0xfe, FLAGS_32);
	EXPECT_TRAP(jump, 13, SEL_CONFORMING);
	section("SDM 2A CALL and 2B RET at the same level");
	go(SEL_CODE0, back_code);
	EXPECT_NO_TRAP(call);
}

static void gates(void)
{
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_CODE0, 0xec, 3);
	idt[0x62].type |= GATE_USER;
	go(SEL_GATE | 3, NULL);
	section("SDM 3A:5.8.5 through a call gate to level 0: stack, parameters, return");
	__asm__ volatile("mov %0, %%fs" : : "r"(SEL_DATA0));
	EXPECT_TRAP(from_user_call, 0x62, NO_ERROR);
	CHECK_EQUAL(seen_cs, SEL_CODE0);
	CHECK_EQUAL(seen_ss, SEL_DATA0);
	CHECK_EQUAL(seen_esp, STACK_TOP(kernel_stack) - 7 * 4);
	CHECK_EQUAL(seen[0], (u32)user_after);
	CHECK_EQUAL(seen[1], SEL_CODE3 | 3);
	CHECK_EQUAL(seen[2], 0x3333);
	CHECK_EQUAL(seen[3], 0x2222);
	CHECK_EQUAL(seen[4], 0x1111);
	CHECK_EQUAL(seen[5], STACK_TOP(user_stack) - 12);
	CHECK_EQUAL(seen[6], SEL_DATA3 | 3);
	section("SDM 2B RET to an outer level: parameters released there, inner data segments "
		"null");
	CHECK_EQUAL(trap.ip, (u32)user_after + 8);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(trap.bx, STACK_TOP(user_stack));
	CHECK_EQUAL((u16)trap.dx, 0);
	section("SDM 3A:5.8.4 gate privilege, presence");
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_CODE0, 0x8c, 3);
	EXPECT_TRAP(from_user_call, 13, SEL_GATE);
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_CODE0, 0x6c, 3);
	EXPECT_TRAP(from_user_call, 11, SEL_GATE);
	section("SDM 3A:5.8.4 the gate's code segment");
	gdt[SEL_GATE / 8] = gate(gate_target, 0, 0xec, 3);
	EXPECT_TRAP(from_user_call, 13, 0);
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_DATA0, 0xec, 3);
	EXPECT_TRAP(from_user_call, 13, SEL_DATA0);
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_CODE3 | 3, 0xec, 3);
	EXPECT_TRAP(call, 13, SEL_CODE3); /* DPL above CPL */
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0 & 0x7f, FLAGS_32);
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_OTHER, 0xec, 3);
	EXPECT_TRAP(from_user_call, 11, SEL_OTHER);
	section("SDM 3A:5.8.4 a JMP may not lower CPL through a gate");
	gdt[SEL_GATE / 8] = gate(target, SEL_CODE0, 0xec, 0);
	EXPECT_TRAP(from_user_jump, 13, SEL_CODE0);
	EXPECT_TRAP(jump, 0x61, NO_ERROR);
}

/* A level-1 stack: the handlers at level 0 keep a good one. */
#define LEVEL1_STACK(change, vector, error)                                                        \
	do {                                                                                       \
		tss.ss1 = SEL_STACK1 | 1;                                                          \
		tss.esp1 = STACK_TOP(other_stack);                                                 \
		gdt[SEL_STACK1 / 8] = descriptor(0, 0xffffffff, 0xb3, FLAGS_32);                   \
		change;                                                                            \
		EXPECT_TRAP(from_user_call, vector, error);                                        \
		CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);                                               \
	} while (0)

static void small_stack(u32 limit, u8 access)
{
	gdt[SEL_STACK1 / 8] = descriptor((u32)other_stack, limit, access, 4);
	tss.esp1 = 0x1000;
}

static void inner_stacks(void)
{
	gdt[SEL_CODE1 / 8] = descriptor(0, 0xffffffff, 0xbb, FLAGS_32);
	gdt[SEL_GATE / 8] = gate(gate_target, SEL_CODE1, 0xec, 3);
	section("SDM 3A:5.8.5 to level 1 and back");
	tss.ss1 = SEL_STACK1 | 1;
	tss.esp1 = STACK_TOP(other_stack);
	gdt[SEL_STACK1 / 8] = descriptor(0, 0xffffffff, 0xb3, FLAGS_32);
	EXPECT_TRAP(from_user_call, 0x62, NO_ERROR);
	CHECK_EQUAL(seen_cs, SEL_CODE1 | 1);
	CHECK_EQUAL(seen_ss, SEL_STACK1 | 1);
	CHECK_EQUAL(seen_esp, STACK_TOP(other_stack) - 7 * 4);
	section("SDM 2A CALL: the TSS's stack segment: #TS and #SS with its selector");
	LEVEL1_STACK(tss.ss1 = 0, 10, 0);
	LEVEL1_STACK(tss.ss1 = GDT_ENTRIES * 8 | 1, 10, GDT_ENTRIES * 8);
	LEVEL1_STACK(tss.ss1 = SEL_STACK1, 10, SEL_STACK1);
	LEVEL1_STACK(tss.ss1 = SEL_DATA0 | 1, 10, SEL_DATA0);
	LEVEL1_STACK(gdt[SEL_STACK1 / 8] = descriptor(0, 0xffffffff, 0xb1, FLAGS_32), 10,
		     SEL_STACK1);
	LEVEL1_STACK(gdt[SEL_STACK1 / 8] = descriptor(0, 0xffffffff, 0x33, FLAGS_32), 12,
		     SEL_STACK1);
	section("SDM 2A CALL: no room on the new stack: #SS(its selector)");
	LEVEL1_STACK(small_stack(0xffe, 0xb3), 12, SEL_STACK1);
	section("SDM 3A:5.3 an expand-down stack: valid above its limit");
	small_stack(0x1000 - 7 * 4 - 1, 0xb7);
	tss.ss1 = SEL_STACK1 | 1;
	EXPECT_TRAP(from_user_call, 12, 0); /* the procedure's own PUSH */
	CHECK_EQUAL(trap.cs, SEL_CODE1 | 1);
	LEVEL1_STACK(small_stack(0x1000 - 7 * 4, 0xb7), 12, SEL_STACK1);
}

void payload(void)
{
	direct();
	gates();
	inner_stacks();
}
