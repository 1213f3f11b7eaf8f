/* SPDX-License-Identifier: Apache-2.0 */
/* IN, OUT, INS, OUTS. */
#include "sim/cpu/io.h"
#include "sim/cpu/exec/string.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* 32-bit ports are the widest, in 64-bit mode too. */
ALWAYS_INLINE unsigned int access_size(const struct op *op)
{
	return op->width > 2 ? 4 : 1u << op->width;
}

static void port_check(struct cpu *cpu, const struct op *op, u16 port, unsigned int size, u64 how)
{
	io_check(cpu, port, size);
	INTERCEPT(cpu, op, IO, port | (u64)size << 16 | how);
}

static void port_in(struct cpu *cpu, const struct op *op, u16 port, u64 how)
{
	unsigned int size = access_size(op);
	u32 value;

	FAULT_POINT(cpu, op);
	port_check(cpu, op, port, size, INTERCEPT_IO_IN | how);
	value = io_read(cpu, port, size);
	switch (size) {
	case 1:
		*(u8 *)&cpu->reg[REG_RAX] = value;
		break;
	case 2:
		*(u16 *)&cpu->reg[REG_RAX] = value;
		break;
	default:
		cpu->reg[REG_RAX] = value;
		break;
	}
}

static void port_out(struct cpu *cpu, const struct op *op, u16 port, u64 how)
{
	unsigned int size = access_size(op);
	u32 value = cpu->reg[REG_RAX];

	FAULT_POINT(cpu, op);
	port_check(cpu, op, port, size, how);
	io_write(cpu, port, size == 4 ? value : value & (BIT(8 * size) - 1), size);
}

#define PORT_HANDLER(name, access, port, how)                                                      \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		access(cpu, op, port, how);                                                        \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

PORT_HANDLER(in_imm, port_in, (u8)op->imm, INTERCEPT_IO_IMMEDIATE);
PORT_HANDLER(out_imm, port_out, (u8)op->imm, INTERCEPT_IO_IMMEDIATE);
PORT_HANDLER(in_dx, port_in, cpu->reg[REG_RDX], 0);
PORT_HANDLER(out_dx, port_out, cpu->reg[REG_RDX], 0);

/* --- strings --- */

ALWAYS_INLINE u64 address_mask(const struct op *op)
{
	switch (op->flags & OP_ADDRESS_MASK) {
	case OP_ADDRESS_16:
		return UINT16_MAX;
	case OP_ADDRESS_32:
		return UINT32_MAX;
	default:
		return UINT64_MAX;
	}
}

/* Writes the part of the register that the address size reaches; 32 bits zero-extend. */
static void register_add(struct cpu *cpu, const struct op *op, unsigned int number, s64 delta)
{
	u64 *reg = &cpu->reg[number];

	switch (op->flags & OP_ADDRESS_MASK) {
	case OP_ADDRESS_16:
		*(u16 *)reg += delta;
		break;
	case OP_ADDRESS_32:
		*reg = (u32)(*reg + delta);
		break;
	default:
		*reg += delta;
	}
}

/* The device sees an access only if the memory's side can't fault any more. */
static void string_in(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u16 port = cpu->reg[REG_RDX];
	u64 linear;

	port_check(cpu, op, port, size, INTERCEPT_IO_STRING | INTERCEPT_IO_IN);
	linear = segment_linear(cpu, op, SEG_ES, cpu->reg[REG_RDI] & address_mask(op), size, true);
	mem_probe(cpu, op, linear, size, WALK_WRITE);
	mem_store_slow(cpu, op, linear, io_read(cpu, port, size), size, SEG_ES);
}

static void string_out(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u16 port = cpu->reg[REG_RDX];
	u64 linear;

	port_check(cpu, op, port, size, INTERCEPT_IO_STRING);
	linear =
		segment_linear(cpu, op, op->seg, cpu->reg[REG_RSI] & address_mask(op), size, false);
	io_write(cpu, port, mem_load_slow(cpu, op, linear, size, op->seg), size);
}

typedef void (*string_move)(struct cpu *cpu, const struct op *op, unsigned int size);

static void string_element(struct cpu *cpu, const struct op *op, string_move move,
			   unsigned int index)
{
	unsigned int size = access_size(op);

	move(cpu, op, size);
	register_add(cpu, op, index, cpu->rflags & FLAG_DF ? -(s64)size : (s64)size);
}

/* True if the instruction is over. Every element is committed, so that it can be left for user
 * space, interrupts and traps, and taken up again. */
static bool string_run(struct cpu *cpu, const struct op *op, string_move move, unsigned int index)
{
	FAULT_POINT(cpu, op);
	if (!(op->flags & (OP_REP | OP_REPNE))) {
		string_element(cpu, op, move, index);
		return true;
	}
	while (string_count(cpu, op)) {
		string_element(cpu, op, move, index);
		string_count_down(cpu, op, 1);
		if (string_must_stop(cpu))
			break;
	}
	return !string_count(cpu, op);
}

#define STRING_HANDLER(name, move, index)                                                          \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		if (!string_run(cpu, op, move, index))                                             \
			STRING_LEAVE;                                                              \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

STRING_HANDLER(ins, string_in, REG_RDI);
STRING_HANDLER(outs, string_out, REG_RSI);
