/* SPDX-License-Identifier: Apache-2.0 */
/* Far JMP, CALL and RET (SDM 2A CALL, JMP; SDM 2B RET; SDM 3A:5.8). */
#include "sim/cpu/cet.h"

static u64 truncate(u64 value, unsigned int size)
{
	return size == 8 ? value : size == 4 ? (u32)value : (u16)value;
}

static bool paragraph_mode(const struct cpu *cpu)
{
	return cpu_real_mode(cpu) || cpu_v86(cpu);
}

/* Real and virtual-8086 mode: no descriptor, but the limit holds. */
static void check_real_rip(struct cpu *cpu, u64 rip)
{
	if (rip > cpu->seg[SEG_CS].limit)
		raise_gp(cpu, 0);
}

static void load_real_cs(struct cpu *cpu, u16 selector)
{
	segment_load_real(cpu, SEG_CS, selector);
	cpu_update_mode(cpu);
}

/* --- task gates and TSSs --- */

static void check_gate_privilege(struct cpu *cpu, u16 selector, const struct descriptor *gate)
{
	unsigned int dpl = rights_dpl(gate->rights);

	if (dpl < cpu->cpl || dpl < (selector & 3u))
		raise_gp(cpu, selector_error(selector));
	if (!(gate->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
}

static u64 far_system(struct cpu *cpu, const struct op *op, u16 selector, struct descriptor *target,
		      bool call, u64 return_rip)
{
	unsigned int type = rights_type(target->rights);
	enum task_switch_source source = call ? TASK_CALL : TASK_JMP;

	if (cpu_long_mode(cpu) && type != TYPE_CALL_GATE32)
		raise_gp(cpu, selector_error(selector));
	switch (type) {
	case TYPE_CALL_GATE16:
	case TYPE_CALL_GATE32:
		if (cpu_long_mode(cpu))
			descriptor_read_high(cpu, selector, VECTOR_GP, target);
		check_gate_privilege(cpu, selector, target);
		if (call)
			return call_gate_call(cpu, op, selector, target, return_rip);
		return call_gate_jump(cpu, op, selector, target);
	case TYPE_TASK_GATE:
		check_gate_privilege(cpu, selector, target);
		return task_switch(cpu, gate_selector(target), source, return_rip, NULL);
	case TYPE_TSS16:
	case TYPE_TSS32:
		check_gate_privilege(cpu, selector, target);
		return task_switch(cpu, selector, source, return_rip, NULL);
	default:
		raise_gp(cpu, selector_error(selector));
	}
}

/* --- within the level, directly or through a gate --- */

void far_jump_commit(struct cpu *cpu, u16 selector, struct descriptor *code)
{
	if (cet_shadow_stack_enabled(cpu))
		cet_check_low(cpu, cpu->ssp, code_is_64bit(cpu, code));
	code_commit(cpu, selector, cpu->cpl, code);
	cet_start_tracker(cpu, cpu->cpl);
	cpu_update_mode(cpu);
}

void far_call_commit(struct cpu *cpu, struct stack_cursor *stack, u16 selector,
		     struct descriptor *code, u64 return_rip, unsigned int size)
{
	u16 old_cs = cpu->seg[SEG_CS].selector;
	u64 ssp = cpu->ssp;

	stack_push(cpu, stack, old_cs, size);
	stack_push(cpu, stack, return_rip, size);
	if (cet_shadow_stack_enabled(cpu)) {
		cet_check_low(cpu, ssp, code_is_64bit(cpu, code));
		ssp = cet_push_frame(cpu, ssp, old_cs, current_linear(cpu, return_rip),
				     cpu->cpl == 3);
	}
	code_commit(cpu, selector, cpu->cpl, code);
	stack_commit(cpu, stack);
	cpu->ssp = ssp;
	cet_start_tracker(cpu, cpu->cpl);
	cpu_update_mode(cpu);
}

/* --- JMP --- */

u64 far_jump(struct cpu *cpu, const struct op *op, u16 selector, u64 offset)
{
	struct descriptor code;
	u64 rip, return_rip = OP_NEXT_RIP(cpu, op);

	FAULT_POINT(cpu, op);
	offset = truncate(offset, 1u << op->width);
	if (paragraph_mode(cpu)) {
		check_real_rip(cpu, offset);
		load_real_cs(cpu, selector);
		return offset;
	}
	code_descriptor_read(cpu, selector, &code);
	if (!(code.rights & SEG_S))
		return far_system(cpu, op, selector, &code, false, return_rip);
	code_check_direct(cpu, selector, &code);
	rip = code_check_rip(cpu, &code, offset);
	far_jump_commit(cpu, selector, &code);
	return rip;
}

/* --- CALL --- */

static u64 call_direct(struct cpu *cpu, const struct op *op, u16 selector, u64 offset,
		       u64 return_rip, struct descriptor *code)
{
	unsigned int size = 1u << op->width;
	struct stack_cursor stack;
	u64 rip;

	code_check_direct(cpu, selector, code);
	stack_open(cpu, &stack);
	stack_reserve(cpu, &stack, 2 * size);
	rip = code_check_rip(cpu, code, offset);
	far_call_commit(cpu, &stack, selector, code, return_rip, size);
	return rip;
}

u64 far_call(struct cpu *cpu, const struct op *op, u16 selector, u64 offset, u64 return_rip)
{
	unsigned int size = 1u << op->width;
	struct descriptor code;
	struct stack_cursor stack;

	FAULT_POINT(cpu, op);
	offset = truncate(offset, size);
	if (paragraph_mode(cpu)) {
		stack_open(cpu, &stack);
		stack_reserve(cpu, &stack, 2 * size);
		check_real_rip(cpu, offset);
		stack_push(cpu, &stack, cpu->seg[SEG_CS].selector, size);
		stack_push(cpu, &stack, return_rip, size);
		stack_commit(cpu, &stack);
		load_real_cs(cpu, selector);
		return offset;
	}
	code_descriptor_read(cpu, selector, &code);
	if (!(code.rights & SEG_S))
		return far_system(cpu, op, selector, &code, true, return_rip);
	return call_direct(cpu, op, selector, offset, return_rip, &code);
}

/* --- RET --- */

/* Parameters dropped from a stack pointer of this width. */
static u64 stack_release(const struct stack_cursor *stack, u16 release)
{
	return (stack->rsp + release) & stack->mask;
}

static u64 return_real(struct cpu *cpu, struct stack_cursor *stack, unsigned int size, u16 release)
{
	u64 rip = stack_pop(cpu, stack, size);
	u16 selector = (u16)stack_pop(cpu, stack, size);

	check_real_rip(cpu, rip);
	stack->rsp = stack_release(stack, release);
	stack_commit(cpu, stack);
	load_real_cs(cpu, selector);
	return rip;
}

static u64 return_same(struct cpu *cpu, struct stack_cursor *stack, u16 selector, u64 rip,
		       u16 release, struct descriptor *code)
{
	u64 ssp;

	rip = code_check_rip(cpu, code, rip);
	ssp = cet_check_same(cpu, selector, code_linear(code_is_64bit(cpu, code), code->base, rip),
			     code_is_64bit(cpu, code));
	code_commit(cpu, selector, cpu->cpl, code);
	stack->rsp = stack_release(stack, release);
	stack_commit(cpu, stack);
	cpu->ssp = ssp;
	cpu_update_mode(cpu);
	return rip;
}

static u64 return_outer(struct cpu *cpu, struct stack_cursor *stack, unsigned int size,
			u16 selector, u64 rip, u16 release, struct descriptor *code)
{
	unsigned int cpl = selector & 3;
	struct cet_outer_return shadow;
	struct outer_stack outer;

	stack->rsp = stack_release(stack, release);
	outer.rsp = stack_pop(cpu, stack, size) + release;
	outer.selector = (u16)stack_pop(cpu, stack, size);
	outer_stack_check(cpu, &outer, selector, code);
	rip = code_check_rip(cpu, code, rip);
	cet_check_outer(cpu, &shadow, selector,
			code_linear(code_is_64bit(cpu, code), code->base, rip),
			code_is_64bit(cpu, code));
	descriptor_set_accessed(cpu, selector, code);
	cet_commit_outer(cpu, &shadow);
	code_commit(cpu, selector, cpl, code);
	outer_stack_commit(cpu, &outer, cpl);
	segment_drop_inner(cpu, cpl);
	cpu_update_mode(cpu);
	return rip;
}

u64 far_return(struct cpu *cpu, const struct op *op, u16 release)
{
	unsigned int size = 1u << op->width;
	struct stack_cursor stack;
	struct descriptor code;
	u16 selector;
	u64 rip;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	if (paragraph_mode(cpu))
		return return_real(cpu, &stack, size, release);
	rip = stack_pop(cpu, &stack, size);
	selector = (u16)stack_pop(cpu, &stack, size);
	code_descriptor_read(cpu, selector, &code);
	code_check_return(cpu, selector, &code);
	if ((selector & 3) == cpu->cpl)
		return return_same(cpu, &stack, selector, rip, release, &code);
	return return_outer(cpu, &stack, size, selector, rip, release, &code);
}
