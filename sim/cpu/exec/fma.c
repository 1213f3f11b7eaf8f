/* SPDX-License-Identifier: Apache-2.0 */
/* FMA3: one rounding, on the host's units. The three operand orders differ in which NaN wins, so
 * each is run as itself. */
#include "sim/cpu/exec/vec_float.h"

#define FMA_BODY(name, N)                                                                          \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 to, v##N##_u64 a, v##N##_u64 b)                \
	{                                                                                          \
		__asm__ volatile(#name " %2, %1, %0" : "+x"(to) : "x"(a), "x"(b));                 \
		return to;                                                                         \
	}

#define FORM_FMA(name, W, N, suffix, kind, S, T)                                                   \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		v##N##_u64 a = vec_read_##N(cpu, op->vvvv);                                        \
		v##N##_u64 to = vec_read_##N(cpu, op->reg);                                        \
		u32 control = fp_begin(cpu);                                                       \
		v##N##_u64 r = name##_##N(to, a, b);                                               \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE(flags, fp_tiny_##T##_##N(r));                                              \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}

#define FMA_PACKED(name, T)                                                                        \
	FMA_BODY(name, 16)                                                                         \
	FMA_BODY(name, 32)                                                                         \
	VEC_FAMILY_VEX(FORM_FMA, name, x, T)
#define FMA_SCALAR(name, S)                                                                        \
	FMA_BODY(name, 16)                                                                         \
	VEC_KINDS_2(FORM_FMA, name, 1, 16, S, S)                                                   \
	const struct family family_##name = {                                                      \
		.fn = {[1] = VEC_ROW_2(name, 1), [2] = VEC_ROW_2(name, 1)}};

#define FMA_ORDERS(kind, name, suffix, T)                                                          \
	kind(name##132##suffix, T) kind(name##213##suffix, T) kind(name##231##suffix, T)
#define FMA(name)                                                                                  \
	FMA_ORDERS(FMA_PACKED, name, ps, f32)                                                      \
	FMA_ORDERS(FMA_PACKED, name, pd, f64)                                                      \
	FMA_ORDERS(FMA_SCALAR, name, ss, ss)                                                       \
	FMA_ORDERS(FMA_SCALAR, name, sd, sd)
FMA(vfmadd)
FMA(vfmsub)
FMA(vfnmadd)
FMA(vfnmsub)

FMA_ORDERS(FMA_PACKED, vfmaddsub, ps, f32)
FMA_ORDERS(FMA_PACKED, vfmaddsub, pd, f64)
FMA_ORDERS(FMA_PACKED, vfmsubadd, ps, f32)
FMA_ORDERS(FMA_PACKED, vfmsubadd, pd, f64)
