/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of some hundred instructions, as a multiboot file: 32-bit paging, pages that it maps when
 * they fault, and an interrupt to itself in each of its rounds.
 */
#ifndef LOCKSTEP_TESTS_DIFF_GUEST_H
#define LOCKSTEP_TESTS_DIFF_GUEST_H

#include <stddef.h>

#define DIFF_GUEST_TABLES 0x110000 /* page directory, then the table */
#define DIFF_GUEST_VECTOR 0x60

extern const char diff_guest_start[], diff_guest_end[];

static inline size_t diff_guest_size(void)
{
	return (size_t)(diff_guest_end - diff_guest_start);
}

__asm__(".section .rodata\n"
	".set BASE, 0x100000\n.set TABLES, 0x110000\n.set IDT, 0x112000\n.set COUNT, 0x113000\n"
	".set STACK, 0x114000\n"
	".macro at name:req, label:req; .set \\name, \\label - diff_guest_start + BASE; .endm\n"
	/* mov $handler to the gate of a vector: SDM 3A:6.11 */
	".macro gate vector:req, handler:req; mov $\\handler, %eax; mov %ax, IDT + 8 * \\vector;"
	"movw $8, IDT + 8 * \\vector + 2; movw $0x8e00, IDT + 8 * \\vector + 4; shr $16, %eax;"
	"mov %ax, IDT + 8 * \\vector + 6; .endm\n"
	".balign 16\ndiff_guest_start: .code32\n"
	".long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000), BASE, BASE, 0, 0, guest_entry\n"
	"guest_gdt_at: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"guest_gdtr_at: .word 23; .long guest_gdt\n"
	"guest_idtr_at: .word 0x3ff; .long IDT\n"
	/* #PF: the page behind CR2, at 0x120000 and up */
	"guest_fault_at: push %eax; mov %cr2, %eax; shr $12, %eax; and $7, %eax; push %ebx;"
	"mov %eax, %ebx; shl $12, %ebx; add $0x120003, %ebx; mov %ebx, TABLES + 0x1000(, %eax, 4);"
	"pop %ebx; pop %eax; add $4, %esp; iret\n"
	"guest_interrupt_at: push %eax; incl COUNT; movl $0, 0xfee000b0; pop %eax; iret\n"
	"guest_code_at: mov $STACK, %esp; lgdt guest_gdtr; ljmp $8, $guest_far\n"
	"guest_far_at: mov $16, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss; lidt "
	"guest_idtr\n"
	"gate 14, guest_fault\n gate 0x60, guest_interrupt\n"
	"movl $0x83, TABLES; movl $(TABLES + 0x1003), TABLES + 4 * 0x100;"
	"movl $0xfec00093, TABLES + 4 * 0x3fb; mov %cr4, %eax; or $0x10, %eax; mov %eax, %cr4;"
	"mov $TABLES, %eax; mov %eax, %cr3; mov %cr0, %eax; or $0x80010000, %eax; mov %eax, %cr0;"
	"movl $0x1ff, 0xfee000f0; mov $8, %ecx\n"
	"1: lea -1(%ecx), %ebx; shl $12, %ebx; add $0x40000000, %ebx; push %ecx; movl %ecx, (%ebx);"
	"pop %edx; movl $0x40060, 0xfee00300; sti; nop; nop; cli; add %edx, %eax; push %eax; pop "
	"%edx;"
	"dec %ecx; jnz 1b; xor %eax, %eax; out %al, $0xf4; 2: hlt; jmp 2b\n"
	"diff_guest_end: .code64\n"
	"at guest_gdt, guest_gdt_at\n at guest_gdtr, guest_gdtr_at\n at guest_idtr, guest_idtr_at\n"
	"at guest_fault, guest_fault_at\n at guest_interrupt, guest_interrupt_at\n"
	"at guest_entry, guest_code_at\n at guest_far, guest_far_at\n"
	".previous\n");

#endif
