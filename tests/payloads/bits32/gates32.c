/* SPDX-License-Identifier: Apache-2.0 */
/* 16- and 32-bit interrupt and trap gates, IRET in protected mode: SDM 3A:6.11, 6.12; 2A IRET. */
#include "payload.h"

#define SEL_CODE16 SEL_FREE
#define SEL_OTHER  (SEL_FREE + 8)
#define VECTOR     0x60
#define NT         0x4000u

extern const char user_int[], user_ud[], gate16[], user_after[];
u16 frame16[5];
u32 seen_esp;
__asm__("user_int: int $0x60\n user_after: ud2\n user_ud: ud2\n"
	/* the 16-bit gate's handler: notes its frame, returns by a 16-bit IRET */
	"gate16: push %eax; mov %esp, seen_esp; movl 4(%esp), %eax; mov %eax, frame16\n"
	"mov 8(%esp), %eax; mov %eax, frame16 + 4; mov 12(%esp), %ax; mov %ax, frame16 + 8\n"
	"pop %eax; iretw");

static void from_user(void)
{
	enter_user(user_int, 0x202);
}

static void kernel_int(void)
{
	__asm__ volatile("int $0x60");
}

static void gates(void)
{
	section("SDM 3A:6.12.1 a 32-bit gate from level 3");
	gate_set(VECTOR, idt[0x61].offset_low | (word)idt[0x61].offset_high << 16,
		 GATE_TRAP | GATE_USER);
	EXPECT_TRAP(from_user, 0x61, NO_ERROR);
	CHECK_EQUAL(trap.ip, (u32)user_after);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(trap.sp, STACK_TOP(user_stack));
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	CHECK_EQUAL(trap_stack, STACK_TOP(kernel_stack) - 20);
	CHECK_EQUAL(trap_handler_flags & 0x200, 0x200);
	section("SDM 3A:6.12.1.3 an interrupt gate clears IF");
	idt[VECTOR].type = GATE_INTERRUPT | GATE_USER;
	EXPECT_TRAP(from_user, 0x61, NO_ERROR);
	CHECK_EQUAL(trap.flags & 0x200, 0x200);
	CHECK_EQUAL(trap_handler_flags & 0x200, 0);
	section("SDM 3A:6.12.1 a 16-bit gate pushes 16-bit words");
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0, FLAGS_32);
	idt[VECTOR] = gate_make(0, SEL_CODE16, 0x86 | GATE_USER);
	gdt[SEL_CODE16 / 8] = descriptor((u32)gate16, 0xffff, ACCESS_CODE0, 4);
	/* its IRET pops a 16-bit IP: an UD2 waits there */
	*(volatile u16 *)((u32)user_after & 0xffff) = 0x0b0f;
	EXPECT_TRAP(from_user, 6, NO_ERROR);
	CHECK_EQUAL(seen_esp, STACK_TOP(kernel_stack) - 10 - 4);
	CHECK_EQUAL(frame16[0], (u16)(u32)user_after);
	CHECK_EQUAL(frame16[1], SEL_CODE3 | 3);
	CHECK_EQUAL(frame16[2], 0x202);
	CHECK_EQUAL(frame16[3], (u16)STACK_TOP(user_stack));
	CHECK_EQUAL(frame16[4], SEL_DATA3 | 3);
	section("SDM 2A IRET with 16-bit operands: IP and SP zero-extended");
	CHECK_EQUAL(trap.ip, (u16)(u32)user_after);
	CHECK_EQUAL(trap.sp, (u16)STACK_TOP(user_stack));
	gate_reset(VECTOR);

	section("SDM 3A:6.11 types that are no gates of an IDT");
	for (u8 type = 0; type < 16; type++) {
		if (type == 5 || type == 6 || type == 7 || type == 14 || type == 15)
			continue;
		idt[VECTOR].type = 0x80 | type;
		EXPECT_TRAP(kernel_int, 13, VECTOR * 8 + 2);
	}
	section("SDM 3A:6.11 presence, DPL, IDT limit, selector");
	idt[VECTOR].type = 0x0e;
	EXPECT_TRAP(kernel_int, 11, VECTOR * 8 + 2);
	gate_reset(VECTOR);
	EXPECT_TRAP(from_user, 13, VECTOR * 8 + 2);
	idt_load(VECTOR * 8 + 6);
	EXPECT_TRAP(kernel_int, 13, VECTOR * 8 + 2);
	idt_load(sizeof(idt) - 1);
	idt[VECTOR].selector = SEL_DATA0;
	EXPECT_TRAP(kernel_int, 13, SEL_DATA0);
	idt[VECTOR].selector = SEL_CODE3;
	EXPECT_TRAP(kernel_int, 13, SEL_CODE3);
	gate_reset(VECTOR);
}

