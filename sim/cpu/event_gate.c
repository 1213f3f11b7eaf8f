/* SPDX-License-Identifier: Apache-2.0 */
/* Event delivery through 16- and 32-bit gates and task gates (SDM 3A:6.12, 20.3). */
#include "sim/cpu/cet.h"
#include "sim/cpu/flags.h"

static bool gate_type_valid(u32 rights)
{
	switch (rights & (SEG_S | SEG_TYPE)) {
	case TYPE_TASK_GATE:
	case TYPE_INTERRUPT_GATE16:
	case TYPE_TRAP_GATE16:
	case TYPE_INTERRUPT_GATE32:
	case TYPE_TRAP_GATE32:
		return true;
	default:
		return false;
	}
}

static void read_gate(struct cpu *cpu, const struct event *event, struct descriptor *gate)
{
	if (event->vector * 8u + 7 > cpu->idtr.limit)
		raise_gp(cpu, event_gate_error(event->vector));
	gate->raw = system_load64(cpu, (u32)(cpu->idtr.base + event->vector * 8u));
	gate->high = 0;
	gate->rights = (u32)(gate->raw >> 40) & 0xff;
	if (!gate_type_valid(gate->rights))
		raise_gp(cpu, event_gate_error(event->vector));
	event_check_gate(cpu, event, gate);
}

static bool gate_is_32bit(const struct descriptor *gate)
{
	return gate->rights & 8;
}

static unsigned int push_size(const struct descriptor *gate)
{
	return gate_is_32bit(gate) ? 4 : 2;
}

static u64 gate_target(const struct descriptor *gate)
{
	return gate_is_32bit(gate) ? gate_offset32(gate) : gate->raw & 0xffff;
}

static void push_frame(struct cpu *cpu, struct stack_cursor *stack, const struct event *event,
		       unsigned int size)
{
	stack_push(cpu, stack, event->rflags, size);
	stack_push(cpu, stack, cpu->seg[SEG_CS].selector, size);
	stack_push(cpu, stack, event->return_rip, size);
	if (event->has_error)
		stack_push(cpu, stack, event->error, size);
}

static void clear_flags(struct cpu *cpu, const struct descriptor *gate)
{
	cpu->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
	if (!(rights_type(gate->rights) & 1)) /* interrupt gates have even types */
		cpu->rflags &= ~FLAG_IF;
}

/* Out of virtual-8086 mode the data segments are saved too, and come up null. */
static void push_v86_segments(struct cpu *cpu, struct stack_cursor *stack, unsigned int size)
{
	static const u8 order[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		stack_push(cpu, stack, cpu->seg[order[i]].selector, size);
}

static void null_v86_segments(struct cpu *cpu)
{
	static const u8 order[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		segment_commit_null(cpu, order[i], 0, 0);
}

static u64 deliver_inner(struct cpu *cpu, const struct event *event, const struct descriptor *gate,
			 struct descriptor *code)
{
	unsigned int size = push_size(gate), cpl = rights_dpl(code->rights);
	bool v86 = cpu_v86(cpu), user = cpu->cpl == 3;
	u16 selector = gate_selector(gate);
	struct inner_stack inner;
	u64 rip, ssp = 0;

	inner_stack_find(cpu, &inner, cpl, false);
	stack_reserve(cpu, &inner.cursor, (5 + event->has_error + (v86 ? 4 : 0)) * size);
	rip = code_check_rip(cpu, code, gate_target(gate));
	if (v86)
		push_v86_segments(cpu, &inner.cursor, size);
	stack_push(cpu, &inner.cursor, cpu->seg[SEG_SS].selector, size);
	stack_push(cpu, &inner.cursor, cpu->reg[REG_RSP], size);
	push_frame(cpu, &inner.cursor, event, size);
	descriptor_set_accessed(cpu, selector, code);
	if (cet_shadow_stack_of_handler(cpu, cpl))
		ssp = cet_enter_inner(cpu, cet_level_ssp(cpu, cpl), cpu->seg[SEG_CS].selector,
				      current_linear(cpu, event->return_rip), false);
	if (user && cet_shadow_stack_enabled(cpu))
		cpu->msr[MSR_PL3_SSP] = cpu->ssp;
	clear_flags(cpu, gate);
	cpu->ssp = ssp;
	code_commit(cpu, selector, cpl, code);
	inner_stack_commit(cpu, &inner, cpl);
	if (v86)
		null_v86_segments(cpu);
	cet_start_tracker(cpu, cpl);
	cpu_update_mode(cpu);
	return rip;
}

static u64 deliver_same(struct cpu *cpu, const struct event *event, const struct descriptor *gate,
			struct descriptor *code)
{
	unsigned int size = push_size(gate);
	u16 selector = gate_selector(gate);
	struct stack_cursor stack;
	u64 rip, ssp = cpu->ssp;

	stack_open(cpu, &stack);
	stack_reserve(cpu, &stack, (3 + event->has_error) * size);
	rip = code_check_rip(cpu, code, gate_target(gate));
	push_frame(cpu, &stack, event, size);
	descriptor_set_accessed(cpu, selector, code);
	if (cet_shadow_stack_enabled(cpu))
		ssp = cet_push_frame(cpu, ssp, cpu->seg[SEG_CS].selector,
				     current_linear(cpu, event->return_rip), cpu->cpl == 3);
	code_commit(cpu, selector, cpu->cpl, code);
	stack_commit(cpu, &stack);
	cpu->ssp = ssp;
	clear_flags(cpu, gate);
	cet_start_tracker(cpu, cpu->cpl);
	cpu_update_mode(cpu);
	return rip;
}

u64 event_deliver_gate(struct cpu *cpu, const struct event *event)
{
	struct descriptor gate, code;
	unsigned int dpl;
	bool inner;

	/* INT n needs IOPL 3 in virtual-8086 mode (SDM 3A:20.3, table 20-2). */
	if (cpu_v86(cpu) && event->type == EVENT_TYPE_SOFTWARE &&
	    (cpu->rflags & FLAG_IOPL) != FLAG_IOPL)
		raise_gp(cpu, 0);
	read_gate(cpu, event, &gate);
	if (rights_type(gate.rights) == TYPE_TASK_GATE)
		return task_switch(cpu, gate_selector(&gate), TASK_EVENT, event->return_rip, event);
	event_read_code(cpu, gate_selector(&gate), &code);
	dpl = rights_dpl(code.rights);
	inner = !rights_conforming(code.rights) && dpl < cpu->cpl;
	if (cpu_v86(cpu) && (!inner || dpl))
		raise_gp(cpu, selector_error(gate_selector(&gate)));
	if (inner)
		return deliver_inner(cpu, event, &gate, &code);
	return deliver_same(cpu, event, &gate, &code);
}
