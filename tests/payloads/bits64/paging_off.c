/* SPDX-License-Identifier: Apache-2.0 */
/* MOV CR0 that turns paging off in 64-bit mode: Intel's processors refuse it (SDM 3A:4.1.2), AMD's
 * have no check for it (APM 2:14.6.2, table 14-5), and go on in 16-bit code, for CS.D = 0. */
#include "payload.h"

static void off(void)
{
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") & ~0x80000000ul);
}

/* To 16-bit code, from there by a far jump to 32-bit code, and back. Returns EFER as it was without
 * paging. */
u64 off_and_on(void);
__asm__(".text\n"
	"off_and_on: push %rbx; mov $0xc0000080, %ecx\n"
	"mov %cr0, %rax; btr $31, %eax; mov %rax, %cr0\n"
	".code16\n ljmpl $0x38, $1f\n"
	".code32\n 1: rdmsr; mov %eax, %ebx\n"
	"mov %cr0, %eax; bts $31, %eax; mov %eax, %cr0; ljmp $8, $2f\n"
	".code64\n 2: mov %ebx, %eax; pop %rbx; ret\n");

void payload(void)
{
	u64 efer = rdmsr(0xc0000080);

	if (!vendor_is_amd()) {
		section("SDM 3A:4.1.2: #GP(0)");
		EXPECT_TRAP(off, 13, 0);
		return;
	}
	section("APM 2:14.6.2: no check; EFER.LMA is 0 without paging");
	CHECK_EQUAL(off_and_on(), efer & ~0x400u);
	CHECK_EQUAL(rdmsr(0xc0000080), efer);
}
