/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow-stack instructions and ENDBRANCH (SDM 1:17; SDM 2: each instruction). */
#include "sim/cpu/cet.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"

/* Bit 1 of a previous-SSP token; bit 0 of a restore token tells 64-bit mode. */
#define TOKEN_PREVIOUS BIT(1)

static void need_shadow_stack(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	if (!cet_shadow_stack_enabled(cpu))
		raise_ud(cpu);
}

static bool user(const struct cpu *cpu)
{
	return cpu->cpl == 3;
}

/* --- ENDBR32, ENDBR64 --- */

static void end_branch(struct cpu *cpu)
{
	if (cet_endbranch_enabled(cpu)) {
		cpu->msr[cpu->cpl == 3 ? MSR_U_CET : MSR_S_CET] &= ~(CET_TRACKER | CET_SUPPRESS);
		cpu_update_mode(cpu);
	}
}

HANDLER(exec_endbr64)
{
	if (unlikely(cpu->cr4 & CR4_CET) && (op->flags & OP_CODE64))
		end_branch(cpu);
	NEXT;
}

HANDLER(exec_endbr32)
{
	if (unlikely(cpu->cr4 & CR4_CET) && !(op->flags & OP_CODE64))
		end_branch(cpu);
	NEXT;
}

FAMILY_ONE(endbr64, exec_endbr64);
FAMILY_ONE(endbr32, exec_endbr32);

/* --- INCSSP, RDSSP --- */

NOINLINE static void do_incssp(struct cpu *cpu, const struct op *op)
{
	unsigned int size = op->width == 3 ? 8 : 4, count;

	need_shadow_stack(cpu, op);
	count = REG8(cpu, op->rm);
	/* The first and the last element are touched, the first even for a count of 0. */
	mem_load_as(cpu, cpu->ssp, size, WALK_SHADOW_STACK | (user(cpu) ? WALK_USER : 0));
	if (count)
		mem_load_as(cpu, cpu->ssp + (u64)(count - 1) * size, size,
			    WALK_SHADOW_STACK | (user(cpu) ? WALK_USER : 0));
	cpu->ssp += (u64)count * size;
}

HANDLER(exec_incssp)
{
	do_incssp(cpu, op);
	NEXT;
}

/* A no-operation where shadow stacks are off. */
HANDLER(exec_rdssp)
{
	if (cet_shadow_stack_enabled(cpu)) {
		if (op->width == 3)
			REG64(cpu, op->rm) = cpu->ssp;
		else
			REG64(cpu, op->rm) = (u32)cpu->ssp;
	}
	NEXT;
}

FAMILY_ONE(incssp, exec_incssp);
FAMILY_ONE(rdssp, exec_rdssp);

/* --- WRSS, WRUSS --- */

NOINLINE static void do_wrss(struct cpu *cpu, const struct op *op, bool wruss)
{
	unsigned int size = op->width == 3 ? 8 : 4;
	u64 linear;

	FAULT_POINT(cpu, op);
	if (wruss) {
		if (!(cpu->cr4 & CR4_CET))
			raise_ud(cpu);
		if (cpu->cpl)
			raise_gp(cpu, 0);
	} else {
		need_shadow_stack(cpu, op);
		if (!(cpu->msr[user(cpu) ? MSR_U_CET : MSR_S_CET] & CET_WR_SHSTK_EN))
			raise_ud(cpu);
	}
	linear = ea_by_kind(cpu, op, size, true);
	if (linear & (size - 1))
		raise_gp(cpu, 0);
	cet_store(cpu, linear, REG64(cpu, op->reg), size, wruss || user(cpu));
}

HANDLER(exec_wrss)
{
	do_wrss(cpu, op, false);
	NEXT;
}

HANDLER(exec_wruss)
{
	do_wrss(cpu, op, true);
	NEXT;
}

FAMILY_ONE(wrss, exec_wrss);
FAMILY_ONE(wruss, exec_wruss);

/* --- RSTORSSP, SAVEPREVSSP --- */

