/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Near branches (SDM 2A CALL, Jcc, JMP, LOOP; 2B RET). The 64-bit forms chain from trace to trace;
 * the 16- and 32-bit ones, and those that CET guards, go back to the run loop.
 */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/exec/condition.h"
#include "sim/cpu/exec/stack_access.h"
#include "sim/cpu/segment.h"

/* --- targets --- */

/* 64-bit mode: the target has to be canonical or the branch itself faults with #GP(0). */
ALWAYS_INLINE void check_canonical(struct cpu *cpu, const struct op *op, u64 target)
{
	unsigned int shift = cpu->canonical_shift;

	if (unlikely((u64)((s64)(target << shift) >> shift) != target)) {
		FAULT_POINT(cpu, op);
		raise_gp(cpu, 0);
	}
}

/* Cut to the operand size, then held against CS's limit. 64-bit code, which has none, comes here
 * with AMD's 16-bit branches. */
static u64 legacy_target(struct cpu *cpu, const struct op *op, u64 target, unsigned int size)
{
	target = truncate_to(target, size);
	if (!(op->flags & OP_CODE64) && target > cpu->seg[SEG_CS].limit) {
		FAULT_POINT(cpu, op);
		raise_gp(cpu, 0);
	}
	return target;
}

/* The same for either, where speed does not matter. */
static u64 checked_target(struct cpu *cpu, const struct op *op, u64 target, unsigned int size)
{
	if (size != 8)
		return legacy_target(cpu, op, target, size);
	check_canonical(cpu, op, target);
	return target;
}

/* A relative branch out of its page whose guess was wrong. */
static HANDLER(jmp_rel_search)
{
	check_canonical(cpu, op, OP_TARGET(cpu, op));
	COMMIT_BRANCH(OP_TARGET(cpu, op));
	CONTINUE_IN(dispatch_search_relative);
}

/* Ends the handler of a relative branch out of its page that is taken, in 64-bit code. */
#define JUMP_RELATIVE                                                                              \
	do {                                                                                       \
		const struct trace *guess = (const struct trace *)op->disp;                        \
		u64 target = OP_TARGET(cpu, op);                                                   \
		if (unlikely(!trace_is_at(cpu, guess, target)))                                    \
			CONTINUE_IN(jmp_rel_search);                                               \
		JUMP_GUESSED(target, guess);                                                       \
	} while (0)

/* --- Jcc --- */

