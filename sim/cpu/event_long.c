/* SPDX-License-Identifier: Apache-2.0 */
/* Event delivery in IA-32e mode (SDM 3A:6.14; APM 2:8.9). */
#include "sim/cpu/cet.h"
#include "sim/cpu/flags.h"

/* SS, RSP, RFLAGS, CS and RIP; an error code lies in the same 16-byte slot. */
#define FRAME_BYTES 48

static void read_gate(struct cpu *cpu, const struct event *event, struct descriptor *gate)
{
	u64 linear = cpu->idtr.base + event->vector * 16u;
	unsigned int type;

	if (event->vector * 16u + 15 > cpu->idtr.limit)
		raise_gp(cpu, event_gate_error(event->vector));
	gate->raw = system_load64(cpu, linear);
	gate->high = (u32)system_load64(cpu, linear + 8);
	gate->rights = (u32)(gate->raw >> 40) & 0xff;
	type = gate->rights & (SEG_S | SEG_TYPE);
	if (type != TYPE_INTERRUPT_GATE32 && type != TYPE_TRAP_GATE32)
		raise_gp(cpu, event_gate_error(event->vector));
	event_check_gate(cpu, event, gate);
}

/* The new RSP: IST, the TSS's stack of the new level, or the current one (SDM 3A:6.14.5). */
static u64 find_stack(struct cpu *cpu, unsigned int ist, unsigned int cpl)
{
	if (ist)
		return tss64_load(cpu, TSS64_IST1 + 8 * (ist - 1));
	if (cpl != cpu->cpl)
		return tss64_load(cpu, TSS64_RSP0 + 8 * cpl);
	return cpu->reg[REG_RSP];
}

/* The shadow stack of the handler (SDM 1:17.2.5, 3A:6.14.6). */
static u64 switch_shadow_stack(struct cpu *cpu, const struct event *event, unsigned int ist,
			       unsigned int cpl)
{
	u64 lip = current_linear(cpu, event->return_rip);
	u16 cs = cpu->seg[SEG_CS].selector;
	u64 ssp;

	if (ist)
		ssp = system_load64(cpu, cpu->msr[MSR_INTERRUPT_SSP_TABLE] + 8 * ist);
	else if (cpl != cpu->cpl)
		ssp = cet_level_ssp(cpu, cpl);
	else
		return cet_push_frame(cpu, cpu->ssp, cs, lip, cpl == 3);
	return cet_enter_inner(cpu, ssp, cs, lip, true);
}

/* The CET part of delivery, past every other check. */
COLD static u64 deliver_shadow(struct cpu *cpu, const struct event *event, unsigned int ist,
			       unsigned int cpl)
{
	u64 ssp = cpl == cpu->cpl ? cpu->ssp : 0;

	if (cet_shadow_stack_at(cpu, cpl))
		ssp = switch_shadow_stack(cpu, event, ist, cpl);
	if (cpu->cpl == 3 && cet_shadow_stack_enabled(cpu))
		cpu->msr[MSR_PL3_SSP] = cpu->ssp;
	return ssp;
}

static void push_frame(struct cpu *cpu, struct stack_cursor *stack, const struct event *event)
{
	const u64 frame[] = {event->return_rip, cpu->seg[SEG_CS].selector, event->rflags,
			     cpu->reg[REG_RSP], cpu->seg[SEG_SS].selector};

	stack_push_words(cpu, stack, frame, ARRAY_SIZE(frame));
	if (event->has_error)
		stack_push(cpu, stack, event->error, 8);
}

u64 event_deliver_long(struct cpu *cpu, const struct event *event)
{
	struct descriptor gate, code;
	struct stack_cursor stack;
	unsigned int ist, cpl;
	u16 selector;
	u64 rsp, rip;

	read_gate(cpu, event, &gate);
	selector = gate_selector(&gate);
	event_read_code(cpu, selector, &code);
	cpl = rights_conforming(code.rights) ? cpu->cpl : rights_dpl(code.rights);
	ist = gate.raw >> 32 & 7;
	rsp = find_stack(cpu, ist, cpl) & ~UINT64_C(15);
	rip = gate_offset64(&gate);
	stack_open_flat(cpu, &stack, rsp, cpl);
	stack_linear(cpu, &stack, rsp - FRAME_BYTES, FRAME_BYTES); /* #SS goes first */
	if (unlikely(!address_canonical(cpu, rip)))
		raise_gp(cpu, 0);
	push_frame(cpu, &stack, event);
	descriptor_set_accessed(cpu, selector, &code);
	if (unlikely(cpu->cr4 & CR4_CET))
		cpu->ssp = deliver_shadow(cpu, event, ist, cpl);
	if (cpl != cpu->cpl)
		segment_commit_null(cpu, SEG_SS, cpl, cpl);
	segment_commit(cpu, SEG_CS, (selector & ~3) | cpl, &code);
	cpu->cpl = cpl;
	cpu->reg[REG_RSP] = stack.rsp;
	cpu->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
	if (rights_type(gate.rights) == TYPE_INTERRUPT_GATE32)
		cpu->rflags &= ~FLAG_IF;
	if (unlikely(cpu->cr4 & CR4_CET))
		cet_start_tracker(cpu, cpl);
	cpu_update_privilege(cpu);
	return rip;
}
