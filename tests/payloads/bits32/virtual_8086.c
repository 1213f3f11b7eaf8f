/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual-8086 mode and its extensions: SDM 3A:20.2 to 20.4. */
#include "payload.h"

#define VM      0x20000u
#define VIF     0x80000u
#define VIP     0x100000u
#define IF      0x200u
#define TF      0x100u
#define NT      0x4000u
#define IOPL    0x3000u
#define RF      0x10000u
#define CR4_VME 1

/* The 8086 program lies at segment V86_SEGMENT; its stack is below 64 KiB of the same segment. */
#define V86_BASE    0x30000u
#define V86_SEGMENT (V86_BASE >> 4)
#define HANDLER_IP  0x800
#define VECTOR      0x40

static u16 start_ip = 0x100, start_sp = 0x8000;
static u32 start_flags;

static void v86_enter(void)
{
	__asm__ volatile("pushl %0; pushl %0; pushl %0; pushl %0; pushl %0\n" /* GS FS DS ES SS */
			 "pushl %1; pushl %2; pushl %0; pushl %3; iret"
			 :
			 : "r"(V86_SEGMENT), "r"((u32)start_sp), "r"(start_flags | VM | 2),
			   "r"((u32)start_ip)
			 : "memory");
}

/* Puts code where the program starts. */
static void program(const u8 *code, u32 size)
{
	for (u32 i = 0; i < size; i++)
		*(volatile u8 *)(V86_BASE + 0x100 + i) = code[i];
}
#define PROGRAM(...)                                                                               \
	do {                                                                                       \
		static const u8 program_code[] = {__VA_ARGS__};                                    \
		program(program_code, sizeof(program_code));                                       \
	} while (0)

static u16 stack_word(u32 offset)
{
	return *(volatile u16 *)(V86_BASE + offset);
}

static void set_redirection(u8 vector, bool protected_mode)
{
	u8 *map = tss.bits + vector / 8;

	*map = protected_mode ? *map | 1 << (vector & 7) : *map & ~(1 << (vector & 7));
}

static void segments(void)
{
	section("SDM 3A:20.2.5 IRETD enters; 20.3 an exception saves the segments and leaves "
		"nulls");
	start_flags = 0;
	PROGRAM(0x8c, 0xd8, 0x0f, 0x0b); /* mov ax, ds; ud2 */
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.ip, start_ip + 2);
	CHECK_EQUAL(trap.cs, V86_SEGMENT);
	CHECK_EQUAL((u16)trap.ax, V86_SEGMENT);
	CHECK_EQUAL(trap.sp, start_sp);
	CHECK_EQUAL(trap.ss, V86_SEGMENT);
	CHECK_EQUAL(trap.v86_es, V86_SEGMENT);
	CHECK_EQUAL(trap.v86_ds, V86_SEGMENT);
	CHECK_EQUAL(trap.v86_fs, V86_SEGMENT);
	CHECK_EQUAL(trap.v86_gs, V86_SEGMENT);
	CHECK_EQUAL(trap.flags, VM | RF | 2);
	CHECK_EQUAL(trap_handler_flags & VM, 0);
	CHECK_EQUAL((u16)trap.fs, 0);
	CHECK_EQUAL((u16)trap.ds, 0);
	CHECK_EQUAL(trap_stack, STACK_TOP(kernel_stack) - 9 * 4);

	section("SDM 3A:20.2.1 segment loads: base = selector * 16");
	*(volatile u16 *)(0x50000 + 0x10) = 0xbeef;
	PROGRAM(0xb8, 0x00, 0x50, 0x8e, 0xc0, 0x26, 0xa1, 0x10, 0x00, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL((u16)trap.ax, 0xbeef);
	CHECK_EQUAL(trap.v86_es, 0x5000);

	section("SDM 3A:20.2.1 the limit is 64 KiB: #GP(0)");
	PROGRAM(0x67, 0x66, 0xa1, 0xfe, 0xff, 0x00, 0x00); /* mov eax, [0xfffe] */
	EXPECT_TRAP(v86_enter, 13, 0);

	section("SDM 3A:20.2.2 instructions that virtual-8086 mode doesn't have: #UD");
	PROGRAM(0x0f, 0x00, 0xc0); /* sldt ax */
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	PROGRAM(0x0f, 0x02, 0xc0); /* lar */
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	PROGRAM(0x63, 0xc0); /* arpl */
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	section("SDM 3A:20.2.2 privileged ones: #GP(0)");
	PROGRAM(0xf4); /* hlt */
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0x0f, 0x06); /* clts */
	EXPECT_TRAP(v86_enter, 13, 0);
}

