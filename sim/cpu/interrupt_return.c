/* SPDX-License-Identifier: Apache-2.0 */
/* IRET, IRETD, IRETQ (SDM 2A IRET; SDM 3A:6.12, 20.3; nested tasks SDM 3A:7.4). */
#include "sim/cpu/cet.h"
#include "sim/cpu/flags.h"

#define FLAG_BITS_16 UINT64_C(0xffff)
/* What IRET loads at any level; IF, IOPL, VIF and VIP depend on privilege. */
#define FLAG_IRET_USER (FLAG_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID)

/* What the stack held, before anything is committed. */
struct frame {
	u64 rip, rflags;
	u16 cs;
};

static void pop_frame(struct cpu *cpu, struct stack_cursor *stack, unsigned int size,
		      struct frame *frame)
{
	u64 words[3];

	stack_pop_words(cpu, stack, words, ARRAY_SIZE(words), size);
	frame->rip = words[0];
	frame->cs = (u16)words[1];
	frame->rflags = words[2];
}

/* Every mask has all the arithmetic flags, so theirs need not be known. */
static void load_flags(struct cpu *cpu, u64 image, u64 mask)
{
	cpu_set_rflags(cpu, (cpu->rflags & ~mask) | (image & mask));
}

/* Bits that IRET with this operand size may load at level @cpl of the code it leaves. */
static u64 protected_mask(const struct cpu *cpu, unsigned int size)
{
	unsigned int iopl = (cpu->rflags & FLAG_IOPL) >> 12;
	u64 mask = FLAG_IRET_USER;

	if (cpu->cpl == 0)
		mask |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
	if (cpu->cpl <= iopl)
		mask |= FLAG_IF;
	/* The 16-bit form ends the effect of RF all the same: it loads none. */
	return size == 2 ? mask & FLAG_BITS_16 : mask;
}

/* --- real mode --- */

static u64 return_real(struct cpu *cpu, struct stack_cursor *stack, unsigned int size)
{
	struct frame frame;

	pop_frame(cpu, stack, size, &frame);
	if (frame.rip > cpu->seg[SEG_CS].limit)
		raise_gp(cpu, 0);
	stack_commit(cpu, stack);
	segment_load_real(cpu, SEG_CS, frame.cs);
	/* VM, VIF and VIP stay. */
	load_flags(cpu, frame.rflags,
		   size == 2 ? (FLAG_IRET_USER | FLAG_IF | FLAG_IOPL) & FLAG_BITS_16
			     : FLAG_IRET_USER | FLAG_IF | FLAG_IOPL);
	cpu_update_mode(cpu);
	return frame.rip;
}

/* --- virtual-8086 mode --- */

/* VME with IOPL < 3: IF stands in VIF (SDM 3A:20.4, APM 2:8.10). */
static void load_flags_vme(struct cpu *cpu, u64 image)
{
	u64 mask = FLAG_IRET_USER & FLAG_BITS_16;

	if ((image & FLAG_TF) || ((image & FLAG_IF) && (cpu->rflags & FLAG_VIP)))
		raise_gp(cpu, 0);
	image = (image & ~FLAG_VIF) | (image & FLAG_IF ? FLAG_VIF : 0);
	load_flags(cpu, image, mask | FLAG_VIF);
}

static u64 return_v86(struct cpu *cpu, struct stack_cursor *stack, unsigned int size)
{
	bool iopl3 = (cpu->rflags & FLAG_IOPL) == FLAG_IOPL;
	struct frame frame;
	u64 mask = FLAG_IRET_USER | FLAG_IF;

	if (!iopl3 && !((cpu->cr4 & CR4_VME) && size == 2))
		raise_gp(cpu, 0);
	pop_frame(cpu, stack, size, &frame);
	if (frame.rip > cpu->seg[SEG_CS].limit)
		raise_gp(cpu, 0);
	if (iopl3)
		load_flags(cpu, frame.rflags, size == 2 ? mask & FLAG_BITS_16 : mask);
	else
		load_flags_vme(cpu, frame.rflags);
	stack_commit(cpu, stack);
	segment_load_real(cpu, SEG_CS, frame.cs);
	cpu_update_mode(cpu);
	return frame.rip;
}

/* --- protected mode --- */

static u64 return_nested(struct cpu *cpu, const struct op *op)
{
	u16 link;

	if (cpu_long_mode(cpu))
		raise_gp(cpu, 0);
	if (cpu->seg[SEG_TR].limit < 1) /* SDM 3A:6.15 table 6-6 */
		raise_ts(cpu, selector_error(cpu->seg[SEG_TR].selector));
	link = (u16)mem_load_system(cpu, SEG_BASE(cpu, SEG_TR), 2);
	return task_switch(cpu, link, TASK_IRET, OP_NEXT_RIP(cpu, op), NULL);
}

