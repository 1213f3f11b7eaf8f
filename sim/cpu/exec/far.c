/* SPDX-License-Identifier: Apache-2.0 */
/* Far JMP, CALL, RET, IRET; INT n and its kin, BOUND; RSM. */
#include "sim/cpu/debugger.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/smm.h"
#include "sim/cpu/vendor.h"

/* The selector lies above the offset. AMD has no pointers with 64-bit offsets (SDM 2A JMP, LFS; APM
 * 3 JMP far, LFS). */
u64 far_pointer_load(struct cpu *cpu, const struct op *op, u16 *selector)
{
	unsigned int size = op->width == 3 && cpu->amd ? 4 : 1u << op->width;
	u64 linear, offset;

	FAULT_POINT(cpu, op);
	linear = ea_by_kind(cpu, op, size + 2, false);
	offset = mem_load_slow(cpu, op, linear, size, op->seg);
	*selector = (u16)mem_load(cpu, op, linear + size, 2);
	return offset;
}

NOINLINE static u64 jump_indirect(struct cpu *cpu, const struct op *op)
{
	u16 selector;
	u64 offset = far_pointer_load(cpu, op, &selector);

	return far_jump(cpu, op, selector, offset);
}

NOINLINE static u64 call_indirect(struct cpu *cpu, const struct op *op)
{
	u16 selector;
	u64 offset = far_pointer_load(cpu, op, &selector);

	return far_call(cpu, op, selector, offset, OP_NEXT_RIP(cpu, op));
}

HANDLER(exec_far_jmp)
{
	u64 rip = far_jump(cpu, op, (u16)(op->imm >> 32), (u32)op->imm);

	CPU_BRANCH(rip);
}

HANDLER(exec_far_call)
{
	u64 rip = far_call(cpu, op, (u16)(op->imm >> 32), (u32)op->imm, OP_NEXT_RIP(cpu, op));

	CPU_BRANCH(rip);
}

HANDLER(exec_far_jmp_indirect)
{
	u64 rip = jump_indirect(cpu, op);

	CPU_BRANCH(rip);
}

HANDLER(exec_far_call_indirect)
{
	u64 rip = call_indirect(cpu, op);

	CPU_BRANCH(rip);
}

HANDLER(exec_far_ret)
{
	u64 rip = far_return(cpu, op, (u16)op->imm);

	CPU_BRANCH(rip);
}

HANDLER(exec_iret)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, IRET, 0);
	rip = interrupt_return(cpu, op);

	CPU_BRANCH(rip);
}

FAMILY_ONE(far_jmp, exec_far_jmp);
FAMILY_ONE(far_call, exec_far_call);
FAMILY_ONE(far_jmp_indirect, exec_far_jmp_indirect);
FAMILY_ONE(far_call_indirect, exec_far_call_indirect);
FAMILY_ONE(far_ret, exec_far_ret);
FAMILY_ONE(iret, exec_iret);

/* --- software interrupts --- */

HANDLER(exec_int)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, INT, (u8)op->imm);
	rip = event_deliver(cpu, (u8)op->imm, EVENT_TYPE_SOFTWARE, false, 0, OP_NEXT_RIP(cpu, op));
	CPU_BRANCH(rip);
}

HANDLER(exec_int3)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	if (debugger_takes(cpu, VECTOR_BP, 0))
		cpu_abandon(cpu, CPU_EXIT_DEBUG);
	INTERCEPT(cpu, op, INT3, 0);
	rip = event_deliver(cpu, VECTOR_BP, EVENT_TYPE_SOFTWARE_EXCEPTION, false, 0,
			    OP_NEXT_RIP(cpu, op));
	CPU_BRANCH(rip);
}

HANDLER(exec_into)
{
	u64 rip = OP_NEXT_RIP(cpu, op);

	FAULT_POINT(cpu, op);
	if (flag_of(cpu)) {
		INTERCEPT(cpu, op, INTO, 0);
		rip = event_deliver(cpu, VECTOR_OF, EVENT_TYPE_SOFTWARE_EXCEPTION, false, 0, rip);
	}
	CPU_BRANCH(rip);
}

/* It is the guest's, whatever the debugger wants, as #DB's intercept does not catch it (APM
 * 2:15.12.2): one that steps could not go on from an exit at it. */
HANDLER(exec_int1)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, INT1, 0);
	rip = event_deliver(cpu, VECTOR_DB, EVENT_TYPE_ICEBP, false, 0, OP_NEXT_RIP(cpu, op));
	/* Breakpoints that MOV SS held back come with this #DB. */
	cpu->dr[6] |= cpu->pending_debug;
	cpu->pending_debug = 0;
	CPU_BRANCH(rip);
}

FAMILY_ONE(int, exec_int);
FAMILY_ONE(int3, exec_int3);
FAMILY_ONE(into, exec_into);
FAMILY_ONE(int1, exec_int1);

/* Signed bounds, both inclusive. */
NOINLINE static void check_bounds(struct cpu *cpu, const struct op *op)
{
	unsigned int size = op->width == 1 ? 2 : 4;
	u64 linear;
	s64 value, low, high;

	FAULT_POINT(cpu, op);
	linear = ea_by_kind(cpu, op, 2 * size, false);
	if (size == 2) {
		value = (s16)REG16(cpu, op->reg);
		low = (s16)mem_load(cpu, op, linear, 2);
		high = (s16)mem_load(cpu, op, linear + 2, 2);
	} else {
		value = (s32)REG32(cpu, op->reg);
		low = (s32)mem_load(cpu, op, linear, 4);
		high = (s32)mem_load(cpu, op, linear + 4, 4);
	}
	if (value < low || value > high) {
		INTERCEPT(cpu, op, BOUND, 0);
		cpu_raise(cpu, VECTOR_BR);
	}
}

HANDLER(exec_bound)
{
	check_bounds(cpu, op);
	NEXT;
}

FAMILY_ONE(bound, exec_bound);

HANDLER(exec_rsm)
{
	u64 rip;

	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, RSM, 0); /* SVM's comes before #UD; VMX has none */
	if (!cpu->smm)
		raise_ud(cpu);
	rip = smm_leave(cpu);
	CPU_BRANCH(rip);
}

FAMILY_ONE(rsm, exec_rsm);
