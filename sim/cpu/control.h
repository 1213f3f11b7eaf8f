/* SPDX-License-Identifier: Apache-2.0 */
/* Control registers: what control.c offers beside the raising functions of segment.h. */
#ifndef LOCKSTEP_SIM_CPU_CONTROL_H
#define LOCKSTEP_SIM_CPU_CONTROL_H

#include "sim/cpu/cpu.h"

/* False: MOV to the control register of this number raises #GP(0), whatever memory holds. */
bool control_allows(const struct cpu *cpu, unsigned int number, u64 value);

/* Raises what keeps MOV from reading the debug register, or from writing @written to it (SDM
 * 3B:18.2). */
void control_check_dr(struct cpu *cpu, unsigned int number, u64 written);

/* WRMSR to EFER: every check; false means #GP(0). @host: KVM_SET_MSRS. */
bool control_set_efer(struct cpu *cpu, u64 value, bool host);

/*
 * Canonical for the widest linear address that the processor has, whatever CR4.LA57: so are MSRs,
 * the hidden bases of segments and the bases of GDT and IDT checked (SDM 3A:4.5.1, note).
 */
ALWAYS_INLINE bool base_canonical(const struct cpu *cpu, u64 linear)
{
	unsigned int shift = cpu_has(cpu, FEATURE_LA57) ? 7 : 16;

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

#endif