NOINLINE static void do_rstorssp(struct cpu *cpu, const struct op *op)
{
	u64 linear, token, mode = op->flags & OP_CODE64 ? 1 : 0, wanted;

	need_shadow_stack(cpu, op);
	linear = ea_by_kind(cpu, op, 8, true);
	if (linear & 7)
		raise_gp(cpu, 0);
	token = cet_load(cpu, linear, user(cpu));
	/* The token holds the SSP to be restored, just above itself, and the mode in bit 0. */
	wanted = ((token & ~UINT64_C(1)) - 8) & ~UINT64_C(7);
	if ((token & 3) != mode || (!mode && token >> 32) || wanted != linear)
		cpu_raise_error(cpu, VECTOR_CP, CP_RSTORSSP);
	cet_store(cpu, linear, cpu->ssp | mode | TOKEN_PREVIOUS, 8, user(cpu));
	cpu->ssp = linear;
	/* CF: the restored SSP was not 8-byte aligned, there is a hole below it. */
	flags_set_arith(cpu, token & 4 ? FLAG_CF : 0);
}

HANDLER(exec_rstorssp)
{
	do_rstorssp(cpu, op);
	NEXT;
}

NOINLINE static void do_saveprevssp(struct cpu *cpu, const struct op *op)
{
	u64 token, old, mode = op->flags & OP_CODE64 ? 1 : 0;
	bool hole = flag_cf(cpu);

	need_shadow_stack(cpu, op);
	if (cpu->ssp & 7)
		raise_gp(cpu, 0);
	token = cet_load(cpu, cpu->ssp, user(cpu));
	/* The hole that RSTORSSP's CF tells of holds zero; there is none in 64-bit mode. */
	if (hole && (mode || mem_load_as(cpu, cpu->ssp + 8, 4,
					 WALK_SHADOW_STACK | (user(cpu) ? WALK_USER : 0))))
		raise_gp(cpu, 0);
	if (!(token & TOKEN_PREVIOUS) || (!mode && token >> 32))
		raise_gp(cpu, 0);
	old = token & ~UINT64_C(3);
	/* A restore token goes on the old stack, below a 4-byte pad if it was not aligned. */
	cet_store(cpu, old - 4, 0, 4, user(cpu));
	cet_store(cpu, (old & ~UINT64_C(7)) - 8, old | mode, 8, user(cpu));
	cpu->ssp += hole ? 12 : 8;
}

HANDLER(exec_saveprevssp)
{
	do_saveprevssp(cpu, op);
	NEXT;
}

FAMILY_ONE(rstorssp, exec_rstorssp);
FAMILY_ONE(saveprevssp, exec_saveprevssp);

/* --- SETSSBSY, CLRSSBSY --- */

static void need_supervisor_shadow_stack(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_CET) || !(cpu->msr[MSR_S_CET] & CET_SH_STK_EN))
		raise_ud(cpu);
	if (cpu->cpl)
		raise_gp(cpu, 0);
}

NOINLINE static void do_setssbsy(struct cpu *cpu, const struct op *op)
{
	u64 ssp;

	need_supervisor_shadow_stack(cpu, op);
	ssp = cpu->msr[MSR_PL0_SSP];
	if (ssp & 7)
		raise_gp(cpu, 0);
	if (cet_exchange(cpu, ssp, ssp, ssp | SHADOW_STACK_BUSY, false) != ssp)
		cpu_raise_error(cpu, VECTOR_CP, CP_SETSSBSY);
	cpu->ssp = ssp;
}

HANDLER(exec_setssbsy)
{
	do_setssbsy(cpu, op);
	NEXT;
}

NOINLINE static bool do_clrssbsy(struct cpu *cpu, const struct op *op)
{
	u64 linear;

	need_supervisor_shadow_stack(cpu, op);
	linear = ea_by_kind(cpu, op, 8, true);
	if (linear & 7)
		raise_gp(cpu, 0);
	return cet_exchange(cpu, linear, linear | SHADOW_STACK_BUSY, linear, false) !=
	       (linear | SHADOW_STACK_BUSY);
}

HANDLER(exec_clrssbsy)
{
	bool invalid = do_clrssbsy(cpu, op);

	/* CF tells an invalid token; the other flags are cleared (SDM 2A CLRSSBSY). */
	cpu->ssp = 0;
	flags_set_arith(cpu, invalid ? FLAG_CF : 0);
	NEXT;
}

FAMILY_ONE(setssbsy, exec_setssbsy);
FAMILY_ONE(clrssbsy, exec_clrssbsy);
