/* SPDX-License-Identifier: Apache-2.0 */
/* What one performance counter is set to count: from its registers, for pmu.c. */
#ifndef LOCKSTEP_SIM_CPU_PMU_CONTROL_H
#define LOCKSTEP_SIM_CPU_PMU_CONTROL_H

#include "sim/cpu/pmu.h"

enum pmu_counted { PMU_NOTHING, PMU_INSTRUCTIONS, PMU_CYCLES, PMU_REFERENCE };

/* A general-purpose counter's select or a fixed one's field, as far as it is enabled. */
struct pmu_control {
	enum pmu_counted counted;
	bool os, usr, pmi, edge;
};

struct pmu_control pmu_control_of(const struct cpu *cpu, unsigned int counter);
/* The counter's bit in the global registers, which begin with version 2. */
u64 pmu_global_bit(unsigned int counter);
bool pmu_has_global(const struct cpu *cpu);

#endif
