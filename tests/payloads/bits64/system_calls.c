/* SPDX-License-Identifier: Apache-2.0 */
/* SYSCALL, SYSRET, SYSENTER, SYSEXIT: SDM 2B, APM 3; where the vendors differ. */
#include "payload.h"

#define MSR_EFER         0xc0000080
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_CSTAR        0xc0000083
#define MSR_SFMASK       0xc0000084
#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define SYSENTER_BASE    SEL_CODE0

extern const char kernel_entry[], user_syscall[], user_sysenter[], user_after[], compat_syscall[],
	compat_sysenter[], user_ud[];
word seen_rsp, seen_flags;
u32 seen_cs, seen_ss;

/* Both entries record what they find and leave by INT 0x61 on a good stack. */
__asm__("kernel_entry: mov %cs, seen_cs; mov %ss, seen_ss; mov %rsp, seen_rsp\n"
	"mov $kernel_stack + 4096, %rsp; pushfq; popq seen_flags\n"
	"int $0x61\n"
	"user_syscall: syscall\n"
	"user_after: ud2\n"
	"user_sysenter: sysenter; ud2\n"
	"user_ud: ud2\n"
	".code32\n"
	"compat_syscall: syscall; ud2\n"
	"compat_sysenter: sysenter; ud2\n"
	".code64");

static word user_flags;

static void do_syscall(void)
{
	enter_user(user_syscall, user_flags);
}

static void do_sysenter(void)
{
	enter_user(user_sysenter, user_flags);
}

static void compat(const void *code)
{
	enter_level(code, user_flags, SEL_CODE3_32 | 3, SEL_DATA3 | 3, STACK_TOP(user_stack));
}

static void do_compat_syscall(void)
{
	compat(compat_syscall);
}

static void do_compat_sysenter(void)
{
	compat(compat_sysenter);
}

static word return_rip, return_flags;

static void sysretq(void)
{
	__asm__ volatile("mov %0, %%rcx; mov %1, %%r11; mov $user_stack + 4096, %%rsp; sysretq"
			 :
			 : "r"(return_rip), "r"(return_flags));
}

static void sysretl(void)
{
	__asm__ volatile("mov %0, %%rcx; mov %1, %%r11; mov $user_stack + 4096, %%rsp; sysretl"
			 :
			 : "r"(return_rip), "r"(return_flags));
}

static void sysexitq(void)
{
	__asm__ volatile("mov %0, %%rdx; mov $user_stack + 4096, %%rcx; sysexitq"
			 :
			 : "r"(return_rip));
}

static void sysexitl(void)
{
	__asm__ volatile("mov %0, %%rdx; mov $user_stack + 4096, %%rcx; sysexitl"
			 :
			 : "r"(return_rip));
}

static void check_syscall(void)
{
	section("SDM 2B SYSCALL: RCX, R11, CS, SS, RFLAGS masked");
	wrmsr(MSR_SFMASK, 0x4500);
	user_flags = 0x2046d7 & ~0x100;
	EXPECT_TRAP(do_syscall, 0x61, NO_ERROR);
	CHECK_EQUAL(trap.cx, (word)user_after);
	CHECK_EQUAL(trap.r11, user_flags | 2);
	CHECK_EQUAL(seen_cs, SEL_CODE0);
	CHECK_EQUAL(seen_ss, SEL_DATA0);
	CHECK_EQUAL(seen_rsp, STACK_TOP(user_stack));
	CHECK_EQUAL(seen_flags, (user_flags & ~0x4500) | 2);
	section("SDM 2B SYSCALL: RPL is forced to 0 in CS, not in SS");
	wrmsr(MSR_STAR, rdmsr(MSR_STAR) | UINT64_C(3) << 32);
	EXPECT_TRAP(do_syscall, 0x61, NO_ERROR);
	CHECK_EQUAL(seen_cs, SEL_CODE0);
	CHECK_EQUAL(seen_ss, SEL_DATA0 | 3);
	wrmsr(MSR_STAR, rdmsr(MSR_STAR) & ~(UINT64_C(3) << 32));
	section("SDM 2B SYSCALL: #UD without EFER.SCE");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~UINT64_C(1));
	EXPECT_TRAP(do_syscall, 6, NO_ERROR);
	EXPECT_TRAP(sysretq, 6, NO_ERROR);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1);
	section("SYSCALL in compatibility mode: AMD goes to CSTAR, Intel raises #UD");
	if (vendor_is_amd()) {
		wrmsr(MSR_CSTAR, (word)kernel_entry);
		EXPECT_TRAP(do_compat_syscall, 0x61, NO_ERROR);
		CHECK_EQUAL(trap.cx, (word)compat_syscall + 2);
	} else {
		EXPECT_TRAP(do_compat_syscall, 6, NO_ERROR);
	}
}

