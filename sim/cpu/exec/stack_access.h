/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes and pops of single values. */
#ifndef LOCKSTEP_SIM_CPU_EXEC_STACK_ACCESS_H
#define LOCKSTEP_SIM_CPU_EXEC_STACK_ACCESS_H

#include "sim/cpu/exec/integer.h"

/* 64-bit mode, 64-bit operand: SS has no base and no limit. */
ALWAYS_INLINE void push64(struct cpu *cpu, const struct op *op, u64 value)
{
	u64 rsp = cpu->reg[REG_RSP] - 8;
	u64 *host = mem_write_pointer(cpu, rsp, 8);

	if (likely(host))
		*host = value;
	else
		mem_store_slow(cpu, op, rsp, value, 8, SEG_SS);
	cpu->reg[REG_RSP] = rsp;
}

/* The value on top; the caller moves RSP once nothing can fault any more. */
ALWAYS_INLINE u64 peek64(struct cpu *cpu, const struct op *op)
{
	u64 *host = mem_read_pointer(cpu, cpu->reg[REG_RSP], 8);

	if (likely(host))
		return *host;
	return mem_load_slow(cpu, op, cpu->reg[REG_RSP], 8, SEG_SS);
}

/* Any mode, any operand size; RSP moves after the access. */
void push_any(struct cpu *cpu, const struct op *op, u64 value, unsigned int size);
u64 pop_any(struct cpu *cpu, const struct op *op, unsigned int size);
/* The value on top, RSP as it was. */
u64 peek_any(struct cpu *cpu, const struct op *op, unsigned int size);
/* Adds to SP, ESP or RSP by the stack's width. */
void stack_adjust(struct cpu *cpu, s64 bytes);

#endif
