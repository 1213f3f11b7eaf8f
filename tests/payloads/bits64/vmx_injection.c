/* SPDX-License-Identifier: Apache-2.0 */
/* What VM entries inject, what guests meet there, and what the exit tells of it (SDM
 * 3C:27.6, 27.7, 28.2, 28.3): rules that hypervisors and emulators got wrong. */
#include "vmx.h"

#define VALID         (1u << 31)
#define VECTOR        0x40
#define REASON_VMCALL 18
#define REASON_MTF    37
#define HANDLER       0x1111

/* Where an injected event goes: tells by RAX that it came here, with its stack. */
__asm__(".text\n"
	"handler:\n\t"
	"mov $0x1111, %eax\n\t"
	"vmcall\n");
extern char handler[];

static void guest(void)
{
	for (;;)
		__asm__ volatile("vmcall");
}

static void guest_steps(void)
{
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; cpuid"
			 :
			 :
			 : "rax", "rbx", "rcx", "rdx", "cc");
}

/* A guest that takes vector VECTOR by the handler above. */
static void prepare(void (*code)(void))
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(code);
	vmx_guest_registers[0] = 0;
}

static void expect_in_handler(u64 return_rip)
{
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmx_guest_registers[0], HANDLER);
	CHECK_EQUAL(*(u64 *)vmread(GUEST_RSP), return_rip);
}

static void types(void)
{
	section("an injected external interrupt pushes the RIP of the VMCS (27.6.1.1)");
	prepare(guest);
	vmwrite(GUEST_RFLAGS, 0x202);
	vmwrite(ENTRY_INFO, VALID | VECTOR);
	expect_in_handler((u64)guest);
	section("the valid bit is cleared by the exit (28.2)");
	CHECK_EQUAL(vmread(ENTRY_INFO) & VALID, 0);
	section("an injected software interrupt pushes RIP plus the instruction's length");
	prepare(guest);
	vmwrite(ENTRY_INFO, VALID | 4u << 8 | VECTOR);
	vmwrite(ENTRY_LENGTH, 2);
	expect_in_handler((u64)guest + 2);
	section("a length of 0 is allowed where IA32_VMX_MISC[30] is 1");
	prepare(guest);
	vmwrite(ENTRY_INFO, VALID | 4u << 8 | VECTOR);
	vmwrite(ENTRY_LENGTH, 0);
	if (rdmsr(0x485) & 1u << 30)
		expect_in_handler((u64)guest);
	section("an injected event takes no regard of the exception bitmap (27.6.1.1)");
	prepare(guest);
	gate_set(13, (word)handler, GATE_INTERRUPT);
	vmwrite(EXCEPTION_BITMAP, ~0u);
	vmwrite(ENTRY_INFO, VALID | 1u << 11 | 3u << 8 | 13);
	vmwrite(ENTRY_ERROR, 0x1234);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(*(u64 *)vmread(GUEST_RSP), 0x1234);
	gate_reset(13);
}

static void activity(void)
{
	section("HLT and an injected event: the guest is active and takes it (27.7.2)");
	prepare(guest);
	vmwrite(GUEST_RFLAGS, 0x202);
	vmwrite(ACTIVITY, 1);
	vmwrite(ENTRY_INFO, VALID | VECTOR);
	expect_in_handler((u64)guest);
	CHECK_EQUAL(vmread(ACTIVITY), 0);
}

/* Type 7 goes by its vector: 0 is a pending MTF VM exit, any other is reserved (27.2.1.3, 27.6.2).
 */
static void other_event(void)
{
	section("an injected other event with vector 0: exit 37 before any instruction");
	prepare(guest);
	vmwrite(ENTRY_INFO, VALID | 7u << 8);
	if (!(rdmsr(0x482) >> 32 & 1u << 27)) {
		CHECK_EQUAL(vmx_launch(), FAIL_VALID);
		CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
		return;
	}
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_MTF);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)guest);
	section("with another vector: VMfailValid(7)");
	prepare(guest);
	vmwrite(ENTRY_INFO, VALID | 7u << 8 | 2);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
}

/* TF set by POPF steps from the instruction behind it on, and that one does not complete. */
static void pending_step(void)
{
	section("POPF sets TF, CPUID exits: no pending single step (28.3.4)");
	prepare(guest_steps);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 10);
	CHECK_EQUAL(vmread(GUEST_RFLAGS) & 0x100, 0x100);
	CHECK_EQUAL(vmread(PENDING_DEBUG), 0);
}

static void vpid(void)
{
	section("enable VPID with VPID 0: VMfailValid(7); with another it enters (27.2.1.1)");
	prepare(guest);
	vmx_set_primary(PRIMARY_SECONDARY);
	if (!vmx_set_secondary(1u << 5))
		return;
	vmwrite(VPID, 0);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	vmwrite(VPID, 1);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
}

/* Address 0 is like any other, for VMXON too. */
static void region_at_zero(void)
{
	u32 before = *(volatile u32 *)0x0;

	section("a VMXON region at 0, and a second VMXON: VMfailValid(15) (3C:31.3)");
	CHECK_EQUAL(vmxoff(), SUCCEED);
	*(volatile u32 *)0x0 = (u32)rdmsr(0x480);
	CHECK_EQUAL(vmxon(0), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmxon(0), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 15);
	CHECK_EQUAL(vmptrld(0), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 10);
	*(volatile u32 *)0x0 = before;
}

void payload(void)
{
	vmx_begin();
	gate_set(VECTOR, (word)handler, GATE_INTERRUPT);
	types();
	activity();
	other_event();
	pending_step();
	vpid();
	region_at_zero();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
