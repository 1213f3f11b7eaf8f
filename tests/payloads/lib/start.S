/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot 0.6.96 entry: 32-bit protected mode, flat, no paging. The 64-bit payloads go on to long
 * mode with the first 4 GiB mapped one to one by 2 MiB pages, user-accessible. Tables are data: an
 * engine that is stepped gets to the payload itself in a few hundred instructions. */
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

/* Interrupt gates of level 0, one to each of the stubs (SDM 3A:6.11, 6.14.1). */
.align 16
.globl idt
idt:
.set n, 0
.rept 256
	.word trap_stubs_low + 32 * n, SEL_CODE0, 0x8e00, trap_stubs_high
#ifdef __x86_64__
	.long 0, 0
#endif
	.set n, n + 1
.endr

#ifdef __x86_64__
.align 4096
.globl pml4
pml4:
	.quad pdpt + 7
	.skip 4096 - 8
pdpt:
	.quad page_directories + 7, page_directories + 0x1007
	.quad page_directories + 0x2007, page_directories + 0x3007
	.skip 4096 - 4 * 8
.globl page_directories
page_directories:
.set n, 0
.rept 2048
	.quad n * 0x200000 + 0x87
	.set n, n + 1
.endr
#endif

.bss
.align 4096
			.skip 16384
.globl stack_top
stack_top:
