/* SPDX-License-Identifier: Apache-2.0 */
/* The VM's lock, which calls into the interrupt chips need. Never held across a raise. */
#ifndef LOCKSTEP_SIM_CPU_PLATFORM_LOCK_H
#define LOCKSTEP_SIM_CPU_PLATFORM_LOCK_H

#include "sim/cpu/cpu.h"

ALWAYS_INLINE void platform_lock(struct cpu *cpu)
{
	if (cpu->platform && cpu->platform->lock)
		cpu->platform->lock(cpu);
}

ALWAYS_INLINE void platform_unlock(struct cpu *cpu)
{
	if (cpu->platform && cpu->platform->unlock)
		cpu->platform->unlock(cpu);
}

/* A read-modify-write that no host instruction can make atomic (SDM 3A:8.1.2.1): nobody else runs. */
ALWAYS_INLINE void bus_lock(struct cpu *cpu)
{
	if (!cpu->platform || !cpu->platform->bus_lock)
		return;
	cpu->platform->bus_lock(cpu);
	cpu->bus_locked = true;
}

ALWAYS_INLINE void bus_unlock(struct cpu *cpu)
{
	if (likely(!cpu->bus_locked))
		return;
	cpu->bus_locked = false;
	cpu->platform->bus_unlock(cpu);
}

#endif
