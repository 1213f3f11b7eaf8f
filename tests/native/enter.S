/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into the instruction under test and back. Every access is to an absolute address below 2 GiB,
 * since no register may be touched; offsets are those of struct context in host.c.
 */
#define CONTEXT 0x30000000
#define GPR(n)	CONTEXT + 8 * (n)
#define RFLAGS	CONTEXT + 128
#define TARGET	CONTEXT + 136
#define C_STACK CONTEXT + 152
#define STACK	CONTEXT + 160
#define FAR	CONTEXT + 168
#define DATA	CONTEXT + 174
#define XSAVE	CONTEXT + 1024

	.macro enter_state
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, C_STACK
	mov	$7, %eax
	xor	%edx, %edx
	xrstor64 XSAVE
	mov	STACK, %rsp
	pushq	RFLAGS
	popfq
	mov	GPR(0), %rax
	mov	GPR(1), %rcx
	mov	GPR(2), %rdx
	mov	GPR(3), %rbx
	mov	GPR(5), %rbp
	mov	GPR(6), %rsi
	mov	GPR(7), %rdi
	mov	GPR(8), %r8
	mov	GPR(9), %r9
	mov	GPR(10), %r10
	mov	GPR(11), %r11
	mov	GPR(12), %r12
	mov	GPR(13), %r13
	mov	GPR(14), %r14
	mov	GPR(15), %r15
	.endm

	.text
	.globl	native_enter
native_enter:
	enter_state
	mov	GPR(4), %rsp
	jmp	*TARGET

/* To 32- or 16-bit code: data segments from the LDT, then a far jump. */
	.globl	native_enter_compat
native_enter_compat:
	enter_state
	movw	DATA, %ds
	movw	DATA, %es
	movw	DATA, %ss
	mov	GPR(4), %rsp
	ljmpl	*FAR

	.globl	native_leave
native_leave:
	mov	%rax, GPR(0)
	mov	%rcx, GPR(1)
	mov	%rdx, GPR(2)
	mov	%rbx, GPR(3)
	mov	%rsp, GPR(4)
	mov	%rbp, GPR(5)
	mov	%rsi, GPR(6)
	mov	%rdi, GPR(7)
	mov	%r8, GPR(8)
	mov	%r9, GPR(9)
	mov	%r10, GPR(10)
	mov	%r11, GPR(11)
	mov	%r12, GPR(12)
	mov	%r13, GPR(13)
	mov	%r14, GPR(14)
	mov	%r15, GPR(15)
	mov	STACK, %rsp
	pushfq
	popq	RFLAGS
	pushq	$0x202
	popfq
	mov	$7, %eax
	xor	%edx, %edx
	xsave64	XSAVE
	fninit
	vzeroupper
	movl	$0x1f80, -16(%rsp)
	ldmxcsr	-16(%rsp)
	mov	C_STACK, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack,"",@progbits
