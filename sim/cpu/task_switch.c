/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware task switches (SDM 3A:7.3). Up to the commit point faults belong to the old task;
 * after it they are raised in the new one, with its CS:EIP.
 */
#include "sim/cpu/cet.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/vendor.h"

/* The two TSS formats (SDM 3A:7.2.1, 7.6). Offsets in bytes; fields of 2 or 4 bytes. */
struct tss_layout {
	u8 size; /* of general fields */
	u8 minimum_limit;
	u8 ip, flags, general, es, ldt;
	u8 segment_step, segments;
};

static const struct tss_layout layout16 = {
	.size = 2,
	.minimum_limit = 0x2b,
	.ip = 14,
	.flags = 16,
	.general = 18,
	.es = 34,
	.ldt = 42,
	.segment_step = 2,
	.segments = 4,
};
static const struct tss_layout layout32 = {
	.size = 4,
	.minimum_limit = 0x67,
	.ip = 32,
	.flags = 36,
	.general = 40,
	.es = 72,
	.ldt = 96,
	.segment_step = 4,
	.segments = 6,
};
#define TSS32_CR3  28
#define TSS32_TRAP 100
#define TSS32_SSP  104 /* exists with CR4.CET = 1 (SDM 3A:7.2.1) */

/* TSS order is the order of the registers' numbers. */
struct task_state {
	u32 ip, flags, cr3;
	u32 general[8];
	u16 selector[6]; /* by enum segment_index: ES CS SS DS FS GS */
	u16 ldt;
	bool trap;
	u32 ssp;
};

static const struct tss_layout *layout_of(u32 rights)
{
	return rights & 8 ? &layout32 : &layout16;
}

/* --- the incoming TSS's descriptor --- */

/* With CET the TSS has a field more, and 16-bit ones won't do. */
static u32 minimum_limit(const struct cpu *cpu, const struct tss_layout *layout)
{
	if (!(cpu->cr4 & CR4_CET))
		return layout->minimum_limit;
	return layout->size == 4 ? TSS32_SSP + 3 : UINT32_MAX;
}

static void check_target(struct cpu *cpu, u16 selector, enum task_switch_source source,
			 struct descriptor *tss)
{
	bool iret = source == TASK_IRET;
	u8 vector = iret ? VECTOR_TS : VECTOR_GP;
	unsigned int type;

