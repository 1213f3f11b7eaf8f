/* SPDX-License-Identifier: Apache-2.0 */
/* VMX: the instructions and how they fail (SDM 3C:31), a guest that exits and goes on (27, 28). */
#include "vmx.h"

static u8 other_region[4096] __attribute__((aligned(4096)));

static void vmxon_body(void)
{
	vmxon((u64)vmxon_region);
}

static void vmxoff_body(void)
{
	vmxoff();
}

static void clear_vmxe(void)
{
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") & ~0x2000ul);
}

static void clear_ne(void)
{
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") & ~0x20ul);
}

static void before_vmxon(void)
{
	section("outside VMX operation: #UD; VMXON without CR4.VMXE too (SDM 3C:31.3)");
	EXPECT_TRAP(vmxoff_body, 6, NO_ERROR);
	EXPECT_TRAP(vmxon_body, 6, NO_ERROR);
	section("VMXON with IA32_FEATURE_CONTROL not locked: #GP(0)");
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x20);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x2000);
	if (!(rdmsr(0x3a) & 1)) { /* no firmware has locked it */
		EXPECT_TRAP(vmxon_body, 13, 0);
		wrmsr(0x3a, 5);
	}
	section("VMXON with CR0.NE = 0: #GP(0) (3C:24.8)");
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") & ~0x20ul);
	EXPECT_TRAP(vmxon_body, 13, 0);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x20);
	section("the FIXED1 MSRs: no bits 63:32 of CR0, none of CR4 that are not there (3D:A.7, "
		"A.8)");
	CHECK_EQUAL(rdmsr(0x487) >> 32, 0);
	CHECK_EQUAL(rdmsr(0x489) >> 32, 0);
	CHECK_EQUAL(rdmsr(0x489) & 1u << 15, 0);
	section("VMXON of a region with another revision, or unaligned: VMfailInvalid");
	*(u32 *)vmxon_region = (u32)rdmsr(0x480) + 1;
	CHECK_EQUAL(vmxon((u64)vmxon_region), FAIL_INVALID);
	CHECK_EQUAL(vmxon((u64)vmxon_region + 8), FAIL_INVALID);
	CHECK_EQUAL(vmxon(1ull << 51), FAIL_INVALID);
}

static void regions(void)
{
	section("VMX operation keeps CR0.NE and CR4.VMXE set (3C:24.8)");
	EXPECT_TRAP(clear_ne, 13, 0);
	EXPECT_TRAP(clear_vmxe, 13, 0);
	section("errors of VMXON, VMCLEAR and VMPTRLD (3C:31.4)");
	CHECK_EQUAL(vmxon((u64)other_region), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 15);
	CHECK_EQUAL(vmclear((u64)vmcs_region + 1), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 2);
	CHECK_EQUAL(vmclear((u64)vmxon_region), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 3);
	CHECK_EQUAL(vmptrld((u64)vmcs_region + 1), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 9);
	CHECK_EQUAL(vmptrld((u64)vmxon_region), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 10);
	CHECK_EQUAL(vmptrld((u64)other_region), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 11);
	section("VMWRITE and VMREAD of a field that is not there: 12");
	CHECK_EQUAL(vmwrite(0x1234, 0), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 12);
	section("VMRESUME of a VMCS that was not launched: 5");
	vmx_prepare(clear_ne);
	CHECK_EQUAL(vmx_resume(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 5);
}

static void no_current(void)
{
	section("without a current VMCS: VMfailInvalid");
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmclear((u64)vmcs_region + 1), FAIL_INVALID);
	CHECK_EQUAL(vmwrite(GUEST_RIP, 0), FAIL_INVALID);
	CHECK_EQUAL(vmx_launch(), FAIL_INVALID);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
}

static volatile u64 seen;

static void guest(void)
{
	u32 out[4];

	cpuid(0, 0, out);
	seen = 1;
	__asm__ volatile("vmcall");
	seen = 2;
	__asm__ volatile("vmcall");
}

static void runs(void)
{
	section("a guest exits by CPUID and VMCALL, and goes on (3C:26.1.2)");
	vmx_prepare(guest);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 10);
	CHECK_EQUAL(vmread(EXIT_LENGTH), 2);
	CHECK_EQUAL(seen, 0);
	CHECK_EQUAL(vmx_continue(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
	CHECK_EQUAL(vmread(EXIT_LENGTH), 3);
	CHECK_EQUAL(seen, 1);
	section("the host's state (3C:28.5): flags, table limits, DR7");
	CHECK_EQUAL(vmx_continue(), SUCCEED);
	CHECK_EQUAL(seen, 2);
	section("VMLAUNCH of a launched VMCS: 4");
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 4);
}

void payload(void)
{
	before_vmxon();
	vmx_begin();
	regions();
	no_current();
	runs();
	CHECK_EQUAL(vmxoff(), SUCCEED);
	EXPECT_TRAP(vmxoff_body, 6, NO_ERROR);
}
