/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores of selected bytes (MASKMOVDQU, MASKMOVQ) and loads and stores of selected elements
 * (VMASKMOV, VPMASKMOV). What is masked off is not accessed: it neither faults nor hits a
 * breakpoint. Everything selected is probed before the first byte is written.
 */
#include "sim/cpu/exec/vector.h"
#include "sim/cpu/fpu.h"

/* --- elements --- */
static u64 element_linear(struct cpu *cpu, const struct op *op, unsigned int size, unsigned int i,
			  bool write)
{
	u64 offset = ea_offset(cpu, op) + (u64)size * i;

	if ((op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_32)
		offset = (u32)offset;
	else if ((op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_16)
		offset = (u16)offset;
	return segment_linear(cpu, op, op->seg, offset, size, write);
}

static bool selected(const union vec *mask, unsigned int size, unsigned int i)
{
	return size == 4 ? mask->d[i] >> 31 : mask->q[i] >> 63;
}

/* Fills cpu->bounce with @count elements, zero where masked off. */
static NOINLINE void maskmov_load(struct cpu *cpu, const struct op *op, unsigned int size,
				  unsigned int count)
{
	const union vec *mask = &cpu->vec[op->vvvv];
	u64 value[8];

	FAULT_POINT(cpu, op);
	for (unsigned int i = 0; i < count; i++)
		value[i] = selected(mask, size, i)
				   ? mem_load_element(cpu, op,
						      element_linear(cpu, op, size, i, false), size)
				   : 0;
	for (unsigned int i = 0; i < count; i++)
		__builtin_memcpy(cpu->bounce + (size_t)size * i, &value[i], size);
}

static NOINLINE void maskmov_store(struct cpu *cpu, const struct op *op, unsigned int size,
				   unsigned int count)
{
	const union vec *mask = &cpu->vec[op->vvvv], *from = &cpu->vec[op->reg];

	FAULT_POINT(cpu, op);
	for (unsigned int i = 0; i < count; i++)
		if (selected(mask, size, i))
			mem_probe(cpu, op, element_linear(cpu, op, size, i, true), size,
				  WALK_WRITE);
	for (unsigned int i = 0; i < count; i++)
		if (selected(mask, size, i))
			mem_store_element(cpu, op, element_linear(cpu, op, size, i, true),
					  size == 4 ? from->d[i] : from->q[i], size);
}

#define MASKMOV(name, size)                                                                        \
	static HANDLER(exec_##name##_1)                                                            \
	{                                                                                          \
		maskmov_load(cpu, op, size, 16 / (size));                                          \
		vec_write_1(cpu, op->reg, *(const v16_any *)cpu->bounce);                          \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_2)                                                            \
	{                                                                                          \
		maskmov_load(cpu, op, size, 32 / (size));                                          \
		vec_write_2(cpu, op->reg, *(const v32_any *)cpu->bounce);                          \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_store_1)                                                      \
	{                                                                                          \
		maskmov_store(cpu, op, size, 16 / (size));                                         \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_store_2)                                                      \
	{                                                                                          \
		maskmov_store(cpu, op, size, 32 / (size));                                         \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_##name = {.fn = {[1] = {[KIND_ANY] = exec_##name##_1},          \
						    [2] = {[KIND_ANY] = exec_##name##_2}}};        \
	const struct family family_##name##_store = {                                              \
		.fn = {[1] = {[KIND_ANY] = exec_##name##_store_1},                                 \
		       [2] = {[KIND_ANY] = exec_##name##_store_2}}};
MASKMOV(vmaskmovps, 4) /* VPMASKMOVD too */
MASKMOV(vmaskmovpd, 8) /* VPMASKMOVQ too */

/* --- bytes, at DS:rDI --- */
static u64 byte_linear(struct cpu *cpu, const struct op *op, unsigned int i)
{
	u64 offset = cpu->reg[REG_RDI] + i;

	if ((op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_32)
		offset = (u32)offset;
	else if ((op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_16)
		offset = (u16)offset;
	return segment_linear(cpu, op, op->seg, offset, 1, true);
}

static NOINLINE void store_bytes(struct cpu *cpu, const struct op *op, u64 value, u64 mask,
				 unsigned int first)
{
	for (unsigned int i = 0; i < 8; i++)
		if (mask >> (8 * i + 7) & 1)
			mem_store(cpu, op, byte_linear(cpu, op, first + i), value >> 8 * i & 0xff,
				  1);
}

static NOINLINE void probe_bytes(struct cpu *cpu, const struct op *op, u64 mask, unsigned int first)
{
	FAULT_POINT(cpu, op);
	for (unsigned int i = 0; i < 8; i++)
		if (mask >> (8 * i + 7) & 1)
			mem_probe(cpu, op, byte_linear(cpu, op, first + i), 1, WALK_WRITE);
}

static HANDLER(exec_maskmovdqu)
{
	const union vec *value = &cpu->vec[op->reg], *mask = &cpu->vec[op->rm];

	probe_bytes(cpu, op, mask->q[0], 0);
	probe_bytes(cpu, op, mask->q[1], 8);
	store_bytes(cpu, op, value->q[0], mask->q[0], 0);
	store_bytes(cpu, op, value->q[1], mask->q[1], 8);
	NEXT;
}
const struct family family_maskmovdqu = {
	.fn = {{[KIND_REG] = exec_maskmovdqu}, {[KIND_REG] = exec_maskmovdqu}}};

static HANDLER(exec_mmx_maskmovq)
{
	u64 value = mmx_read(cpu, op->reg), mask = mmx_read(cpu, op->rm);

	fpu_wait(cpu, op);
	probe_bytes(cpu, op, mask, 0);
	store_bytes(cpu, op, value, mask, 0);
	fpu_enter_mmx(cpu);
	NEXT;
}
const struct family family_mmx_maskmovq = {.fn = {{[KIND_REG] = exec_mmx_maskmovq}}};