static void iopl(void)
{
	static const u8 sensitive[][3] = {
		{0xfa, 0x0f, 0x0b}, {0xfb, 0x90, 0x0b}, {0x9c, 0x0f, 0x0b},
		{0x9d, 0x0f, 0x0b}, {0xcf, 0x0f, 0x0b}, {0xcd, VECTOR, 0x0b},
	};

	idt[VECTOR].type |= GATE_USER;
	section("SDM 3A:20.2.7 CLI STI PUSHF POPF IRET INT n with IOPL < 3: #GP(0)");
	start_flags = 0x2000;
	for (u32 i = 0; i < 6; i++) {
		program(sensitive[i], 3);
		EXPECT_TRAP(v86_enter, 13, 0);
		CHECK_EQUAL(trap.ip, start_ip);
	}
	section("SDM 3A:20.2.7 and with IOPL 3 they work");
	start_flags = IOPL | IF;
	PROGRAM(0xfa, 0x9c, 0x58, 0xfb, 0x90, 0x9c, 0x5b, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL((u16)trap.ax, IOPL | 2);
	CHECK_EQUAL((u16)trap.bx, IOPL | IF | 2);
	PROGRAM(0xcd, VECTOR);
	EXPECT_TRAP(v86_enter, VECTOR, NO_ERROR);
	CHECK_EQUAL(trap.ip, start_ip + 2);
	CHECK_EQUAL(trap.flags & (VM | IF), VM | IF);
	section("SDM 3A:20.2.7 POPF leaves IOPL alone, IF is loaded");
	PROGRAM(0x68, 0x02, 0x00, 0x9d, 0x9c, 0x58, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL((u16)trap.ax, IOPL | 2);
	section("SDM 3A:20.3 INT3 and INTO don't need IOPL; the gate's DPL counts");
	start_flags = 0;
	PROGRAM(0xcc);
	EXPECT_TRAP(v86_enter, 13, 3 * 8 + 2);
	idt[3].type |= GATE_USER;
	EXPECT_TRAP(v86_enter, 3, NO_ERROR);
	gate_reset(3);
	section("SDM 3A:20.3.1.1 the handler has to run at level 0");
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, 0x9f, FLAGS_32); /* conforming */
	idt[6].selector = SEL_FREE;
	EXPECT_TRAP(v86_enter, 13, 3 * 8 + 2);
	start_flags = IOPL;
	idt[VECTOR].selector = SEL_FREE;
	PROGRAM(0xcd, VECTOR);
	EXPECT_TRAP(v86_enter, 13, SEL_FREE);
	gate_reset(VECTOR);
	gate_reset(6);
}

static void extensions(void)
{
	word cr4 = READ_REGISTER("cr4");

	WRITE_REGISTER("cr4", cr4 | CR4_VME);
	idt[VECTOR].type |= GATE_USER;
	/* The program's own vector, whose handler is UD2. */
	*(volatile u32 *)(VECTOR * 4) = V86_SEGMENT << 16 | HANDLER_IP;
	*(volatile u16 *)(V86_BASE + HANDLER_IP) = 0x0b0f;
	tss.io_map = offsetof(struct tss, bits) + 32;

	section("SDM 3A:20.3.3.2 method 5: redirected, IOPL < 3: flags with IOPL 3 and IF = VIF");
	set_redirection(VECTOR, false);
	start_flags = VIF;
	PROGRAM(0xcd, VECTOR);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.ip, HANDLER_IP);
	CHECK_EQUAL(trap.flags, VM | RF | 2); /* VIF cleared */
	CHECK_EQUAL(stack_word(start_sp - 2), IOPL | IF | 2);
	CHECK_EQUAL(stack_word(start_sp - 4), V86_SEGMENT);
	CHECK_EQUAL(stack_word(start_sp - 6), start_ip + 2);
	section("SDM 3A:20.3.3.3 method 6: redirected, IOPL 3: IF itself");
	start_flags = IOPL | IF;
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.ip, HANDLER_IP);
	CHECK_EQUAL(trap.flags, VM | RF | IOPL | 2);
	CHECK_EQUAL(stack_word(start_sp - 2), IOPL | IF | 2);
	section("SDM 3A:20.3.3.1 methods 3 and 4: bit set, to the protected-mode handler");
	set_redirection(VECTOR, true);
	EXPECT_TRAP(v86_enter, VECTOR, NO_ERROR);
	start_flags = 0;
	EXPECT_TRAP(v86_enter, 13, 0);

	section("SDM 3A:20.3 PUSHF and POPF under VME: IF is VIF");
	start_flags = VIF;
	PROGRAM(0x9c, 0x58, 0x68, 0x02, 0x00, 0x9d, 0x9c, 0x5b, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL((u16)trap.ax, IOPL | IF | 2);
	CHECK_EQUAL((u16)trap.bx, IOPL | 2);
	CHECK_EQUAL(trap.flags & (VIF | IF), 0);
	section("SDM 3A:20.3 CLI and STI under VME move VIF");
	PROGRAM(0xfa, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.flags & (VIF | IF), 0);
	start_flags = 0;
	PROGRAM(0xfb, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.flags & (VIF | IF), VIF);
	section("SDM 3A:20.3.3.4 STI, POPF and IRET that would set VIF with VIP pending: #GP(0)");
	start_flags = VIP;
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0x68, 0x02, 0x02, 0x9d);
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0x68, 0x02, 0x02, 0x0e, 0x68, 0x00, 0x01, 0xcf);
	EXPECT_TRAP(v86_enter, 13, 0);
	section("SDM 2B POPF: setting TF under VME: #GP(0); the 32-bit forms: #GP(0)");
	start_flags = 0;
	PROGRAM(0x68, 0x02, 0x01, 0x9d);
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0x66, 0x9c);
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0x66, 0x9d);
	EXPECT_TRAP(v86_enter, 13, 0);
	section("SDM 2A IRET under VME: IF goes to VIF");
	/* push 0x202; push cs; push target; iret ... target: ud2 */
	PROGRAM(0x68, 0x02, 0x02, 0x0e, 0x68, 0x10, 0x01, 0xcf, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x90, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	CHECK_EQUAL(trap.ip, 0x110);
	CHECK_EQUAL(trap.flags & (VIF | IF | IOPL), VIF);
	WRITE_REGISTER("cr4", cr4);
	gate_reset(VECTOR);
}

static void ports(void)
{
	section("SDM 1:19.5.2 I/O permission bitmap in virtual-8086 mode");
	tss.io_map = offsetof(struct tss, bits) + 32;
	tss.bits[32 + 0x80 / 8] = 0x01; /* port 80h denied, 81h allowed */
	start_flags = 0;
	PROGRAM(0xe6, 0x81, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 6, NO_ERROR);
	PROGRAM(0xe6, 0x80, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 13, 0);
	PROGRAM(0xe7, 0x7f, 0x0f, 0x0b);
	EXPECT_TRAP(v86_enter, 13, 0);
}

void payload(void)
{
	segments();
	iopl();
	extensions();
	ports();
}
