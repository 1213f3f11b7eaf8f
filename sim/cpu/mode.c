/* SPDX-License-Identifier: Apache-2.0 */
/* The mode word, which all decoding depends on, and whether instructions have to run alone. */
#include "sim/cpu/address_space.h"
#include "sim/cpu/branch_record.h"
#include "sim/cpu/dispatch.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"

static u32 code_size(const struct cpu *cpu)
{
	if (cpu_64bit(cpu))
		return MODE_CODE64;
	return cpu->seg[SEG_CS].rights & SEG_DB ? MODE_CODE32 : MODE_CODE16;
}

static bool flat_code(const struct cpu *cpu)
{
	return cpu_64bit(cpu) ||
	       (SEG_BASE(cpu, SEG_CS) == 0 && cpu->seg[SEG_CS].limit == UINT32_MAX);
}

static u32 cet_mode(const struct cpu *cpu)
{
	if (likely(!(cpu->cr4 & CR4_CET)))
		return 0;
	return (cet_shadow_stack_enabled(cpu) || cet_endbranch_enabled(cpu) ? MODE_CET : 0) |
	       (cet_waits(cpu) ? MODE_ENDBRANCH : 0);
}

/* What CPL, CS, SS and RFLAGS decide of it. */
static u32 privilege_mode(const struct cpu *cpu)
{
	return code_size(cpu) | (cpu->seg[SEG_SS].rights & SEG_DB ? MODE_STACK32 : 0) |
	       ((cpu->cr0 & CR0_PE) && !cpu_v86(cpu) ? MODE_PROTECTED : 0) |
	       (u32)cpu->cpl << MODE_CPL_SHIFT | (flat_code(cpu) ? MODE_FLAT_CS : 0) |
	       cet_mode(cpu);
}

/* And the rest. */
static u32 control_mode(const struct cpu *cpu)
{
	bool avx = (cpu->cr4 & CR4_OSXSAVE) && (cpu->xcr0 & 6) == 6;

	return (cpu->cr0 & CR0_EM ? MODE_EM : 0) | (cpu->cr0 & CR0_TS ? MODE_TS : 0) |
	       (cpu->cr4 & CR4_OSFXSR ? MODE_OSFXSR : 0) | (avx ? MODE_AVX : 0) |
	       (recorder_sees(cpu, RECORDER_INSTRUCTIONS) ? MODE_RECORDED : 0);
}

/* Enabled instruction breakpoints: DR7.R/Wn = 00 (SDM 3B:18.2.4). */
static bool watches_code(const struct cpu *cpu)
{
	u64 dr7 = cpu_breakpoints(cpu)[7];
	unsigned int n;

	for (n = 0; n < 4; n++)
		if ((dr7 >> 2 * n & 3) && !(dr7 >> (16 + 4 * n) & 3))
			return true;
	return false;
}

static bool must_step(const struct cpu *cpu)
{
	return (cpu->rflags & (FLAG_TF | FLAG_RF)) || cpu->shadow || cpu->rerun_alone ||
	       cpu->monitor_trap.on || branch_recorded(cpu) ||
	       (cpu->debugger.control & KVM_GUESTDBG_SINGLESTEP) ||
	       (cpu_watches(cpu) && (watches_code(cpu) || debug_watches_data(cpu)));
}

void cpu_update_step(struct cpu *cpu)
{
	if (must_step(cpu))
		event_set(cpu, EVENT_STEP);
	else
		event_clear(cpu, EVENT_STEP);
}

static void note_interrupt_flag(struct cpu *cpu)
{
	if (cpu->interrupt_waits && (cpu->rflags & FLAG_IF)) {
		cpu->interrupt_waits = false;
		event_set(cpu, EVENT_INTERRUPT | (cpu->arbitrates ? EVENT_VENDOR : 0));
	}
}

/* The mode word and contexts are in place. */
static void note_privilege(struct cpu *cpu)
{
	pmu_note_privilege(cpu);
	if (must_step(cpu))
		event_set(cpu, EVENT_STEP);
	note_interrupt_flag(cpu);
}

void cpu_update_shadow(struct cpu *cpu)
{
	if (cpu->shadow)
		event_set(cpu, EVENT_STEP);
	note_interrupt_flag(cpu);
}

void cpu_update_mode(struct cpu *cpu)
{
	cpu->control_mode = control_mode(cpu);
	cpu->mode = cpu->control_mode | privilege_mode(cpu);
	address_space_update(cpu);
	note_privilege(cpu);
}

void cpu_update_privilege(struct cpu *cpu)
{
	cpu->mode = cpu->control_mode | privilege_mode(cpu);
	address_space_update_privilege(cpu);
	note_privilege(cpu);
}
