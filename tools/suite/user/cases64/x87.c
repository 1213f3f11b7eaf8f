/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 1 chapters 8 and 9: x87 and MMX. */
#define THEME "user-x87"
#include "user.h"

CASE(u_x87_stack, "FLD, FSTP, FXCH, FFREE, FINCSTP: TOP and tags",
     "fninit; fld1; fldpi; fldz; fxch %st(2); fstp %st(1); ffree %st(1); fincstp; fnstsw %ax");
CASE(u_x87_arithmetic, "FADD, FMUL, FSUBR, FDIV, FSQRT of exact values",
     "fninit; fldl doubles; faddl doubles + 8; fmull doubles + 16; fsubrs singles; fdivs others + "
     "4; fabs; fchs; fld1; fadd %st(0), %st; fmul %st(0), %st; fsqrt; fnstsw %ax");
CASE(u_x87_inexact, "a quotient that is rounded: PE and C1, in the four directions",
     "fninit; fld1; fildl sevens; fdivrp; fstpt memory; fnstsw memory + 16; movw $0x77f, memory + "
     "32; fldcw memory + 32;fld1; fildl sevens; fdivrp; fnstsw memory + 18; movw $0xb7f, memory + "
     "32; fldcw memory + 32; fld1; fildl sevens; fdivrp; movw $0xf7f, memory + 32; fldcw memory + "
     "32; fld1; fildl sevens; fdivrp");
CASE(u_x87_precision, "precision control of 24 and 53 bits",
     "fninit; movw $0x07f, memory; fldcw memory; fld1; fildl sevens; fdivrp; movw $0x27f, memory; "
     "fldcw memory; fld1; fildl sevens; fdivrp");
CASE(u_x87_masked, "masked: division by zero, invalid, overflow",
     "fninit; fld1; fldz; fdivrp; fnstsw memory; fldz; fldz; fdivrp; fnstsw memory + 2; fldl big; "
     "fmull big; fstps memory + 8; fnstsw memory + 4");
CASE(u_x87_unmasked, "an unmasked comparison with a NaN: #MF at the next instruction that waits",
     "fninit; movw $0x37e, memory; fldcw memory; flds odd_singles + 8; fld1; fcom %st(1); nop; "
     "fnstsw memory + 8; fwait");
CASE(u_x87_overflow_stack, "a stack overflow unmasked: IE, SF and C1, and the stack as it was",
     "fninit; movw $0x37e, memory; fldcw memory; fld1; fld1; fld1; fld1; fld1; fld1; fld1; fld1; "
     "fldpi; fnstsw %ax; fwait");
CASE(u_x87_integers, "FILD, FIST, FISTTP of 16, 32 and 64 bits, and what does not fit",
     "fninit; fildl sevens; fidivl bytes + 24; fistl memory; fistpll memory + 8; fldl big; fistl "
     "memory + 16; fldl third; fisttpll memory + 24; fldl doubles + 8; fistps memory + 32; fnstsw "
     "%ax");
CASE(u_x87_decimal, "FBLD and FBSTP",
     "fninit; movl $0x87654321, memory; movl $9, memory + 4; movw $0x8012, memory + 8; fbld "
     "memory; fistpll memory + 16; fldl doubles + 16; fbstp memory + 32");
CASE(u_x87_compare, "FCOM, FUCOM, FCOMI and FXAM",
     "fninit; fld1; fldz; fcom %st(1); fnstsw memory; fcomi %st(1), %st; pushf; fucompp; fnstsw "
     "memory + 2; fxam; fnstsw memory + 4; flds odd_singles + 8; fxam; fnstsw memory + 6; fld1; "
     "fucomip; pushf");
CASE(u_x87_scale, "FSCALE, FXTRACT, FRNDINT, FPREM1",
     "fninit; fildl sevens; fldl doubles; fscale; fxtract; fldl doubles + 8; frndint; fldl "
     "doubles; fildl sevens; fprem1; fnstsw %ax");
CASE(u_x87_control, "FNSTCW, FNSTSW to memory, FNCLEX",
     "fninit; movw $0xf7f, memory; fldcw memory; fnstcw memory + 2; fld1; fldz; fdivrp; fnstsw "
     "memory + 4; fnclex; fnstsw memory + 6");
CASE(u_mmx, "MMX uses the x87's registers; EMMS empties them",
     "fninit; movq bytes, %mm0; paddusb bytes + 16, %mm0; movq other, %mm7; pmaddwd %mm0, %mm7; "
     "packsswb %mm7, %mm0; movd %mm0, %eax; fnstsw memory; emms; fnstsw memory + 2; fldz; fldz; "
     "fldz; fldz; fldz; fldz; fldz; fldz");
