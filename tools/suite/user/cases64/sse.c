/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 1 chapters 10 to 12: SSE to SSE4.2. */
#define THEME "user-sse"
#include "user.h"

CASE(u_sse_moves, "moves keep or clear the rest of their register",
     "movaps bytes, %xmm0; movss singles, %xmm0; movups other + 3, %xmm1; movsd %xmm1, %xmm2; "
     "movhlps %xmm0, %xmm1; movlps doubles, %xmm2; movd %ebx, %xmm3; movq %xmm0, %xmm0; movddup "
     "%xmm1, %xmm4; movntps %xmm1, memory; movq %xmm2, memory + 16");
CASE(u_sse_arithmetic, "ADDPS, SUBPD, MULPS, DIVSS, SQRTSD, MINPS, MAXPS of exact values",
     "movaps singles, %xmm0; addps others, %xmm0; movapd doubles, %xmm1; subpd doubles + 16, "
     "%xmm1; movaps singles, %xmm2; mulps others, %xmm2; divss others + 4, %xmm2; sqrtsd doubles + "
     "16, %xmm3; minps others, %xmm0; maxps singles, %xmm1; haddps %xmm0, %xmm2; addsubpd %xmm1, "
     "%xmm3");
CASE(u_sse_special, "denormals, infinities, NaN and SNaN, all masked: results and flags in MXCSR",
     "movaps odd_singles, %xmm0; movaps odd_singles + 16, %xmm1; movaps %xmm0, %xmm2; addps %xmm1, "
     "%xmm2; mulps %xmm0, %xmm1; stmxcsr memory; minps %xmm2, %xmm0; cmpltps %xmm1, %xmm2; "
     "cvtps2dq %xmm0, %xmm3; stmxcsr memory + 4; movl $0x1f80, memory + 8; ldmxcsr memory + 8");
CASE(u_sse_rounding, "1/3 in the four directions; ROUNDSD by its own",
     "mov $0x3ff0000000000000, %rax; movq %rax, %xmm0; movl $0x3f80, memory; ldmxcsr memory; "
     "movaps %xmm0, %xmm1; divsd third, %xmm1; movl $0x5f80, memory; ldmxcsr memory; movaps %xmm0, "
     "%xmm2; divsd third, %xmm2; movl $0x7f80, memory; ldmxcsr memory; movaps %xmm0, %xmm3; divsd "
     "third, %xmm3; roundsd $1, %xmm1, %xmm4; roundsd $2, %xmm1, %xmm5; movl $0x1f80, memory; "
     "ldmxcsr memory");
CASE(u_sse_flush, "FTZ and DAZ",
     "movl $0x9fc0, memory; ldmxcsr memory; movaps odd_singles, %xmm0; addps %xmm0, %xmm0; mov "
     "$0x00800000, %eax; movd %eax, %xmm1; mulss others, %xmm1; stmxcsr memory + 4; movl $0x1f80, "
     "memory; ldmxcsr memory");
CASE(u_sse_unmasked, "an unmasked division by zero: #XM, with nothing written",
     "movl $0x1d80, memory; ldmxcsr memory; xorps %xmm0, %xmm0; movaps singles, %xmm1; divps "
     "%xmm0, %xmm1");
CASE(u_sse_unaligned, "MOVAPS of an address that is no multiple of 16: #GP(0)",
     "movaps bytes + 8, %xmm0");
CASE(u_sse_unaligned_add, "an operand in memory that is not aligned: #GP(0)",
     "paddd bytes + 4, %xmm0");
CASE(u_sse_unaligned_absent, "not aligned and not there: #GP(0) before #PF",
     "movaps memory + 8192 + 8, %xmm0");
CASE(u_sse_across, "MOVUPS across the edge stores nothing",
     "movaps bytes, %xmm0; movups %xmm0, memory + 8192 - 9");
CASE(u_sse_compare, "UCOMISS, COMISD: less, equal, unordered",
     "movss singles, %xmm0; ucomiss others, %xmm0; pushf; ucomiss %xmm0, %xmm0; pushf; movsd "
     "doubles, %xmm1; comisd big, %xmm1; pushf; ucomiss odd_singles + 8, %xmm0; pushf; stmxcsr "
     "memory");
CASE(u_sse_convert, "conversions between integers and floating point, and what does not fit",
     "mov $-7, %eax; cvtsi2sd %eax, %xmm0; cvtsi2ss %rbx, %xmm1; cvttsd2si big, %rcx; cvtss2si "
     "singles, %edx; cvtdq2ps sevens, %xmm2; cvtps2pd singles, %xmm3; cvtpd2ps doubles, %xmm4; "
     "cvttps2dq singles, %xmm5; stmxcsr memory; movl $0x1f80, memory; ldmxcsr memory");
CASE(u_sse_shuffles, "SHUFPS, PSHUFD, PSHUFLW, UNPCK, PSHUFB, PALIGNR, PBLENDW, INSERTPS",
     "movaps bytes, %xmm0; shufps $0x1b, other, %xmm0; pshufd $0x4e, bytes, %xmm1; pshuflw $0x1b, "
     "bytes, %xmm2; punpckhbw %xmm1, %xmm2; pshufb other, %xmm1; palignr $5, %xmm0, %xmm1; pblendw "
     "$0x5a, bytes, %xmm2; insertps $0x9c, singles + 4, %xmm0; unpcklpd %xmm2, %xmm0");
