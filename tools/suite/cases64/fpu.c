/* SPDX-License-Identifier: Apache-2.0 */
/* x87, SSE and XSAVE state: SDM 1 chapters 8 to 14. */
#define THEME "fpu"
#include "suite.h"

CASE(fninit, "FNINIT: control word 37FH, everything empty")
{
	TRY("fld1; fninit; fnstcw scratch; fnstsw %ax; mov scratch, %dx");
}

CASE(fpu_stack, "FLD and FSTP move TOP; tags follow")
{
	TRY("fninit; fld1; fldpi; fldz; fnstsw %ax");
	TRY("fstp %st(0); fnstsw %ax; fninit");
}

CASE(fpu_arithmetic, "FADD, FMUL, FDIV, FSQRT of exact values")
{
	TRY("fninit; fld1; fadd %st(0), %st; fld %st(0); fmul %st(1), %st; fdivrp; fstpl scratch; "
	    "mov scratch, %rax");
	TRY("fninit; movl $16, scratch; fildl scratch; fsqrt; fistpll scratch + 8; mov scratch + "
	    "8, %rax; fninit");
}

CASE(fpu_masked_divide, "a masked division by zero gives infinity and ZE")
{
	TRY("fninit; fld1; fldz; fdivrp; fnstsw %ax; fstpl scratch; mov scratch, %rdx; fninit");
}

CASE(fpu_unmasked_divide, "an unmasked one is #MF at the next instruction that waits")
{
	TRY("fninit; movw $0x37b, scratch; fldcw scratch; fld1; fldz; fdivrp; nop; fwait");
	TRY("fnclex; fninit");
}

CASE(fpu_compare, "FCOM, FCOMI and FXAM")
{
	TRY("fninit; fld1; fldz; fcom %st(1); fnstsw %ax; fcomi %st(1), %st; pushf; pop %rdx; "
	    "fninit");
	TRY("fninit; fxam; fnstsw %ax; fldz; fchs; fxam; fnstsw %ax; fninit");
}

CASE(fpu_rounding, "FIST in the four rounding modes")
{
	TRY("fninit; movl $5, scratch; fildl scratch; movl $2, scratch; fidivl scratch; fistl "
	    "scratch;"
	    "movw $0x77f, scratch + 8; fldcw scratch + 8; fistl scratch + 4; mov scratch, %rax; "
	    "fninit");
	TRY("fninit; movl $-5, scratch; fildl scratch; movl $2, scratch; fidivl scratch; movw "
	    "$0xb7f, scratch + 8;"
	    "fldcw scratch + 8; fistl scratch; movw $0xf7f, scratch + 8; fldcw scratch + 8; fistl "
	    "scratch + 4;"
	    "mov scratch, %rax; fninit");
}

CASE(fpu_extended_store, "FLD and FSTP of 80 bits keep every bit")
{
	TRY("fninit; movl $0xdeadbeef, scratch; movl $0x80001234, scratch + 4; movw $0x4005, "
	    "scratch + 8; fldt scratch;"
	    "fstpt scratch + 16; mov scratch + 16, %rax; movzwl scratch + 24, %edx; fninit");
}

CASE(fpu_bcd, "FBLD and FBSTP")
{
	TRY("fninit; movq $0x12345, scratch; movw $0x8000, scratch + 8; fbld scratch; fistl "
	    "scratch + 32; fbstp scratch + 16;"
	    "mov scratch + 16, %rax; mov scratch + 32, %edx; fninit");
}

CASE(fxsave, "FXSAVE and FXRSTOR of 512 bytes")
{
	TRY("fninit; fld1; mov $0x1234, %eax; movd %eax, %xmm5; fxsave scratch; fninit; pxor "
	    "%xmm5, %xmm5;"
	    "fxrstor scratch; movd %xmm5, %eax; movl $0, scratch + 4; movq $0, scratch + 8; movq "
	    "$0, scratch + 16; fninit");
}

CASE(ldmxcsr, "LDMXCSR of reserved bits is #GP(0)")
{
	TRY("movl $0x7f80, scratch; ldmxcsr scratch; stmxcsr scratch + 4; mov scratch + 4, %eax");
	TRY("movl $0x80001f80, scratch; ldmxcsr scratch");
	TRY("movl $0x1f80, scratch; ldmxcsr scratch");
}

CASE(sse_moves, "MOVAPS, MOVHLPS, MOVSS keep or clear the upper lanes")
{
	TRY("mov $0x1111222233334444, %rax; movq %rax, %xmm0; movlhps %xmm0, %xmm0; movaps %xmm0, "
	    "scratch;"
	    "movss scratch + 4, %xmm1; movaps %xmm1, scratch + 16; movss %xmm1, %xmm0; movq %xmm0, "
	    "%rdx");
}

