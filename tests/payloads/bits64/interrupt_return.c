/* SPDX-License-Identifier: Apache-2.0 */
/* IRETQ: SDM 2A IRET; 3A:6.14.3. */
#include "payload.h"

static word frame_ip, frame_cs, frame_flags, frame_sp, frame_ss;
extern const char landing[], landing_ud[], user_ud[], compat_code[];

/* The frame goes on a stack of its own; RIP back to landing with RAX = flags, RBX = RSP. */
static word seen_flags, seen_sp;
static u32 seen_ss, seen_cs;

static void iret64(void)
{
	__asm__ volatile("mov %%rsp, %%r15\n"
			 "push %0; push %1; push %2; push %3; push %4\n"
			 "iretq\n"
			 "landing: mov %%rsp, %5; pushfq; pop %6; push $2; popfq\n"
			 "mov %%ss, %7; mov %%cs, %8; mov $0x10, %%eax; mov %%eax, %%ss\n"
			 "mov %%r15, %%rsp\n"
			 :
			 : "m"(frame_ss), "m"(frame_sp), "m"(frame_flags), "m"(frame_cs),
			   "m"(frame_ip), "m"(seen_sp), "m"(seen_flags), "m"(seen_ss), "m"(seen_cs)
			 : "rax", "r15", "memory");
}

__asm__("user_ud: ud2\n"
	".code32\n"
	"compat_code: mov %cs, %eax; mov %ss, %ebx; int $0x60; ud2\n"
	".code64");

static void good_frame(void)
{
	frame_ip = (word)landing;
	frame_cs = SEL_CODE0;
	frame_flags = 2;
	frame_sp = STACK_TOP(other_stack);
	frame_ss = SEL_DATA0;
}

static void set_nt(void)
{
	__asm__ volatile("pushfq; orl $0x4000, (%rsp); popfq");
	iret64();
}

static void stack_and_flags(void)
{
	idt[0x60].type |= GATE_USER;
	section("SDM 2A IRET: 64-bit mode always pops SS:RSP");
	good_frame();
	EXPECT_NO_TRAP(iret64);
	CHECK_EQUAL(seen_sp, STACK_TOP(other_stack));
	CHECK_EQUAL(seen_ss, SEL_DATA0);
	section("SDM 2A IRET: flags at CPL 0");
	good_frame();
	frame_flags = 0x247cd7 & ~0x100; /* ID, AC, NT, IOPL, OF, DF and arithmetic */
	EXPECT_NO_TRAP(iret64);
	CHECK_EQUAL(seen_flags, frame_flags | 2);
	good_frame();
	EXPECT_NO_TRAP(iret64);
}

static void null_stack_segment(void)
{
	section("SDM 2A IRET: a null SS is good for 64-bit code below level 3");
	frame_ss = 0;
	EXPECT_NO_TRAP(iret64);
	CHECK_EQUAL(seen_ss, 0);
	frame_ss = 3;
	EXPECT_TRAP(iret64, 13, 0);
	good_frame();
	frame_cs = SEL_CODE3 | 3;
	frame_ip = (word)user_ud;
	frame_ss = 0;
	EXPECT_TRAP(iret64, 13, 0);
	frame_ss = 3;
	EXPECT_TRAP(iret64, 13, 0);
	CHECK_EQUAL(trap.cs, SEL_CODE0);
}

static void stack_segment(void)
{
	section("SDM 2A IRET: SS's RPL, type, DPL, presence");
	frame_ss = SEL_DATA3;
	EXPECT_TRAP(iret64, 13, SEL_DATA3);
	frame_ss = SEL_CODE3 | 3;
	EXPECT_TRAP(iret64, 13, SEL_CODE3);
	frame_ss = SEL_DATA0 | 3;
	EXPECT_TRAP(iret64, 13, SEL_DATA0);
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, ACCESS_DATA3 & 0x7f, FLAGS_32);
	frame_ss = SEL_FREE | 3;
	EXPECT_TRAP(iret64, 12, SEL_FREE);
	frame_ss = SEL_DATA3 | 3;
	EXPECT_TRAP(iret64, 6, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	CHECK_EQUAL(trap.sp, STACK_TOP(other_stack));
	/* RF is set in the image of a fault (SDM 3B:18.3.1.1) */
	CHECK_EQUAL(trap.flags, 0x10002);
}