static void check_sysret(void)
{
	section("SDM 2B SYSRET: CS, SS, RFLAGS from R11 without RF and VM");
	return_rip = (word)user_ud;
	return_flags = 0x3747d7 & ~0x100;
	EXPECT_TRAP(sysretq, 6, NO_ERROR);
	CHECK_EQUAL(trap.ip, (word)user_ud);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	CHECK_EQUAL(trap.flags, (return_flags & 0x3c7fd7) | 0x10002);
	return_flags = 2;
	section("SDM 2B SYSRET: to compatibility mode");
	EXPECT_TRAP(sysretl, 6, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE3_32 | 3);
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	section("SYSRET to a RIP that is not canonical: Intel faults in the kernel, AMD in the "
		"user");
	return_rip = UINT64_C(0x800000000000);
	EXPECT_TRAP(sysretq, 13, 0);
	CHECK_EQUAL(trap.cs & 3, vendor_is_amd() ? 3 : 0);
}

static void check_sysenter(void)
{
	bool amd = vendor_is_amd();

	wrmsr(MSR_SYSENTER_CS, SYSENTER_BASE);
	wrmsr(MSR_SYSENTER_ESP, STACK_TOP(other_stack));
	wrmsr(MSR_SYSENTER_EIP, (word)kernel_entry);
	section("SYSENTER in long mode: #UD on AMD; SDM 2B: CS, SS, RSP, IF");
	user_flags = 0x202;
	EXPECT_TRAP(do_sysenter, amd ? 6 : 0x61, NO_ERROR);
	EXPECT_TRAP(do_compat_sysenter, amd ? 6 : 0x61, NO_ERROR);
	return_rip = (word)user_ud;
	EXPECT_TRAP(sysexitq, 6, NO_ERROR);
	if (amd) {
		CHECK_EQUAL(trap.cs, SEL_CODE0);
		return;
	}
	EXPECT_TRAP(do_sysenter, 0x61, NO_ERROR);
	CHECK_EQUAL(seen_cs, SYSENTER_BASE);
	CHECK_EQUAL(seen_ss, SYSENTER_BASE + 8);
	CHECK_EQUAL(seen_rsp, STACK_TOP(other_stack));
	CHECK_EQUAL(seen_flags & 0x200, 0);
	section("SDM 2B SYSEXIT: CS + 32, SS + 40, or CS + 16, SS + 24");
	EXPECT_TRAP(sysexitq, 6, NO_ERROR);
	CHECK_EQUAL(trap.cs, (SYSENTER_BASE + 32) | 3);
	CHECK_EQUAL(trap.ss, (SYSENTER_BASE + 40) | 3);
	EXPECT_TRAP(sysexitl, 6, NO_ERROR);
	CHECK_EQUAL(trap.cs, (SYSENTER_BASE + 16) | 3);
	CHECK_EQUAL(trap.ss, (SYSENTER_BASE + 24) | 3);
	return_rip = UINT64_C(0x800000000000);
	EXPECT_TRAP(sysexitq, 13, 0);
	section("SDM 2B SYSENTER: #GP(0) with a null CS MSR");
	wrmsr(MSR_SYSENTER_CS, 3);
	EXPECT_TRAP(do_sysenter, 13, 0);
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	EXPECT_TRAP(sysexitq, 13, 0);
}

void payload(void)
{
	wrmsr(MSR_STAR, (u64)SEL_CODE0 << 32 | (u64)(SEL_CODE3_32 | 3) << 48);
	wrmsr(MSR_LSTAR, (word)kernel_entry);
	check_syscall();
	check_sysret();
	check_sysenter();
}
