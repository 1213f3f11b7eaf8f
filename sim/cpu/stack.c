/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes and pops by a working copy of rSP (SDM 1:6.2; limits SDM 3A:5.3). */
#include "sim/cpu/descriptor.h"

void stack_open_segment(struct cpu *cpu, struct stack_cursor *stack, u64 base, u32 limit,
			u32 rights, u64 rsp, unsigned int cpl)
{
	u64 mask = rights & SEG_DB ? UINT32_MAX : 0xffff;

	*stack = (struct stack_cursor){
		.rsp = rsp & mask,
		.mask = mask,
		.base = base,
		.high = limit,
		.access = stack_access(cpl),
		.context = stack_context(cpu, cpl),
	};
	if (rights & SEG_TYPE_EXPAND_DOWN) {
		stack->low = (u64)limit + 1;
		stack->high = mask;
	}
	if (rights & SEG_UNUSABLE)
		stack->low = UINT64_MAX; /* nothing is within */
}

void stack_open(struct cpu *cpu, struct stack_cursor *stack)
{
	const struct segment *ss = &cpu->seg[SEG_SS];

	if (cpu_64bit(cpu))
		stack_open_flat(cpu, stack, cpu->reg[REG_RSP], cpu->cpl);
	else
		stack_open_segment(cpu, stack, SEG_BASE(cpu, SEG_SS), ss->limit, ss->rights,
				   cpu->reg[REG_RSP], cpu->cpl);
}

static bool within(const struct stack_cursor *stack, u64 offset, unsigned int size)
{
	return offset >= stack->low && offset + size - 1 <= stack->high;
}

u64 stack_linear(struct cpu *cpu, const struct stack_cursor *stack, u64 offset, unsigned int size)
{
	if (stack_is_flat(stack)) {
		if (unlikely(!address_canonical(cpu, offset) ||
			     !address_canonical(cpu, offset + size - 1)))
			raise_ss(cpu, stack->error);
		return offset;
	}
	if (unlikely(!within(stack, offset, size)))
		raise_ss(cpu, stack->error);
	return (u32)(stack->base + offset);
}

void stack_reserve(struct cpu *cpu, const struct stack_cursor *stack, unsigned int bytes)
{
	u64 top = stack->rsp;

	if (stack_is_flat(stack) || top < bytes)
		return; /* wraps: each push is checked by itself */
	if (!within(stack, top - bytes, bytes))
		raise_ss(cpu, stack->error);
}

void stack_push_checked(struct cpu *cpu, struct stack_cursor *stack, u64 value, unsigned int size)
{
	u64 rsp = (stack->rsp - size) & stack->mask;
	u64 linear = stack_linear(cpu, stack, rsp, size);

	if (unlikely(!stack_store(cpu, stack, linear, value, size)))
		mem_store_as(cpu, linear, value, size, stack->access);
	stack->rsp = rsp;
}

u64 stack_pop_checked(struct cpu *cpu, struct stack_cursor *stack, unsigned int size)
{
	u64 linear = stack_linear(cpu, stack, stack->rsp, size), value;

	if (unlikely(!stack_load(cpu, stack, linear, &value, size)))
		value = mem_load_as(cpu, linear, size, stack->access);
	stack->rsp = (stack->rsp + size) & stack->mask;
	return value;
}

void stack_commit(struct cpu *cpu, const struct stack_cursor *stack)
{
	if (stack->mask == 0xffff)
		*(u16 *)&cpu->reg[REG_RSP] = (u16)stack->rsp;
	else
		cpu->reg[REG_RSP] = stack->rsp;
}
