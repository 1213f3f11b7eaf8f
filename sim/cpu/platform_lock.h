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

#endif
