/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 4000 rounds over 64 KiB of memory, in which everything that a processor holds has a part: general
 * registers, flags, a stack, x87 and SSE registers with their controls. After each a write to port 0x80.
 * Then a checksum on COM1, and the end by port 0xf4.
 */
#include "multiboot.inc"
#define ROUNDS 4000
#define BUFFER 0x200000
#define WORDS 0x4000
	mov $0x80000, %esp
	mov %cr0, %eax
	and $~0x4, %eax /* EM */
	or $0x22, %eax /* MP, NE */
	mov %eax, %cr0
	mov %cr4, %eax
	or $0x600, %eax /* OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	fninit
	pushl $0x0c7f /* x87: round to zero, all masked */
	fldcw (%esp)
	movl $0x7f80, (%esp) /* MXCSR: the same */
	ldmxcsr (%esp)
	movl $0x3f9d70a4, (%esp) /* 1.23 */
	movss (%esp), %xmm7
	shufps $0, %xmm7, %xmm7
	xorps %xmm0, %xmm0
	fldpi
	fld1
	mov $0x811c9dc5, %ebx
	mov $ROUNDS, %ebp
round:
	mov $BUFFER, %edi
	mov $(WORDS / 64), %ecx /* a 64th of it each time */
	mov %ebp, %eax
	and $63, %eax
	imul $(WORDS / 16), %eax
	add %eax, %edi
word:
	xor (%edi), %ebx
	imul $0x01000193, %ebx
	adc $0, %ebx
	mov %ebx, (%edi)
	push %ebx
	rol $5, %ebx
	pop %edx
	sbb %edx, %ebx
	add $4, %edi
	loop word
	addps %xmm7, %xmm0
	mulps %xmm7, %xmm0
	sqrtps %xmm0, %xmm0
	paddd %xmm0, %xmm1
	movd %ebx, %xmm2
	pxor %xmm2, %xmm1
	fmul %st(1), %st
	fsqrt
	mov %ebp, %eax
	outb %al, $0x80
	dec %ebp
	jnz round
	/* all of it into EBX */
	sub $64, %esp
	movups %xmm0, (%esp)
	movups %xmm1, 16(%esp)
	fstpl 32(%esp)
	fstpl 40(%esp)
	fnstcw 48(%esp)
	stmxcsr 52(%esp)
	mov $14, %ecx
fold:
	xor -4(%esp, %ecx, 4), %ebx
	imul $0x01000193, %ebx
	loop fold
	mov $8, %ecx
digit:
	rol $4, %ebx
	mov %ebx, %eax
	and $15, %eax
	mov digits(%eax), %al
	mov $0x3f8, %edx
	outb %al, %dx
	loop digit
	mov $'\n', %al
	outb %al, %dx
	mov $0, %al
	mov $0xf4, %edx
	outb %al, %dx
1:	hlt
	jmp 1b
digits:
	.ascii "0123456789abcdef"
