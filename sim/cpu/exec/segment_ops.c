/* SPDX-License-Identifier: Apache-2.0 */
/* MOV, PUSH and POP of segment registers; LDS, LES, LSS, LFS, LGS. */
#include "sim/cpu/descriptor.h"
#include "sim/cpu/operand.h"

/* Interrupts, NMIs and debug traps wait until the next instruction has completed (SDM 3A:6.8.3). */
static void shadow_stack_load(struct cpu *cpu, unsigned int seg)
{
	if (seg == SEG_SS) {
		cpu->shadow = SHADOW_MOV_SS;
		cpu_update_mode(cpu);
	}
}

/* --- MOV --- */

NOINLINE static void load_from_operand(struct cpu *cpu, const struct op *op)
{
	u16 selector;

	FAULT_POINT(cpu, op);
	if (op->reg == SEG_CS || op->reg > SEG_GS)
		raise_ud(cpu);
	if (op->kind == KIND_REG)
		selector = REG16(cpu, op->rm);
	else
		selector = (u16)mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2);
	segment_load(cpu, op->reg, selector);
	shadow_stack_load(cpu, op->reg);
}

/* Ends the trace: SS may change the stack's width, DS to GS what addresses resolve to. */
HANDLER(exec_mov_to_sreg)
{
	load_from_operand(cpu, op);
	NEXT;
}

NOINLINE static void store_to_operand(struct cpu *cpu, const struct op *op)
{
	u16 selector;

	FAULT_POINT(cpu, op);
	if (op->reg > SEG_GS)
		raise_ud(cpu);
	selector = cpu->seg[op->reg].selector;
	if (op->kind != KIND_REG)
		mem_store(cpu, op, ea_by_kind(cpu, op, 2, true), selector, 2);
	else if (op->width == 1)
		REG16(cpu, op->rm) = selector;
	else
		REG64(cpu, op->rm) = selector;
}

HANDLER(exec_mov_from_sreg)
{
	store_to_operand(cpu, op);
	NEXT;
}

FAMILY_ONE(mov_to_sreg, exec_mov_to_sreg);
FAMILY_ONE(mov_from_sreg, exec_mov_from_sreg);

/* --- PUSH and POP --- */

/* With 32 bits Intel's processors write the selector alone, AMD's zero-extend it (SDM 2B PUSH). */
NOINLINE static void push_segment(struct cpu *cpu, const struct op *op, enum segment_index seg)
{
	unsigned int size = 1u << op->width;
	struct stack_cursor stack;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	if (size == 4 && !cpu->amd) {
		stack.rsp = (stack.rsp - 2) & stack.mask;
		size = 2;
	}
	stack_push(cpu, &stack, cpu->seg[seg].selector, size);
	stack_commit(cpu, &stack);
}

NOINLINE static void pop_segment(struct cpu *cpu, const struct op *op, enum segment_index seg)
{
	struct stack_cursor stack;
	u16 selector;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	selector = (u16)stack_pop(cpu, &stack, 1u << op->width);
	segment_load(cpu, seg, selector);
	stack_commit(cpu, &stack);
	shadow_stack_load(cpu, seg);
}

#define PUSH_SEGMENT(name, seg)                                                                    \
	HANDLER(exec_push_##name)                                                                  \
	{                                                                                          \
		push_segment(cpu, op, seg);                                                        \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(push_##name, exec_push_##name)

#define POP_SEGMENT(name, seg)                                                                     \
	HANDLER(exec_pop_##name)                                                                   \
	{                                                                                          \
		pop_segment(cpu, op, seg);                                                         \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(pop_##name, exec_pop_##name)

PUSH_SEGMENT(es, SEG_ES);
PUSH_SEGMENT(cs, SEG_CS);
PUSH_SEGMENT(ss, SEG_SS);
PUSH_SEGMENT(ds, SEG_DS);
PUSH_SEGMENT(fs, SEG_FS);
PUSH_SEGMENT(gs, SEG_GS);
POP_SEGMENT(es, SEG_ES);
POP_SEGMENT(ss, SEG_SS);
POP_SEGMENT(ds, SEG_DS);
POP_SEGMENT(fs, SEG_FS);
POP_SEGMENT(gs, SEG_GS);

/* --- far pointers --- */

NOINLINE static void load_pointer(struct cpu *cpu, const struct op *op, enum segment_index seg)
{
	u16 selector;
	u64 offset = far_pointer_load(cpu, op, &selector);

	segment_load(cpu, seg, selector);
	if (op->width == 1)
		REG16(cpu, op->reg) = (u16)offset;
	else
		REG64(cpu, op->reg) = offset;
	/* LSS loads the pointer in one go: no shadow. */
	if (seg == SEG_SS)
		cpu_update_mode(cpu);
}

#define LOAD_POINTER(name, seg)                                                                    \
	HANDLER(exec_##name)                                                                       \
	{                                                                                          \
		load_pointer(cpu, op, seg);                                                        \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

LOAD_POINTER(les, SEG_ES);
LOAD_POINTER(lds, SEG_DS);
LOAD_POINTER(lss, SEG_SS);
LOAD_POINTER(lfs, SEG_FS);
LOAD_POINTER(lgs, SEG_GS);
