/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's loops at level 0: each runs RDI turns and returns a sum that shows its work was
 * done right. Written in assembly, so that the work doesn't depend on a compiler. */

.macro LOOP name
.text
.align 32
.globl \name
\name:
.endm

/* 16 instructions a turn. */
LOOP alu
	mov $1, %eax
	mov $2, %ecx
	mov $3, %edx
	mov $5, %r8d
.align 32
1:	add %rcx, %rax
	xor %rax, %rdx
	lea 7(%rcx,%rdx,2), %rcx
	sub $13, %rdx
	rol $5, %eax
	and $0x7fffffff, %ecx
	or $1, %edx
	imul %rdx, %r8
	add %r8d, %eax
	shr $3, %rcx
	mov %rax, %r9
	not %r9
	adc %r9, %rdx
	movzbl %al, %r10d
	add %r10, %rcx
	dec %rdi
	jnz 1b
	ret

/* Branches that follow the bits of a xorshift generator, one of them indirect. */
LOOP branches
	mov $0x2545f491, %edx
	xor %eax, %eax
	lea branch_targets(%rip), %rsi
.align 32
1:	mov %rdx, %rcx
	shl $13, %rcx
	xor %rcx, %rdx
	mov %rdx, %rcx
	shr $7, %rcx
	xor %rcx, %rdx
	mov %rdx, %rcx
	shl $17, %rcx
	xor %rcx, %rdx
	test $1, %dl
	jz 2f
	add $3, %rax
2:	test $2, %dl
	jnz 3f
	xor %rdx, %rax
3:	cmp $64, %dh
	ja 4f
	inc %rax
4:	cmp %edx, %eax
	jge 5f
	sub $7, %rax
5:	mov %edx, %ecx
	shr $20, %ecx
	and $3, %ecx
	jmp *(%rsi,%rcx,8)
target0:
	add $1, %rax
	jmp 6f
target1:
	add $2, %rax
	jmp 6f
target2:
	shl $1, %rax
	jmp 6f
target3:
	xor $5, %rax
6:	dec %rdi
	jnz 1b
	ret
.section .rodata
.align 8
branch_targets:
	.quad target0, target1, target2, target3

/* A turn: the 20th Fibonacci number by recursion, 21,891 calls; some of them indirect. */
LOOP calls
	push %rbx
	push %rbp
	mov %rdi, %rbp
	xor %ebx, %ebx
	lea fibonacci(%rip), %r12
1:	mov $20, %edi
	call *%r12
	add %rax, %rbx
	dec %rbp
	jnz 1b
	mov %rbx, %rax
	pop %rbp
	pop %rbx
	ret
fibonacci:
	cmp $2, %edi
	jb 1f
	push %rbx
	push %rdi
	dec %edi
	call fibonacci
	pop %rdi
	mov %rax, %rbx
	sub $2, %edi
	call fibonacci
	add %rbx, %rax
	pop %rbx
	ret
1:	mov %edi, %eax
	ret

/* Loads and stores of all sizes in 64 KiB. */
LOOP load_store
	lea memory(%rip), %rsi
	xor %eax, %eax
	xor %ecx, %ecx
.align 32
1:	add (%rsi,%rcx), %rax
	mov %rax, 8(%rsi,%rcx)
	movzbl 3(%rsi,%rcx), %edx
	add %edx, 16(%rsi,%rcx)
	mov 20(%rsi,%rcx), %r8d
	mov %r8w, 24(%rsi,%rcx)
	movslq 24(%rsi,%rcx), %r9
	push %r9
	xor 8(%rsi,%rcx), %r8
	pop %r10
	mov %r8, 32(%rsi,%rcx)
	add %r10, %rax
	mov %al, 40(%rsi,%rcx)
	inc %rax
	add $56, %ecx
	and $0xffff, %ecx
	dec %rdi
	jnz 1b
	ret

/* A turn: copies and fills of 4,096 and of 24 bytes, a search, a comparison, and 16 LODSB. */
LOOP strings
	cld
	mov %rdi, %rdx
	xor %r8d, %r8d
1:	lea memory(%rip), %rsi
	lea memory+0x8000(%rip), %rdi
	mov $4096, %ecx
	rep movsb
	mov $512, %ecx
	mov %rdx, %rax
	rep stosq
	lea memory(%rip), %rsi
	mov $24, %ecx
	rep movsb
	mov $6, %ecx
	rep stosl
	lea memory+0x9000(%rip), %rdi
	mov $0x100, %eax		/* AL = 0 is found only by chance */
	mov $256, %ecx
	repne scasb
	add %rcx, %r8
	lea memory(%rip), %rsi
	lea memory+0x8000(%rip), %rdi
	mov $256, %ecx
	repe cmpsb
	add %rcx, %r8
	lea memory(%rip), %rsi
	mov $16, %ecx
