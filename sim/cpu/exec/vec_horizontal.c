/* SPDX-License-Identifier: Apache-2.0 */
/* Horizontal integer arithmetic: neighbours of the first source, then of the second, within
 * 128-bit lanes. */
#include "sim/cpu/exec/vec_form.h"

#define SATURATE(value, low, high) ((value) < (low) ? (low) : (value) > (high) ? (high) : (value))

#define HORIZONTAL(name, member, expr)                                                             \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *a, const union lanes *b,   \
				     unsigned int bytes, u8 imm)                                   \
	{                                                                                          \
		unsigned int count = bytes / sizeof(r->member[0]);                                 \
		unsigned int lane = (bytes < 16 ? bytes : 16) / sizeof(r->member[0]);              \
		(void)imm;                                                                         \
		for (unsigned int i = 0; i < count; i++) {                                         \
			unsigned int in = i % lane, base = i - in;                                 \
			const union lanes *from = in < lane / 2 ? a : b;                           \
			s64 x = from->member[base + 2 * in % lane];                                \
			s64 y = from->member[base + 2 * in % lane + 1];                            \
			r->member[i] = (expr);                                                     \
		}                                                                                  \
	}                                                                                          \
	LANES_BODY2(name)

HORIZONTAL(phaddw, sw, x + y)
HORIZONTAL(phaddd, sd, x + y)
HORIZONTAL(phaddsw, sw, SATURATE(x + y, INT16_MIN, INT16_MAX))
HORIZONTAL(phsubw, sw, x - y)
HORIZONTAL(phsubd, sd, x - y)
HORIZONTAL(phsubsw, sw, SATURATE(x - y, INT16_MIN, INT16_MAX))

VEC_FAMILY(VEC_FORM_AB, phaddw, x)
VEC_FAMILY(VEC_FORM_AB, phaddd, x)
VEC_FAMILY(VEC_FORM_AB, phaddsw, x)
VEC_FAMILY(VEC_FORM_AB, phsubw, x)
VEC_FAMILY(VEC_FORM_AB, phsubd, x)
VEC_FAMILY(VEC_FORM_AB, phsubsw, x)

MMX_FAMILY(VEC_MMX_AB, phaddw, q)
MMX_FAMILY(VEC_MMX_AB, phaddd, q)
MMX_FAMILY(VEC_MMX_AB, phaddsw, q)
MMX_FAMILY(VEC_MMX_AB, phsubw, q)
MMX_FAMILY(VEC_MMX_AB, phsubd, q)
MMX_FAMILY(VEC_MMX_AB, phsubsw, q)
