/* SPDX-License-Identifier: Apache-2.0 */
/* ADD, ADC, SUB, SBB, INC, DEC, NEG (SDM 2A). */
#include "sim/cpu/exec/integer.h"

ALWAYS_INLINE struct outcome add(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_add(a, b, 0, size);
}

ALWAYS_INLINE struct outcome adc(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	return outcome_add(a, b, flag_cf(cpu), size);
}

ALWAYS_INLINE struct outcome sub(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_subtract(a, b, 0, size);
}

ALWAYS_INLINE struct outcome sbb(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	return outcome_subtract(a, b, flag_cf(cpu), size);
}

ALWAYS_INLINE struct outcome neg(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return sub(cpu, 0, a, size);
}

ALWAYS_INLINE struct outcome inc(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return outcome_increment(cpu, a, size);
}

ALWAYS_INLINE struct outcome dec(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return outcome_decrement(cpu, a, size);
}

DEFINE_BINARY(add)
DEFINE_BINARY(adc)
DEFINE_BINARY(sub)
DEFINE_BINARY(sbb)
DEFINE_UNARY(neg)
DEFINE_UNARY(inc)
DEFINE_UNARY(dec)
