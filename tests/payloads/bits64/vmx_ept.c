/* SPDX-License-Identifier: Apache-2.0 */
/* EPT: which entries are misconfigurations, what is a violation, and what the exit tells of it (SDM
 * 3C:29.3.3, 28.2.1, table 28-7). */
#include "vmx.h"

#define REASON_VMCALL           18
#define REASON_VIOLATION        48
#define REASON_MISCONFIGURATION 49

/* Exit qualification. */
#define READ         (1u << 0)
#define WRITE        (1u << 1)
#define RIGHTS(bits) ((bits) << 3)
#define LINEAR_VALID (1u << 7)
#define FINAL        (1u << 8)
#define USER_PAGE    (1u << 9)
#define WRITABLE     (1u << 10)
#define NO_EXECUTE   (1u << 11)
#define EXIT_INFO    (USER_PAGE | WRITABLE | NO_EXECUTE)

static u8 page[4096] __attribute__((aligned(4096)));
extern u64 page_directories[2048];

static void guest_reads(void)
{
	(void)*(volatile u64 *)(page + 8);
	__asm__ volatile("vmcall");
}

static void guest_writes(void)
{
	*(volatile u64 *)(page + 8) = 1;
	__asm__ volatile("vmcall");
}

/* Runs @code with these bits 2:0 in the entry of the page; the exit's reason. */
static u64 run(void (*code)(void), u64 rights)
{
	u64 *entry;

	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(code);
	CHECK(vmx_set_ept(0));
	entry = vmx_ept_entry(page);
	*entry = (*entry & ~EPT_RWX) | rights;
	vmx_invept();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	return vmread(EXIT_REASON);
}

static void misconfigurations(void)
{
	section("entries 010b and 110b are misconfigurations (29.3.3.1)");
	CHECK_EQUAL(run(guest_reads, EPT_W), REASON_MISCONFIGURATION);
	CHECK_EQUAL(vmread(GUEST_PHYSICAL), (u64)page + 8);
	CHECK_EQUAL(run(guest_reads, EPT_W | EPT_X), REASON_MISCONFIGURATION);
	CHECK_EQUAL(vmread(GUEST_PHYSICAL), (u64)page + 8);
	section("... whatever the access is");
	CHECK_EQUAL(run(guest_writes, EPT_W), REASON_MISCONFIGURATION);
	CHECK_EQUAL(run(guest_writes, EPT_W | EPT_X), REASON_MISCONFIGURATION);
	section("100b is one just where execute-only entries are not offered");
	CHECK_EQUAL(run(guest_reads, EPT_X), rdmsr(0x48c) & EPT_CAP_EXECUTE_ONLY
						     ? REASON_VIOLATION
						     : REASON_MISCONFIGURATION);
	section("001b, 011b, 101b and 111b are none");
	for (u64 rights = 1; rights < 8; rights += 2)
		CHECK_EQUAL(run(guest_reads, rights), REASON_VMCALL);
}

static void violations(void)
{
	u64 page_bits = rdmsr(0x48c) & EPT_CAP_EXIT_INFO ? USER_PAGE | WRITABLE : 0;

	section("000b is not present: a violation that allows nothing (29.3.3.2)");
	CHECK_EQUAL(run(guest_reads, 0), REASON_VIOLATION);
	CHECK_EQUAL(vmread(QUALIFICATION), READ | LINEAR_VALID | FINAL | page_bits);
	CHECK_EQUAL(vmread(GUEST_PHYSICAL), (u64)page + 8);
	CHECK_EQUAL(vmread(GUEST_LINEAR), (u64)page + 8);
	section("a write where only reads are allowed");
	CHECK_EQUAL(run(guest_writes, EPT_R), REASON_VIOLATION);
	CHECK_EQUAL(vmread(QUALIFICATION),
		    WRITE | RIGHTS(EPT_R) | LINEAR_VALID | FINAL | page_bits);
}

/* The page's linear address as the guest's own tables have it, in 2-MiB pages. */
static void exit_information(void)
{
	u64 *entry = &page_directories[(u64)page >> 21], before = *entry;

	if (!(rdmsr(0x48c) & EPT_CAP_EXIT_INFO))
		return;
	section("bits 9 and 10: user-mode and writable as the guest's entries say");
	*entry = before & ~4ull;
	CHECK_EQUAL(run(guest_reads, 0), REASON_VIOLATION);
	CHECK_EQUAL(vmread(QUALIFICATION) & EXIT_INFO, WRITABLE);
	*entry = before & ~2ull;
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
	CHECK_EQUAL(run(guest_reads, 0), REASON_VIOLATION);
	CHECK_EQUAL(vmread(QUALIFICATION) & EXIT_INFO, USER_PAGE);
	*entry = before;
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

/* The page once more, by a 2-MiB page of the last GiB. */
#define ALIAS       ((volatile u64 *)(0xc0000000 + ((u64)page & 0x1fffff)))
#define ALIAS_ENTRY page_directories[3 * 512]
#define ACCESSED    0x20

static void guest_reads_alias(void)
{
	(void)*ALIAS;
	__asm__ volatile("vmcall");
}

static u64 run_alias(u64 flags)
{
	u64 *ept;

	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare(guest_reads_alias);
	CHECK(vmx_set_ept(0));
	ept = vmx_ept_entry(&ALIAS_ENTRY);
	*ept &= ~(EPT_W | EPT_X);
	vmx_invept();
	ALIAS_ENTRY = (u64)page >> 21 << 21 | 0x87 | flags;
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	return vmread(EXIT_REASON);
}

/* Without accessed and dirty flags for EPT, setting the guest's own is the only write. Whether the
 * exit tells of the read that belongs to it is the processor's choice (28.2.1). */
static void guest_tables(void)
{
	section("the guest's accessed flag can't be set: a write, not of the final address");
	CHECK_EQUAL(run_alias(0), REASON_VIOLATION);
	CHECK_EQUAL(vmread(QUALIFICATION) & ~(u64)READ, WRITE | RIGHTS(EPT_R) | LINEAR_VALID);
	CHECK_EQUAL(vmread(GUEST_PHYSICAL), (u64)&ALIAS_ENTRY);
	CHECK_EQUAL(vmread(GUEST_LINEAR), (u64)ALIAS);
	section("set already, it wants no write (29.3.3.2)");
	CHECK_EQUAL(run_alias(ACCESSED), REASON_VMCALL);
}

void payload(void)
{
	vmx_begin();
	vmx_prepare(guest_reads);
	if (!vmx_set_ept(0))
		return;
	misconfigurations();
	violations();
	exit_information();
	guest_tables();
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
