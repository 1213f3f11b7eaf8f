/* SPDX-License-Identifier: Apache-2.0 */
/* Instruction timeout (SDM 3C:26.2): a guest whose #AC meets #AC in its own delivery, which is
 * benign and so goes on for ever, reaches no instruction boundary and exits. */
#include "vmx.h"

#define UNRESTRICTED   (1u << 7)
#define TIMEOUT        (1u << 31)
#define VALID          (1u << 31)
#define ERROR_CODE     (1u << 11)
#define EXCEPTION      (3u << 8)
#define ALIGNMENT      17
#define CR0_PE_NE_AM   0x40021u
#define FLAGS_AC       0x40002u
#define REASON_VMCALL  18
#define REASON_TIMEOUT 75

/* A 32-bit guest at level 3; its handler is conforming code, which stays there on the same stack.
 */
#define CODE3      0x08
#define DATA3      0x10
#define CONFORMING 0x18
static u64 guest_gdt[4], guest_idt[ALIGNMENT + 1];

/* MOV EAX, [ESP] */
static const u8 code[] __attribute__((aligned(16))) = {0x8b, 0x04, 0x24, 0x0f, 0x0b};

static void segment(u32 number, u16 selector, u32 rights)
{
	vmwrite(GUEST_ES + 2 * number, selector);
	vmwrite(GUEST_ES_RIGHTS + 2 * number, rights);
}

static void prepare_tables(void)
{
	guest_gdt[CODE3 / 8] = descriptor(0, 0xffffffff, 0xfb, FLAGS_32);
	guest_gdt[DATA3 / 8] = descriptor(0, 0xffffffff, 0xf3, FLAGS_32);
	guest_gdt[CONFORMING / 8] = descriptor(0, 0xffffffff, 0x9f, FLAGS_32);
	guest_idt[ALIGNMENT] = (u32)(u64)code % 0x10000 | (u64)CONFORMING << 16 |
			       (u64)GATE_INTERRUPT << 40 | (u64)code >> 16 << 48;
}

static bool prepare(u32 window)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))code);
	if (!vmx_set_ept(UNRESTRICTED | TIMEOUT))
		return false;
	prepare_tables();
	for (u32 n = 0; n < 6; n++)
		segment(n, n == 1 ? CODE3 | 3 : DATA3 | 3, n == 1 ? 0xc0fb : 0xc0f3);
	vmwrite(GUEST_GDTR_BASE, (u64)guest_gdt);
	vmwrite(GUEST_GDTR_LIMIT, sizeof(guest_gdt) - 1);
	vmwrite(GUEST_IDTR_BASE, (u64)guest_idt);
	vmwrite(GUEST_IDTR_LIMIT, sizeof(guest_idt) - 1);
	vmwrite(GUEST_RSP, STACK_TOP(user_stack) - 2);
	vmwrite(GUEST_RFLAGS, FLAGS_AC);
	vmwrite(GUEST_CR0, CR0_PE_NE_AM);
	vmwrite(ENTRY_CONTROLS, vmread(ENTRY_CONTROLS) & ~(1ull << 9));
	vmwrite(INSTRUCTION_TIMEOUT, window);
	return true;
}

static u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

/* How long the guest runs, in ticks of the TSC. */
static u64 run(u32 window)
{
	u64 start;

	CHECK(prepare(window));
	start = rdtsc();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	start = rdtsc() - start;
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_TIMEOUT);
	return start;
}

static void guest_counts(void)
{
	for (volatile u32 n = 0; n < 10000; n++)
		;
	__asm__ volatile("vmcall");
}

/* Ticks of the TSC in @count of the crystal's (SDM 2A: CPUID 15H). */
static u64 crystal(u64 count)
{
	u32 out[4];

	cpuid(0x15, 0, out);
	return count * out[1] / out[0];
}

void payload(void)
{
	u64 shorter, longer;

	vmx_begin();
	if (!prepare(0))
		return;
	section("endless #AC: exit 75, the context valid, in the delivery of #AC (28.2.1, 28.2.4)");
	shorter = run(10000);
	CHECK_EQUAL(vmread(QUALIFICATION), 0);
	CHECK_EQUAL(vmread(VECTORING_INFO), VALID | ERROR_CODE | EXCEPTION | ALIGNMENT);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)code);
	CHECK_EQUAL(vmread(GUEST_RSP), STACK_TOP(user_stack) - 2);
	section("the window is counted in ticks of the crystal");
	CHECK(shorter >= crystal(10000));
	longer = run(200000);
	CHECK(longer >= crystal(200000));
	CHECK(shorter < crystal(200000));
	section("a guest that executes instructions reaches boundaries, however long it runs");
	vmx_prepare(guest_counts);
	vmx_set_primary(PRIMARY_SECONDARY);
	CHECK(vmx_set_secondary(TIMEOUT));
	vmwrite(INSTRUCTION_TIMEOUT, 0);
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