CASE(sse_arithmetic, "ADDPS and MULPD of exact values")
{
	TRY("mov $0x40000000, %eax; movd %eax, %xmm0; shufps $0, %xmm0, %xmm0; addps %xmm0, %xmm0; "
	    "movq %xmm0, %rax;"
	    "mulss %xmm0, %xmm0; movd %xmm0, %edx");
}

CASE(sse_exception, "an unmasked SSE exception is #XM")
{
	TRY("movl $0x1d80, scratch; ldmxcsr scratch; xorps %xmm0, %xmm0; mov $0x3f800000, %eax; "
	    "movd %eax, %xmm1;"
	    "divss %xmm0, %xmm1");
	TRY("stmxcsr scratch; mov scratch, %eax; movl $0x1f80, scratch; ldmxcsr scratch");
}

CASE(sse_masked, "masked ones gather in MXCSR")
{
	TRY("xorps %xmm0, %xmm0; mov $0x3f800000, %eax; movd %eax, %xmm1; divss %xmm0, %xmm1; movd "
	    "%xmm1, %edx;"
	    "stmxcsr scratch; mov scratch, %eax; movl $0x1f80, scratch; ldmxcsr scratch");
}

CASE(sse_compare, "UCOMISS and COMISD set ZF, PF and CF")
{
	TRY("mov $0x3f800000, %eax; movd %eax, %xmm0; xorps %xmm1, %xmm1; ucomiss %xmm1, %xmm0; "
	    "pushf; pop %rax;"
	    "mov $0x7fc00000, %edx; movd %edx, %xmm1; ucomiss %xmm1, %xmm0; pushf; pop %rdx");
}

CASE(sse_convert, "CVTSI2SD, CVTTSD2SI, and the integer indefinite")
{
	TRY("mov $-7, %eax; cvtsi2sd %eax, %xmm0; cvttsd2si %xmm0, %edx; movq %xmm0, %rax");
	TRY("mov $0x7ff0000000000000, %rax; movq %rax, %xmm0; cvttsd2si %xmm0, %edx; mov $0x1f80, "
	    "%ecx; mov %ecx, scratch;"
	    "ldmxcsr scratch");
}

CASE(sse_integer, "PADDB, PCMPEQD, PMOVMSKB, PSHUFB")
{
	TRY("mov $0x80ff7f0180ff7f01, %rax; movq %rax, %xmm0; paddb %xmm0, %xmm0; movq %xmm0, "
	    "%rax; pcmpeqd %xmm1, %xmm1;"
	    "pmovmskb %xmm1, %edx; pshufb %xmm1, %xmm0; movq %xmm0, %rcx");
}

CASE(sse4, "PTEST, PINSRD, PMULLD")
{
	TRY("mov $3, %eax; pxor %xmm2, %xmm2; pinsrd $2, %eax, %xmm2; pmulld %xmm2, %xmm2; pextrd "
	    "$2, %xmm2, %edx;"
	    "ptest %xmm2, %xmm2; setz %al; cmp %ecx, %ecx");
}

CASE(xsave_state, "XSAVE stores XSTATE_BV; XRSTOR of a clear bit initialises")
{
	TRY("mov %cr4, %rax; or $0x40000, %rax; mov %rax, %cr4");
	TRY("fninit; fld1; mov $7, %eax; movd %eax, %xmm0; mov $3, %eax; xor %edx, %edx; movq $0, "
	    "scratch + 512;"
	    "xsave scratch; mov scratch + 512, %rcx; andq $~2, scratch + 512; xrstor scratch; movd "
	    "%xmm0, %eax;"
	    "movl $0, scratch + 4; movq $0, scratch + 8; movq $0, scratch + 16; fninit");
}

CASE(xrstor_reserved, "XRSTOR of a header with a reserved bit is #GP(0)")
{
	TRY("mov %cr4, %rax; or $0x40000, %rax; mov %rax, %cr4; mov $3, %eax; xor %edx, %edx; movq "
	    "$0, scratch + 512;"
	    "xsave scratch; btsq $5, scratch + 512; xrstor scratch");
	TRY("movq $0, scratch + 512; movq $1, scratch + 528; mov $3, %eax; xor %edx, %edx; xrstor "
	    "scratch");
	TRY("mov $3, %eax; xor %edx, %edx; xsave scratch + 8");
	TRY("movl $0, scratch + 4; movq $0, scratch + 8; movq $0, scratch + 16; fninit");
}
