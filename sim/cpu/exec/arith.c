/* SPDX-License-Identifier: Apache-2.0 */
/* ADD, ADC, SUB, SBB, INC, DEC, NEG (SDM 2A). */
#include "sim/cpu/exec/integer.h"

ALWAYS_INLINE struct outcome add(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	u64 sum = a + b;

	(void)cpu;
	return outcome_carries(sum, (a & b) | ((a | b) & ~sum), size);
}

ALWAYS_INLINE struct outcome adc(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	u64 sum = a + b + flag_cf(cpu);

	return outcome_carries(sum, (a & b) | ((a | b) & ~sum), size);
}

ALWAYS_INLINE struct outcome sub(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	u64 difference = a - b;

	(void)cpu;
	return outcome_carries(difference, (~a & b) | ((~a | b) & difference), size);
}

ALWAYS_INLINE struct outcome sbb(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	u64 difference = a - b - flag_cf(cpu);

	return outcome_carries(difference, (~a & b) | ((~a | b) & difference), size);
}

ALWAYS_INLINE struct outcome neg(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return sub(cpu, 0, a, size);
}

/* INC and DEC keep CF, and with it the meaning of the CF ^ OF bit. */
ALWAYS_INLINE struct outcome keep_carry(const struct cpu *cpu, struct outcome out)
{
	u64 overflow = (out.flag_aux ^ out.flag_aux << 1) & AUX_CF;
	u64 carry = cpu->flag_aux & AUX_CF;

	out.flag_aux = carry | (carry ^ overflow) >> 1 | (out.flag_aux & AUX_AF);
	return out;
}

ALWAYS_INLINE struct outcome inc(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return keep_carry(cpu, add(cpu, a, 1, size));
}

ALWAYS_INLINE struct outcome dec(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return keep_carry(cpu, sub(cpu, a, 1, size));
}

DEFINE_BINARY(add)
DEFINE_BINARY(adc)
DEFINE_BINARY(sub)
DEFINE_BINARY(sbb)
DEFINE_UNARY(neg)
DEFINE_UNARY(inc)
DEFINE_UNARY(dec)
