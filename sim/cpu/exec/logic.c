/* SPDX-License-Identifier: Apache-2.0 */
/* AND, OR, XOR, NOT, CMP, TEST (SDM 2A). AF, undefined after the logical ones, reads as 0. */
#include "sim/cpu/exec/integer.h"

ALWAYS_INLINE struct outcome and(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_logic(a & b, size);
}

ALWAYS_INLINE struct outcome or(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_logic(a | b, size);
}

ALWAYS_INLINE struct outcome xor(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_logic(a ^ b, size);
}

ALWAYS_INLINE struct outcome test(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	return and(cpu, a, b, size);
}

ALWAYS_INLINE struct outcome cmp(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	(void)cpu;
	return outcome_subtract(a, b, 0, size);
}

/* NOT leaves the flags alone: what it returns for them is what they are. */
ALWAYS_INLINE struct outcome not(struct cpu *cpu, u64 a, u64 unused, unsigned int size)
{
	(void)unused;
	return (struct outcome){truncate_to(~a, size), cpu->flag_result, cpu->flag_aux};
}

DEFINE_BINARY(and)
DEFINE_BINARY(or)
DEFINE_BINARY(xor)
DEFINE_UNARY(not)
DEFINE_BINARY_FLAGS(cmp)
DEFINE_BINARY_FLAGS(test)
