/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions and what they push: SDM 3A chapter 6. */
#define THEME "faults"
#include "suite.h"

CASE(divide_by_zero, "DIV by zero is #DE, a fault: RIP stays at the instruction")
{
	TRY("xor %edx, %edx; mov $7, %eax; xor %ecx, %ecx; div %ecx");
}

CASE(divide_overflow, "a quotient that is too large is #DE")
{
	TRY("mov $1, %edx; xor %eax, %eax; mov $1, %ecx; div %ecx");
}

CASE(idiv_overflow, "IDIV of the most negative number by -1 is #DE")
{
	TRY("mov $0x80000000, %eax; cdq; mov $-1, %ecx; idiv %ecx");
}

CASE(undefined_opcode, "UD2 is #UD")
{
	TRY("ud2");
}

CASE(undefined_opcodes, "opcodes that 64-bit mode has given up are #UD")
{
	TRY(".byte 0x06");
	TRY(".byte 0x0e");
	TRY(".byte 0x27");
	TRY(".byte 0x37");
	TRY(".byte 0x60");
	TRY(".byte 0x61");
	TRY(".byte 0xce");
	TRY(".byte 0xd4, 0x0a");
	TRY(".byte 0x9a, 0, 0, 0, 0, 0, 0");
}

CASE(lock_undefined, "LOCK before an instruction that takes none, or a register, is #UD")
{
	TRY(".byte 0xf0; nop");
	TRY(".byte 0xf0, 0x01, 0xc0");
	TRY(".byte 0xf0, 0x8b, 0x00");
}

CASE(breakpoint, "INT3 is #BP, a trap: RIP stands behind it")
{
	TRY("int3");
}

CASE(int_n, "INT n goes to its vector and pushes no error code")
{
	TRY("int $0x55");
}

CASE(general_protection, "a load from a non-canonical address is #GP(0)")
{
	TRY("mov $0x8000000000000000, %rax; mov (%rax), %rax");
}

CASE(non_canonical_store, "so is a store")
{
	TRY("mov $0x0000800000000000, %rax; mov %rax, (%rax)");
}

CASE(non_canonical_others,
     "through RSP or RBP it is #SS(0); a jump or call to one faults and pushes nothing")
{
	TRY("mov %rsp, %rbx; mov $0x8000000000000000, %rbp; mov (%rbp), %rax");
	TRY("mov $0x8000000000000000, %rax; jmp *%rax");
	TRY("mov $0x8000000000000000, %rax; call *%rax");
}

CASE(device_not_available, "x87 with CR0.TS set is #NM")
{
	TRY("mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; fld1");
	TRY("clts; fninit; fld1; fninit");
}

CASE(device_not_available_sse, "so is SSE")
{
	TRY("mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; xorps %xmm0, %xmm0");
	TRY("clts");
}

CASE(emulated_fpu, "x87 with CR0.EM set is #NM, SSE is #UD")
{
	TRY("mov %cr0, %rax; or $4, %rax; mov %rax, %cr0; fld1");
	TRY("xorps %xmm0, %xmm0");
	TRY("mov %cr0, %rax; and $~4, %rax; mov %rax, %cr0");
}

CASE(wait_monitors, "WAIT is #NM only with both CR0.MP and CR0.TS")
{
	TRY("mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; fwait");
	TRY("mov %cr0, %rax; and $~2, %rax; mov %rax, %cr0; fwait");
	TRY("clts; mov %cr0, %rax; or $2, %rax; mov %rax, %cr0");
}

CASE(sse_without_osfxsr, "SSE with CR4.OSFXSR clear is #UD")
{
	TRY("mov %cr4, %rax; and $~0x200, %rax; mov %rax, %cr4; xorps %xmm0, %xmm0");
	TRY("mov %cr4, %rax; or $0x200, %rax; mov %rax, %cr4; xorps %xmm0, %xmm0");
}

CASE(too_long, "an instruction of more than 15 bytes is #GP(0)")
{
	TRY(".fill 15, 1, 0x66; nop");
	TRY(".fill 14, 1, 0x66; nop");
}

CASE(movaps_unaligned, "MOVAPS of an address that is no multiple of 16 is #GP(0)")
{
	TRY("movaps scratch + 8, %xmm0");
	TRY("movups scratch + 8, %xmm0");
}

