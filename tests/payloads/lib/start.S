/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot 0.6.96 entry: 32-bit protected mode, flat, no paging. The 64-bit payloads go on to long
 * mode with the first 4 GiB mapped one to one by 2 MiB pages, user-accessible. */
#include "selectors.h"

.section .multiboot, "a"
.align 4
.long 0x1badb002, 0, -0x1badb002

.text
.code32
.globl start
start:
	cli
	cld
	mov %ebx, multiboot_information
	mov $stack_top, %esp
	push $0
	popf
#ifdef __x86_64__
	/* PML4 -> PDPT -> four page directories */
	mov $(page_directories + 7), %eax
	mov $pdpt, %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $0x1000, %eax
	add $8, %edi
	loop 1b
	mov $0x87, %eax
	mov $page_directories, %edi
	mov $2048, %ecx
2:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 2b
	movl $(pdpt + 7), pml4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	rdmsr
	or $0x101, %eax			/* LME, SCE */
	wrmsr
	mov %cr0, %eax
	or $0x80000022, %eax		/* PG, NE, MP */
	and $~0xc, %eax			/* not EM, TS */
	mov %eax, %cr0
	lgdt gdt_pointer
	ljmp $SEL_CODE0, $3f
.code64
3:	mov $SEL_DATA0, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	mov $stack_top, %rsp
	call payload_setup
	call payload
	call payload_done
#else
	lgdt gdt_pointer
	ljmp $SEL_CODE0, $3f
3:	mov $SEL_DATA0, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	mov %cr0, %eax
	or $0x22, %eax
	and $~0xc, %eax
	mov %eax, %cr0
	call payload_setup
	call payload
	call payload_done
#endif
4:	cli
	hlt
	jmp 4b

.data
.align 8
.globl gdt_pointer
gdt_pointer:
	.word GDT_ENTRIES * 8 - 1
	.long gdt
	.long 0
.globl multiboot_information
multiboot_information:
	.long 0

.bss
.align 4096
#ifdef __x86_64__
.globl pml4
pml4:			.skip 4096
pdpt:			.skip 4096
.globl page_directories
page_directories:	.skip 4 * 4096
#endif
			.skip 16384
.globl stack_top
stack_top:
