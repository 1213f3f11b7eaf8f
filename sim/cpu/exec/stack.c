/* SPDX-License-Identifier: Apache-2.0 */
/* PUSH, POP, PUSHA, POPA, ENTER, LEAVE (SDM 1:6.2, 2A, 2B). */
#include "sim/cpu/exec/stack_access.h"
#include "sim/cpu/segment.h"

NOINLINE void push_any(struct cpu *cpu, const struct op *op, u64 value, unsigned int size)
{
	struct stack_cursor stack;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	stack_push(cpu, &stack, value, size);
	stack_commit(cpu, &stack);
}

NOINLINE u64 pop_any(struct cpu *cpu, const struct op *op, unsigned int size)
{
	struct stack_cursor stack;
	u64 value;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	value = stack_pop(cpu, &stack, size);
	stack_commit(cpu, &stack);
	return value;
}

NOINLINE u64 peek_any(struct cpu *cpu, const struct op *op, unsigned int size)
{
	struct stack_cursor stack;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	return stack_pop(cpu, &stack, size);
}

NOINLINE void stack_adjust(struct cpu *cpu, s64 bytes)
{
	struct stack_cursor stack;

	stack_open(cpu, &stack);
	stack.rsp = (stack.rsp + (u64)bytes) & stack.mask;
	stack_commit(cpu, &stack);
}

/* --- PUSH: family width is the operand's --- */

