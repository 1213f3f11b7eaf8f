/* SPDX-License-Identifier: Apache-2.0 */
/* Packs with saturation, and interleaves, both within 128-bit lanes (or the whole of an MMX
 * register). */
#include "sim/cpu/exec/vec_form.h"

#define SATURATE(value, low, high) ((value) < (low) ? (low) : (value) > (high) ? (high) : (value))

/* Each lane of the result: the first source's elements narrowed, then the second's. */
#define PACK_BODY(name, from, to, low, high)                                                       \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *a, const union lanes *b,   \
				     unsigned int bytes, u8 imm)                                   \
	{                                                                                          \
		unsigned int lane = bytes < 16 ? bytes : 16;                                       \
		unsigned int half = lane / 2 / sizeof(r->to[0]);                                   \
		(void)imm;                                                                         \
		for (unsigned int base = 0; base < bytes / lane; base++)                           \
			for (unsigned int i = 0; i < half; i++) {                                  \
				s32 x = a->from[base * half + i], y = b->from[base * half + i];    \
				r->to[base * 2 * half + i] = SATURATE(x, low, high);               \
				r->to[(base * 2 + 1) * half + i] = SATURATE(y, low, high);         \
			}                                                                          \
	}                                                                                          \
	LANES_BODY2(name)

PACK_BODY(packsswb, sw, sb, INT8_MIN, INT8_MAX)
PACK_BODY(packuswb, sw, b, 0, UINT8_MAX)
PACK_BODY(packssdw, sd, sw, INT16_MIN, INT16_MAX)
PACK_BODY(packusdw, sd, w, 0, UINT16_MAX)

/* Elements of the low or high halves of the lanes, alternately from the first and second source. */
#define UNPACK_BODY(name, member, high)                                                            \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *a, const union lanes *b,   \
				     unsigned int bytes, u8 imm)                                   \
	{                                                                                          \
		unsigned int lane = (bytes < 16 ? bytes : 16) / sizeof(r->member[0]);              \
		unsigned int count = bytes / sizeof(r->member[0]);                                 \
		(void)imm;                                                                         \
		for (unsigned int base = 0; base < count; base += lane)                            \
			for (unsigned int i = 0; i < lane / 2; i++) {                              \
				unsigned int source = base + i + ((high) ? lane / 2 : 0);          \
				r->member[base + 2 * i] = a->member[source];                       \
				r->member[base + 2 * i + 1] = b->member[source];                   \
			}                                                                          \
	}                                                                                          \
	LANES_BODY2(name)

UNPACK_BODY(punpcklbw, b, false)
UNPACK_BODY(punpcklwd, w, false)
UNPACK_BODY(punpckldq, d, false) /* UNPCKLPS too */
UNPACK_BODY(punpckhbw, b, true)
UNPACK_BODY(punpckhwd, w, true)
UNPACK_BODY(punpckhdq, d, true)

#define punpcklqdq_16(a, b, imm) ((v16_u64){(a)[0], (b)[0]})
#define punpcklqdq_32(a, b, imm) ((v32_u64){(a)[0], (b)[0], (a)[2], (b)[2]})
#define punpckhqdq_16(a, b, imm) ((v16_u64){(a)[1], (b)[1]})
#define punpckhqdq_32(a, b, imm) ((v32_u64){(a)[1], (b)[1], (a)[3], (b)[3]})

VEC_FAMILY(VEC_FORM_AB, packsswb, x)
VEC_FAMILY(VEC_FORM_AB, packuswb, x)
VEC_FAMILY(VEC_FORM_AB, packssdw, x)
VEC_FAMILY(VEC_FORM_AB, packusdw, x)
VEC_FAMILY(VEC_FORM_AB, punpckhbw, x)
VEC_FAMILY(VEC_FORM_AB, punpckhwd, x)
VEC_FAMILY(VEC_FORM_AB, punpckhdq, x)
VEC_FAMILY(VEC_FORM_AB, punpcklbw, x)
VEC_FAMILY(VEC_FORM_AB, punpcklwd, x)
VEC_FAMILY(VEC_FORM_AB, punpckldq, x)
VEC_FAMILY(VEC_FORM_AB, punpcklqdq, x)
VEC_FAMILY(VEC_FORM_AB, punpckhqdq, x)

/* The low interleaves of MMX read 32 bits of memory. */
MMX_FAMILY(VEC_MMX_AB, packsswb, q)
MMX_FAMILY(VEC_MMX_AB, packuswb, q)
MMX_FAMILY(VEC_MMX_AB, packssdw, q)
MMX_FAMILY(VEC_MMX_AB, punpckhbw, q)
MMX_FAMILY(VEC_MMX_AB, punpckhwd, q)
MMX_FAMILY(VEC_MMX_AB, punpckhdq, q)
MMX_FAMILY(VEC_MMX_AB, punpcklbw, d)
MMX_FAMILY(VEC_MMX_AB, punpcklwd, d)
MMX_FAMILY(VEC_MMX_AB, punpckldq, d)
