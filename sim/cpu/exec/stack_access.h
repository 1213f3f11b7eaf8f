/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes and pops of single values. */
#ifndef LOCKSTEP_SIM_CPU_EXEC_STACK_ACCESS_H
#define LOCKSTEP_SIM_CPU_EXEC_STACK_ACCESS_H

#include "sim/cpu/exec/integer.h"

/* 64-bit mode, 64-bit operand: SS has no base and no limit. As FAST_READ in operand.h: where the
 * TLB has no answer the handler @any does it all. */
#define FAST_PUSH(value, any)                                                                      \
	do {                                                                                       \
		u64 push_rsp = cpu->reg[REG_RSP] - 8;                                              \
		u64 *push_host = mem_write_pointer(cpu, push_rsp, 8);                              \
		if (unlikely(!push_host))                                                          \
			CONTINUE_IN(any);                                                          \
		*push_host = (value);                                                              \
		cpu->reg[REG_RSP] = push_rsp;                                                      \
	} while (0)

/* Declares @value, what @address points at; the caller moves RSP once nothing can fault any more.
 */
#define FAST_PEEK(value, address, any)                                                             \
	u64 *value##_host = mem_read_pointer(cpu, address, 8), value;                              \
	if (unlikely(!value##_host))                                                               \
		CONTINUE_IN(any);                                                                  \
	value = *value##_host

/* Any mode, any operand size; RSP moves after the access. */
void push_any(struct cpu *cpu, const struct op *op, u64 value, unsigned int size);
u64 pop_any(struct cpu *cpu, const struct op *op, unsigned int size);
/* The value on top, RSP as it was. */
u64 peek_any(struct cpu *cpu, const struct op *op, unsigned int size);
/* Adds to SP, ESP or RSP by the stack's width. */
void stack_adjust(struct cpu *cpu, s64 bytes);

#endif
