/* SPDX-License-Identifier: Apache-2.0 */
/* Dot products DPPS and DPPD, made of the host's multiplication and horizontal addition. */
#include "sim/cpu/exec/vec_float.h"

/*
 * Bits 7:4 of the immediate choose the products (0 for the others, which raise nothing), bits 3:0
 * the places of the sum. The pairs are summed first, then the two sums (SDM 2A: DPPS). An
 * unmasked exception of one step keeps the next from being looked at.
 */
#define DOT_MASK(name, N, T, lane)                                                                 \
	VEC_INLINE v##N##_u64 name##_mask_##N(u8 bits)                                             \
	{                                                                                          \
		v##N##_##T mask;                                                                   \
		for (unsigned int i = 0; i < (N) / sizeof(mask[0]); i++)                           \
			mask[i] = bits >> i % (lane)&1 ? -1 : 0;                                   \
		return (v##N##_u64)mask;                                                           \
	}
DOT_MASK(dpps, 16, s32, 4)
DOT_MASK(dpps, 32, s32, 4)
DOT_MASK(dppd, 16, s64, 2)

#define DOT_STEP(N, T, operation, text, x, y)                                                      \
	do {                                                                                       \
		v##N##_u64 left = (x), right = (y);                                                \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(left), "x"(right));            \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE_EXACT(flags, fp_tiny_##T##_##N(r),                                         \
			      FP_RECOUNT(N, T, operation, left, right, right));                    \
	} while (0)

#define FORM_DOT(name, W, N, suffix, kind, T, multiply, add, sums)                                 \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, x)                                                    \
		v##N##_u64 chosen = name##_mask_##N((u8)op->imm >> 4), r;                          \
		v##N##_u64 b = vec_fetch_##N(from, N) & chosen;                                    \
		v##N##_u64 a = vec_read_##N(cpu, VEC_FIRST_##W(op)) & chosen;                      \
		DOT_STEP(N, T, FP_MUL, multiply, a, b);                                            \
		r &= chosen;                                                                       \
		for (unsigned int i = 0; i < (sums); i++)                                          \
			DOT_STEP(N, T, FP_HADD, add, r, r);                                        \
		vec_write_##W(cpu, op->reg, r &name##_mask_##N((u8)op->imm));                      \
		NEXT;                                                                              \
	}
VEC_FAMILY(FORM_DOT, dpps, f32, "vmulps", "vhaddps", 2)
VEC_FAMILY_128(FORM_DOT, dppd, f64, "vmulpd", "vhaddpd", 1)
