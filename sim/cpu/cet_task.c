/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow stacks and the branch tracker across hardware task switches (SDM 3A:7.3; SDM 1:17.2.5). */
#include "sim/cpu/cet.h"

/* An IRET finds the frame of the CALL or event that nested the task on this one's shadow stack,
 * unless it goes out to level 3. */
static void take_frame(struct cpu *cpu, struct cet_task *task)
{
	bool user = cpu->cpl == 3;

	task->verifies = true;
	task->ssp = cet_load(cpu, cpu->ssp, user);
	task->lip = cet_load(cpu, cpu->ssp + 8, user);
	task->cs = cet_load(cpu, cpu->ssp + 16, user);
}

void cet_leave_task(struct cpu *cpu, struct cet_task *task, enum task_switch_source source,
		    u64 return_rip, unsigned int new_cpl)
{
	switch (source) {
	case TASK_JMP:
		return;
	case TASK_CALL:
	case TASK_EVENT:
		if (cpu->cpl == 3 && new_cpl < 3) {
			cpu->msr[MSR_PL3_SSP] = cpu->ssp;
			return;
		}
		task->pushes = true;
		task->cs = cpu->seg[SEG_CS].selector;
		task->lip = current_linear(cpu, return_rip);
		task->ssp = cpu->ssp;
		return;
	case TASK_IRET:
		task->ssp = cpu->msr[MSR_PL3_SSP];
		if (new_cpl < 3 || new_cpl == cpu->cpl)
			take_frame(cpu, task);
		cet_release(cpu, cpu->ssp + (task->verifies ? CET_FRAME_SIZE : 0), cpu->cpl == 3);
	}
}

/* The shadow stack of the new task's TSS, and the frame on it. */
static u64 switch_stack(struct cpu *cpu, const struct cet_task *task, u64 ssp)
{
	bool user = cpu->cpl == 3;

	if (ssp & 7)
		raise_ts(cpu, selector_error(cpu->seg[SEG_TR].selector));
	cet_acquire(cpu, ssp, false, user);
	if (!task->pushes)
		return ssp;
	return cet_store_frame(cpu, ssp, (u16)task->cs, task->lip, task->ssp, user);
}

static u64 restore_stack(struct cpu *cpu, const struct cet_task *task)
{
	if (task->ssp & 3 || task->ssp >> 32)
		cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
	return task->ssp;
}

void cet_enter_task(struct cpu *cpu, const struct cet_task *task, u32 ssp)
{
	if (cpu_v86(cpu) && (cpu->msr[MSR_U_CET] & (CET_SH_STK_EN | CET_ENDBR_EN)))
		raise_ts(cpu, selector_error(cpu->seg[SEG_TR].selector));
	if (task->verifies && (task->cs != cpu->seg[SEG_CS].selector ||
			       task->lip != current_linear(cpu, cpu->reg[REG_RIP])))
		cpu_raise_error(cpu, VECTOR_CP, CP_FAR_RET);
	if (cet_shadow_stack_enabled(cpu))
		cpu->ssp = task->returns ? restore_stack(cpu, task) : switch_stack(cpu, task, ssp);
	if (!task->returns)
		cet_start_tracker(cpu, cpu->cpl);
	cpu_update_mode(cpu);
}
