/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of inner levels, from the TSS (SDM 3A:5.8.5, 6.14.2), and of outer ones, on returns. */
#include "sim/cpu/descriptor.h"

u64 tss64_load(struct cpu *cpu, unsigned int offset)
{
	const struct segment *tr = &cpu->seg[SEG_TR];

	if (offset + 7 > tr->limit)
		raise_ts(cpu, selector_error(tr->selector));
	return system_load64(cpu, SEG_BASE(cpu, SEG_TR) + offset);
}

/* SS and ESP of level @dpl in a 16- or 32-bit TSS. */
static u32 load_from_tss(struct cpu *cpu, unsigned int dpl, u16 *selector)
{
	const struct segment *tr = &cpu->seg[SEG_TR];
	u64 base = SEG_BASE(cpu, SEG_TR);
	bool tss32 = tr->rights & 8;
	unsigned int offset = tss32 ? 4 + dpl * 8 : 2 + dpl * 4;
	unsigned int size = tss32 ? 4 : 2;

	if (offset + size + 1 > tr->limit)
		raise_ts(cpu, selector_error(tr->selector));
	*selector = (u16)mem_load_system(cpu, (u32)(base + offset + size), 2);
	return (u32)mem_load_system(cpu, (u32)(base + offset), size);
}

static void check_inner_segment(struct cpu *cpu, u16 selector, unsigned int dpl,
				struct descriptor *ss)
{
	if (selector_null(selector))
		raise_ts(cpu, 0);
	descriptor_read(cpu, selector, VECTOR_TS, ss);
	if ((selector & 3) != dpl || rights_dpl(ss->rights) != dpl ||
	    !rights_writable_data(ss->rights))
		raise_ts(cpu, selector_error(selector));
	if (!(ss->rights & SEG_P))
		raise_ss(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, ss);
}

void inner_stack_find(struct cpu *cpu, struct inner_stack *stack, unsigned int dpl, bool code64)
{
	u32 esp;

	if (code64) {
		stack->null = true;
		stack->selector = dpl;
		stack_open_flat(cpu, &stack->cursor, tss64_load(cpu, TSS64_RSP0 + dpl * 8), dpl);
		return;
	}
	stack->null = false;
	esp = load_from_tss(cpu, dpl, &stack->selector);
	check_inner_segment(cpu, stack->selector, dpl, &stack->ss);
	stack_open_segment(cpu, &stack->cursor, stack->ss.base, stack->ss.limit, stack->ss.rights,
			   esp, dpl);
	stack->cursor.error = selector_error(stack->selector);
}

void inner_stack_commit(struct cpu *cpu, struct inner_stack *stack, unsigned int dpl)
{
	if (stack->null)
		segment_commit_null(cpu, SEG_SS, stack->selector, dpl);
	else
		segment_commit(cpu, SEG_SS, stack->selector, &stack->ss);
	stack_commit(cpu, &stack->cursor);
}

void outer_stack_check(struct cpu *cpu, struct outer_stack *stack, u16 cs_selector,
		       const struct descriptor *code)
{
	unsigned int rpl = cs_selector & 3;
	u16 selector = stack->selector;
	struct descriptor *ss = &stack->ss;

	stack->null = selector_null(selector);
	if (stack->null) {
		if (!code_is_64bit(cpu, code) || rpl == 3 || (selector & 3) != rpl)
			raise_gp(cpu, 0);
		return;
	}
	descriptor_read(cpu, selector, VECTOR_GP, ss);
	if ((selector & 3) != rpl || rights_dpl(ss->rights) != rpl ||
	    !rights_writable_data(ss->rights))
		raise_gp(cpu, selector_error(selector));
	if (!(ss->rights & SEG_P))
		raise_ss(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, ss);
}

/* After CS: whether RSP, ESP or SP is written goes by the new mode and the new SS. */
void outer_stack_commit(struct cpu *cpu, struct outer_stack *stack, unsigned int cpl)
{
	if (stack->null)
		segment_commit_null(cpu, SEG_SS, stack->selector, cpl);
	else
		segment_commit(cpu, SEG_SS, stack->selector, &stack->ss);
	if (cpu_64bit(cpu))
		cpu->reg[REG_RSP] = stack->rsp;
	else if (cpu->seg[SEG_SS].rights & SEG_DB)
		cpu->reg[REG_RSP] = (u32)stack->rsp;
	else
		*(u16 *)&cpu->reg[REG_RSP] = (u16)stack->rsp;
}
