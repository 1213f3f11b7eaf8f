/* SPDX-License-Identifier: Apache-2.0 */
/* SMIs in VMX operation by the default treatment: SMM is outside it, and RSM goes back to it (SDM
 * 3C:32.14). */
#include "apic.h"
#include "vmx.h"

#define SMI_COMMAND      0x200
#define ENTRY            0x38000ul
#define MAILBOX          0x20000ul
#define CR4_VMXE         0x2000u
#define REASON_CPUID     10
#define REASON_VIOLATION 48

static volatile struct {
	u32 runs, cr4, vendor;
} *const mailbox = (void *)MAILBOX;

/* Counts, notes CR4 and what CPUID says, returns. */
extern const char handler[], handler_end[];
__asm__(".code16\n"
	"handler: addr32 incl 0x20000; mov %cr4, %eax; addr32 mov %eax, 0x20004\n"
	"xor %eax, %eax; cpuid; addr32 mov %ebx, 0x20008; rsm\n"
	"handler_end: .code64");

static void send(void)
{
	APIC(0x310) = APIC(0x20);
	APIC(0x300) = SMI_COMMAND;
	for (int i = 0; i < 100; i++)
		__asm__ volatile("nop");
}

static u8 page[4096] __attribute__((aligned(4096)));

static void guest(void)
{
	u32 out[4];

	send();
	(void)*(volatile u8 *)page;
	cpuid(0, 0, out);
}

static void clear_vmxe(void)
{
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") & ~(word)CR4_VMXE);
}

static void in_root(void)
{
	u32 out[4];

	section("in root operation: the handler runs with CR4.VMXE = 0 (32.14.1)");
	vmx_prepare(guest);
	send();
	cpuid(0, 0, out);
	CHECK_EQUAL(mailbox->runs, 1);
	CHECK_EQUAL(mailbox->cr4 & CR4_VMXE, 0);
	CHECK_EQUAL(mailbox->vendor, out[1]);
	section("RSM: CR4.VMXE, VMX operation and the current VMCS are back (32.14.2)");
	CHECK_EQUAL(READ_REGISTER("cr4") & CR4_VMXE, CR4_VMXE);
	EXPECT_TRAP(clear_vmxe, 13, 0);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)guest);
}

static void in_guest(void)
{
	section("in a guest: no VM exit, not by the SMI and not by what the handler does");
	vmx_prepare(guest);
	if (!vmx_set_ept(0))
		return;
	*vmx_ept_entry(page) &= ~EPT_RWX;
	vmx_invept();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(mailbox->runs, 2);
	CHECK_EQUAL(mailbox->cr4 & CR4_VMXE, 0);
	section("the image of CR4 in SMRAM has VMXE = 0");
	CHECK_EQUAL(*(volatile u32 *)(ENTRY + 0x7e40) & CR4_VMXE, 0);
	section("and behind RSM it is a guest again, with its EPT");
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_VIOLATION);
	CHECK_EQUAL(vmread(GUEST_PHYSICAL), (u64)page);
	*vmx_ept_entry(page) |= EPT_RWX;
	vmx_invept();
	CHECK_EQUAL(vmx_resume(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), REASON_CPUID);
	CHECK_EQUAL(vmread(GUEST_CR4), READ_REGISTER("cr4"));
}

void payload(void)
{
	APIC(0xf0) = 0x1ff;
	for (word n = 0; n < (word)(handler_end - handler); n++)
		((volatile u8 *)ENTRY)[n] = handler[n];
	mailbox->runs = 0;
	vmx_begin();
	in_root();
	in_guest();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
