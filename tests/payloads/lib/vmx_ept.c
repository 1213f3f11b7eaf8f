/* SPDX-License-Identifier: Apache-2.0 */
/* EPT for payloads: memory one to one, by 2-MiB pages of which some may be split. */
#include "vmx.h"

#define ALIGNED    __attribute__((aligned(4096)))
#define WRITE_BACK (6ull << 3)
#define LARGE      (1ull << 7)
#define SMALL      8 /* 2-MiB pages that may be split */

static u64 top[512] ALIGNED, pointers[512] ALIGNED, directories[2048] ALIGNED;
static u64 tables[SMALL][512] ALIGNED;
static u32 tables_used;

static u64 ept_pointer(void)
{
	return (u64)top | 3u << 3 | 6;
}

static void build(void)
{
	top[0] = (u64)pointers | EPT_RWX;
	for (u64 n = 0; n < 4; n++)
		pointers[n] = (u64)&directories[n * 512] | EPT_RWX;
	for (u64 n = 0; n < 2048; n++)
		directories[n] = n << 21 | LARGE | WRITE_BACK | EPT_RWX;
	tables_used = 0;
}

u64 *vmx_ept_entry(const void *address)
{
	u64 *directory = &directories[(u64)address >> 21], *table;

	if (*directory & LARGE) {
		table = tables[tables_used++];
		for (u64 n = 0; n < 512; n++)
			table[n] = ((u64)address >> 21 << 21) + (n << 12) + (WRITE_BACK | EPT_RWX);
		*directory = (u64)table | EPT_RWX;
	}
	table = (u64 *)(*directory & ~0xfffull);
	return &table[(u64)address >> 12 & 511];
}

void vmx_invept(void)
{
	const u64 descriptor[2] = {ept_pointer(), 0};

	__asm__ volatile("invept %0, %1" : : "m"(descriptor), "r"(2ull) : "memory", "cc");
}

bool vmx_set_ept(u32 more)
{
	vmx_set_primary(PRIMARY_SECONDARY);
	if (!vmx_set_secondary(SECONDARY_EPT | more))
		return false;
	build();
	vmwrite(EPTP, ept_pointer());
	vmx_invept();
	return true;
}
