/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers (SDM 2A:2.3.12, 2D: VGATHERDPS). Elements are loaded from the lowest up; as each
 * arrives, its mask element is cleared, so that a fault leaves what was done and the
 * instruction goes on where it stopped. At the end the whole mask register is zero.
 */
#include "sim/cpu/exec/vector.h"

/* What a gather is made of. */
struct gather {
	u8 index_size, data_size; /* 4 or 8 */
	u8 count;
	u8 bytes; /* of the destination that hold data; zero above */
};

static u64 gather_linear(struct cpu *cpu, const struct op *op, const struct gather *g,
			 unsigned int i)
{
	const union vec *index = &cpu->vec[op->is4];
	s64 element = g->index_size == 4 ? index->sd[i] : index->sq[i];
	u64 offset = REG64(cpu, op->base) + ((u64)element << op->scale) + (u64)op->disp;

	if ((op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_32)
		offset = (u32)offset;
	return segment_linear(cpu, op, op->seg, offset, g->data_size, false);
}

static u64 gather_load(struct cpu *cpu, const struct op *op, const struct gather *g, unsigned int i)
{
	const union vec *to = &cpu->vec[op->reg], *mask = &cpu->vec[op->vvvv];

	if (g->data_size == 4)
		return mask->d[i] >> 31 ? mem_load_element(cpu, op, gather_linear(cpu, op, g, i), 4)
					: to->d[i];
	return mask->q[i] >> 63 ? mem_load_element(cpu, op, gather_linear(cpu, op, g, i), 8)
				: to->q[i];
}

static void gather_commit(struct cpu *cpu, const struct op *op, const struct gather *g,
			  unsigned int i, u64 value)
{
	union vec *to = &cpu->vec[op->reg], *mask = &cpu->vec[op->vvvv];

	if (g->data_size == 4) {
		to->d[i] = value;
		mask->d[i] = 0;
	} else {
		to->q[i] = value;
		mask->q[i] = 0;
	}
}

/* SDM 2D: VGATHERDPS first turns every mask element into all of its sign, which a fault leaves
 * behind too. AMD's processors leave the elements that were not reached as they were. */
static void widen_mask(union vec *mask, const struct gather *g)
{
	for (unsigned int i = 0; i < g->count; i++) {
		if (g->data_size == 4)
			mask->sd[i] >>= 31;
		else
			mask->sq[i] >>= 63;
	}
}

static NOINLINE void gather(struct cpu *cpu, const struct op *op, const struct gather *g)
{
	u8 *to = cpu->vec[op->reg].b;
	/* Answers from user space are matched by order: then elements may not drop out of a
	 * re-execution, and are committed together. */
	bool together = cpu->io.completed != 0;
	u64 value[8];

	FAULT_POINT(cpu, op);
	if (op->reg == op->vvvv || op->reg == op->is4 || op->vvvv == op->is4)
		raise_ud(cpu);
	if (!cpu->amd)
		widen_mask(&cpu->vec[op->vvvv], g);
	for (unsigned int i = 0; i < g->count; i++) {
		value[i] = gather_load(cpu, op, g, i);
		if (!together)
			gather_commit(cpu, op, g, i, value[i]);
	}
	for (unsigned int i = 0; together && i < g->count; i++)
		gather_commit(cpu, op, g, i, value[i]);
	__builtin_memset(&cpu->vec[op->vvvv], 0, sizeof(union vec));
	__builtin_memset(to + g->bytes, 0, sizeof(union vec) - g->bytes);
}

#define GATHER(name, W, index, data, elements)                                                     \
	static const struct gather name##_##W = {.index_size = index,                              \
						 .data_size = data,                                \
						 .count = elements,                                \
						 .bytes = (data) * (elements)};                    \
	static HANDLER(exec_##name##_##W)                                                          \
	{                                                                                          \
		gather(cpu, op, &name##_##W);                                                      \
		NEXT;                                                                              \
	}
#define GATHER_FAMILY(name, index, data, elements)                                                 \
	GATHER(name, 1, index, data, elements)                                                     \
	GATHER(name, 2, index, data, 2 * (elements))                                               \
	const struct family family_##name = {.fn = {[1] = {[KIND_ANY] = exec_##name##_1},          \
						    [2] = {[KIND_ANY] = exec_##name##_2}}};
GATHER_FAMILY(vgatherdd, 4, 4, 4)
GATHER_FAMILY(vgatherdq, 4, 8, 2)
GATHER_FAMILY(vgatherqd, 8, 4, 2)
GATHER_FAMILY(vgatherqq, 8, 8, 2)