2:	lodsb
	add %rax, %r8
	dec %ecx
	jnz 2b
	dec %rdx
	jnz 1b
	mov %r8, %rax
	ret

/* Packed and scalar doubles, singles and integers. */
LOOP sse
	movdqu integers(%rip), %xmm4
	movdqu integers(%rip), %xmm5
	movupd halves(%rip), %xmm0
	movupd halves(%rip), %xmm6
	movupd ones(%rip), %xmm1
	movups floats(%rip), %xmm2
	movups floats(%rip), %xmm3
.align 32
1:	mulpd %xmm6, %xmm0
	addpd %xmm1, %xmm0
	paddd %xmm4, %xmm5
	pshufd $0x39, %xmm5, %xmm7
	pxor %xmm7, %xmm4
	mulss %xmm3, %xmm2
	addss %xmm3, %xmm2
	movaps %xmm0, %xmm8
	sqrtpd %xmm8, %xmm8
	subsd %xmm1, %xmm8
	cvttsd2si %xmm8, %eax
	pmuludq %xmm5, %xmm7
	pcmpgtd %xmm4, %xmm7
	punpcklbw %xmm7, %xmm5
	dec %rdi
	jnz 1b
	paddq %xmm5, %xmm4
	paddq %xmm0, %xmm4
	paddq %xmm2, %xmm4
	movq %xmm4, %rcx
	add %rcx, %rax
	ret

/* The same width doubled, with FMA. */
LOOP avx
	vmovdqu integers(%rip), %ymm4
	vmovdqu integers(%rip), %ymm5
	vmovupd halves(%rip), %ymm0
	vmovupd halves(%rip), %ymm6
	vmovupd ones(%rip), %ymm1
.align 32
1:	vfmadd213pd %ymm1, %ymm6, %ymm0
	vaddpd %ymm1, %ymm0, %ymm2
	vmulpd %ymm6, %ymm2, %ymm2
	vpaddd %ymm4, %ymm5, %ymm5
	vpshufb %ymm4, %ymm5, %ymm7
	vpxor %ymm7, %ymm4, %ymm4
	vpermq $0x39, %ymm5, %ymm8
	vpsrlvd %ymm5, %ymm8, %ymm9
	vpcmpeqb %ymm9, %ymm7, %ymm10
	vpor %ymm10, %ymm5, %ymm5
	vmovdqu %ymm2, memory(%rip)
	vpmovmskb %ymm10, %eax
	dec %rdi
	jnz 1b
	vpaddq memory(%rip), %ymm5, %ymm5
	vpaddq %ymm4, %ymm5, %ymm5
	vmovq %xmm5, %rcx
	add %rcx, %rax
	vzeroupper
	ret

LOOP x87
	fninit
	fldl ones(%rip)
	fldl halves(%rip)
.align 32
1:	fld %st(0)
	fmul %st(2), %st
	fadds floats(%rip)
	fsqrt
	fxch %st(1)
	fmull halves(%rip)
	faddp %st, %st(1)
	fld %st(0)
	fdivl threes(%rip)
	fstpl memory(%rip)
	fcom %st(1)
	fnstsw %ax
	dec %rdi
	jnz 1b
	movzwl %ax, %eax
	add memory(%rip), %rax
	fninit
	ret

/* Code that the loop itself has just changed. */
LOOP self_modifying
	lea patched(%rip), %rsi
	xor %edx, %edx
1:	mov %edi, 1(%rsi)
	call patched
	add %rax, %rdx
	dec %rdi
	jnz 1b
	mov %rdx, %rax
	ret
.align 4096
patched:
	mov $0, %eax
	ret
.align 4096

.data
.align 32
integers:	.long 0x01030507, 0x090b0d0f, 0x11131517, 0x191b1d1f
		.long 0x21232527, 0x292b2d2f, 0x31333537, 0x393b3d3f
halves:		.double 0.5, 0.5, 0.5, 0.5
ones:		.double 1.0, 2.0, 3.0, 4.0
threes:		.double 3.0
floats:		.float 0.75, 0.75, 0.75, 0.75

.bss
.align 4096
.globl memory
memory:		.skip 0x10000 + 4096
