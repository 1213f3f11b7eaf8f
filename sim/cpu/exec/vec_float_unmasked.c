/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point exceptions that are not masked: which flags stand, and #XM. */
#include "sim/cpu/exec/vec_float.h"

#define MXCSR_PRE_COMPUTATION (MXCSR_IE | MXCSR_DE | MXCSR_ZE)

/*
 * SDM 1:11.5.2, 1:11.5.3: exceptions known before the computation come first; if one of them is
 * unmasked in any element, none that needs a result is looked at. Unmasked underflow means a tiny
 * result, exact or not; the masked one that the host ran means tiny and inexact.
 */
COLD void fp_take_unmasked(struct cpu *cpu, const struct op *op, u32 flags, bool tiny)
{
	u32 unmasked = fp_unmasked(cpu);

	if (flags & unmasked & MXCSR_PRE_COMPUTATION)
		flags &= MXCSR_PRE_COMPUTATION;
	else if (tiny && (unmasked & MXCSR_UE))
		flags |= MXCSR_UE;
	cpu->mxcsr |= flags;
	if (!(flags & unmasked))
		return;
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_OSXMMEXCPT))
		raise_ud(cpu);
	cpu_raise(cpu, VECTOR_XM);
}

/* --- is a result exact, whatever exponent it needs? --- */

/* An odd number (or 0) times a power of two. */
struct exact {
	s128 odd;
	int exponent;
};

static struct exact exact_strip(s128 value, int exponent)
{
	if (!value)
		return (struct exact){0, 0};
	while (!(value & 1)) {
		value /= 2;
		exponent++;
	}
	return (struct exact){value, exponent};
}

/* A finite number of @size bytes; with DAZ denormals are 0. */
static struct exact exact_of(u64 bits, unsigned int size, bool daz)
{
	unsigned int fraction = size == 4 ? 23 : 52, top = size == 4 ? 31 : 63;
	unsigned int exponent = bits >> fraction & (BIT(top - fraction) - 1);
	s128 value = bits & (BIT(fraction) - 1);

	if (exponent)
		value |= BIT(fraction);
	else if (daz)
		value = 0;
	else
		exponent = 1;
	return exact_strip(bits >> top & 1 ? -value : value, (int)exponent);
}

static unsigned int exact_bits(s128 value)
{
	u128 magnitude = value < 0 ? -(u128)value : (u128)value;
	u64 high = magnitude >> 64, low = magnitude;

	return high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

/* Does the sum have at most @precision significant bits? */
static bool exact_sum(struct exact x, struct exact y, unsigned int precision)
{
	struct exact low = x.exponent < y.exponent ? x : y, high = x.exponent < y.exponent ? y : x;
	unsigned int shift = high.exponent - low.exponent;
	struct exact sum;

	if (!x.odd || !y.odd)
		return exact_bits(x.odd ? x.odd : y.odd) <= precision;
	/* The lower one is odd, so its last bit stays; products have up to 106 bits. */
	if (shift + exact_bits(high.odd) > 120)
		return false;
	sum = exact_strip(low.odd + high.odd * ((s128)1 << shift), low.exponent);
	return exact_bits(sum.odd) <= precision;
}

/* --- the flags of one element, everything masked --- */

#define ELEMENT_RUN(text) __asm__ volatile(text : "+x"(r) : "x"(a), "x"(b))

static u32 element_flags(u32 control, enum fp_operation operation, unsigned int size, u64 x, u64 y,
			 u64 z)
{
	v16_u64 a = {x}, b = {y}, r = {z};

	if (operation == FP_HALF && !(z & 4)) /* the immediate's own rounding */
		control = (control & ~MXCSR_ROUNDING) | (z & 3) << 13;
	fp_load_mxcsr(control);
	if (operation == FP_DIV && size == 4)
		ELEMENT_RUN("vdivss %2, %1, %0");
	else if (operation == FP_DIV)
		ELEMENT_RUN("vdivsd %2, %1, %0");
	else if (operation == FP_NARROW)
		ELEMENT_RUN("vcvtsd2ss %2, %2, %0");
	else if (operation == FP_HALF)
		ELEMENT_RUN("vcvtps2ph $4, %2, %0");
	else if (size == 4)
		ELEMENT_RUN("vfmadd231ss %2, %1, %0");
	else
		ELEMENT_RUN("vfmadd231sd %2, %1, %0");
	return fp_end(control);
}

static bool element_exact(enum fp_operation operation, unsigned int size, bool daz, u64 x, u64 y,
			  u64 z)
{
	struct exact a = exact_of(x, size, daz), b = exact_of(y, size, daz),
		     c = exact_of(z, size, daz);

	switch (operation) {
	case FP_DIV:
		return a.odd % b.odd == 0;
	case FP_NARROW:
		return exact_bits(b.odd) <= 24;
	case FP_HALF:
		return exact_bits(b.odd) <= 11;
	default:
		a.odd *= b.odd;
		a.exponent += b.exponent;
		/* exponents count from the field's 0: a product has the bias twice */
		a.exponent -= size == 4 ? 150 : 1075;
		return exact_sum(a, c, size == 4 ? 24 : 53);
	}
}

static u64 lane(v32_u64 v, unsigned int size, unsigned int i)
{
	return size == 4 ? ((v8_u32)(v8_u64){v[i / 2]})[i & 1] : v[i];
}

/* The operands of element @i. */
static void element_operands(enum fp_operation operation, unsigned int size, unsigned int i,
			     v32_u64 a, v32_u64 b, u64 *x, u64 *y)
{
	unsigned int per_lane = 16 / size, in = i % per_lane, pair = i - in + 2 * in % per_lane;

	if (operation == FP_HADD || operation == FP_HSUB) {
		v32_u64 from = in < per_lane / 2 ? a : b;

		*x = lane(from, size, pair);
		*y = lane(from, size, pair + 1);
	} else {
		*x = lane(a, size, i);
		*y = lane(b, size, i);
	}
}

/* Sums and products are a * b + c. */
static void as_fma(enum fp_operation operation, unsigned int size, unsigned int i, u64 *b, u64 *c)
{
	u64 one = size == 4 ? 0x3f800000 : UINT64_C(0x3ff0000000000000);
	u64 sign = size == 4 ? BIT(31) : BIT(63);

	switch (operation) {
	case FP_ADD:
	case FP_SUB:
	case FP_ADDSUB:
	case FP_HADD:
	case FP_HSUB:
		*c = *b;
		if (operation == FP_SUB || operation == FP_HSUB ||
		    (operation == FP_ADDSUB && !(i & 1)))
			*c ^= sign;
		*b = one;
		break;
	case FP_MUL:
		*c = 0;
		break;
	default:
		break;
	}
}

COLD u32 fp_recount(const struct cpu *cpu, enum fp_operation operation, unsigned int size,
		    unsigned int count, v32_u64 a, v32_u64 b, v32_u64 c)
{
	u32 unmasked = fp_unmasked(cpu) & (MXCSR_OE | MXCSR_UE), flags = 0;
	u32 control = fp_control(cpu);

	for (unsigned int i = 0; i < count; i++) {
		u64 x, y, z = lane(c, size, i);
		u32 one;

		element_operands(operation, size, i, a, b, &x, &y);
		as_fma(operation, size, i, &y, &z);
		one = element_flags(control, operation, size, x, y, z);
		if ((one & unmasked) &&
		    element_exact(operation, size, cpu->mxcsr & MXCSR_DAZ, x, y, z))
			one &= ~MXCSR_PE;
		flags |= one;
	}
	return flags;
}
