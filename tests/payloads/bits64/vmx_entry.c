/* SPDX-License-Identifier: Apache-2.0 */
/* VM entries that fail: which way, with which number or qualification, and what they leave alone
 * (SDM 3C:27.1 to 27.4, 27.8). The rows of each check have their own unit test. */
#include "vmx.h"

#define FAILED_ENTRY (1u << 31)
#define VALID        (1u << 31)

#define SYSENTER_EIP 0x176

static u64 msr_area[4] __attribute__((aligned(16)));

static void guest(void)
{
	for (;;)
		__asm__ volatile("vmcall");
}

/* A VMCS that enters, with one field changed. */
static void prepare(u64 encoding, u64 value)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(guest);
	vmwrite(encoding, value);
}

static void expect_vmfail(u64 number)
{
	vmwrite(EXIT_REASON, 0x1234);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), number);
	CHECK_EQUAL(vmread(EXIT_REASON), 0x1234);
}

/* The launch state stays clear, so that it can be put right and launched. */
static void expect_bad_guest(u64 qualification)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), FAILED_ENTRY | 33);
	CHECK_EQUAL(vmread(QUALIFICATION), qualification);
	CHECK_EQUAL(vmx_resume(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 5);
}

static void controls_and_host(void)
{
	section("invalid controls: VMfailValid(7), and nothing else changes (27.2, 31.2)");
	prepare(PIN, 0);
	expect_vmfail(7);
	section("the MSR areas are not touched by VMfail");
	prepare(CR3_TARGET_COUNT, 5);
	msr_area[0] = 0x174;
	msr_area[1] = 0x77;
	vmwrite(EXIT_MSR_STORE, (u64)msr_area);
	vmwrite(EXIT_MSR_STORE_COUNT, 1);
	expect_vmfail(7);
	CHECK_EQUAL(msr_area[1], 0x77);
	section("... nor is the host's state loaded (31.2)");
	prepare(CR3_TARGET_COUNT, 5);
	wrmsr(SYSENTER_EIP, 0x5678);
	vmwrite(HOST_SYSENTER_EIP, 0x1234);
	expect_vmfail(7);
	CHECK_EQUAL(rdmsr(SYSENTER_EIP), 0x5678);
	prepare(HOST_SYSENTER_EIP, 0x1234);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(rdmsr(SYSENTER_EIP), 0x1234);
	section("NMI windows without virtual NMIs: VMfailValid(7)");
	prepare(CR3_TARGET_COUNT, 0);
	vmx_set_primary(1u << 22);
	expect_vmfail(7);
	section("the injected type 1 is reserved: VMfailValid(7)");
	prepare(ENTRY_INFO, VALID | 1u << 8 | 32);
	expect_vmfail(7);
	section("invalid host state: VMfailValid(8)");
	prepare(HOST_CR0, 0);
	expect_vmfail(8);
	prepare(HOST_CR0, READ_REGISTER("cr0") | 1ull << 32);
	expect_vmfail(8);
	prepare(HOST_TR, 0);
	expect_vmfail(8);
	prepare(HOST_CS, SEL_CODE0 | 4);
	expect_vmfail(8);
	prepare(HOST_GDTR_BASE, 1ull << 62);
	expect_vmfail(8);
	section("controls come before guest state, whatever is wrong there, too");
	prepare(GUEST_RFLAGS, 0);
	vmwrite(PIN, 0);
	expect_vmfail(7);
}

/* ES, DS, FS, GS by the number of their fields. */
static const u8 data_segments[] = {0, 3, 4, 5};

static void privilege(u32 segment)
{
	static const u8 types[] = {1, 3, 5, 7, 11}; /* accessed, and readable if code */

	for (u32 n = 0; n < sizeof(types); n++) {
		prepare(GUEST_ES + 2 * segment, SEL_DATA0 | 3);
		vmwrite(GUEST_ES_RIGHTS + 2 * segment, 0xc090 | types[n]);
		expect_bad_guest(0);
	}
	/* of conforming code the DPL does not matter */
	prepare(GUEST_ES + 2 * segment, SEL_DATA0 | 3);
	vmwrite(GUEST_ES_RIGHTS + 2 * segment, 0xc09f);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
}

