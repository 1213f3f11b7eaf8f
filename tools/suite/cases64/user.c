/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions at level 3, each run to its end by UD2: SDM 2A to 2D. */
#define THEME "user"
#include "suite.h"

CASE(user_add_carry, "ADD and ADC of 64 bits: carry from one to the next")
{
	TRY_USER("mov $-1, %rax; mov $1, %edx; add %rdx, %rax; adc $0, %rdx");
}

CASE(user_sub_borrow, "SUB and SBB of 64 bits: borrow from one to the next")
{
	TRY_USER("xor %eax, %eax; mov $5, %edx; sub $1, %rax; sbb $0, %rdx");
}

CASE(user_shift_count, "a shift count is taken modulo 32 or 64; 0 leaves the flags")
{
	TRY_USER("mov $0x81, %eax; mov $33, %cl; shl %cl, %eax; mov $0x81, %edx; shr %cl, %rdx; "
		 "cmp %ecx, %ecx");
	TRY_USER("stc; mov $7, %eax; mov $32, %cl; shl %cl, %eax");
}

CASE(user_rotate_carry, "RCL and RCR by one through CF")
{
	TRY_USER("stc; mov $0x80000000, %eax; rcl $1, %eax; rcr $1, %rdx");
}

CASE(user_mul_wide, "MUL and IMUL of 64 bits: high half in RDX")
{
	TRY_USER("mov $-1, %rax; mov $3, %ecx; mul %rcx; setc %cl; cmp %edx, %edx");
	TRY_USER("mov $-1, %rax; mov $3, %ecx; imul %rcx; setc %cl; cmp %edx, %edx");
}

CASE(user_div_wide, "DIV of 128 by 64 bits")
{
	TRY_USER("mov $1, %edx; mov $7, %eax; mov $-2, %rcx; div %rcx; cmp %ecx, %ecx");
}

CASE(user_divide_error, "DIV by zero at level 3 is #DE on the kernel's stack")
{
	TRY_USER("xor %ecx, %ecx; mov $1, %eax; div %ecx");
}

CASE(user_sign_extend, "CDQE, CQO, MOVSX, MOVSXD")
{
	TRY_USER("mov $0x80000000, %eax; cdqe; cqo");
	TRY_USER("mov $0x80, %ecx; movsx %cl, %rax; mov $0x80000001, %ecx; movslq %ecx, %rdx");
}

CASE(user_zero_extend, "a write of 32 bits clears the upper half, one of 16 or 8 keeps it")
{
	TRY_USER("mov $-1, %rax; mov $-1, %rdx; mov $1, %eax; mov $2, %dx; mov $3, %dl");
}

CASE(user_setcc, "SETcc after a signed and an unsigned comparison")
{
	TRY_USER("mov $-1, %ecx; cmp $1, %ecx; setl %al; setb %ah; setg %dl; seta %dh");
}

CASE(user_cmov, "CMOVcc of 32 bits clears the upper half, also if it does not move")
{
	TRY_USER("mov $-1, %rax; mov $-1, %rdx; xor %ecx, %ecx; cmovz %ecx, %eax; cmovnz %ecx, "
		 "%edx");
}

CASE(user_xchg_xadd, "XCHG and XADD of memory")
{
	TRY_USER("movq $5, scratch; mov $7, %eax; xchg %rax, scratch; mov $2, %edx; lock xadd "
		 "%rdx, scratch");
	show(scratch[0][0]);
}

CASE(user_cmpxchg, "CMPXCHG: equal stores, unequal loads")
{
	TRY_USER("movq $5, scratch; mov $5, %eax; mov $9, %edx; lock cmpxchg %rdx, scratch");
	TRY_USER("mov $5, %eax; mov $1, %edx; lock cmpxchg %rdx, scratch");
}

CASE(user_bit_string, "BTS of memory by a register goes beyond the operand")
{
	TRY_USER("movq $0, scratch + 8; mov $65, %eax; bts %rax, scratch; mov scratch + 8, %rdx");
}