static void code_segment(void)
{
	section("SDM 2A IRET: CS null, limit, type, RPL < CPL, presence, L with D");
	good_frame();
	frame_cs = 0;
	EXPECT_TRAP(iret64, 13, 0);
	frame_cs = GDT_ENTRIES * 8;
	EXPECT_TRAP(iret64, 13, GDT_ENTRIES * 8);
	frame_cs = SEL_DATA0;
	EXPECT_TRAP(iret64, 13, SEL_DATA0);
	frame_cs = SEL_CODE3;
	EXPECT_TRAP(iret64, 13, SEL_CODE3);
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0 & 0x7f, FLAGS_64);
	frame_cs = SEL_FREE;
	EXPECT_TRAP(iret64, 11, SEL_FREE);
	gdt[SEL_FREE / 8] = descriptor(0, 0xffffffff, ACCESS_CODE0, FLAGS_64 | 4);
	EXPECT_TRAP(iret64, 13, SEL_FREE);
}

static void address_and_nt(void)
{
	section("SDM 2A IRET: RIP that is not canonical, #GP(0)");
	good_frame();
	frame_ip = UINT64_C(0x800000000000);
	EXPECT_TRAP(iret64, 13, 0);
	CHECK_EQUAL(trap.cs, SEL_CODE0);
	frame_ss = SEL_CODE0; /* bad too, but looked at later */
	EXPECT_TRAP(iret64, 13, 0);

	section("SDM 2A IRET: NT in long mode, #GP(0)");
	good_frame();
	EXPECT_TRAP(set_nt, 13, 0);
}

static void to_compatibility(void)
{
	section("SDM 2A IRET: to compatibility mode");
	good_frame();
	frame_cs = SEL_CODE3_32 | 3;
	frame_ss = SEL_DATA3 | 3;
	frame_ip = (word)compat_code;
	frame_sp |= UINT64_C(0x1234) << 32;
	EXPECT_TRAP(iret64, 0x60, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE3_32 | 3);
	CHECK_EQUAL((u32)trap.ax, SEL_CODE3_32 | 3);
	CHECK_EQUAL((u32)trap.bx, SEL_DATA3 | 3);
	CHECK_EQUAL(trap.sp, STACK_TOP(other_stack));
	section("IRETQ to compatibility mode with a RIP of 64 bits: Intel cuts it, AMD raises "
		"#GP(0)");
	frame_ip |= UINT64_C(1) << 32;
	EXPECT_TRAP(iret64, vendor_is_amd() ? 13 : 0x60, vendor_is_amd() ? 0 : NO_ERROR);
	frame_ip = (word)compat_code;
	section("SDM 2A IRET: compatibility mode's limit");
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, ACCESS_CODE3, 4);
	frame_cs = SEL_FREE | 3;
	EXPECT_TRAP(iret64, 13, 0);
}

static void inner_segments(void)
{
	section("SDM 2A IRET: data segments of an inner level become null");
	good_frame();
	frame_cs = SEL_CODE3 | 3;
	frame_ip = (word)user_ud;
	frame_ss = SEL_DATA3 | 3;
	__asm__ volatile("mov %0, %%fs; mov %1, %%gs" : : "r"(SEL_DATA0), "r"(SEL_DATA3 | 3));
	wrmsr(0xc0000100, 0x123456789); /* FS.base */
	EXPECT_TRAP(iret64, 6, NO_ERROR);
	{
		u16 fs, gs;

		__asm__ volatile("mov %%fs, %0; mov %%gs, %1" : "=r"(fs), "=r"(gs));
		CHECK_EQUAL(fs, 0);
		CHECK_EQUAL(rdmsr(0xc0000100), 0x123456789);
		CHECK_EQUAL(gs, SEL_DATA3 | 3);
	}
}

void payload(void)
{
	stack_and_flags();
	null_stack_segment();
	stack_segment();
	code_segment();
	address_and_nt();
	to_compatibility();
	inner_segments();
}
