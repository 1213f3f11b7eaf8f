/* SPDX-License-Identifier: Apache-2.0 */
/* Call gates of 16, 32 and 64 bits (SDM 3A:5.8.3 to 5.8.5). */
#include "sim/cpu/cet.h"

/* The gate's code segment: #GP(selector of the code segment). */
static void check_target(struct cpu *cpu, u16 selector, const struct descriptor *code, bool jump)
{
	unsigned int dpl = rights_dpl(code->rights);
	bool conforming = rights_conforming(code->rights);

	if (!rights_code(code->rights) || dpl > cpu->cpl)
		raise_gp(cpu, selector_error(selector));
	if (jump && !conforming && dpl != cpu->cpl)
		raise_gp(cpu, selector_error(selector));
	if (cpu_long_mode(cpu) && (code->rights & (SEG_L | SEG_DB)) != SEG_L)
		raise_gp(cpu, selector_error(selector));
	if (!(code->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
}

/* Bytes a gate pushes at a time, by its width. */
static unsigned int gate_size(const struct cpu *cpu, const struct descriptor *gate)
{
	if (cpu_long_mode(cpu))
		return 8;
	return rights_type(gate->rights) == TYPE_CALL_GATE32 ? 4 : 2;
}

static u64 gate_target(const struct cpu *cpu, const struct descriptor *gate)
{
	switch (gate_size(cpu, gate)) {
	case 8:
		return gate_offset64(gate);
	case 4:
		return gate_offset32(gate);
	default:
		return gate->raw & 0xffff;
	}
}

u64 call_gate_jump(struct cpu *cpu, const struct op *op, u16 selector, struct descriptor *gate)
{
	u16 target = gate_selector(gate);
	struct descriptor code;
	u64 rip;

	(void)op;
	(void)selector;
	code_descriptor_read(cpu, target, &code);
	check_target(cpu, target, &code, true);
	rip = code_check_rip(cpu, &code, gate_target(cpu, gate));
	far_jump_commit(cpu, target, &code);
	return rip;
}

/* The caller's parameters: 0 to 31 words or doublewords from the old stack. */
static void copy_parameters(struct cpu *cpu, struct stack_cursor *to, unsigned int count,
			    unsigned int size)
{
	struct stack_cursor from;
	u64 value[31];
	unsigned int i;

	stack_open(cpu, &from);
	for (i = 0; i < count; i++)
		value[i] = stack_pop(cpu, &from, size);
	while (i--)
		stack_push(cpu, to, value[i], size);
}

static u64 call_inner(struct cpu *cpu, u16 target, struct descriptor *code, u64 rip,
		      const struct descriptor *gate, u64 return_rip)
{
	unsigned int size = gate_size(cpu, gate), cpl = rights_dpl(code->rights);
	unsigned int count = size == 8 ? 0 : gate->raw >> 32 & 31;
	bool code64 = code_is_64bit(cpu, code), user = cpu->cpl == 3;
	u16 old_cs = cpu->seg[SEG_CS].selector;
	struct inner_stack inner;
	u64 ssp = 0;

	inner_stack_find(cpu, &inner, cpl, code64);
	stack_reserve(cpu, &inner.cursor, (4 + count) * size);
	rip = code_check_rip(cpu, code, rip);
	stack_push(cpu, &inner.cursor, cpu->seg[SEG_SS].selector, size);
	stack_push(cpu, &inner.cursor, cpu->reg[REG_RSP], size);
	copy_parameters(cpu, &inner.cursor, count, size);
	stack_push(cpu, &inner.cursor, old_cs, size);
	stack_push(cpu, &inner.cursor, return_rip, size);
	descriptor_set_accessed(cpu, target, code);
	if (cet_shadow_stack_at(cpu, cpl))
		ssp = cet_enter_inner(cpu, cet_level_ssp(cpu, cpl), old_cs,
				      current_linear(cpu, return_rip), code64);
	if (user && cet_shadow_stack_enabled(cpu))
		cpu->msr[MSR_PL3_SSP] = cpu->ssp;
	cpu->ssp = ssp;
	code_commit(cpu, target, cpl, code);
	inner_stack_commit(cpu, &inner, cpl);
	cet_start_tracker(cpu, cpl);
	cpu_update_mode(cpu);
	return rip;
}

static u64 call_same(struct cpu *cpu, u16 target, struct descriptor *code, u64 rip,
		     const struct descriptor *gate, u64 return_rip)
{
	unsigned int size = gate_size(cpu, gate);
	struct stack_cursor stack;

	rip = code_check_rip(cpu, code, rip);
	/* A 64-bit gate called from compatibility mode pushes 8 bytes all the same. */
	if (code_is_64bit(cpu, code))
		stack_open_flat(cpu, &stack, cpu->reg[REG_RSP], cpu->cpl);
	else
		stack_open(cpu, &stack);
	stack_reserve(cpu, &stack, 2 * size);
	far_call_commit(cpu, &stack, target, code, return_rip, size);
	return rip;
}

u64 call_gate_call(struct cpu *cpu, const struct op *op, u16 selector, struct descriptor *gate,
		   u64 return_rip)
{
	u16 target = gate_selector(gate);
	struct descriptor code;
	u64 rip = gate_target(cpu, gate);

	(void)op;
	(void)selector;
	code_descriptor_read(cpu, target, &code);
	check_target(cpu, target, &code, false);
	if (!rights_conforming(code.rights) && rights_dpl(code.rights) < cpu->cpl)
		return call_inner(cpu, target, &code, rip, gate, return_rip);
	return call_same(cpu, target, &code, rip, gate, return_rip);
}
