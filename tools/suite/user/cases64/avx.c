/* SPDX-License-Identifier: Apache-2.0 */
/* SDM 1 chapters 13 and 14: AVX, AVX2, FMA, and XSAVE. */
#define THEME "user-avx"
#include "user.h"

CASE(u_avx_moves, "a VEX write of 128 bits clears the upper half, one of SSE keeps it",
     NEEDS_AVX "vmovdqa bytes, %ymm0; vmovdqa %xmm0, %xmm1; movdqa other, %xmm0; vmovss singles, "
	       "%xmm2; vmovups %ymm0, memory + 5; vbroadcastss singles, %ymm3; vinsertf128 $1, "
	       "other, %ymm0, %ymm4; vextractf128 $1, %ymm0, memory + 64");
CASE(u_avx_zero, "VZEROUPPER and VZEROALL",
     NEEDS_AVX "vmovdqa bytes, %ymm0; vmovdqa other, %ymm15; vzeroupper; vmovdqa bytes, %ymm7; "
	       "movdqa %xmm7, %xmm8; vzeroall; vmovdqa other, %ymm1");
CASE(u_avx_arithmetic, "VADDPS, VMULPD, VDIVPS, VSQRTPD, VHADDPS of 256 bits",
     NEEDS_AVX "vmovaps singles, %ymm0; vaddps others, %ymm0, %ymm1; vmulpd doubles, %ymm0, %ymm2; "
	       "vsubps others, %ymm0, %ymm3; vandpd doubles, %ymm1, %ymm4; vsqrtpd doubles, %ymm5; "
	       "vhaddps %ymm3, %ymm1, %ymm6; vcmpps $0x1e, others, %ymm0, %ymm7; vroundps $3, "
	       "%ymm0, %ymm8; vdpps $0xf1, others, %ymm0, %ymm9; vmovmskps %ymm7, %eax");
CASE(u_avx_permute, "VPERMILPS, VPERM2F128, VSHUFPD, VUNPCKHPS, VTESTPS",
     NEEDS_AVX
     "vmovaps singles, %ymm0; vpermilps $0x1b, %ymm0, %ymm1; vperm2f128 $0x83, others, %ymm0, "
     "%ymm2; vshufpd $5, %ymm1, %ymm0, %ymm3; vunpckhps %ymm1, %ymm0, %ymm4; vblendvps %ymm0, "
     "others, %ymm1, %ymm5; vtestps others, %ymm0; pushf; vptest %ymm1, %ymm0; pushf");
CASE(u_avx_masked, "VMASKMOVPS reads and writes beyond the edge nothing that its mask leaves out",
     NEEDS_AVX
     "vpcmpeqd %xmm0, %xmm0, %xmm0; vpsrldq $8, %xmm0, %xmm0; vmovups readonly, %ymm1; vmaskmovps "
     "memory + 8192 - 8, %ymm0, %ymm2; vmaskmovps %ymm1, %ymm0, memory + 8192 - 8");
CASE(u_avx_masked_fault, "VMASKMOVPS of an element beyond the edge: #PF",
     NEEDS_AVX "vpcmpeqd %xmm0, %xmm0, %xmm0; vmaskmovps memory + 8192 - 8, %xmm0, %xmm2");
CASE(u_avx_unaligned, "VADDPS takes any address, VMOVAPS of 256 bits multiples of 32: #GP(0)",
     NEEDS_AVX "vaddps singles + 4, %xmm1, %xmm1; vmovaps bytes + 16, %ymm0");
CASE(u_avx_no_vvvv, "VEX.vvvv where the instruction has no second source: #UD",
     NEEDS_AVX ".byte 0xc5, 0xe9, 0x6f, 0xc1");
CASE(u_avx_prefix, "66H before VEX: #UD", NEEDS_AVX ".byte 0x66, 0xc5, 0xf9, 0x6f, 0xc1");
CASE(u_avx2_integer, "VPADDD, VPMADDUBSW, VPACKSSDW, VPALIGNR, VPSADBW of 256 bits: lanes apart",
     NEEDS_AVX2 "vmovdqa bytes, %ymm0; vmovdqa other, %ymm1; vpaddd %ymm1, %ymm0, %ymm2; "
		"vpmaddubsw %ymm1, %ymm0, %ymm3; vpackssdw %ymm1, %ymm0, %ymm4; vpalignr $7, "
		"%ymm1, %ymm0, %ymm5; vpsadbw %ymm1, %ymm0, %ymm6; vpshufb %ymm1, %ymm0, %ymm7; "
		"vpmovmskb %ymm0, %eax; vpabsb %ymm0, %ymm8; vpsignw %ymm1, %ymm0, %ymm9");