CASE(privileged_in_user, "privileged instructions at level 3 are #GP(0)")
{
	TRY_USER("hlt");
	TRY_USER("clts");
	TRY_USER("invlpg scratch");
	TRY_USER("mov %cr0, %rax");
	TRY_USER("mov %rax, %cr3");
	TRY_USER("mov %dr7, %rax");
	TRY_USER("lgdt scratch");
	TRY_USER("ltr %ax");
	TRY_USER("wbinvd");
	TRY_USER("mov $0x10, %ecx; rdmsr");
	TRY_USER("mov $0x10, %ecx; wrmsr");
}

CASE(io_in_user, "IN, OUT, CLI and STI above IOPL are #GP(0)")
{
	TRY_USER("in $0x80, %al");
	TRY_USER("out %al, $0x80");
	TRY_USER("cli");
	TRY_USER("sti");
	TRY_USER_FLAGS("cli; sti", 0x3000);
}

CASE(io_bitmap, "the TSS's I/O bitmap gives level 3 single ports")
{
	tss.io_map = (u16)((word)tss.bits - (word)&tss);
	gdt[SEL_TSS / 8] = descriptor((u32)(word)&tss, sizeof(tss) - 1, 0x89, 0);
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
	__builtin_memset(tss.bits, 0xff, sizeof(tss.bits));
	tss.bits[0x80 / 8] = 0xfe;
	TRY_USER("out %al, $0x80");
	TRY_USER("out %ax, $0x80");
	TRY_USER("out %al, $0x81");
}

CASE(popf_in_user, "POPF at level 3 changes neither IF nor IOPL, and does not fault")
{
	TRY_USER("pushf; orl $0x3200, (%rsp); popf; pushf; pop %rax");
}

CASE(double_fault_gate, "a fault in the delivery of #GP is #DF with error code 0")
{
	idt[13].type = 0x0e; /* not present */
	TRY("mov $0x8000000000000000, %rax; mov (%rax), %rax");
	gate_reset(13);
}

CASE(page_fault_in_delivery, "a page fault in the delivery of a page fault is #DF")
{
	idt[14].ist = 1;
	tss.ist[0] = WINDOW + 0x1000;
	idt[8].ist = 2;
	tss.ist[1] = STACK_TOP(other_stack);
	window_open(PTE_P | PTE_W);
	TRY("mov 0x40000000, %rax");
	gate_reset(14);
	gate_reset(8);
}

CASE(triple_fault, "a fault in the delivery of #DF shuts the processor down")
{
	idt[8].type = 0x0e;
	idt[13].type = 0x0e;
	TRY("mov $0x8000000000000000, %rax; mov (%rax), %rax");
}

CASE(pushed_rf, "a fault pushes RF set, a trap pushes it clear")
{
	TRY("xor %eax, %eax; div %eax");
	show(trap.flags);
	TRY("int3");
	show(trap.flags);
}

CASE(pushed_flags, "what a fault pushes of RFLAGS, for each arithmetic flag")
{
	TRY("push $0x8d5; popf; ud2");
	TRY("push $0x2; popf; ud2");
	TRY("std; stc; ud2");
	TRY("cld");
}

CASE(nested_guard, "a second fault inside of a handler's return path finds its own frame")
{
	TRY("push $0; push $0; push $0; push $0; push $0; iretq");
}

CASE(popf_reserved, "POPF leaves bit 1 set and bits 3, 5 and 15 clear")
{
	TRY("push $0x882a; popf; pushf; pop %rax; cmp %ecx, %ecx");
	TRY("push $0; popf; pushf; pop %rax; cmp %ecx, %ecx");
}

CASE(register_forms, "LEA, CMPXCHG8B and INVLPG of a register, FE /2 and FF /7 are #UD")
{
	TRY(".byte 0x8d, 0xc0");
	TRY(".byte 0x0f, 0xc7, 0xc8");
	TRY(".byte 0x0f, 0x01, 0xff");
	TRY(".byte 0xfe, 0xd0");
	TRY(".byte 0xff, 0xf8");
}

CASE(rsm_outside, "RSM outside of SMM is #UD, at every level")
{
	TRY("rsm");
	TRY_USER("rsm");
}
