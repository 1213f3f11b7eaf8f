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

/* Elements of the product or of the addend whose sign is turned. */
enum fma_turned { NONE, EACH, EVEN, ODD };

static u64 turned_signs(unsigned int size, enum fma_turned turned, unsigned int quadword)
{
	u64 even = size == 4 ? BIT(31) : quadword & 1 ? 0 : BIT(63);
	u64 odd = size == 4 || (quadword & 1) ? BIT(63) : 0;

	return (turned == EACH || turned == EVEN ? even : 0) |
	       (turned == EACH || turned == ODD ? odd : 0);
}

static v32_u64 fma_turn(v32_u64 v, unsigned int size, enum fma_turned turned)
{
	for (unsigned int i = 0; i < 4; i++)
		v[i] ^= turned_signs(size, turned, i);
	return v;
}

/* The rare case of FP_TAKE_EXACT. @order: which operands are multiplied, as in the mnemonic. */
static COLD u32 fma_recount(const struct cpu *cpu, unsigned int order, enum fma_turned product,
			    enum fma_turned sum, unsigned int size, unsigned int count,
			    v32_u64 first, v32_u64 second, v32_u64 third)
{
	v32_u64 a = order == 132 ? first : second, b = order == 213 ? first : third;
	v32_u64 c = order == 132 ? second : order == 213 ? third : first;

	return fp_recount(cpu, FP_FMA, size, count, fma_turn(a, size, product), b,
			  fma_turn(c, size, sum));
}

#define FORM_FMA(name, W, N, suffix, kind, S, T, order, product, sum)                              \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		v##N##_u64 a = vec_read_##N(cpu, op->vvvv);                                        \
		v##N##_u64 to = vec_read_##N(cpu, op->reg);                                        \
		u32 control = fp_begin(cpu);                                                       \
		v##N##_u64 r = name##_##N(to, a, b);                                               \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE_EXACT(flags, fp_tiny_##T##_##N(r),                                         \
			      fma_recount(cpu, order, product, sum, FP_SIZE_##T, FP_COUNT_##T(N),  \
					  FP_WIDE_##N(to), FP_WIDE_##N(a), FP_WIDE_##N(b)));       \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}

#define FMA_PACKED(name, T, ...)                                                                   \
	FMA_BODY(name, 16)                                                                         \
	FMA_BODY(name, 32)                                                                         \
	VEC_FAMILY_VEX(FORM_FMA, name, x, T, __VA_ARGS__)
#define FMA_SCALAR(name, S, ...)                                                                   \
	FMA_BODY(name, 16)                                                                         \
	VEC_KINDS_2(FORM_FMA, name, 1, 16, S, S, __VA_ARGS__)                                      \
	const struct family family_##name = {                                                      \
		.fn = {[1] = VEC_ROW_2(name, 1), [2] = VEC_ROW_2(name, 1)}};

#define FMA_ORDERS(kind, name, suffix, T, ...)                                                     \
	kind(name##132##suffix, T, 132, __VA_ARGS__) kind(name##213##suffix, T, 213, __VA_ARGS__)  \
		kind(name##231##suffix, T, 231, __VA_ARGS__)
#define FMA(name, ...)                                                                             \
	FMA_ORDERS(FMA_PACKED, name, ps, f32, __VA_ARGS__)                                         \
	FMA_ORDERS(FMA_PACKED, name, pd, f64, __VA_ARGS__)                                         \
	FMA_ORDERS(FMA_SCALAR, name, ss, ss, __VA_ARGS__)                                          \
	FMA_ORDERS(FMA_SCALAR, name, sd, sd, __VA_ARGS__)
FMA(vfmadd, NONE, NONE)
FMA(vfmsub, NONE, EACH)
FMA(vfnmadd, EACH, NONE)
FMA(vfnmsub, EACH, EACH)

/* Even elements subtracted, odd ones added; and the other way round. */
#define FMA_ALTERNATING(name, ...)                                                                 \
	FMA_ORDERS(FMA_PACKED, name, ps, f32, __VA_ARGS__)                                         \
	FMA_ORDERS(FMA_PACKED, name, pd, f64, __VA_ARGS__)
FMA_ALTERNATING(vfmaddsub, NONE, EVEN)
FMA_ALTERNATING(vfmsubadd, NONE, ODD)
