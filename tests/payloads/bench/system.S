/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's ways between levels: loops at level 3 and the handlers of their traps. */
#include "selectors.h"

.text
/* user_loop(code, turns, stack): runs @code at level 3 with the turns in RBX; its INT 0x81 comes
 * back. Returns the RAX that it left. */
.globl user_loop
user_loop:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, kernel_rsp
	mov %rsi, %rbx
	xor %eax, %eax
	push $(SEL_DATA3 + 3)
	push %rdx
	push $2
	push $(SEL_CODE3 + 3)
	push %rdi
	iretq
.globl user_done
user_done:
	mov kernel_rsp, %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret

.globl user_syscalls
user_syscalls:
1:	syscall
	dec %rbx
	jnz 1b
	int $0x81

.globl syscall_entry
syscall_entry:
	inc %rax
	sysretq

.globl user_counts
.align 32
user_counts:
1:	dec %rbx
	jnz 1b
	ud2

.globl user_interrupts
user_interrupts:
1:	int $0x82
	dec %rbx
	jnz 1b
	int $0x81

.globl interrupt_entry
interrupt_entry:
	inc %rax
	iretq

/* Maps the page of the range behind fault_table that was missed. */
.globl page_fault_entry
page_fault_entry:
	push %rax
	push %rcx
	mov %cr2, %rax
	shr $12, %rax
	and $511, %eax
	mov %eax, %ecx
	and $15, %ecx			/* 16 frames serve all pages */
	shl $12, %ecx
	add $(memory + 7), %ecx
	mov %rcx, fault_table(,%rax,8)
	incl fault_count
	pop %rcx
	pop %rax
	add $8, %rsp				/* error code */
	iretq

/* The local APIC's interrupt: counted, and its end signalled. */
.globl apic_entry
apic_entry:
	push %rax
	mov $0xfee000b0, %eax			/* EOI */
	movl $0, (%rax)
	incl apic_count
	pop %rax
	iretq

.data
.align 8
kernel_rsp:		.quad 0
.globl fault_count
fault_count:		.long 0
.globl apic_count
apic_count:		.long 0

.bss
.align 4096
.globl fault_table
fault_table:		.skip 4096
.globl other_pml4
other_pml4:		.skip 4096