/* From level 0 into virtual-8086 mode: nine words come off the stack (SDM 3A:20.2.5). */
static u64 return_to_v86(struct cpu *cpu, struct stack_cursor *stack, const struct frame *frame)
{
	static const u8 order[] = {SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};
	u16 selector[ARRAY_SIZE(order)];
	unsigned int i;
	u64 esp;

	if ((cpu->cr4 & CR4_CET) && (cpu->msr[MSR_U_CET] & (CET_SH_STK_EN | CET_ENDBR_EN)))
		raise_gp(cpu, 0);
	esp = stack_pop(cpu, stack, 4);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		selector[i] = (u16)stack_pop(cpu, stack, 4);
	if ((u32)frame->rip > 0xffff)
		raise_gp(cpu, 0);
	if (cet_shadow_stack_enabled(cpu)) {
		if (cpu->ssp & 7)
			cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
		cet_release(cpu, cpu->ssp, false);
	}
	load_flags(cpu, frame->rflags, FLAG_KNOWN);
	cpu->cpl = 3;
	segment_load_real(cpu, SEG_CS, frame->cs);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		segment_load_real(cpu, order[i], selector[i]);
	cpu->reg[REG_RSP] = (u32)esp;
	cpu_update_mode(cpu);
	return (u32)frame->rip;
}

static u64 return_same(struct cpu *cpu, struct stack_cursor *stack, unsigned int size,
		       struct frame *frame, struct descriptor *code)
{
	bool code64 = code_is_64bit(cpu, code);
	u64 mask = protected_mask(cpu, size), rip = code_check_rip(cpu, code, frame->rip), ssp;

	ssp = cet_check_same(cpu, frame->cs, code_linear(code64, code->base, rip), code64);
	descriptor_set_accessed(cpu, frame->cs, code);
	cet_leave_interrupt_stack(cpu, ssp);
	code_commit(cpu, frame->cs, cpu->cpl, code);
	stack_commit(cpu, stack);
	cpu->ssp = ssp;
	load_flags(cpu, frame->rflags, mask);
	cpu_update_privilege(cpu);
	return rip;
}

/* To an outer level, and always out of 64-bit mode, where SS:RSP comes off the stack too. */
static u64 return_with_stack(struct cpu *cpu, struct stack_cursor *stack, unsigned int size,
			     struct frame *frame, struct descriptor *code)
{
	unsigned int cpl = frame->cs & 3, old_cpl = cpu->cpl;
	bool code64 = code_is_64bit(cpu, code);
	u64 mask = protected_mask(cpu, size), rip, lip;
	struct cet_outer_return shadow = {.ssp = cpu->ssp};
	struct outer_stack outer;
	u64 words[2];

	stack_pop_words(cpu, stack, words, ARRAY_SIZE(words), size);
	outer.rsp = words[0];
	outer.selector = (u16)words[1];
	rip = code_check_rip(cpu, code, frame->rip);
	outer_stack_check(cpu, &outer, frame->cs, code);
	lip = code_linear(code64, code->base, rip);
	descriptor_set_accessed(cpu, frame->cs, code);
	if (unlikely(cpu->cr4 & CR4_CET)) {
		if (cpl == old_cpl) {
			shadow.ssp = cet_check_same(cpu, frame->cs, lip, code64);
			cet_leave_interrupt_stack(cpu, shadow.ssp);
		} else {
			cet_check_outer(cpu, &shadow, frame->cs, lip, code64);
		}
		cet_commit_outer(cpu, &shadow);
	}
	code_commit(cpu, frame->cs, cpl, code);
	outer_stack_commit(cpu, &outer, cpl);
	if (cpl != old_cpl)
		segment_drop_inner(cpu, cpl);
	load_flags(cpu, frame->rflags, mask);
	cpu_update_privilege(cpu);
	return rip;
}

u64 interrupt_return(struct cpu *cpu, const struct op *op)
{
	unsigned int size = 1u << op->width;
	struct stack_cursor stack;
	struct descriptor code;
	struct frame frame;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	/* NMIs are unblocked even if the IRET faults (SDM 3A:6.7.1, 3C:25.3). */
	if (unlikely(cpu->nmi_blocked) && !cpu->iret_keeps_nmi) {
		cpu->nmi_blocked = false;
		cpu->nmi_unblocked = cpu_retired(cpu) + op->number;
		if (cpu->nmi_pending)
			event_post(cpu, EVENT_NMI);
		if (cpu->arbitrates)
			event_post(cpu, EVENT_VENDOR);
	}
	if (cpu_real_mode(cpu))
		return return_real(cpu, &stack, size);
	if (cpu_v86(cpu))
		return return_v86(cpu, &stack, size);
	if (unlikely(cpu->rflags & FLAG_NT))
		return return_nested(cpu, op);
	pop_frame(cpu, &stack, size, &frame);
	if (unlikely(frame.rflags & FLAG_VM) && size == 4 && cpu->cpl == 0 && !cpu_long_mode(cpu))
		return return_to_v86(cpu, &stack, &frame);
	code_descriptor_read(cpu, frame.cs, &code);
	code_check_return(cpu, frame.cs, &code);
	if (cpu_64bit(cpu) || (frame.cs & 3) != cpu->cpl)
		return return_with_stack(cpu, &stack, size, &frame, &code);
	return return_same(cpu, &stack, size, &frame, &code);
}
