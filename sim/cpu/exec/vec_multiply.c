/* SPDX-License-Identifier: Apache-2.0 */
/* Packed integer multiplication and what sums products or differences. */
#include "sim/cpu/exec/vec_form.h"

#define SATURATE(value, low, high) ((value) < (low) ? (low) : (value) > (high) ? (high) : (value))

/* clang-format off */
VEC_BODY2(pmullw, u16, a * b)
VEC_BODY2(pmulld, u32, a * b)
LANE_BODY2(pmulhw, s16, (s32)x * y >> 16)
LANE_BODY2(pmulhuw, u16, (u32)x * y >> 16)
LANE_BODY2(pmulhrsw, s16, (((s32)x * y >> 14) + 1) >> 1)
/* The even doublewords, as full products. */
VEC_BODY2(pmuludq, u64, (a & 0xffffffff) * (b & 0xffffffff))
LANE_BODY2(pmuldq, s64, (s64)(s32)x * (s32)y)
/* clang-format on */

/* Neighbouring products summed; the sum of four times 8000H squared wraps. */
VEC_INLINE void pmaddwd_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			      unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = (u32)(a->sw[2 * i] * b->sw[2 * i]) +
			  (u32)(a->sw[2 * i + 1] * b->sw[2 * i + 1]);
}

/* Unsigned bytes of a by signed ones of b, saturated. */
VEC_INLINE void pmaddubsw_lanes(union lanes *r, const union lanes *a, const union lanes *b,
				unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 2; i++) {
		s32 sum = a->b[2 * i] * b->sb[2 * i] + a->b[2 * i + 1] * b->sb[2 * i + 1];

		r->sw[i] = SATURATE(sum, INT16_MIN, INT16_MAX);
	}
}

VEC_INLINE void psadbw_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			     unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 8; i++) {
		u32 sum = 0;

		for (unsigned int j = 8 * i; j < 8 * i + 8; j++)
			sum += a->b[j] > b->b[j] ? a->b[j] - b->b[j] : b->b[j] - a->b[j];
		r->q[i] = sum;
	}
}

/* Sums of four differences at eight offsets; each 128-bit lane has three bits of the immediate. */
VEC_INLINE void mpsadbw_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			      unsigned int bytes, u8 imm)
{
	for (unsigned int base = 0; base < bytes; base += 16, imm >>= 3)
		for (unsigned int i = 0; i < 8; i++) {
			const u8 *x = a->b + base + (imm & 4) + i;
			const u8 *y = b->b + base + (imm & 3) * 4;
			u32 sum = 0;

			for (unsigned int j = 0; j < 4; j++)
				sum += x[j] > y[j] ? x[j] - y[j] : y[j] - x[j];
			r->w[base / 2 + i] = sum;
		}
}

/* The smallest word and its place, the first of equals. */
VEC_INLINE v16_u64 phminposuw_16(v16_u64 b_, u8 imm)
{
	v16_u16 b = (v16_u16)b_;
	u16 least = b[0], at = 0;

	(void)imm;
	for (unsigned int i = 1; i < 8; i++)
		if (b[i] < least) {
			least = b[i];
			at = i;
		}
	return (v16_u64){least | (u32)at << 16};
}

LANES_BODY2(pmaddwd)
LANES_BODY2(pmaddubsw)
LANES_BODY2(psadbw)
LANES_BODY2_(mpsadbw, 16)
LANES_BODY2_(mpsadbw, 32)

VEC_HOT(VEC_FORM_AB, pmuludq, x)
VEC_HOT(VEC_FORM_AB, pmullw, x)
VEC_FAMILY(VEC_FORM_AB, pmulld, x)
VEC_FAMILY(VEC_FORM_AB, pmulhw, x)
VEC_FAMILY(VEC_FORM_AB, pmulhuw, x)
VEC_FAMILY(VEC_FORM_AB, pmulhrsw, x)
VEC_FAMILY(VEC_FORM_AB, pmuldq, x)
VEC_FAMILY(VEC_FORM_AB, pmaddwd, x)
VEC_FAMILY(VEC_FORM_AB, pmaddubsw, x)
VEC_FAMILY(VEC_FORM_AB, psadbw, x)
VEC_FAMILY(VEC_FORM_AB, mpsadbw, x)
VEC_FAMILY_128(VEC_FORM_B, phminposuw, x)

MMX_FAMILY(VEC_MMX_AB, pmullw, q)
MMX_FAMILY(VEC_MMX_AB, pmulhw, q)
MMX_FAMILY(VEC_MMX_AB, pmulhuw, q)
MMX_FAMILY(VEC_MMX_AB, pmulhrsw, q)
MMX_FAMILY(VEC_MMX_AB, pmuludq, q)
MMX_FAMILY(VEC_MMX_AB, pmaddwd, q)
MMX_FAMILY(VEC_MMX_AB, pmaddubsw, q)
MMX_FAMILY(VEC_MMX_AB, psadbw, q)
