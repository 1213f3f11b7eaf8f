/* SPDX-License-Identifier: Apache-2.0 */
/* x87: stack faults, pending exceptions, and the instructions that only move the stack. */
#include "sim/cpu/exec/x87.h"

COLD void fpu_raise_pending(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	if (cpu->cr0 & CR0_NE)
		cpu_raise(cpu, VECTOR_MF);
	/* CR0.NE = 0: the PC's FERR# raises IRQ 13 (SDM 1:D.2.1). Execution goes on as it does
	 * while IGNNE# is asserted. */
	if (cpu->platform && cpu->platform->ferr)
		cpu->platform->ferr(cpu);
}

COLD void x87_pend(struct cpu *cpu, const struct op *op)
{
	cpu->fpu.status |= FSW_ES | FSW_B;
	cpu->fpu.opcode = op->imm & 0x7ff;
	if (op->kind != KIND_REG)
		x87_track_operand(cpu, op);
}

COLD bool x87_stack_underflow(struct cpu *cpu, const struct op *op)
{
	x87_merge(cpu, op, FSW_IE | FSW_SF);
	return cpu->fpu.control & FSW_IE;
}

COLD bool x87_stack_overflow(struct cpu *cpu, const struct op *op)
{
	x87_merge(cpu, op, FSW_IE | FSW_SF | FSW_C1);
	return cpu->fpu.control & FSW_IE;
}

COLD void x87_st0_missing(struct cpu *cpu, const struct op *op)
{
	if (!x87_stack_underflow(cpu, op))
		return;
	x87_set_indefinite(st_reg(cpu, 0));
	st_use(cpu, 0);
}

static HANDLER(exec_fxch)
{
	struct fpu_register *a, *b, swap;

	x87_begin(cpu, op);
	x87_track(cpu, op);
	a = st_reg(cpu, 0);
	b = st_reg(cpu, op->rm);
	if (unlikely(st_empty(cpu, 0) || st_empty(cpu, op->rm))) {
		if (!x87_stack_underflow(cpu, op))
			NEXT;
		if (st_empty(cpu, 0))
			x87_set_indefinite(a);
		if (st_empty(cpu, op->rm))
			x87_set_indefinite(b);
		st_use(cpu, 0);
		st_use(cpu, op->rm);
	} else {
		cpu->fpu.status &= (u16)~FSW_C1;
	}
	st_copy(&swap, a);
	st_copy(a, b);
	st_copy(b, &swap);
	NEXT;
}

static HANDLER(exec_ffree)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	st_free(cpu, op->rm);
	cpu->fpu.status &= (u16)~FSW_C1;
	NEXT;
}

static HANDLER(exec_ffreep)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	st_free(cpu, op->rm);
	st_pop(cpu);
	cpu->fpu.status &= (u16)~FSW_C1;
	NEXT;
}

static HANDLER(exec_fincstp)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	st_move_top(cpu, 1);
	cpu->fpu.status &= (u16)~FSW_C1;
	NEXT;
}

static HANDLER(exec_fdecstp)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	st_move_top(cpu, 7);
	cpu->fpu.status &= (u16)~FSW_C1;
	NEXT;
}

static HANDLER(exec_fnop)
{
	x87_begin(cpu, op);
	x87_track(cpu, op);
	NEXT;
}

FAMILY_ONE(fxch, exec_fxch);
FAMILY_ONE(ffree, exec_ffree);
FAMILY_ONE(ffreep, exec_ffreep);
FAMILY_ONE(fincstp, exec_fincstp);
FAMILY_ONE(fdecstp, exec_fdecstp);
FAMILY_ONE(fnop, exec_fnop);
