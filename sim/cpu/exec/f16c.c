/* SPDX-License-Identifier: Apache-2.0 */
/* F16C. Half-precision denormals are normal numbers of single precision: VCVTPH2PS ignores DAZ,
 * VCVTPS2PH never flushes its result (SDM 2D: VCVTPS2PH). */
#include "sim/cpu/exec/vec_float.h"

FP_BODY1_(vcvtph2ps, 16, "vcvtph2ps")
VEC_INLINE v32_u64 vcvtph2ps_32(v32_u64 b, u8 imm)
{
	v32_u64 r;

	(void)imm;
	__asm__ volatile("vcvtph2ps %x1, %0" : "=x"(r) : "x"(b));
	return r;
}
VEC_FAMILY_VEX(FP_FORM_B, vcvtph2ps, h, none, FP_OTHER)

/* Bits 1:0 of the immediate the rounding, bit 2 MXCSR's instead. */
#define ROUNDINGS(text)                                                                            \
	switch (imm & 7) {                                                                         \
	case 0:                                                                                    \
		__asm__ volatile("vcvtps2ph $0, " text : "=x"(r) : "x"(b));                        \
		break;                                                                             \
	case 1:                                                                                    \
		__asm__ volatile("vcvtps2ph $1, " text : "=x"(r) : "x"(b));                        \
		break;                                                                             \
	case 2:                                                                                    \
		__asm__ volatile("vcvtps2ph $2, " text : "=x"(r) : "x"(b));                        \
		break;                                                                             \
	case 3:                                                                                    \
		__asm__ volatile("vcvtps2ph $3, " text : "=x"(r) : "x"(b));                        \
		break;                                                                             \
	default:                                                                                   \
		__asm__ volatile("vcvtps2ph $4, " text : "=x"(r) : "x"(b));                        \
		break;                                                                             \
	}
static NOINLINE v16_u64 vcvtps2ph_16(v16_u64 b, u8 imm)
{
	v16_u64 r;

	ROUNDINGS("%1, %0")
	return r;
}

static NOINLINE v16_u64 vcvtps2ph_32(v32_u64 b, u8 imm)
{
	v16_u64 r;

	ROUNDINGS("%t1, %x0")
	return r;
}

/* A half-precision result is tiny if its exponent is 0 and the rest is not. */
static bool tiny_half(v16_u64 r, unsigned int count)
{
	v16_u16 h = (v16_u16)r;

	for (unsigned int i = 0; i < count; i++)
		if (!(h[i] & 0x7c00) && (h[i] & 0x03ff))
			return true;
	return false;
}

static v32_u64 every_lane(u32 value)
{
	return (v32_u64)((v32_u32){0} + value);
}

#define TO_HALF(W, N, bytes)                                                                       \
	VEC_INLINE v16_u64 to_half_##W(struct cpu *cpu, const struct op *op)                       \
	{                                                                                          \
		v##N##_u64 b = vec_read_##N(cpu, op->reg);                                         \
		u32 control = fp_begin(cpu);                                                       \
		v16_u64 r = vcvtps2ph_##N(b, (u8)op->imm);                                         \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE_EXACT(flags, tiny_half(r, (bytes) / 2),                                    \
			      fp_recount(cpu, FP_HALF, 4, (bytes) / 2, FP_WIDE_##N(b),             \
					 FP_WIDE_##N(b), every_lane((u8)op->imm)));                \
		return r;                                                                          \
	}                                                                                          \
	static HANDLER(exec_vcvtps2ph_##W##_reg)                                                   \
	{                                                                                          \
		vec_write_1(cpu, op->rm, to_half_##W(cpu, op));                                    \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_vcvtps2ph_##W##_any)                                                   \
	{                                                                                          \
		u64 linear = vec_linear(cpu, op, bytes, true, VEC_UNALIGNED);                      \
		mem_probe(cpu, op, linear, bytes, WALK_WRITE);                                     \
		*(v16_any *)cpu->bounce = to_half_##W(cpu, op);                                    \
		mem_store_block(cpu, op, linear, cpu->bounce, bytes);                              \
		NEXT;                                                                              \
	}
TO_HALF(1, 16, 8)
TO_HALF(2, 32, 16)
const struct family family_vcvtps2ph = {
	.fn = {[1] = VEC_ROW_2(vcvtps2ph, 1), [2] = VEC_ROW_2(vcvtps2ph, 2)}};
