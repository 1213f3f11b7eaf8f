/* SPDX-License-Identifier: Apache-2.0 */
/* System management mode: SDM 3C:31, APM 2:10. */
#ifndef LOCKSTEP_SIM_CPU_SMM_H
#define LOCKSTEP_SIM_CPU_SMM_H

#include "sim/cpu/cpu.h"

#define SMBASE_RESET 0x30000u

/* Takes an SMI: saves the state at SMBASE + FE00 (AMD) or 7C00… (Intel), enters the handler. */
bool smm_enter(struct cpu *cpu);
/* RSM: restores the state and returns its RIP; shuts down on an invalid one (activity). */
u64 smm_leave(struct cpu *cpu);

/* The state-save area of the present SMBASE, by the offset from SMBASE + 8000H. */
void smm_save(struct cpu *cpu, u16 offset, u64 value, unsigned int size);
u64 smm_load(struct cpu *cpu, u16 offset, unsigned int size);

/* In SMM: were NMIs blocked when the SMI came? Kept in the state-save map. False outside SMM. */
bool smm_inside_nmi(struct cpu *cpu);
void smm_set_inside_nmi(struct cpu *cpu, bool inside);

#endif