CASE(user_rep_movs, "REP MOVSB, forwards and backwards")
{
	TRY_USER("movabs $0x0807060504030201, %rax; mov %rax, scratch; mov $scratch, %esi; mov "
		 "$scratch + 2, %edi; mov $6, %ecx; rep movsb; mov scratch, %rax; mov %rcx, %rdx");
	TRY_USER("mov $scratch + 7, %esi; mov $scratch + 15, %edi; mov $8, %ecx; std; rep movsb; "
		 "cld; mov scratch + 8, %rax; mov %rsi, %rdx");
}

CASE(user_repne_scas, "REPNE SCASB ends behind what it finds")
{
	TRY_USER("movl $0x44332211, scratch; mov $scratch, %edi; mov $4, %ecx; mov $0x33, %al; "
		 "repne scasb; mov %rdi, %rdx; mov %rcx, %rax");
}

CASE(user_enter_leave, "ENTER and LEAVE")
{
	TRY_USER("mov %rsp, %rdx; enter $32, $0; sub %rsp, %rdx; leave");
}

CASE(user_call_ret, "a near CALL, and RET that pops more")
{
	TRY_USER("mov %rsp, %rdx; push $1; call 1f; sub %rsp, %rdx; ud2; 1: mov (%rsp), %rax; ret "
		 "$8");
}

CASE(user_push_flags, "PUSHF shows neither RF nor VM; POPF keeps IF and IOPL")
{
	TRY_USER("push $0x200ad5; popf; pushf; pop %rax; push $2; popf");
}

CASE(user_sse_add, "ADDPS, SUBPS and MULPS of exact numbers")
{
	TRY_USER("mov $0x40400000, %eax; movd %eax, %xmm0; pshufd $0, %xmm0, %xmm0; movaps "
		 "%xmm0, %xmm1; addps %xmm0, %xmm1; mulps %xmm1, %xmm0; movd %xmm0, %eax; movd "
		 "%xmm1, %edx");
}

CASE(user_sse_convert, "CVTSI2SD, CVTTSD2SI and an integer that does not fit")
{
	TRY_USER("mov $-3, %ecx; cvtsi2sd %ecx, %xmm0; cvttsd2si %xmm0, %eax; mov "
		 "$0x43f0000000000000, %rcx; movq %rcx, %xmm1; cvttsd2si %xmm1, %rdx");
}

CASE(user_sse_shuffle, "PSHUFD, PUNPCKLBW and PMOVMSKB")
{
	TRY_USER("movabs $0x8070605040302010, %rax; movq %rax, %xmm0; punpcklbw %xmm0, %xmm0; "
		 "movaps %xmm0, %xmm1; pshufd $0x1b, %xmm0, %xmm1; pmovmskb %xmm0, %eax; movq "
		 "%xmm1, "
		 "%rdx");
}

CASE(user_x87_stack, "FLD1, FLDPI, FADDP, FISTP: the stack's top and the exception for inexact")
{
	TRY_USER("fninit; fld1; fldpi; faddp; fistpl scratch; fnstsw %ax; mov scratch, %edx; "
		 "fninit");
}

CASE(user_x87_compare, "FUCOMIP of equal, and of a NaN")
{
	TRY_USER("fninit; fld1; fld1; fucomip; setz %al; setp %cl; setc %dl; fninit");
	TRY_USER("fninit; fldz; fldz; fdivp; fld1; fucomip; setz %cl; setp %dl; setc %bl; fnstsw "
		 "%ax; fnclex; "
		 "fninit");
}

CASE(user_unaligned, "an access that crosses two pages")
{
	TRY_USER("movabs $0x1122334455667788, %rax; mov %rax, scratch + 4093; mov scratch + 4092, "
		 "%rdx");
}

CASE(user_no_write, "a store to a page that is read-only for all, at level 3: #PF with W and U")
{
	window[0] = (u64)scratch[1] | PTE_P | PTE_U;
	window_open(PTE_P | PTE_W | PTE_U);
	TRY_USER("mov 0x40000000, %eax; movl $1, 0x40000000");
	window[0] = 0;
	flush();
}