CASE(u_avx2_permute, "VPERMD, VPERMQ, VPERM2I128, VPBROADCASTB, VPBLENDD, VPMOVZXBD",
     NEEDS_AVX2 "vmovdqa indices, %ymm0; vpermd bytes, %ymm0, %ymm1; vpermq $0x1b, bytes, %ymm2; "
		"vperm2i128 $0x31, other, %ymm1, %ymm3; vpbroadcastb bytes + 5, %ymm4; vpblendd "
		"$0xa5, other, %ymm1, %ymm5; vpmovzxbd bytes, %ymm6");
CASE(u_avx2_shift, "VPSLLVD, VPSRAVD, VPSRLVQ: each element by its own count",
     NEEDS_AVX2 "vmovdqa bytes, %ymm0; vpsllvd indices, %ymm0, %ymm1; vpsravd sevens, %ymm0, "
		"%ymm2; vpsrlvq other, %ymm0, %ymm3; vpslld $9, %ymm0, %ymm4");
CASE(u_avx2_gather, "VPGATHERDD clears its mask",
     NEEDS_AVX2 "vmovdqa indices, %ymm0; vpcmpeqd %ymm1, %ymm1, %ymm1; vpgatherdd %ymm1, bytes(, "
		"%ymm0, 4), %ymm2; vpcmpeqd %xmm3, %xmm3, %xmm3; vpsrldq $4, %xmm3, %xmm3; "
		"vgatherdps %xmm3, singles(, %xmm0, 4), %xmm4");
CASE(u_fma, "VFMADD, VFMSUB, VFNMADD, VFMADDSUB of exact values",
     NEEDS_FMA "vmovaps singles, %ymm0; vmovaps others, %ymm1; vmovaps %ymm0, %ymm2; vfmadd213ps "
	       "others, %ymm0, %ymm2; vfmsub231ss %xmm1, %xmm0, %xmm2; vfnmadd132pd doubles, "
	       "%ymm1, %ymm0; vfmaddsub213ps %ymm2, %ymm1, %ymm1");
CASE(u_f16c, "VCVTPS2PH and VCVTPH2PS, with what does not fit",
     NEEDS_F16C
     "vmovaps singles, %ymm1; vcvtps2ph $0, %xmm1, %xmm0; vcvtps2ph $3, %ymm1, %xmm2; vcvtph2ps "
     "%xmm2, %ymm3; vmovaps odd_singles, %ymm4; vcvtps2ph $0, %ymm4, memory; vstmxcsr memory + 32");

/* The pointers of the x87, which a processor may store or not, and MXCSR_MASK are taken out of an
 * image. */
#define FORGET_POINTERS                                                                            \
	"movw $0, memory + 6; movq $0, memory + 8; movq $0, memory + 16; movl $0, memory + 28;"

CASE(u_xsave, "XSAVE of x87, SSE and AVX; XRSTOR gives them back",
     NEEDS_AVX "fninit; fldpi; vmovdqa bytes, %ymm6; mov $7, %eax; xor %edx, %edx; xsave memory; "
	       "fninit; vzeroall; xrstor memory;" FORGET_POINTERS);
CASE(u_xrstor_init, "XRSTOR of a component whose bit in XSTATE_BV is clear gives its initial state",
     NEEDS_AVX "fninit; fldpi; vmovdqa bytes, %ymm6; vmovdqa other, %ymm9; mov $7, %eax; xor %edx, "
	       "%edx; xsave memory; andq $~5, memory + 512; xrstor memory;" FORGET_POINTERS);
CASE(u_xrstor_part, "XRSTOR leaves what it is not asked for",
     NEEDS_AVX "fninit; fldpi; vmovdqa bytes, %ymm6; mov $7, %eax; xor %edx, %edx; xsave memory; "
	       "vmovdqa other, %ymm6; fldz; mov $4, %eax; xrstor memory;" FORGET_POINTERS);
CASE(u_xrstor_reserved, "XRSTOR of a header with a reserved bit: #GP(0)",
     NEEDS_AVX "mov $7, %eax; xor %edx, %edx; xsave memory;" FORGET_POINTERS
	       "movq $7, memory + 512; movq $1, memory + 528; mov $7, %eax; xrstor memory");
CASE(u_xsave_unaligned, "XSAVE to an address that is no multiple of 64: #GP(0)",
     NEEDS_AVX "mov $7, %eax; xor %edx, %edx; xsave memory + 16");
CASE(u_xgetbv, "XGETBV of XCR0; of a register that is not there: #GP(0)",
     NEEDS_AVX "xor %ecx, %ecx; xgetbv; mov $5, %ecx; xgetbv");
