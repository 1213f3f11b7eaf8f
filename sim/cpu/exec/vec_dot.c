/* SPDX-License-Identifier: Apache-2.0 */
/* Dot products DPPS and DPPD, made of the host's multiplication and horizontal addition. */
#include "sim/cpu/exec/vec_float.h"

/*
 * Bits 7:4 of the immediate choose the products (0 for the others, which raise nothing), bits 3:0
 * the places of the sum. The pairs are summed first, then the two sums (SDM 2A: DPPS). While an
 * exception is unmasked, flags of all steps are merged before it is raised.
 */
#define DOT_STEP(text, r, x, y) __asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(x), "x"(y))
#define DOT_MASK(name, N, T, lane)                                                                 \
	VEC_INLINE v##N##_u64 name##_mask_##N(u8 bits)                                             \
	{                                                                                          \
		v##N##_##T mask;                                                                   \
		for (unsigned int i = 0; i < (N) / sizeof(mask[0]); i++)                           \
			mask[i] = bits >> i % (lane)&1 ? -1 : 0;                                   \
		return (v##N##_u64)mask;                                                           \
	}
#define DPPS(N)                                                                                    \
	DOT_MASK(dpps, N, s32, 4)                                                                  \
	static NOINLINE v##N##_u64 dpps_##N(v##N##_u64 a, v##N##_u64 b, u8 imm)                    \
	{                                                                                          \
		v##N##_u64 chosen = dpps_mask_##N(imm >> 4), sum;                                  \
		DOT_STEP("vmulps", sum, a &chosen, b &chosen);                                     \
		sum &= chosen;                                                                     \
		DOT_STEP("vhaddps", sum, sum, sum);                                                \
		DOT_STEP("vhaddps", sum, sum, sum);                                                \
		return sum & dpps_mask_##N(imm);                                                   \
	}
DPPS(16)
DPPS(32)

DOT_MASK(dppd, 16, s64, 2)
static NOINLINE v16_u64 dppd_16(v16_u64 a, v16_u64 b, u8 imm)
{
	v16_u64 chosen = dppd_mask_16(imm >> 4), sum;

	DOT_STEP("vmulpd", sum, a & chosen, b & chosen);
	sum &= chosen;
	DOT_STEP("vhaddpd", sum, sum, sum);
	return sum & dppd_mask_16(imm);
}

VEC_FAMILY(FP_FORM_AB, dpps, x, f32, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, dppd, x, f64, FP_OTHER)
