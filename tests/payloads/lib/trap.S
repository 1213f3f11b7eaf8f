/* SPDX-License-Identifier: Apache-2.0 */
/* Exception and interrupt stubs, and the way out of a trap: guarded() calls a body and returns
 * true if a trap ended it. The body begins with the flags of a CMP: none is undefined. */

#ifdef __x86_64__
#define A(reg) %r##reg
#define WORD .quad
#define SIZE 8
#else
#define A(reg) %e##reg
#define WORD .long
#define SIZE 4
#endif

.text
.globl guarded
guarded:
#ifdef __x86_64__
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	push escape_stack
	mov %rsp, escape_stack
	cmp %rsp, %rsp
	call *%rdi
	pop escape_stack
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
#else
	push %ebx; push %ebp; push %esi; push %edi
	push escape_stack
	mov %esp, escape_stack
	cmp %esp, %esp
	call *24(%esp)
	pop escape_stack
	pop %edi; pop %esi; pop %ebp; pop %ebx
#endif
	xor %eax, %eax
	ret

/* Leaves the trap for the innermost guarded(). */
.globl escape
escape:
	mov $0x10, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
#ifdef __x86_64__
	mov escape_stack, %rsp
	pushq $0
	popfq
	cld
	pop escape_stack
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
#else
	mov escape_stack, %esp
	pushl $0
	popfl
	cld
	pop escape_stack
	pop %edi; pop %esi; pop %ebp; pop %ebx
#endif
	mov $1, %eax
	ret

/* 32 bytes each; all but these vectors push a stand-in for the error code (SDM 3A:6.3, table 6-1).
 * They come first in the image, so that they share the upper half of their addresses (link.ld); no
 * more alignment, for the multiboot header has to be in the file's first 8 KiB. */
.section .text.stubs, "ax"
.align 32
.globl trap_stubs
trap_stubs:
.set n, 0
.rept 256
	.align 32
#ifdef __x86_64__
	endbr64
#else
	endbr32
#endif
	.if n == 8 || (n >= 10 && n <= 14) || n == 17 || n == 21
	.else
	push $0xbad
	.endif
	push $n
	jmp trap_common
	.set n, n + 1
.endr
.text

#ifdef __x86_64__
trap_common:
	push %rax; push %rcx; push %rdx; push %rbx; push %rsp; push %rbp; push %rsi; push %rdi
	push %r8; push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15
	mov %ss, %eax
	mov %eax, trap_ss
	cld
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $~15, %rsp
	call trap_handle
	mov %rbx, %rsp
	test %al, %al
	jz escape
	pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8
	pop %rdi; pop %rsi; pop %rbp; pop %rbx; pop %rbx; pop %rdx; pop %rcx; pop %rax
	add $16, %rsp
	iretq
#else
trap_common:
	pusha
	push %ds; push %es; push %fs; push %gs
	mov %ss, %eax
	mov %eax, %ss:trap_ss
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	cld
	mov %esp, %eax
	push %eax
	call trap_handle
	add $4, %esp
	test %al, %al
	jz escape
	pop %gs; pop %fs; pop %es; pop %ds
	popa
	add $8, %esp
	iret
#endif

.data
.align 8
.globl trap_ss
trap_ss:	.long 0, 0
escape_stack:	WORD 0
