/* SPDX-License-Identifier: Apache-2.0 */
/* 32-bit and PAE paging: SDM 3A 4.3, 4.4. */
#define THEME "paging32"
#include "suite.h"

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
u64 pointers_at[4] __attribute__((aligned(32)));
static u64 directory64[512] __attribute__((aligned(4096)));
static u64 table64[512] __attribute__((aligned(4096)));

#define PAGING_ON  "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;"
#define PAGING_OFF "mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0"

/* QEMU sets an accessed bit in PAE's pointers, which have none (SDM 3A:4.4.1). */
#define FORGET_POINTERS "; andl $~0x20, pointers_at; andl $~0x20, pointers_at + 8"

/* Below 4 MiB one to one; WINDOW at 1 GiB by small pages. */
#define WINDOW32 0x40000000u
static void pages_32(void)
{
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x10);
	directory[0] = PTE_P | PTE_W | PTE_U | PTE_PS;
	directory[WINDOW32 >> 22] = (u32)table | PTE_P | PTE_W | PTE_U | PTE_A;
	WRITE_REGISTER("cr3", (u32)directory);
}

static void pages_pae(void)
{
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 0x20);
	directory64[0] = PTE_P | PTE_W | PTE_U | PTE_PS;
	directory64[1] = 0x200000 | PTE_P | PTE_W | PTE_U | PTE_PS;
	pointers_at[0] = (u32)directory64 | PTE_P;
	pointers_at[1] = (u32)table64 | PTE_P; /* as a directory */
	WRITE_REGISTER("cr3", (u32)pointers_at);
}

CASE(pages_32_access, "32-bit paging: accessed and dirty bits, large and small pages")
{
	pages_32();
	table[0] = (u32)scratch[0] | PTE_P | PTE_W;
	scratch[0][0] = 5;
	TRY(PAGING_ON
	    "mov 0x40000000, %eax; movb $6, 0x40000001; mov 0x40000000, %edx;" PAGING_OFF);
	show(table[0]);
	show(directory[0]);
	show(directory[WINDOW32 >> 22]);
}

CASE(pages_32_absent, "32-bit paging: #PF of an absent page and of an absent table")
{
	pages_32();
	TRY(PAGING_ON "mov 0x40001000, %eax");
	TRY("mov 0x80000000, %eax");
	TRY(PAGING_OFF);
}

CASE(pages_32_protect, "32-bit paging: CR0.WP")
{
	pages_32();
	table[0] = (u32)scratch[0] | PTE_P;
	TRY(PAGING_ON "movb $1, 0x40000000");
	TRY("mov %cr0, %eax; or $0x10000, %eax; mov %eax, %cr0; movb $1, 0x40000000");
	TRY("mov %cr0, %eax; and $0x7ffeffff, %eax; mov %eax, %cr0");
}

CASE(pages_32_user, "32-bit paging: supervisor pages from level 3")
{
	pages_32();
	table[0] = (u32)scratch[0] | PTE_P | PTE_W;
	TRY(PAGING_ON);
	TRY_USER("mov 0x40000000, %eax");
	table[0] |= PTE_U;
	TRY_USER("mov 0x40000000, %eax");
	TRY(PAGING_OFF);
}

CASE(pages_32_no_pse, "without CR4.PSE bit 7 of a directory entry is ignored")
{
	pages_32();
	table[0] = (u32)scratch[0] | PTE_P | PTE_W;
	for (u32 n = 0; n < 1024; n++)
		((u32 *)scratch[2])[n] = n << 12 | PTE_P | PTE_W;
	directory[0] = (u32)scratch[2] | PTE_P | PTE_W | PTE_PS;
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") & ~0x10u);
	TRY(PAGING_ON "mov 0x40000000, %eax;" PAGING_OFF);
}

CASE(pages_pae_access, "PAE paging: the pointers are loaded with CR3")
{
	pages_pae();
	table64[0] = 0x200000 | PTE_P | PTE_W | PTE_PS;
	TRY(PAGING_ON "mov 0x40000000, %eax; movl $6, 0x40000010;" PAGING_OFF FORGET_POINTERS);
	show((u32)table64[0]);
}