#define JCC(cc)                                                                                    \
	static HANDLER(j##cc##_64)                                                                 \
	{                                                                                          \
		if (!condition_##cc(cpu))                                                          \
			NEXT;                                                                      \
		JUMP_RELATIVE;                                                                     \
	}                                                                                          \
	static HANDLER(j##cc##_linked)                                                             \
	{                                                                                          \
		if (!condition_##cc(cpu))                                                          \
			NEXT;                                                                      \
		JUMP_LINKED(OP_TARGET(cpu, op));                                                   \
	}                                                                                          \
	static HANDLER(j##cc##_legacy)                                                             \
	{                                                                                          \
		if (!condition_##cc(cpu))                                                          \
			NEXT;                                                                      \
		CPU_BRANCH(legacy_target(cpu, op, OP_TARGET(cpu, op), 1u << op->width));           \
	}                                                                                          \
	const struct family family_j##cc = {                                                       \
		.fn = {[1] = {j##cc##_legacy}, {j##cc##_legacy}, {j##cc##_64}},                    \
		.linked = {[3] = j##cc##_linked}};
EACH_CONDITION(JCC)

/* --- LOOP, LOOPE, LOOPNE, JrCXZ: the counter has the address size --- */

ALWAYS_INLINE unsigned int address_bytes(const struct op *op)
{
	return 2u << (op->flags & OP_ADDRESS_MASK);
}

#define COUNTED(name, count_expression, taken)                                                     \
	static HANDLER(name)                                                                       \
	{                                                                                          \
		unsigned int size = address_bytes(op);                                             \
		u64 count = truncate_to(count_expression, size);                                   \
		u64 target = OP_TARGET(cpu, op);                                                   \
		bool jumps = taken;                                                                \
		if (jumps)                                                                         \
			target = checked_target(cpu, op, target, 1u << op->width);                 \
		reg_write(cpu, REG_RCX * 8, count, size);                                          \
		if (!jumps)                                                                        \
			NEXT;                                                                      \
		if (OP_LINKABLE(op))                                                               \
			JUMP_LINKED(target);                                                       \
		CPU_BRANCH(target);                                                                \
	}                                                                                          \
	const struct family family_##name = {.fn = {[1] = {name}, {name}, {name}}};

COUNTED(loop, cpu->reg[REG_RCX] - 1, count != 0)
COUNTED(loope, cpu->reg[REG_RCX] - 1, count != 0 && flag_zf(cpu))
COUNTED(loopne, cpu->reg[REG_RCX] - 1, count != 0 && !flag_zf(cpu))

static HANDLER(jcxz)
{
	u64 target = OP_TARGET(cpu, op);

	if (truncate_to(cpu->reg[REG_RCX], address_bytes(op)))
		NEXT;
	CPU_BRANCH(checked_target(cpu, op, target, 1u << op->width));
}

const struct family family_jcxz = {.fn = {[1] = {jcxz}, {jcxz}, {jcxz}}};

/* --- JMP --- */

static HANDLER(jmp_rel_64)
{
	JUMP_RELATIVE;
}

static HANDLER(jmp_rel_linked)
{
	JUMP_LINKED(OP_TARGET(cpu, op));
}

static HANDLER(jmp_rel_legacy)
{
	CPU_BRANCH(legacy_target(cpu, op, OP_TARGET(cpu, op), 1u << op->width));
}

const struct family family_jmp_rel = {
	.fn = {[1] = {jmp_rel_legacy}, {jmp_rel_legacy}, {jmp_rel_64}},
	.linked = {[3] = jmp_rel_linked}};

/* The r/m operand, any width. */
ALWAYS_INLINE u64 branch_operand(struct cpu *cpu, const struct op *op)
{
	unsigned int size = 1u << op->width;

	if (op->kind == KIND_REG)
		return reg_read(cpu, op->rm, size);
	return truncate_to(mem_load_slow(cpu, op, ea_by_kind(cpu, op, size, false), size, op->seg),
			   size);
}

static HANDLER(jmp_legacy)
{
	CPU_BRANCH(legacy_target(cpu, op, branch_operand(cpu, op), 1u << op->width));
}

static HANDLER(jmp_guarded)
{
	u64 target = checked_target(cpu, op, branch_operand(cpu, op), 1u << op->width);

	cet_indirect_branch(cpu, op);
	CPU_BRANCH(target);
}

/* 64-bit code: where the guess was wrong. */
static HANDLER(jmp_search)
{
	u64 target = branch_operand(cpu, op);

	check_canonical(cpu, op, target);
	COMMIT_BRANCH(target);
	CONTINUE_IN(dispatch_search_indirect);
}

#define JUMP_INDIRECT(target)                                                                      \
	do {                                                                                       \
		u64 jump_target = (target);                                                        \
		const struct trace *guess = *trace_recent(cpu, jump_target);                       \
		if (unlikely(!trace_is_at(cpu, guess, jump_target) || guess->mode != cpu->mode))   \
			CONTINUE_IN(jmp_search);                                                   \
		JUMP_GUESSED(jump_target, guess);                                                  \
	} while (0)

static HANDLER(jmp_reg_64)
{
	JUMP_INDIRECT(REG64(cpu, op->rm));
}

#define JMP_MEM_64(kind)                                                                           \
	static HANDLER(jmp_mem_64_##kind)                                                          \
	{                                                                                          \
		FAST_READ(host, kind, 8, jmp_search);                                              \
		JUMP_INDIRECT(host_read(host, 8));                                                 \
	}
JMP_MEM_64(KIND_BASE)
JMP_MEM_64(KIND_INDEX)

const struct family family_jmp = {
	.fn = {[1] = {[KIND_REG] = jmp_legacy, [KIND_ANY] = jmp_legacy},
	       [2] = {[KIND_REG] = jmp_legacy, [KIND_ANY] = jmp_legacy},
	       [3] = {jmp_reg_64, jmp_mem_64_KIND_BASE, jmp_mem_64_KIND_INDEX, jmp_search}},
	.guarded = {[1] = jmp_guarded, jmp_guarded, jmp_guarded}};

/* --- CALL --- */

/* The ordinary push is made first and undone in rSP if the shadow stack's faults. */
static void call_push(struct cpu *cpu, const struct op *op)
{
	u64 next = OP_NEXT_RIP(cpu, op), rsp = cpu->reg[REG_RSP], after;
	unsigned int size = 1u << op->width;

	push_any(cpu, op, next, size);
	if (!cet_shadow_stack_enabled(cpu))
		return;
	after = cpu->reg[REG_RSP];
	cpu->reg[REG_RSP] = rsp;
	cet_near_call(cpu, op, next, size);
	cpu->reg[REG_RSP] = after;
}

static HANDLER(call_rel_any)
{
	u64 target = checked_target(cpu, op, OP_TARGET(cpu, op), 1u << op->width);

	call_push(cpu, op);
	CPU_BRANCH(target);
}

static HANDLER(call_any)
{
	u64 target = checked_target(cpu, op, branch_operand(cpu, op), 1u << op->width);

	call_push(cpu, op);
	cet_indirect_branch(cpu, op);
	CPU_BRANCH(target);
}

/* 64-bit code, without CET: where a guess was wrong, or the stack is not in the TLB. */
static HANDLER(call_rel_search)
{
	u64 target = OP_TARGET(cpu, op);

	check_canonical(cpu, op, target);
	push_any(cpu, op, OP_NEXT_RIP(cpu, op), 8);
	return_push(cpu, op + 1);
	COMMIT_BRANCH(target);
	CONTINUE_IN(dispatch_search_relative);
}

static HANDLER(call_search)
{
	u64 target = branch_operand(cpu, op);

	check_canonical(cpu, op, target);
	push_any(cpu, op, OP_NEXT_RIP(cpu, op), 8);
	return_push(cpu, op + 1);
	COMMIT_BRANCH(target);
	CONTINUE_IN(dispatch_search_indirect);
}

static HANDLER(call_rel_64)
{
	const struct trace *guess = (const struct trace *)op->disp;
	u64 target = OP_TARGET(cpu, op);

	if (unlikely(!trace_is_at(cpu, guess, target)))
		CONTINUE_IN(call_rel_search);
	FAST_PUSH(OP_NEXT_RIP(cpu, op), call_rel_search);
	return_push(cpu, op + 1);
	JUMP_GUESSED(target, guess);
}

static HANDLER(call_rel_linked)
{
	const struct trace *link = (const struct trace *)op->disp;

	if (unlikely(!link))
		CONTINUE_IN(call_rel_search);
	FAST_PUSH(OP_NEXT_RIP(cpu, op), call_rel_search);
	return_push(cpu, op + 1);
	JUMP_GUESSED(OP_TARGET(cpu, op), link);
}

#define CALL_INDIRECT(target)                                                                      \
	do {                                                                                       \
		u64 call_target = (target);                                                        \
		const struct trace *guess = *trace_recent(cpu, call_target);                       \
		if (unlikely(!trace_is_at(cpu, guess, call_target) || guess->mode != cpu->mode))   \
			CONTINUE_IN(call_search);                                                  \
		FAST_PUSH(OP_NEXT_RIP(cpu, op), call_search);                                      \
		return_push(cpu, op + 1);                                                          \
		JUMP_GUESSED(call_target, guess);                                                  \
	} while (0)

static HANDLER(call_reg_64)
{
	CALL_INDIRECT(REG64(cpu, op->rm));
}

#define CALL_MEM_64(kind)                                                                          \
	static HANDLER(call_mem_64_##kind)                                                         \
	{                                                                                          \
		FAST_READ(host, kind, 8, call_search);                                             \
		CALL_INDIRECT(host_read(host, 8));                                                 \
	}
CALL_MEM_64(KIND_BASE)
CALL_MEM_64(KIND_INDEX)

const struct family family_call_rel = {.fn = {[1] = {call_rel_any}, {call_rel_any}, {call_rel_64}},
				       .linked = {[3] = call_rel_linked},
				       .guarded = {[1] = call_rel_any, call_rel_any, call_rel_any}};
const struct family family_call = {
	.fn = {[1] = {[KIND_REG] = call_any, [KIND_ANY] = call_any},
	       [2] = {[KIND_REG] = call_any, [KIND_ANY] = call_any},
	       [3] = {call_reg_64, call_mem_64_KIND_BASE, call_mem_64_KIND_INDEX, call_search}},
	.guarded = {[1] = call_any, call_any, call_any}};

/* --- RET --- */

static HANDLER(ret_any)
{
	unsigned int size = 1u << op->width;
	u64 target = checked_target(cpu, op, peek_any(cpu, op, size), size);

	if (cet_shadow_stack_enabled(cpu))
		cet_near_return(cpu, op, target, size);
	stack_adjust(cpu, size + (u16)op->imm);
	CPU_BRANCH(target);
}

/* 64-bit code: where the guess was wrong. What is found is kept for the next return to there. */
static HANDLER(ret_search)
{
	u64 target = peek_any(cpu, op, 8);
	struct op *point = (struct op *)return_pop(cpu);
	const struct trace *trace;

	check_canonical(cpu, op, target);
	cpu->reg[REG_RSP] += 8 + (u16)op->imm;
	COMMIT_BRANCH(target);
	trace = trace_find(cpu, target);
	if (trace && point != cpu->traces->nowhere->op)
		point->disp = (s64)trace;
	CHAIN(trace);
}

static HANDLER(ret_64)
{
	const struct op *point = cpu->return_point[cpu->return_top];
	const struct trace *guess = (const struct trace *)point->disp;

	FAST_PEEK(target, cpu->reg[REG_RSP], ret_search);
	if (unlikely(!trace_is_at(cpu, guess, target) || guess->mode != cpu->mode))
		CONTINUE_IN(ret_search);
	return_pop(cpu);
	cpu->reg[REG_RSP] += 8 + (u16)op->imm;
	JUMP_GUESSED(target, guess);
}

const struct family family_ret = {.fn = {[1] = {ret_any}, {ret_any}, {ret_64}},
				  .guarded = {[1] = ret_any, ret_any, ret_any}};
const struct family family_ret_imm = {.fn = {[1] = {ret_any}, {ret_any}, {ret_64}},
				      .guarded = {[1] = ret_any, ret_any, ret_any}};