CASE(u_sse_integer, "saturation, averages, products, sums of differences, comparisons",
     "movdqa bytes, %xmm0; movdqa other, %xmm1; movdqa %xmm0, %xmm2; paddsb %xmm1, %xmm2; movdqa "
     "%xmm0, %xmm3; psubusw %xmm1, %xmm3; movdqa %xmm0, %xmm4; pavgb %xmm1, %xmm4; movdqa %xmm0, "
     "%xmm5; pmulhuw %xmm1, %xmm5; movdqa %xmm0, %xmm6; psadbw %xmm1, %xmm6; pmaddubsw %xmm1, "
     "%xmm0; pcmpgtb %xmm1, %xmm0; pmovmskb %xmm0, %eax; pmuludq %xmm2, %xmm1; packuswb %xmm3, "
     "%xmm4; phaddsw %xmm5, %xmm6");
CASE(u_sse_shift, "vector shifts, by more than the element",
     "movdqa bytes, %xmm0; psllw $3, %xmm0; movdqa bytes, %xmm1; psrad $40, %xmm1; movdqa bytes, "
     "%xmm2; pslldq $5, %xmm2; movq sevens, %xmm3; psrlq %xmm3, %xmm2; movd %ecx, %xmm4; psraw "
     "%xmm4, %xmm0");
CASE(u_sse4, "PTEST, PINSR, PEXTR, PMULLD, PMOVSX, PHMINPOSUW, DPPS, MPSADBW, BLENDV",
     "movdqa bytes, %xmm0; ptest other, %xmm0; pushf; pinsrb $3, %eax, %xmm0; pextrw $2, %xmm0, "
     "%ecx; pmulld other, %xmm0; pmovsxbw bytes, %xmm1; phminposuw %xmm1, %xmm2; movaps singles, "
     "%xmm3; dpps $0x73, others, %xmm3; mpsadbw $5, other, %xmm1; pblendvb %xmm0, bytes, %xmm2; "
     "blendvps %xmm0, others, %xmm3; pminud other, %xmm1; extractps $1, %xmm3, %edx");
CASE(u_sse_text, "PCMPISTRI and PCMPESTRM: index, mask and flags",
     NEEDS_SSE4_2
     "movdqa bytes + 16, %xmm0; pcmpistri $0x0c, other, %xmm0; pushf; mov $9, %eax; mov $7, %edx; "
     "pcmpestrm $0x58, other, %xmm0; pushf; pcmpistrm $0x04, bytes, %xmm0; pushf");
CASE(u_sse_masked_store, "MASKMOVDQU stores the bytes whose mask is set",
     "movdqa bytes, %xmm0; pxor %xmm1, %xmm1; mov $0x80, %eax; movd %eax, %xmm1; mov $memory + "
     "8192 - 16, %edi; maskmovdqu %xmm1, %xmm0; mov $memory, %edi; movdqa bytes, %xmm2; maskmovdqu "
     "%xmm2, %xmm0");
CASE(u_aes, "AESENC, AESDECLAST, AESIMC, AESKEYGENASSIST",
     NEEDS_AES "movdqa bytes, %xmm0; aesenc other, %xmm0; aesdeclast bytes, %xmm0; aesimc other, "
	       "%xmm1; aeskeygenassist $0x1b, bytes, %xmm2");
CASE(u_pclmul, "PCLMULQDQ of each pair of halves",
     NEEDS_PCLMULQDQ "movdqa bytes, %xmm0; pclmulqdq $0x01, other, %xmm0; movdqa bytes, %xmm1; "
		     "pclmulqdq $0x10, other, %xmm1; pclmulqdq $0x11, bytes, %xmm0");
CASE(u_sha, "SHA1RNDS4, SHA1MSG2, SHA256RNDS2, SHA256MSG1",
     NEEDS_SHA "movdqa bytes, %xmm0; movdqa other, %xmm1; sha1rnds4 $2, %xmm0, %xmm1; sha1msg2 "
	       "%xmm1, %xmm0; movdqa bytes + 16, %xmm2; sha256rnds2 %xmm0, %xmm1, %xmm2; "
	       "sha256msg1 %xmm2, %xmm1; sha1nexte %xmm1, %xmm0");
CASE(u_fxsave, "FXSAVE, and FXRSTOR of what it stored",
     "fninit; fld1; movaps bytes, %xmm5; fxsave memory; fninit; pxor %xmm5, %xmm5; fxrstor memory; "
     "movw $0, memory + 6; movq $0, memory + 8; movq $0, memory + 16; movl $0, memory + 28");
CASE(u_fxrstor_reserved, "FXRSTOR of reserved bits in MXCSR: #GP(0)",
     "fxsave memory; movw $0, memory + 6; movq $0, memory + 8; movq $0, memory + 16; movl $0, "
     "memory + 28; movl $-1, memory + 24; fxrstor memory");
