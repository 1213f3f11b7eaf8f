/* SPDX-License-Identifier: Apache-2.0 */
/* Packed shifts: by one count for all elements (register, memory or immediate), by a count for
 * each (AVX2), and of whole 128-bit lanes by bytes. */
#include "sim/cpu/exec/vec_form.h"

/* A count above the element's width gives zero, or all sign bits (SDM 2B: PSLLW, PSRAW). */
/* clang-format off */
#define COUNT_BELOW(limit) (b_[0] < (limit) ? b_[0] : (limit))
VEC_BODY2(psllw, u16, b_[0] > 15 ? (V){0} : a << (u16)b_[0])
VEC_BODY2(pslld, u32, b_[0] > 31 ? (V){0} : a << (u32)b_[0])
VEC_BODY2(psllq, u64, b_[0] > 63 ? (V){0} : a << b_[0])
VEC_BODY2(psrlw, u16, b_[0] > 15 ? (V){0} : a >> (u16)b_[0])
VEC_BODY2(psrld, u32, b_[0] > 31 ? (V){0} : a >> (u32)b_[0])
VEC_BODY2(psrlq, u64, b_[0] > 63 ? (V){0} : a >> b_[0])
VEC_BODY2(psraw, s16, a >> (s16)COUNT_BELOW(15))
VEC_BODY2(psrad, s32, a >> (s32)COUNT_BELOW(31))

LANE_BODY2(vpsllvd, u32, y > 31 ? 0 : x << y)
LANE_BODY2(vpsllvq, u64, y > 63 ? 0 : x << y)
LANE_BODY2(vpsrlvd, u32, y > 31 ? 0 : x >> y)
LANE_BODY2(vpsrlvq, u64, y > 63 ? 0 : x >> y)
LANE_BODY2(vpsravd, s32, x >> ((u32)y > 31 ? 31 : y))
/* clang-format on */

/* The destination of an immediate form is the r/m register, or VEX.vvvv. */
#define SHIFT_TO_0(op) ((op)->rm)
#define SHIFT_TO_1(op) ((op)->vvvv)
#define SHIFT_TO_2(op) ((op)->vvvv)
#define SHIFT_IMMEDIATE(name, W, N)                                                                \
	static HANDLER(exec_##name##_##W##_imm)                                                    \
	{                                                                                          \
		v##N##_u64 value =                                                                 \
			name##_##N(vec_read_##N(cpu, op->rm), (v##N##_u64){(u8)op->imm}, 0);       \
		vec_write_##W(cpu, SHIFT_TO_##W(op), value);                                       \
		NEXT;                                                                              \
	}
#define SHIFT_IMMEDIATE_FAMILY(name)                                                               \
	SHIFT_IMMEDIATE(name, 0, 16)                                                               \
	SHIFT_IMMEDIATE(name, 1, 16)                                                               \
	SHIFT_IMMEDIATE(name, 2, 32)                                                               \
	const struct family family_##name##_imm = {.fn = {{[KIND_REG] = exec_##name##_0_imm},      \
							  {[KIND_REG] = exec_##name##_1_imm},      \
							  {[KIND_REG] = exec_##name##_2_imm}}};

#define SHIFT_MMX(name)                                                                            \
	MMX_FAMILY(VEC_MMX_AB, name, q)                                                            \
	static HANDLER(exec_mmx_##name##_imm)                                                      \
	{                                                                                          \
		fpu_wait(cpu, op);                                                                 \
		fpu_enter_mmx(cpu);                                                                \
		v8_u64 a = {mmx_read(cpu, op->rm)};                                                \
		mmx_write(cpu, op->rm, name##_8(a, (v8_u64){(u8)op->imm}, 0)[0]);                  \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_mmx_##name##_imm = {                                            \
		.fn = {{[KIND_REG] = exec_mmx_##name##_imm}}};

#define SHIFTS(name)                                                                               \
	VEC_FAMILY(VEC_FORM_AB, name, dq)                                                          \
	SHIFT_IMMEDIATE_FAMILY(name)                                                               \
	SHIFT_MMX(name)

SHIFTS(psllw)
SHIFTS(pslld)
SHIFTS(psllq)
SHIFTS(psrlw)
SHIFTS(psrld)
SHIFTS(psrlq)
SHIFTS(psraw)
SHIFTS(psrad)

VEC_FAMILY_VEX(VEC_FORM_AB, vpsllvd, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpsllvq, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpsrlvd, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpsrlvq, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpsravd, x)

/* Byte shifts within each 128-bit lane. */
VEC_INLINE void pslldq_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			     unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes; i++)
		r->b[i] = (i & 15) >= b->b[0] ? a->b[i - b->b[0]] : 0;
}

VEC_INLINE void psrldq_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			     unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes; i++)
		r->b[i] = (i & 15) + b->b[0] < 16 ? a->b[i + b->b[0]] : 0;
}

LANES_BODY2(pslldq)
LANES_BODY2(psrldq)
SHIFT_IMMEDIATE_FAMILY(pslldq)
SHIFT_IMMEDIATE_FAMILY(psrldq)
