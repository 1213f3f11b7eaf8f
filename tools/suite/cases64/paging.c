/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's page tables: SDM 3A chapter 4. */
#define THEME "paging"
#include "suite.h"

static u64 page_of(unsigned int n)
{
	return (u64)scratch[n];
}

#define READ_WINDOW  "mov 0x40000000, %rax"
#define WRITE_WINDOW "movq $0x1234, 0x40000008"

CASE(not_present, "a page that is not there: #PF with error code 0, and CR2")
{
	window_open(PTE_P | PTE_W | PTE_U);
	TRY(READ_WINDOW);
	TRY(WRITE_WINDOW);
	TRY("mov $0x40000ffc, %rax; mov (%rax), %rax");
}

CASE(not_present_table, "so is one below a table that is not there")
{
	window_open(0);
	TRY(READ_WINDOW);
	TRY(WRITE_WINDOW);
}

CASE(accessed_and_dirty, "a read sets the accessed bits, a write the dirty bit, too")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY(READ_WINDOW);
	show(window[0]);
	TRY(WRITE_WINDOW);
	show(window[0]);
}

CASE(write_protected, "CR0.WP: a supervisor's write to a read-only page is #PF")
{
	window[0] = page_of(0) | PTE_P;
	window_open(PTE_P | PTE_W);
	TRY("mov %cr0, %rax; or $0x10000, %rax; mov %rax, %cr0");
	TRY(WRITE_WINDOW);
	TRY(READ_WINDOW);
	TRY("mov %cr0, %rax; and $~0x10000, %rax; mov %rax, %cr0");
	TRY(WRITE_WINDOW);
	show(window[0]);
}

CASE(user_page, "level 3 reaches user pages only: error code bit 2")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window[1] = page_of(1) | PTE_P | PTE_W | PTE_U;
	window[2] = page_of(2) | PTE_P | PTE_U;
	window_open(PTE_P | PTE_W | PTE_U);
	TRY_USER("mov 0x40000000, %rax");
	TRY_USER("mov 0x40001000, %rax");
	TRY_USER("mov %rax, 0x40001000");
	TRY_USER("mov %rax, 0x40002000");
	TRY_USER("mov 0x40003000, %rax");
}

CASE(user_through_tables, "the user bit of every level counts")
{
	window[0] = page_of(0) | PTE_P | PTE_W | PTE_U;
	window_open(PTE_P | PTE_W);
	TRY_USER("mov 0x40000000, %rax");
}

CASE(writable_through_tables, "so does the writable bit")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P);
	TRY("mov %cr0, %rax; or $0x10000, %rax; mov %rax, %cr0");
	TRY(WRITE_WINDOW);
	TRY(READ_WINDOW);
}

CASE(no_execute, "a fetch from a page with the XD bit: #PF with error code bit 4")
{
	scratch[0][0] = 0xc3;
	window[0] = page_of(0) | PTE_P | PTE_W | PTE_NX;
	window[1] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
	TRY("mov $0x40000000, %eax; call *%rax");
	TRY("mov $0x40001000, %eax; call *%rax");
	TRY(READ_WINDOW);
}

CASE(reserved_bits, "reserved bits in an entry, of them bit 63 with EFER.NXE clear: error code 9")
{
	window[0] = page_of(0) | PTE_P | PTE_W | PTE_NX;
	window_open(PTE_P | PTE_W);
	wrmsr(0xc0000080, rdmsr(0xc0000080) & ~0x800ul);
	TRY(READ_WINDOW);
	extern u64 page_directories[4 * 512];

	page_directories[WINDOW >> 21] = 0x2000 | PTE_P | PTE_W | PTE_PS | PTE_A;
	flush();
	TRY(READ_WINDOW);
}

CASE(large_page, "a page of 2 MiB: accessed and dirty in its own entry")
{
	extern u64 page_directories[4 * 512];

	page_directories[WINDOW >> 21] = PTE_P | PTE_W | PTE_PS;
	flush();
	TRY("mov 0x40100000, %rax");
	show(page_directories[WINDOW >> 21]);
	TRY("lock addl $0, 0x40100000");
	show(page_directories[WINDOW >> 21]);
}

