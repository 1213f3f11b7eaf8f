/* SPDX-License-Identifier: Apache-2.0 */
/* VMCS shadowing (SDM 3C:25.10, 25.6.15, 26.1.3, 31.3 VMREAD and VMWRITE): a guest's VMREAD and
 * VMWRITE that reach the VMCS of the link pointer. */
#include "vmx.h"

#define SHADOWING        (1u << 14)
#define SHADOW_INDICATOR (1u << 31)
#define FAILED_ENTRY     (1u << 31)
#define REASON_VMCALL    18
#define REASON_VMREAD    23
#define REASON_VMWRITE   25

static u8 shadow[4096] __attribute__((aligned(4096)));
static u8 read_bitmap[4096] __attribute__((aligned(4096)));
static u8 write_bitmap[4096] __attribute__((aligned(4096)));

/* What the guest is to access, and what came of it. */
static volatile u64 encoding, value, outcome;

static void guest_reads(void)
{
	u64 flags, read = 0xdead;

	__asm__ volatile("vmread %2, %0; pushf; pop %1"
			 : "+r"(read), "=r"(flags)
			 : "r"(encoding)
			 : "memory", "cc");
	value = read;
	outcome = vmx_outcome(flags);
	__asm__ volatile("vmcall");
}

static void guest_writes(void)
{
	outcome = vmwrite(encoding, value);
	__asm__ volatile("vmcall");
}

static void prepare(void (*code)(void))
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(code);
	vmx_set_primary(PRIMARY_SECONDARY);
	CHECK(vmx_set_secondary(SHADOWING));
	vmwrite(LINK_POINTER, (u64)shadow);
	vmwrite(VMREAD_BITMAP, (u64)read_bitmap);
	vmwrite(VMWRITE_BITMAP, (u64)write_bitmap);
	outcome = 0xbad;
}

static u64 run(void (*code)(void))
{
	prepare(code);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	return vmread(EXIT_REASON);
}

static u64 in_shadow(u64 field)
{
	u64 found;

	CHECK_EQUAL(vmptrld((u64)shadow), SUCCEED);
	found = vmread(field);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	return found;
}

static void bit(u8 *bitmap, u64 field, bool set)
{
	if (set)
		bitmap[field / 8] |= 1u << field % 8;
	else
		bitmap[field / 8] &= ~(1u << field % 8);
}

static void pointers(void)
{
	section("a shadow VMCS can be current, is read and written, and not entered (25.10, 27.1)");
	CHECK_EQUAL(vmclear((u64)shadow), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)shadow), SUCCEED);
	CHECK_EQUAL(vmwrite(GUEST_RIP, 0x1234), SUCCEED);
	CHECK_EQUAL(vmread(GUEST_RIP), 0x1234);
	CHECK_EQUAL(vmx_launch(), FAIL_INVALID);
	section("the link pointer names a shadow VMCS just with VMCS shadowing (27.3.1.5)");
	prepare(guest_reads);
	*(u32 *)shadow &= ~SHADOW_INDICATOR;
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), FAILED_ENTRY | 33);
	CHECK_EQUAL(vmread(QUALIFICATION), 4);
	*(u32 *)shadow |= SHADOW_INDICATOR;
	prepare(guest_reads);
	vmx_set_secondary(0);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), FAILED_ENTRY | 33);
	CHECK_EQUAL(vmread(QUALIFICATION), 4);
	section("the bitmaps' addresses are those of pages (27.2.1.1)");
	prepare(guest_reads);
	vmwrite(VMREAD_BITMAP, 0x800);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
	prepare(guest_reads);
	vmwrite(VMWRITE_BITMAP, 1ull << 52);
	CHECK_EQUAL(vmx_launch(), FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 7);
}

static void bitmaps(void)
{
	section("a bit that is 0 lets the guest read and write the shadow VMCS (26.1.3)");
	encoding = GUEST_RIP;
	CHECK_EQUAL(run(guest_reads), REASON_VMCALL);
	CHECK_EQUAL(outcome, SUCCEED);
	CHECK_EQUAL(value, 0x1234);
	value = 0x5678;
	CHECK_EQUAL(run(guest_writes), REASON_VMCALL);
	CHECK_EQUAL(outcome, SUCCEED);
	CHECK_EQUAL(in_shadow(GUEST_RIP), 0x5678);
	section("a bit that is 1 exits: each bitmap has its own");
	bit(read_bitmap, GUEST_RIP, true);
	CHECK_EQUAL(run(guest_reads), REASON_VMREAD);
	CHECK_EQUAL(outcome, 0xbad);
	CHECK_EQUAL(run(guest_writes), REASON_VMCALL);
	bit(read_bitmap, GUEST_RIP, false);
	bit(write_bitmap, GUEST_RIP, true);
	CHECK_EQUAL(run(guest_writes), REASON_VMWRITE);
	CHECK_EQUAL(run(guest_reads), REASON_VMCALL);
	bit(write_bitmap, GUEST_RIP, false);
	section("an encoding with one of bits 63:15 exits");
	encoding = GUEST_RIP | 1u << 15;
	CHECK_EQUAL(run(guest_reads), REASON_VMREAD);
	CHECK_EQUAL(run(guest_writes), REASON_VMWRITE);
	encoding = GUEST_RIP | 1ull << 63;
	CHECK_EQUAL(run(guest_reads), REASON_VMREAD);
	section("without VMCS shadowing both exit");
	encoding = GUEST_RIP;
	prepare(guest_reads);
	vmwrite(LINK_POINTER, ~0ull);
	vmx_set_secondary(0);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMREAD);
}

static void failures(void)
{
	section("no such field: VMfailValid(12), which is told in the current VMCS");
	encoding = 0x1234;
	prepare(guest_reads);
	vmwrite(INSTRUCTION_ERROR, 0);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(outcome, FAIL_VALID);
	CHECK_EQUAL(vmread(INSTRUCTION_ERROR), 12);
	section("without a VMCS at the link pointer: VMfailInvalid");
	encoding = GUEST_RIP;
	prepare(guest_reads);
	vmwrite(LINK_POINTER, ~0ull);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(outcome, FAIL_INVALID);
}

void payload(void)
{
	vmx_begin();
	*(u32 *)shadow = (u32)rdmsr(0x480) | SHADOW_INDICATOR;
	pointers();
	bitmaps();
	failures();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