static u32 frame[5];
static void iret_frame(void)
{
	__asm__ volatile("pushl %0; pushl %1; pushl %2; pushl %3; pushl %4; iret"
			 :
			 : "m"(frame[4]), "m"(frame[3]), "m"(frame[2]), "m"(frame[1]),
			   "m"(frame[0]));
}

static void set_frame(const void *ip, u32 cs, u32 flags, u32 ss)
{
	frame[0] = (u32)ip;
	frame[1] = cs;
	frame[2] = flags | 2;
	frame[3] = STACK_TOP(user_stack);
	frame[4] = ss;
}

static void returns(void)
{
	section("SDM 2A IRET to level 3: SS and CS checks");
	set_frame(user_ud, SEL_CODE3 | 3, 0, SEL_DATA3 | 3);
	EXPECT_TRAP(iret_frame, 6, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	set_frame(user_ud, SEL_CODE3 | 3, 0, 0);
	EXPECT_TRAP(iret_frame, 13, 0);
	set_frame(user_ud, SEL_CODE3 | 3, 0, SEL_DATA0 | 3);
	EXPECT_TRAP(iret_frame, 13, SEL_DATA0);
	set_frame(user_ud, SEL_CODE3 | 3, 0, SEL_DATA3);
	EXPECT_TRAP(iret_frame, 13, SEL_DATA3);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, ACCESS_DATA3 & 0x7f, FLAGS_32);
	set_frame(user_ud, SEL_CODE3 | 3, 0, SEL_OTHER | 3);
	EXPECT_TRAP(iret_frame, 12, SEL_OTHER);
	set_frame(user_ud, SEL_CODE3, 0, SEL_DATA3 | 3);
	EXPECT_TRAP(iret_frame, 13, SEL_CODE3);
	set_frame(user_ud, 3, 0, SEL_DATA3 | 3);
	EXPECT_TRAP(iret_frame, 13, 0);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xfff, ACCESS_CODE3, 4);
	set_frame(user_ud, SEL_OTHER | 3, 0, SEL_DATA3 | 3);
	EXPECT_TRAP(iret_frame, 13, 0);
	section("SDM 2A IRET: IOPL and IF from the image at CPL 0");
	set_frame(user_ud, SEL_CODE3 | 3, 0x3200, SEL_DATA3 | 3);
	EXPECT_TRAP(iret_frame, 6, NO_ERROR);
	CHECK_EQUAL(trap.flags, 0x13202);
}

extern const char user_popf[], user_iret[];
__asm__("user_popf: pushl $0x3202; popf; pushf; pop %eax; ud2\n"
	"user_iret: pushl $0x3302; push %cs; pushl $1f; iret; 1: pushf; pop %eax; ud2");

static u32 user_flags;
static const void *user_entry;
static void run_user(void)
{
	enter_user(user_entry, user_flags);
}

static void privilege(void)
{
	section("SDM 2B POPF at level 3: IOPL stays, IF changes only with CPL <= IOPL");
	user_entry = user_popf;
	user_flags = 0;
	EXPECT_TRAP(run_user, 6, NO_ERROR);
	CHECK_EQUAL(trap.ax, 2);
	user_flags = 0x3000;
	EXPECT_TRAP(run_user, 6, NO_ERROR);
	CHECK_EQUAL(trap.ax, 0x3202);
	section("SDM 2A IRET at level 3: the same; TF traps after the next instruction");
	user_entry = user_iret;
	user_flags = 0;
	EXPECT_TRAP(run_user, 1, NO_ERROR);
	CHECK_EQUAL(trap.ip, (u32)user_iret + 13);
	CHECK_EQUAL(trap.flags & 0x3300, 0x100);
}

extern const char user_int1[], user_int1_after[], user_int_1[];
__asm__("user_int1: int1\n user_int1_after: ud2\n user_int_1: int $1; ud2");

static void icebp(void)
{
	__asm__ volatile("int1");
}

static void privileged_software_exception(void)
{
	section("SDM 2A INT1: #DB, a trap, whatever the gate's DPL; DR6 stays as it was");
	WRITE_REGISTER("dr6", 0xffff4ff1);
	user_entry = user_int1;
	user_flags = 0;
	EXPECT_TRAP(run_user, 1, NO_ERROR);
	CHECK_EQUAL(trap.ip, (u32)user_int1_after);
	CHECK_EQUAL(READ_REGISTER("dr6"), 0xffff4ff1);
	section("SDM 2A INT n: INT 1 asks for the DPL");
	user_entry = user_int_1;
	EXPECT_TRAP(run_user, 13, 1 << 3 | 2);
	section("SDM 3A:6.13 EXT is set where the delivery of INT1 faults");
	idt[1].type &= 0x7f;
	EXPECT_TRAP(icebp, 11, 1 << 3 | 2 | 1);
	gate_reset(1);
}

void payload(void)
{
	gates();
	privileged_software_exception();
	returns();
	privilege();
}