	if (selector_null(selector) || (selector & 4))
		cpu_raise_error(cpu, vector, selector_error(selector));
	descriptor_read(cpu, selector, vector, tss);
	type = tss->rights & (SEG_S | SEG_TYPE);
	if (type != (iret ? TYPE_TSS16_BUSY : TYPE_TSS16) &&
	    type != (iret ? TYPE_TSS32_BUSY : TYPE_TSS32))
		cpu_raise_error(cpu, vector, selector_error(selector));
	if (!(tss->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
	if (tss->limit < minimum_limit(cpu, layout_of(tss->rights)))
		raise_ts(cpu, selector_error(selector));
}

/* --- memory images --- */

/* Touches what will be written or read, so that the copies below can't fault half-way. */
static void probe_old(struct cpu *cpu, u64 base, const struct tss_layout *layout)
{
	unsigned int last = layout->es + layout->segments * layout->segment_step - layout->size;
	u64 first = mem_load_system(cpu, base + layout->ip, layout->size);

	mem_store_system(cpu, base + layout->ip, first, layout->size);
	first = mem_load_system(cpu, base + last, 2);
	mem_store_system(cpu, base + last, first, 2);
}

static void save_old(struct cpu *cpu, u64 base, const struct tss_layout *layout, u64 ip, u64 flags)
{
	unsigned int i;

	mem_store_system(cpu, base + layout->ip, ip, layout->size);
	mem_store_system(cpu, base + layout->flags, flags, layout->size);
	for (i = 0; i < 8; i++)
		mem_store_system(cpu, base + layout->general + i * layout->size, cpu->reg[i],
				 layout->size);
	for (i = 0; i < layout->segments; i++)
		mem_store_system(cpu, base + layout->es + i * layout->segment_step,
				 cpu->seg[i].selector, 2);
}

static void load_new(struct cpu *cpu, u64 base, const struct tss_layout *layout,
		     struct task_state *state)
{
	bool tss32 = layout->size == 4;
	unsigned int i;

	state->ip = (u32)mem_load_system(cpu, base + layout->ip, layout->size);
	state->flags = (u32)mem_load_system(cpu, base + layout->flags, layout->size);
	for (i = 0; i < 8; i++)
		state->general[i] = (u32)mem_load_system(
			cpu, base + layout->general + i * layout->size, layout->size);
	for (i = 0; i < 6; i++)
		state->selector[i] =
			i < layout->segments
				? (u16)mem_load_system(
					  cpu, base + layout->es + i * layout->segment_step, 2)
				: 0;
	state->ldt = (u16)mem_load_system(cpu, base + layout->ldt, 2);
	state->cr3 = tss32 ? (u32)mem_load_system(cpu, base + TSS32_CR3, 4) : 0;
	state->trap = tss32 && (mem_load_system(cpu, base + TSS32_TRAP, 2) & 1);
	state->ssp = cpu->cr4 & CR4_CET ? (u32)mem_load_system(cpu, base + TSS32_SSP, 4) : 0;
}

/* --- the new task's segments: faults are #TS, #NP, #SS in the new task (table 7-1) --- */

static void load_task_ldt(struct cpu *cpu, u16 selector)
{
	struct descriptor ldt;

	segment_commit_null(cpu, SEG_LDTR, selector, 0);
	if (selector_null(selector))
		return;
	if (selector & 4)
		raise_ts(cpu, selector_error(selector));
	descriptor_read(cpu, selector, VECTOR_TS, &ldt);
	if ((ldt.rights & (SEG_S | SEG_TYPE)) != TYPE_LDT || !(ldt.rights & SEG_P))
		raise_ts(cpu, selector_error(selector));
	segment_commit(cpu, SEG_LDTR, selector, &ldt);
}

static void load_task_cs(struct cpu *cpu, u16 selector)
{
	unsigned int rpl = selector & 3, dpl;
	struct descriptor code;

	if (selector_null(selector))
		raise_ts(cpu, 0);
	descriptor_read(cpu, selector, VECTOR_TS, &code);
	dpl = rights_dpl(code.rights);
	if (!rights_code(code.rights) || (rights_conforming(code.rights) ? dpl > rpl : dpl != rpl))
		raise_ts(cpu, selector_error(selector));
	if (!(code.rights & SEG_P))
		raise_np(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, &code);
	segment_commit(cpu, SEG_CS, selector, &code);
}

static void load_task_ss(struct cpu *cpu, u16 selector)
{
	struct descriptor ss;

	if (selector_null(selector))
		raise_ts(cpu, 0);
	descriptor_read(cpu, selector, VECTOR_TS, &ss);
	if (!rights_writable_data(ss.rights) || rights_dpl(ss.rights) != cpu->cpl ||
	    (selector & 3) != cpu->cpl)
		raise_ts(cpu, selector_error(selector));
	if (!(ss.rights & SEG_P))
		raise_ss(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, &ss);
	segment_commit(cpu, SEG_SS, selector, &ss);
}

/* Selectors first, all of them; then the hidden parts one after the other. Where one faults, the
 * rest keep the old task's: the manual leaves open what the handler finds in them. */
static void load_segments(struct cpu *cpu, const struct task_state *state)
{
	static const u8 data[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
	unsigned int i;

	if (cpu_v86(cpu)) {
		for (i = 0; i < 6; i++)
			segment_load_real(cpu, i, state->selector[i]);
		cpu->cpl = 3;
		load_task_ldt(cpu, state->ldt);
		cpu_update_mode(cpu);
		return;
	}
	for (i = 0; i < 6; i++)
		cpu->seg[i].selector = state->selector[i];
	cpu->cpl = state->selector[SEG_CS] & 3;
	cpu_update_mode(cpu);
	load_task_ldt(cpu, state->ldt);
	load_task_cs(cpu, state->selector[SEG_CS]);
	load_task_ss(cpu, state->selector[SEG_SS]);
	for (i = 0; i < ARRAY_SIZE(data); i++)
		segment_load_data(cpu, data[i], state->selector[data[i]], VECTOR_TS);
	cpu_update_mode(cpu);
}

/* --- commit --- */

static void commit_registers(struct cpu *cpu, const struct task_state *state, bool tss32,
			     bool nested)
{
	unsigned int i;
	u64 flags = state->flags;

	cpu->reg[REG_RIP] = state->ip;
	if (!tss32)
		flags &= 0xffff;
	cpu_set_rflags(cpu, flags | (nested ? FLAG_NT : 0));
	for (i = 0; i < 8; i++)
		cpu->reg[i] = state->general[i];
	cpu->cr0 |= CR0_TS;
	/* Local breakpoints don't outlive the task (SDM 3B:18.2.4). */
	cpu->dr[7] &= ~UINT64_C(0x155);
}

static void push_error(struct cpu *cpu, unsigned int size, u32 error)
{
	struct stack_cursor stack;

	stack_open(cpu, &stack);
	stack_push(cpu, &stack, error, size);
	stack_commit(cpu, &stack);
}

/* Everything after the commit point; raises in the new task. */
static void enter_task(struct cpu *cpu, const struct task_state *state,
		       const struct cet_task *shadow, const struct event *event, unsigned int size)
{
	/* 16-bit TSSs have no CR3. One with bad PDPTEs is #GP(0). */
	if (size == 4 && (cpu->cr0 & CR0_PG) && state->cr3 != cpu->cr3)
		control_write_cr3(cpu, state->cr3);
	load_segments(cpu, state);
	if (unlikely(cpu->cr4 & CR4_CET))
		cet_enter_task(cpu, shadow, state->ssp);
	if (state->trap)
		debug_trap(cpu, DR6_BT);
	if (state->ip > cpu->seg[SEG_CS].limit)
		raise_gp(cpu, 0);
	if (event && event->has_error)
		push_error(cpu, size, event->error);
}

static unsigned int level_of(const struct task_state *state)
{
	return state->flags & FLAG_VM ? 3 : state->selector[SEG_CS] & 3;
}

u64 task_switch(struct cpu *cpu, u16 selector, enum task_switch_source source, u64 return_rip,
		const struct event *event)
{
	const struct tss_layout *old_layout = layout_of(cpu->seg[SEG_TR].rights), *new_layout;
	/* A fault's task gate saves RF as its frame on a stack would (SDM 3B:18.3.1.1). */
	u64 old_base = SEG_BASE(cpu, SEG_TR), flags = event ? event->rflags : cpu_rflags(cpu);
	u16 old_selector = cpu->seg[SEG_TR].selector;
	bool nests = source == TASK_CALL || source == TASK_EVENT;
	const struct op *op = cpu->op;
	struct cet_task shadow = {.returns = source == TASK_IRET};
	struct task_state state;
	struct descriptor tss;

	check_target(cpu, selector, source, &tss);
	INTERCEPT(cpu, op, TASK_SWITCH, selector | (u64)source << 16);
	new_layout = layout_of(tss.rights);
	probe_old(cpu, old_base, old_layout);
	if (source == TASK_IRET)
		flags &= ~FLAG_NT;
	load_new(cpu, tss.base, new_layout, &state);
	if (unlikely(cet_shadow_stack_enabled(cpu)))
		cet_leave_task(cpu, &shadow, source, return_rip, level_of(&state));
	if (nests)
		mem_store_system(cpu, tss.base, old_selector, 2); /* previous task link */
	save_old(cpu, old_base, old_layout, return_rip, flags);
	if (source == TASK_JMP || source == TASK_IRET)
		descriptor_set_busy(cpu, old_selector, false);
	if (source != TASK_IRET)
		descriptor_set_busy(cpu, selector, true);
	tss.rights |= TYPE_BUSY;
	segment_commit(cpu, SEG_TR, selector, &tss);
	commit_registers(cpu, &state, new_layout->size == 4, nests);
	/* The commit point: RIP and the budget stand. */
	cpu->op = NULL;
	if (op)
		cpu->budget -= op->number + 1;
	enter_task(cpu, &state, &shadow, event, new_layout->size);
	if (op)
		cpu->budget += op->number + 1; /* the handler's CPU_BRANCH counts it */
	return cpu->reg[REG_RIP];
}
