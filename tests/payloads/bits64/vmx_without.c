/* SPDX-License-Identifier: Apache-2.0 */
/* A processor that is told to offer less VMX (--cpu intel,+vmx,-vmx-hlt-exit,-vmx-activity-hlt,
 * -vmx-any-errcode): its capability MSRs and its checks follow (SDM 3D appendix A, 3C:27.2). */
#include "vmx.h"

#define HLT_EXITING (1u << 7)
#define VALID       (1u << 31)

static void guest(void)
{
	for (;;)
		__asm__ volatile("vmcall");
}

static void write_capability(void)
{
	wrmsr(0x480, rdmsr(0x480));
}

void payload(void)
{
	section("a control that is not offered is 0 in what may be 1 (A.3.2)");
	CHECK_EQUAL(rdmsr(0x482) >> 32 & HLT_EXITING, 0);
	CHECK_EQUAL(rdmsr(0x48e) >> 32 & HLT_EXITING, 0);
	CHECK_EQUAL(rdmsr(0x48e) >> 32 & 1u << 9, 1u << 9); /* INVLPG exiting still is */
	CHECK_EQUAL(rdmsr(0x485) & 1u << 6, 0);
	CHECK_EQUAL(rdmsr(0x480) >> 56 & 1, 0);
	section("the capability MSRs are read-only");
	EXPECT_TRAP(write_capability, 13, 0);
	vmx_begin();
	section("the control is reserved: VMfailValid(7)");
	vmx_prepare(guest);
	vmwrite(PRIMARY, vmread(PRIMARY) | HLT_EXITING);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	section("so is the activity state HLT: exit 33 (27.3.1.5)");
	vmx_prepare(guest);
	vmwrite(ACTIVITY, 1);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 1u << 31 | 33);
	section("and a #GP without an error code: VMfailValid(7) (27.2.1.3)");
	vmx_prepare(guest);
	vmwrite(ENTRY_INFO, VALID | 3u << 8 | 13);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	section("what is left works");
	vmx_prepare(guest);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
}
