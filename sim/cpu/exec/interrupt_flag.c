/* SPDX-License-Identifier: Apache-2.0 */
/* CLI and STI, with VME and PVI (SDM 2: CLI table 3-7, STI table 4-20; 3B:21.3, 3B:21.4). */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/fuse.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/wait.h"

enum flag_choice { CHOOSE_IF, CHOOSE_VIF, CHOOSE_FAULT };

static enum flag_choice choose(const struct cpu *cpu)
{
	unsigned int iopl = (cpu->rflags & FLAG_IOPL) >> 12;

	if (!(cpu->cr0 & CR0_PE) || iopl >= cpu->cpl)
		return CHOOSE_IF;
	if (cpu->rflags & FLAG_VM)
		return cpu->cr4 & CR4_VME ? CHOOSE_VIF : CHOOSE_FAULT;
	return cpu->cpl == 3 && (cpu->cr4 & CR4_PVI) ? CHOOSE_VIF : CHOOSE_FAULT;
}

static HANDLER(exec_cli)
{
	FAULT_POINT(cpu, op);
	switch (choose(cpu)) {
	case CHOOSE_IF:
		cpu->rflags &= ~FLAG_IF;
		break;
	case CHOOSE_VIF:
		cpu->rflags &= ~FLAG_VIF;
		break;
	case CHOOSE_FAULT:
		raise_gp(cpu, 0);
	}
	NEXT;
}
FAMILY_ONE(cli, exec_cli);

/* Interrupts wait for one more instruction if IF was clear (SDM 3A:6.8.3): true, which then runs
 * alone. */
static bool enable_interrupts(struct cpu *cpu)
{
	if (cpu->rflags & FLAG_IF)
		return false;
	cpu->rflags |= FLAG_IF;
	cpu->shadow |= SHADOW_STI;
	cpu_update_shadow(cpu);
	return true;
}

static HANDLER(exec_sti)
{
	FAULT_POINT(cpu, op);
	switch (choose(cpu)) {
	case CHOOSE_IF:
		if (enable_interrupts(cpu))
			CONTINUE_IN(dispatch_leave_behind);
		break;
	case CHOOSE_VIF:
		if (cpu->rflags & FLAG_VIP)
			raise_gp(cpu, 0);
		cpu->rflags |= FLAG_VIF;
		break;
	case CHOOSE_FAULT:
		raise_gp(cpu, 0);
	}
	NEXT;
}
FAMILY_ONE(sti, exec_sti);

/* As idle loops have it, at level 0: nothing comes between the two, so nobody sees the shadow. */
HANDLER(exec_sti_hlt)
{
	FAULT_POINT(cpu, op);
	if (unlikely(cpu->guest || (cpu->rflags & FLAG_IF)))
		CONTINUE_IN(exec_sti);
	cpu->rflags |= FLAG_IF;
	cpu_halt(cpu);
	cpu_update_shadow(cpu);
	DISPATCH(op + 2);
}
