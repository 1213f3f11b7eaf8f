/* SPDX-License-Identifier: Apache-2.0 */
/* Segment registers in 64-bit mode: SDM 3A chapters 3 and 5. */
#define THEME "segments"
#include "suite.h"

CASE(load_null, "DS, ES, FS and GS take a null selector, SS at level 0 too")
{
	TRY("xor %eax, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs; mov %eax, "
	    "%ss");
	TRY("mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss");
}

CASE(load_data, "a load sets the accessed bit of the descriptor")
{
	gdt[SEL_FREE / 8] = descriptor(0x1000, 0xfffff, 0x92, 0xc);
	TRY("mov $0x50, %eax; mov %eax, %fs");
	show(gdt[SEL_FREE / 8] >> 32);
}

CASE(load_not_present, "a segment that is not present: #NP, of SS #SS, with its selector")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x12, 0xc);
	TRY("mov $0x50, %eax; mov %eax, %fs");
	TRY("mov $0x50, %eax; mov %eax, %ss");
}

CASE(load_beyond_table, "a selector beyond the table's limit: #GP with it")
{
	TRY("mov $0x200, %eax; mov %eax, %ds");
	TRY("mov $0x204, %eax; mov %eax, %ds");
}

CASE(load_code_as_data, "DS takes readable code, not execute-only code")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x9a, 0xa);
	gdt[SEL_FREE / 8 + 1] = descriptor(0, 0xfffff, 0x98, 0xa);
	TRY("mov $0x50, %eax; mov %eax, %fs");
	TRY("mov $0x58, %eax; mov %eax, %fs");
	TRY("mov $0x50, %eax; mov %eax, %ss");
}

CASE(load_wrong_level, "a data segment of a lower DPL than CPL or RPL: #GP")
{
	TRY("mov $0x13, %eax; mov %eax, %fs");
	TRY("mov $0x13, %eax; mov %eax, %ss");
	TRY_USER("mov $0x10, %eax; mov %eax, %fs");
	TRY_USER("mov $0x23, %eax; mov %eax, %fs");
}

CASE(load_system, "a system descriptor in a data segment register: #GP")
{
	TRY("mov $0x40, %eax; mov %eax, %fs");
}

CASE(load_cs, "MOV to CS is #UD")
{
	TRY(".byte 0x8e, 0xc8");
}

CASE(load_sixth, "segment register numbers 6 and 7 are #UD")
{
	TRY(".byte 0x8e, 0xf0");
	TRY(".byte 0x8c, 0xf8");
}

CASE(fs_base, "FS's base comes from the descriptor, 32 bits of it, or from its MSR")
{
	gdt[SEL_FREE / 8] = descriptor((u32)(word)scratch, 0xfffff, 0x93, 0xc);
	scratch[0][8] = 42;
	TRY("mov $0x50, %eax; mov %eax, %fs; mov %fs:8, %eax");
	wrmsr(0xc0000100, (u64)scratch[1]);
	scratch[1][8] = 43;
	TRY("mov %fs:8, %eax");
}

CASE(swapgs, "SWAPGS exchanges GS's base with its MSR")
{
	wrmsr(0xc0000101, 0x1111);
	wrmsr(0xc0000102, 0x2222);
	TRY("swapgs");
	show(rdmsr(0xc0000101));
	show(rdmsr(0xc0000102));
	TRY_USER("swapgs");
}

CASE(lar_lsl, "LAR and LSL of every kind of descriptor, with ZF")
{
	for (u16 selector = 0; selector < 0x60; selector += 8) {
		word rights = 0, limit = 0, flags;

		__asm__ volatile("cmp %%eax, %%eax; lar %k2, %k0; pushf; lsl %k2, %k1; pushf; pop "
				 "%3; add %3, "
				 "(%%rsp); pop %3"
				 : "+r"(rights), "+r"(limit), "+r"(selector), "=r"(flags)
				 :
				 : "eax", "memory", "cc");
		show(rights & 0xf0ff00); /* the rest is undefined (SDM 2A LAR) */
		show(limit);
		show(flags & 0x40);
	}
}

CASE(verr_verw, "VERR and VERW of data, code and system segments")
{
	for (u16 selector = 0; selector < 0x60; selector += 8) {
		word flags;

		__asm__ volatile("verr %w1; pushf; pop %0"
				 : "=r"(flags)
				 : "r"(selector)
				 : "cc", "memory");
		show(flags & 0x40);
		__asm__ volatile("verw %w1; pushf; pop %0"
				 : "=r"(flags)
				 : "r"(selector)
				 : "cc", "memory");
		show(flags & 0x40);
	}
}

