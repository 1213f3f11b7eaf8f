/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow stacks in far transfers and event delivery (SDM 1:17.2.5; SDM 2: CALL, RET, IRET, INT). */
#include "sim/cpu/cet.h"

void cet_check_low(struct cpu *cpu, u64 ssp, bool code64)
{
	if (code64 ? !address_canonical(cpu, ssp) : ssp >> 32 != 0)
		raise_gp(cpu, 0);
}

u64 cet_store_frame(struct cpu *cpu, u64 at, u16 cs, u64 lip, u64 ssp, bool user)
{
	cet_store(cpu, at - 8, cs, 8, user);
	cet_store(cpu, at - 16, lip, 8, user);
	cet_store(cpu, at - 24, ssp, 8, user);
	return at - CET_FRAME_SIZE;
}

u64 cet_push_frame(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool user)
{
	u64 aligned = ssp & ~UINT64_C(7);

	if (aligned != ssp)
		cet_store(cpu, ssp - 4, 0, 4, user);
	return cet_store_frame(cpu, aligned, cs, lip, ssp, user);
}

u64 cet_check_frame(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool user)
{
	u64 saved;

	if (ssp & 7)
		cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
	if (cet_load(cpu, ssp + 16, user) != cs || cet_load(cpu, ssp + 8, user) != lip)
		cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
	saved = cet_load(cpu, ssp, user);
	if (saved & 3)
		cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
	return saved;
}

void cet_acquire(struct cpu *cpu, u64 ssp, bool code64, bool user)
{
	/* Token and frame have to lie in one aligned block of 32 bytes. */
	if ((ssp & 7) || (ssp ^ (ssp - CET_FRAME_SIZE)) & ~UINT64_C(31))
		raise_gp(cpu, 0);
	cet_check_low(cpu, ssp, code64);
	if (cet_exchange(cpu, ssp, ssp, ssp | SHADOW_STACK_BUSY, user) != ssp)
		raise_gp(cpu, 0);
}

void cet_release(struct cpu *cpu, u64 ssp, bool user)
{
	cet_exchange(cpu, ssp, ssp | SHADOW_STACK_BUSY, ssp, user);
}

u64 cet_level_ssp(const struct cpu *cpu, unsigned int cpl)
{
	static const u16 index[] = {MSR_PL0_SSP, MSR_PL1_SSP, MSR_PL2_SSP, MSR_PL3_SSP};

	return cpu->msr[index[cpl]];
}

u64 cet_enter_inner(struct cpu *cpu, u64 ssp, u16 cs, u64 lip, bool code64)
{
	cet_acquire(cpu, ssp, code64, false);
	if (cpu->cpl == 3)
		return ssp;
	/* A level without shadow stacks has SSP 0 (SDM 1:17.2.5). */
	return cet_store_frame(cpu, ssp, cs, lip, cpu->ssp, false);
}

u64 cet_check_same(struct cpu *cpu, u16 cs, u64 lip, bool code64)
{
	u64 ssp;

	if (!cet_shadow_stack_enabled(cpu))
		return cpu->ssp;
	ssp = cet_check_frame(cpu, cpu->ssp, cs, lip, cpu->cpl == 3);
	cet_check_low(cpu, ssp, code64);
	return ssp;
}

void cet_leave_interrupt_stack(struct cpu *cpu, u64 ssp)
{
	u64 token = cpu->ssp + CET_FRAME_SIZE;

	if (cet_shadow_stack_enabled(cpu) && cpu_long_mode(cpu) && ssp != token)
		cet_release(cpu, token, false);
}

void cet_check_outer(struct cpu *cpu, struct cet_outer_return *out, u16 cs, u64 lip, bool code64)
{
	unsigned int cpl = cs & 3;
	u64 saved = 0;

	out->leaves = cet_shadow_stack_enabled(cpu);
	out->enters = cet_shadow_stack_at(cpu, cpl);
	out->old_token = cpu->ssp;
	out->ssp = cpu->ssp;
	if (out->leaves) {
		if (cpu->ssp & 7)
			cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
		if (cpl != 3) {
			saved = cet_check_frame(cpu, cpu->ssp, cs, lip, false);
			out->old_token = cpu->ssp + CET_FRAME_SIZE;
		}
	}
	if (!out->enters)
		return;
	out->ssp = cpl == 3 ? cet_level_ssp(cpu, 3) : saved;
	cet_check_low(cpu, out->ssp, code64);
}

void cet_commit_outer(struct cpu *cpu, const struct cet_outer_return *out)
{
	if (out->leaves)
		cet_release(cpu, out->old_token, false);
	cpu->ssp = out->ssp;
}
