/* SPDX-License-Identifier: Apache-2.0 */
/* VM exits: what they consume, and what they tell of a guest in real-address mode (SDM
 * 3C:26.2, 28.2.2).
 */
#include "vmx.h"

#define VALID              (1u << 31)
#define HARDWARE_EXCEPTION (3u << 8)
#define ERROR_CODE         (1u << 11)
#define UNRESTRICTED       (1u << 7)
#define REASON_EXCEPTION   0
#define REASON_INIT        3
#define REASON_VMCALL      18

#define APIC_ID  (*(volatile u32 *)0xfee00020ul)
#define ICR      (*(volatile u32 *)0xfee00300ul)
#define ICR_HIGH (*(volatile u32 *)0xfee00310ul)
#define INIT     0x4500 /* asserted, to the physical destination */

static void guest(void)
{
	for (;;)
		__asm__ volatile("vmcall");
}

/* Had the INIT stayed pending, this processor would be reset behind VMXOFF. */
static void init_signal(void)
{
	section("INIT is blocked in VMX root operation (24.8)");
	ICR_HIGH = APIC_ID;
	ICR = INIT;
	vmx_prepare(guest);
	section("it exits from the guest before any instruction, and is consumed (26.2)");
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_INIT);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)guest);
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VMCALL);
	CHECK_EQUAL(vmxoff(), SUCCEED);
	CHECK_EQUAL(vmxon((u64)vmxon_region), SUCCEED);
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
}

static void real_segment(u32 number, u16 selector, u32 rights)
{
	vmwrite(GUEST_ES + 2 * number, selector);
	vmwrite(GUEST_ES_BASE + 2 * number, (u64)selector << 4);
	vmwrite(GUEST_ES_LIMIT + 2 * number, 0xffff);
	vmwrite(GUEST_ES_RIGHTS + 2 * number, rights);
}

/* MOV AX, [FFFFH]: a word that reaches beyond the limit. */
static void real_mode_code(void)
{
	static const u8 code[] = {0xa1, 0xff, 0xff};

	for (u32 n = 0; n < sizeof(code); n++)
		((volatile u8 *)0x8000)[n] = code[n];
}

static void real_mode_exception(void)
{
	vmx_prepare(guest);
	if (!vmx_set_ept(UNRESTRICTED))
		return;
	section("an exception in real-address mode has no error code: bit 11 is 0 (28.2.2)");
	real_mode_code();
	for (u32 n = 0; n < 6; n++)
		real_segment(n, n == 1 ? 0x800 : 0, n == 1 ? 0x9b : 0x93);
	vmwrite(ENTRY_CONTROLS, vmread(ENTRY_CONTROLS) & ~(1ull << 9));
	vmwrite(GUEST_CR0, 0x30);
	vmwrite(GUEST_RIP, 0);
	vmwrite(GUEST_RSP, 0x7000);
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_EXCEPTION);
	CHECK_EQUAL(vmread(EXIT_INFO), VALID | HARDWARE_EXCEPTION | 13);
	section("in protected mode it has one");
	vmx_prepare(guest);
	vmwrite(GUEST_RIP, (u64) "\x0f\x22\xe0"); /* MOV CR4, RAX with reserved bits */
	vmx_guest_registers[0] = ~0ull;
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_EXCEPTION);
	CHECK_EQUAL(vmread(EXIT_INFO), VALID | HARDWARE_EXCEPTION | ERROR_CODE | 13);
}

void payload(void)
{
	vmx_begin();
	init_signal();
	real_mode_exception();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