CASE(invlpg, "after INVLPG a changed entry counts")
{
	scratch[0][0] = 1;
	scratch[1][0] = 2;
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY(READ_WINDOW);
	window[0] = page_of(1) | PTE_P | PTE_W;
	TRY("invlpg 0x40000000; mov 0x40000000, %rax");
}

CASE(cr3_flush, "after MOV to CR3 it does, too")
{
	scratch[0][0] = 1;
	scratch[1][0] = 2;
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY(READ_WINDOW);
	window[0] = page_of(1) | PTE_P | PTE_W;
	flush();
	TRY(READ_WINDOW);
}

CASE(page_crossing, "a load across two pages of which the second is missing: CR2 is the second's")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("mov 0x40000ffc, %rax");
	TRY("movq $-1, 0x40000ffc");
	show(*(u64 *)(scratch[0] + 0xff8));
}

CASE(page_crossing_store, "a store across two pages that are apart in memory")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window[1] = page_of(2) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("mov $0x1122334455667788, %rax; mov %rax, 0x40000ffd");
	TRY("mov 0x40000ffb, %rax");
}

CASE(fetch_crossing, "an instruction across two pages of which the second is missing")
{
	scratch[0][4095] = 0xb8;
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("mov $0x40000fff, %eax; jmp *%rax");
}

CASE(rmw_protected, "a read-modify-write of a read-only page faults as a write and changes nothing")
{
	window[0] = page_of(0) | PTE_P | PTE_A;
	window_open(PTE_P | PTE_W);
	TRY("mov %cr0, %rax; or $0x10000, %rax; mov %rax, %cr0");
	TRY("addl $5, 0x40000000");
	TRY("lock xadd %eax, 0x40000000");
	TRY("cmpxchg %eax, 0x40000000");
}

CASE(smep, "CR4.SMEP: a supervisor's fetch from a user page is #PF")
{
	u32 out[4];

	cpuid(7, 0, out);
	show(out[1] & 1u << 7);
	scratch[0][0] = 0xc3;
	window[0] = page_of(0) | PTE_P | PTE_W | PTE_U;
	window[1] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W | PTE_U);
	TRY("mov $0x40000000, %eax; call *%rax");
	TRY("mov $0x40001000, %eax; call *%rax");
}

CASE(global_page, "a global page survives MOV to CR3 and not a change of CR4.PGE")
{
	scratch[0][0] = 1;
	window[0] = page_of(0) | PTE_P | PTE_W | PTE_G;
	window_open(PTE_P | PTE_W);
	TRY("mov %cr4, %rax; or $0x80, %rax; mov %rax, %cr4");
	TRY(READ_WINDOW);
	window[0] = page_of(1) | PTE_P | PTE_W | PTE_G;
	TRY("mov %cr4, %rax; and $~0x80, %rax; mov %rax, %cr4; mov 0x40000000, %rax");
}

CASE(alias, "two linear addresses of one page show each other's stores")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window[1] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("movl $0x77, 0x40000010; mov 0x40001010, %eax");
}

CASE(self_modifying, "code that a store through an alias has changed runs as changed")
{
	scratch[0][0] = 0xb8; /* mov $1, %eax; ret */
	scratch[0][1] = 1;
	scratch[0][5] = 0xc3;
	window[0] = page_of(0) | PTE_P | PTE_W;
	window[1] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("mov $0x40000000, %ebp; call *%rbp; movb $2, 0x40001001; cpuid; call *%rbp; xor %ebx, "
	    "%ebx; xor %ecx, %ecx; xor %edx, %edx");
}

CASE(stack_page_fault, "a push to a missing page leaves RSP as it was")
{
	window_open(PTE_P | PTE_W);
	idt[14].ist = 1;
	tss.ist[0] = STACK_TOP(other_stack);
	TRY("mov $0x40001000, %esp; push %rax");
	gate_reset(14);
}

CASE(movs_faults_midway, "REP MOVS that faults midway has done whole iterations and tells which")
{
	window[0] = page_of(0) | PTE_P | PTE_W;
	window_open(PTE_P | PTE_W);
	TRY("mov $scratch + 4096, %esi; mov $0x40000fe0, %edi; mov $64, %ecx; cld; rep movsb");
	show(trap.cx);
	show(trap.di);
}
