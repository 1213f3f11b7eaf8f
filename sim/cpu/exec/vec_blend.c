/* SPDX-License-Identifier: Apache-2.0 */
/* Blends: elements of the second source where a bit of the immediate or of a mask says so. */
#include "sim/cpu/exec/vec_form.h"

#define BLEND_IMMEDIATE(name, member, bits)                                                        \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *a, const union lanes *b,   \
				     unsigned int bytes, u8 imm)                                   \
	{                                                                                          \
		for (unsigned int i = 0; i < bytes / sizeof(r->member[0]); i++)                    \
			r->member[i] = imm >> (i & ((bits)-1)) & 1 ? b->member[i] : a->member[i];  \
	}                                                                                          \
	LANES_BODY2(name)
BLEND_IMMEDIATE(pblendw, w, 8) /* the same eight bits for both lanes */
BLEND_IMMEDIATE(blendps, d, 8) /* VPBLENDD too */
BLEND_IMMEDIATE(blendpd, q, 8)
VEC_FAMILY(VEC_FORM_AB, pblendw, x)
VEC_FAMILY(VEC_FORM_AB, blendps, x)
VEC_FAMILY(VEC_FORM_AB, blendpd, x)

/* By the sign of each element of XMM0, or of the register in the is4 byte. */
#define BLEND_MASK_0(op) 0
#define BLEND_MASK_1(op) ((op)->is4)
#define BLEND_MASK_2(op) ((op)->is4)
#define VEC_FORM_BLEND(name, W, N, suffix, kind, T)                                                \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, x)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, N);                                             \
		v##N##_u64 a = vec_read_##N(cpu, VEC_FIRST_##W(op));                               \
		v##N##_##T mask = (v##N##_##T)vec_read_##N(cpu, BLEND_MASK_##W(op));               \
		mask = (v##N##_##T)(mask < 0);                                                     \
		vec_write_##W(cpu, op->reg, VEC_SELECT(mask, b, a));                               \
		NEXT;                                                                              \
	}
VEC_FAMILY(VEC_FORM_BLEND, pblendvb, s8)
VEC_FAMILY(VEC_FORM_BLEND, blendvps, s32)
VEC_FAMILY(VEC_FORM_BLEND, blendvpd, s64)