static void guest_state(void)
{
	section("IA-32e mode without CR4.PAE: exit 33 (27.3.1.1)");
	prepare(GUEST_CR4, READ_REGISTER("cr4") & ~0x20ull);
	expect_bad_guest(0);
	section("CR0[63:32] and CR4 bits that are not there: exit 33 (27.3.1.1)");
	prepare(GUEST_CR0, READ_REGISTER("cr0") | 1ull << 32);
	expect_bad_guest(0);
	prepare(GUEST_CR4, READ_REGISTER("cr4") | 1ull << 15);
	expect_bad_guest(0);
	section("DPL of DS, ES, FS, GS below RPL, types 0 to 11 (27.3.1.2): exit 33");
	for (u32 n = 0; n < sizeof(data_segments); n++)
		privilege(data_segments[n]);
	section("an injected external interrupt wants RFLAGS.IF: exit 33 (27.3.1.4)");
	prepare(ENTRY_INFO, VALID | 32);
	expect_bad_guest(0);
	section("an injected NMI under blocking by STI: exit 33, qualification 3 (27.8)");
	prepare(ENTRY_INFO, VALID | 2u << 8 | 2);
	vmwrite(INTERRUPTIBILITY, 1);
	vmwrite(GUEST_RFLAGS, 0x202);
	expect_bad_guest(3);
	section("a bad VMCS link pointer: exit 33, qualification 4 (27.3.1.5)");
	prepare(LINK_POINTER, 8);
	expect_bad_guest(4);
	prepare(LINK_POINTER, (u64)vmcs_region);
	expect_bad_guest(4);
}

/* VTPR[7:4] is 15, so that only bits 31:4 can be wrong. */
static void tpr_threshold(void)
{
	static u8 virtual_apic[4096] __attribute__((aligned(4096)));

	if (!(rdmsr(0x482) >> 32 & PRIMARY_TPR_SHADOW))
		return;
	section("TPR shadow without virtual-interrupt delivery: TPR threshold 31:4 are 0 "
		"(27.2.1.1)");
	virtual_apic[0x80] = 0xf0;
	for (u32 n = 4; n < 32; n++) {
		prepare(VIRTUAL_APIC, (u64)virtual_apic);
		vmx_set_primary(PRIMARY_TPR_SHADOW);
		vmwrite(TPR_THRESHOLD, 1u << n);
		expect_vmfail(7);
	}
	vmwrite(TPR_THRESHOLD, 0xf);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
}

static void after_loading(void)
{
	section("an MSR that can't be loaded: exit 34 with its number in the area (27.4)");
	prepare(ENTRY_MSR_LOAD, (u64)msr_area);
	msr_area[0] = 0x174;
	msr_area[1] = 8;
	msr_area[2] = 0xc0000100; /* FS.base */
	msr_area[3] = 0;
	vmwrite(ENTRY_MSR_LOAD_COUNT, 2);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), FAILED_ENTRY | 34);
	CHECK_EQUAL(vmread(QUALIFICATION), 2);
	section("put right, the same VMCS is launched");
	vmwrite(ENTRY_MSR_LOAD_COUNT, 1);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
}

static void under_mov_ss(void)
{
	u64 flags;

	section("VMLAUNCH right behind MOV SS: VMfailValid(26) (27.1)");
	prepare(GUEST_RFLAGS, 2);
	__asm__ volatile("mov %%ss, %%eax; mov %%eax, %%ss; vmlaunch; pushf; pop %0"
			 : "=r"(flags)
			 :
			 : "rax", "memory", "cc");
	CHECK_EQUAL(vmx_outcome(flags), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 26);
}

void payload(void)
{
	vmx_begin();
	controls_and_host();
	guest_state();
	tpr_threshold();
	after_loading();
	under_mov_ss();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
