/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance counters (SDM 3B:20.2; APM 2:13.2). What they count follows from the number of
 * retired instructions, so nothing is done while instructions run: the values of cpu->msr are made
 * true
 * ("settled") when something changes that counting depends on, or when somebody looks.
 *
 * One retired instruction takes one core cycle. Reference cycles are those of the TSC: by default
 * both are a nanosecond of guest time. None passes while the processor is halted. An instruction
 * belongs to the privilege, and to the counters' controls, that it began with.
 *
 * Both vendors keep their registers in the places of Intel's.
 */
#ifndef LOCKSTEP_SIM_CPU_PMU_H
#define LOCKSTEP_SIM_CPU_PMU_H

#include "sim/cpu/cpu.h"

/* Counter numbers: general-purpose ones, then Intel's fixed-function ones. */
#define PMU_GENERAL  8
#define PMU_FIXED    3
#define PMU_COUNTERS (PMU_GENERAL + PMU_FIXED)
#define PMU_WIDTH    48

/* IA32_PERFEVTSELx, PERF_CTLx (SDM 3B figure 20-1; APM 2:13.2.1). */
#define PMU_SELECT_USR  BIT(16)
#define PMU_SELECT_OS   BIT(17)
#define PMU_SELECT_EDGE BIT(18)
#define PMU_SELECT_INT  BIT(20)
#define PMU_SELECT_ANY  BIT(21)
#define PMU_SELECT_EN   BIT(22)
#define PMU_SELECT_INV  BIT(23)

/* IA32_FIXED_CTR_CTRL: four bits a counter. */
#define PMU_FIXED_OS  1u
#define PMU_FIXED_USR 2u
#define PMU_FIXED_ANY 4u
#define PMU_FIXED_PMI 8u

/* IA32_PERF_GLOBAL_STATUS (SDM 3B:20.2.4.1) beside a bit for each counter. */
#define PMU_STATUS_FIXED   32 /* bit of the first */
#define PMU_STATUS_LBR_FRZ BIT(58)
#define PMU_STATUS_CTR_FRZ BIT(59)

/* IA32_DEBUGCTL (SDM 3B:18.4.7). */
#define DEBUGCTL_FREEZE_LBRS     BIT(11)
#define DEBUGCTL_FREEZE_COUNTERS BIT(12)

/* IA32_PERF_CAPABILITIES: IA32_A_PMCx can be written in full. */
#define PMU_FW_WRITE BIT(13)

/* What CPUID says of the unit: 0AH:EAX to EDX, on AMD 8000_0022H:EBX. cpu->amd and the features
 * stand. */
void pmu_adopt(struct cpu *cpu, const u32 leaf[4]);
bool pmu_has_counter(const struct cpu *cpu, unsigned int counter);
u64 pmu_width_mask(const struct cpu *cpu, unsigned int counter);
/* The counters' bits of IA32_PERF_GLOBAL_CTRL. */
u64 pmu_global_mask(const struct cpu *cpu);

/* Makes values and overflow bits true as of before the instruction in progress. */
void pmu_look(struct cpu *cpu);
u64 pmu_value(struct cpu *cpu, unsigned int counter);
/* Around a change of the registers that counting depends on, by the instruction in progress. */
void pmu_before_change(struct cpu *cpu);
void pmu_after_change(struct cpu *cpu);

/* RDPMC, past its privilege check: false means #GP(0). */
bool pmu_read_by_number(struct cpu *cpu, u32 ecx, u64 *value);

/* RESET: all registers have their reset values. */
void pmu_reset(struct cpu *cpu);
/* HLT: the next privilege seen is a new one. */
void pmu_halted(struct cpu *cpu);
/* After a run: cpu->msr holds true values, and overflows that are due have happened. */
void pmu_settle(struct cpu *cpu);
/* Instructions until the next overflow that interrupts; never 0. */
u64 pmu_instructions_left(const struct cpu *cpu);

enum pmu_privilege { PMU_SUPERVISOR, PMU_USER, PMU_HALTED };

void pmu_privilege_changed(struct cpu *cpu);

/* The CPL may have changed. */
ALWAYS_INLINE void pmu_note_privilege(struct cpu *cpu)
{
	if (unlikely(cpu->pmu.privileged) &&
	    cpu->pmu.privilege != (cpu->cpl ? PMU_USER : PMU_SUPERVISOR))
		pmu_privilege_changed(cpu);
}

#endif