CASE(sgdt_sidt, "SGDT and SIDT store limit and base")
{
	TRY("sgdt scratch; sidt scratch + 16; mov scratch, %rax; mov scratch + 16, %rdx");
}

CASE(str_sldt, "STR and SLDT to registers of each width and to memory")
{
	TRY("mov $-1, %rax; str %ax; mov $-1, %rdx; str %edx");
	TRY("mov $-1, %rax; sldt %rax; movq $-1, scratch; str scratch; mov scratch, %rdx");
}

CASE(smsw, "SMSW gives CR0, its low word to memory")
{
	TRY("mov $-1, %rax; smsw %eax; movl $-1, scratch; smsw scratch; mov scratch, %edx");
}

CASE(lmsw, "LMSW sets TS and cannot clear PE")
{
	TRY("mov $8, %eax; lmsw %ax; smsw %eax");
	TRY("clts");
}

CASE(lldt,
     "LLDT takes a local descriptor table, and selectors with TI their descriptors from there")
{
	gdt[SEL_FREE / 8] = descriptor((u32)(word)scratch, 0xff, 0x82, 0);
	gdt[SEL_FREE / 8 + 1] = 0;
	((u64 *)scratch)[1] = descriptor(0, 0xfffff, 0x92, 0xc);
	TRY("mov $0x50, %eax; lldt %ax; mov $0x0c, %eax; mov %eax, %fs");
}

CASE(lldt_wrong, "LLDT of another descriptor is #GP, of an absent one #NP")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xff, 0x02, 0);
	gdt[SEL_FREE / 8 + 1] = 0;
	TRY("mov $0x10, %eax; lldt %ax");
	TRY("mov $0x50, %eax; lldt %ax");
	TRY("mov $0x54, %eax; lldt %ax");
}

CASE(ltr_busy, "LTR marks the TSS busy, and refuses a busy one")
{
	TRY("mov $0x40, %eax; ltr %ax");
	gdt[SEL_TSS / 8] &= ~(2ull << 40);
	TRY("mov $0x40, %eax; ltr %ax");
	show(gdt[SEL_TSS / 8] >> 32);
}

CASE(far_jump, "a far jump through memory, to 64-bit code and to data")
{
	TRY("movl $1f, scratch; movw $0x08, scratch + 4; ljmp *scratch; 1: mov $5, %eax");
	TRY("movl $1f, scratch; movw $0x10, scratch + 4; ljmp *scratch; 1: mov $5, %eax");
	TRY("movl $1f, scratch; movw $0, scratch + 4; ljmp *scratch; 1: mov $5, %eax");
}

CASE(far_call_return, "a far call and its far return")
{
	TRY("movl $1f, scratch; movw $0x08, scratch + 4; lcall *scratch; jmp 2f; 1: mov $6, %eax; "
	    "lret; 2:");
}

CASE(conforming, "a jump to conforming code keeps CPL")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x9f, 0xa);
	TRY("movl $1f, scratch; movw $0x50, scratch + 4; ljmp *scratch; 1: mov %cs, %eax;"
	    "movl $2f, scratch; movw $0x08, scratch + 4; ljmp *scratch; 2:");
}

CASE(compatibility_mode, "32-bit code in a long-mode descriptor table: addresses wrap at 4 GiB")
{
	TRY("movl $1f, scratch; movw $0x38, scratch + 4; ljmp *scratch; .code32; 1: mov $0x1234, "
	    "%eax;"
	    "inc %eax; .byte 0x27; mov %esp, %edx; movl $2f, scratch; movw $0x08, scratch + 4;"
	    "ljmp *scratch; .code64; 2:");
}

CASE(gdt_reload, "a changed descriptor counts only at the next load")
{
	gdt[SEL_FREE / 8] = descriptor((u32)(word)scratch, 0xfffff, 0x93, 0xc);
	scratch[0][0] = 1;
	scratch[1][0] = 2;
	TRY("mov $0x50, %eax; mov %eax, %fs; mov %fs:0, %al");
	gdt[SEL_FREE / 8] = descriptor((u32)(word)scratch[1], 0xfffff, 0x93, 0xc);
	TRY("mov %fs:0, %al; mov $0x50, %edx; mov %edx, %fs; mov %fs:0, %ah");
}