#define PUSH_WIDTH(width, size)                                                                    \
	static HANDLER(push_reg_##width)                                                           \
	{                                                                                          \
		push_any(cpu, op, RM_OPERAND(size), size);                                         \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(push_mem_##width)                                                           \
	{                                                                                          \
		u64 value = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);             \
		push_any(cpu, op, value, size);                                                    \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(push_imm_##width)                                                           \
	{                                                                                          \
		push_any(cpu, op, op->imm, size);                                                  \
		NEXT;                                                                              \
	}
PUSH_WIDTH(1, 2)
PUSH_WIDTH(2, 4)
PUSH_WIDTH(3, 8)

static HANDLER(push_64)
{
	FAST_PUSH(REG64(cpu, op->rm), push_reg_3);
	NEXT;
}

static HANDLER(push_imm_64)
{
	FAST_PUSH(op->imm, push_imm_3);
	NEXT;
}

#define PUSH_MEM_64(kind)                                                                          \
	static HANDLER(push_mem_64_##kind)                                                         \
	{                                                                                          \
		FAST_READ(host, kind, 8, push_mem_3);                                              \
		FAST_PUSH(host_read(host, 8), push_mem_3);                                         \
		NEXT;                                                                              \
	}
PUSH_MEM_64(KIND_BASE)
PUSH_MEM_64(KIND_INDEX)

const struct family family_push = {
	.fn = {[1] = {[KIND_REG] = push_reg_1, [KIND_ANY] = push_mem_1},
	       [2] = {[KIND_REG] = push_reg_2, [KIND_ANY] = push_mem_2},
	       [3] = {push_64, push_mem_64_KIND_BASE, push_mem_64_KIND_INDEX, push_mem_3}}};
const struct family family_push_imm = {.fn = {[1] = {push_imm_1}, {push_imm_2}, {push_imm_64}}};

/* --- POP --- */

/* An address with rSP in it is computed with the incremented rSP (SDM 2B POP); rSP is put back if
 * the store faults. */
NOINLINE static void pop_to_memory(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 value = peek_any(cpu, op, size), rsp = cpu->reg[REG_RSP], after, linear;

	stack_adjust(cpu, size);
	after = cpu->reg[REG_RSP];
	linear = ea_offset(cpu, op);
	cpu->reg[REG_RSP] = rsp;
	linear = segment_linear(cpu, op, op->seg, linear, size, true);
	mem_store(cpu, op, linear, value, size);
	cpu->reg[REG_RSP] = after;
}

#define POP_MEM(width, size)                                                                       \
	static HANDLER(pop_mem_##width)                                                            \
	{                                                                                          \
		pop_to_memory(cpu, op, size);                                                      \
		NEXT;                                                                              \
	}
#define POP_REG(width, size)                                                                       \
	static HANDLER(pop_reg_##width)                                                            \
	{                                                                                          \
		reg_write(cpu, op->rm, pop_any(cpu, op, size), size);                              \
		NEXT;                                                                              \
	}
POP_MEM(1, 2)
POP_MEM(2, 4)
POP_MEM(3, 8)
POP_REG(1, 2)
POP_REG(2, 4)
POP_REG(3, 8)

static HANDLER(pop_64)
{
	FAST_PEEK(value, cpu->reg[REG_RSP], pop_reg_3);
	cpu->reg[REG_RSP] += 8; /* first: POP RSP ends with the value */
	REG64(cpu, op->rm) = value;
	NEXT;
}

const struct family family_pop = {.fn = {[1] = {[KIND_REG] = pop_reg_1, [KIND_ANY] = pop_mem_1},
					 [2] = {[KIND_REG] = pop_reg_2, [KIND_ANY] = pop_mem_2},
					 [3] = {[KIND_REG] = pop_64, [KIND_ANY] = pop_mem_3}}};

/* --- PUSHA, POPA --- */

NOINLINE static void push_all(struct cpu *cpu, const struct op *op, unsigned int size)
{
	struct stack_cursor stack;
	unsigned int n;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	for (n = REG_RAX; n <= REG_RDI; n++) /* SP is pushed as it was before */
		stack_push(cpu, &stack, cpu->reg[n], size);
	stack_commit(cpu, &stack);
}

NOINLINE static void pop_all(struct cpu *cpu, const struct op *op, unsigned int size)
{
	struct stack_cursor stack;
	u64 value[8];
	int n;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	for (n = REG_RDI; n >= REG_RAX; n--)
		value[n] = stack_pop(cpu, &stack, size);
	for (n = REG_RDI; n >= REG_RAX; n--)
		if (n != REG_RSP)
			reg_write(cpu, n * 8, value[n], size);
	stack_commit(cpu, &stack);
}

static HANDLER(pusha)
{
	push_all(cpu, op, 1u << op->width);
	NEXT;
}

static HANDLER(popa)
{
	pop_all(cpu, op, 1u << op->width);
	NEXT;
}

FAMILY_ONE(pusha, pusha);
FAMILY_ONE(popa, popa);

/* --- ENTER, LEAVE --- */

NOINLINE static void enter_frame(struct cpu *cpu, const struct op *op, unsigned int size)
{
	unsigned int level = op->is4 & 31, n;
	struct stack_cursor stack, frame;
	u64 frame_pointer;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	stack_push(cpu, &stack, cpu->reg[REG_RBP], size);
	frame_pointer = stack.rsp;
	frame = stack;
	for (n = 1; n < level; n++) {
		frame.rsp = (cpu->reg[REG_RBP] - n * size) & stack.mask;
		stack_push(cpu, &stack, stack_pop(cpu, &frame, size), size);
	}
	if (level)
		stack_push(cpu, &stack, frame_pointer, size);
	stack.rsp = (stack.rsp - (u16)op->imm) & stack.mask;
	/* The final stack pointer must be writable, though nothing is written (SDM 2A ENTER). */
	mem_probe(cpu, op, stack_linear(cpu, &stack, stack.rsp, 1), 1, WALK_WRITE);
	stack_commit(cpu, &stack);
	reg_write(cpu, REG_RBP * 8, frame_pointer, size);
}

static HANDLER(enter)
{
	enter_frame(cpu, op, 1u << op->width);
	NEXT;
}

NOINLINE static void leave_frame(struct cpu *cpu, const struct op *op, unsigned int size)
{
	struct stack_cursor stack;
	u64 value;

	FAULT_POINT(cpu, op);
	stack_open(cpu, &stack);
	stack.rsp = cpu->reg[REG_RBP] & stack.mask;
	value = stack_pop(cpu, &stack, size);
	stack_commit(cpu, &stack);
	reg_write(cpu, REG_RBP * 8, value, size);
}

static HANDLER(leave_any)
{
	leave_frame(cpu, op, 1u << op->width);
	NEXT;
}

static HANDLER(leave_64)
{
	u64 rbp = cpu->reg[REG_RBP];

	FAST_PEEK(value, rbp, leave_any);
	cpu->reg[REG_RSP] = rbp + 8;
	cpu->reg[REG_RBP] = value;
	NEXT;
}

FAMILY_ONE(enter, enter);
const struct family family_leave = {.fn = {[1] = {leave_any}, {leave_any}, {leave_64}}};
