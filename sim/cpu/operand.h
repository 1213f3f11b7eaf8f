/* SPDX-License-Identifier: Apache-2.0 */
/* Effective addresses: from op fields to a checked linear address. */
#ifndef LOCKSTEP_SIM_CPU_OPERAND_H
#define LOCKSTEP_SIM_CPU_OPERAND_H

#include "sim/cpu/memory.h"

/* Offset part only, truncated to the address size (LEA, and the base of bit-string addressing). */
ALWAYS_INLINE u64 ea_offset(struct cpu *cpu, const struct op *op)
{
	u64 offset = REG64(cpu, op->base) + (REG64(cpu, op->index) << op->scale) + (u64)op->disp;

	switch (op->flags & OP_ADDRESS_MASK) {
	case OP_ADDRESS_16:
		return (u16)offset;
	case OP_ADDRESS_32:
		return (u32)offset;
	default:
		return offset;
	}
}

/* A general register of the system instructions that take 64 bits in 64-bit mode, 32 elsewhere. */
ALWAYS_INLINE u64 register_by_mode(const struct cpu *cpu, const struct op *op, u8 reg)
{
	return op->flags & OP_CODE64 ? REG64(cpu, reg) : REG32(cpu, reg);
}

/* Linear address of @offset in segment @seg for an access of @size bytes, with every segment
 * check (null, type, limit, expand-down; in 64-bit mode canonicality is left to the access).
 * Raises #GP(0), or #SS(0) for SS. */
u64 segment_linear(struct cpu *cpu, const struct op *op, u8 seg, u64 offset, unsigned int size,
		   bool write);

/* The general form, any mode. */
u64 ea_any(struct cpu *cpu, const struct op *op, unsigned int size, bool write);

/* With @kind a constant, only its own work remains. */
ALWAYS_INLINE u64 ea_linear(struct cpu *cpu, const struct op *op, enum op_kind kind,
			    unsigned int size, bool write)
{
	switch (kind) {
	case KIND_BASE:
		return REG64(cpu, op->base) + (u64)op->disp;
	case KIND_INDEX:
		return REG64(cpu, op->base) + (REG64(cpu, op->index) << op->scale) + (u64)op->disp +
		       REG64(cpu, op->seg_base);
	default:
		return ea_any(cpu, op, size, write);
	}
}

/*
 * The memory operand of a handler for KIND_BASE or KIND_INDEX: declares @host and points it at the
 * operand. Where the TLB has no answer @any, the same instruction's handler for KIND_ANY, does it
 * all; so the fast handlers call nothing and need no stack frame. Nothing may be committed before.
 */
#define FAST_READ(host, kind, size, any)                                                           \
	void *host = mem_read_pointer(cpu, ea_linear(cpu, op, kind, size, false), size);           \
	if (unlikely(!(host)))                                                                     \
	CONTINUE_IN(any)
#define FAST_WRITE(host, kind, size, any)                                                          \
	void *host = mem_write_pointer(cpu, ea_linear(cpu, op, kind, size, true), size);           \
	if (unlikely(!(host)))                                                                     \
	CONTINUE_IN(any)

/* For handlers that serve every kind: looks at op->kind. */
ALWAYS_INLINE u64 ea_by_kind(struct cpu *cpu, const struct op *op, unsigned int size, bool write)
{
	if (likely(op->kind != KIND_ANY))
		return REG64(cpu, op->base) + (REG64(cpu, op->index) << op->scale) + (u64)op->disp +
		       REG64(cpu, op->seg_base);
	return ea_any(cpu, op, size, write);
}

#endif
