/* SPDX-License-Identifier: Apache-2.0 */
/* VMXON without paging, and paging in VMX operation (SDM 3C:24.8: CR0.PE, NE and PG are fixed to
 * 1). */
#include "payload.h"

#define CR0_NE   0x20u
#define CR0_PG   0x80000000u
#define CR4_PSE  0x10u
#define CR4_VMXE 0x2000u

static u32 directory[1024] __attribute__((aligned(4096)));
static u8 region[4096] __attribute__((aligned(4096)));

static u32 vmxon(void)
{
	const u64 address = (word)region;
	u32 flags;

	__asm__ volatile("vmxon %1; pushf; pop %0" : "=r"(flags) : "m"(address) : "memory", "cc");
	return flags;
}

static void vmxon_body(void)
{
	vmxon();
}

static void paging_off(void)
{
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") & ~CR0_PG);
}

void payload(void)
{
	if (!(rdmsr(0x3a) & 1))
		wrmsr(0x3a, 5);
	*(u32 *)region = (u32)rdmsr(0x480);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | CR0_NE);
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | CR4_VMXE | CR4_PSE);
	section("VMXON with CR0.PG = 0: #GP(0) (3C:24.8, 31.3)");
	CHECK_EQUAL(rdmsr(0x486) & CR0_PG, CR0_PG);
	EXPECT_TRAP(vmxon_body, 13, 0);
	section("with CR0.PG = 1 it enters VMX operation");
	for (u32 n = 0; n < 1024; n++)
		directory[n] = n << 22 | 0x87;
	WRITE_REGISTER("cr3", (word)directory);
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | CR0_PG);
	CHECK_EQUAL(vmxon() & 0x41, 0);
	section("where CR0.PG can't be cleared: #GP(0)");
	EXPECT_TRAP(paging_off, 13, 0);
	__asm__ volatile("vmxoff" : : : "memory", "cc");
	section("and behind VMXOFF it can");
	EXPECT_NO_TRAP(paging_off);
	CHECK_EQUAL(READ_REGISTER("cr0") & CR0_PG, 0);
}
