/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/pseudo_op.h"
#include "sim/cpu/cet.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/decode.h"
#include "sim/cpu/dispatch.h"

/* Pseudo-ops count nothing themselves: number is what ran before them. */
ALWAYS_INLINE void commit(struct cpu *cpu, const struct op *op)
{
	u64 rip = cpu->reg[REG_RIP] + op->offset;

	cpu->reg[REG_RIP] = op->flags & OP_CODE64 ? rip : (u32)rip;
	cpu->budget -= op->number;
}

HANDLER(pseudo_op_leave)
{
	commit(cpu, op);
	LEAVE;
}

HANDLER(pseudo_op_jump_inside)
{
	(void)cpu;
	NEXT;
}

HANDLER(pseudo_op_stale)
{
	commit(cpu, op);
	LEAVE;
}

HANDLER(pseudo_op_replaced)
{
	struct trace *self = (struct trace *)((char *)op - offsetof(struct trace, op));

	if ((cpu->mode & MODE_CODE_MASK) != MODE_CODE64)
		LEAVE;
	if (unlikely(!trace_is_at(cpu, self->successor, cpu->reg[REG_RIP]))) {
		const struct trace *trace = trace_find(cpu, cpu->reg[REG_RIP]);

		if (!trace)
			LEAVE;
		self->successor = trace;
	}
	CHAIN_TO(self->successor);
}

HANDLER(pseudo_op_fall_through)
{
	const struct trace *link = (const struct trace *)op->disp;

	cpu->reg[REG_RIP] += op->offset;
	cpu->budget -= op->number;
	if (unlikely(!link))
		CONTINUE_IN(dispatch_search_relative);
	CHAIN_TO(link);
}

HANDLER(pseudo_op_next_page)
{
	const struct trace *guess = (const struct trace *)op->disp;

	cpu->reg[REG_RIP] += op->offset;
	cpu->budget -= op->number;
	if (unlikely(!trace_is_at(cpu, guess, cpu->reg[REG_RIP])))
		CONTINUE_IN(dispatch_search_relative);
	CHAIN_TO(guess);
}

HANDLER(pseudo_op_undefined)
{
	FAULT_POINT(cpu, op);
	raise_ud(cpu);
}

HANDLER(pseudo_op_privileged)
{
	FAULT_POINT(cpu, op);
	raise_gp(cpu, 0);
}

HANDLER(pseudo_op_not_available)
{
	FAULT_POINT(cpu, op);
	raise_nm(cpu);
}

HANDLER(pseudo_op_no_endbranch)
{
	FAULT_POINT(cpu, op);
	if (cet_legacy_page(cpu))
		cpu_abandon(cpu, CPU_EXIT_NONE); /* once more, decoded anew */
	cpu_raise_error(cpu, VECTOR_CP, CP_ENDBRANCH);
}

HANDLER(pseudo_op_watched)
{
	FAULT_POINT(cpu, op);
	debugger_stop_physical(cpu);
}
