/* SPDX-License-Identifier: Apache-2.0 */
/* What the performance-monitoring MSRs of both vendors share. Writes count the instruction in
 * progress by the registers as they were. */
#ifndef LOCKSTEP_SIM_CPU_PMU_MSR_H
#define LOCKSTEP_SIM_CPU_PMU_MSR_H

#include "sim/cpu/pmu.h"

bool pmu_change(struct cpu *cpu, enum msr_index index, u64 value);
bool pmu_change_status(struct cpu *cpu, u64 clear, u64 set);
/* False if there is no such counter; what lies beyond its width is dropped. */
bool pmu_read_counter(struct cpu *cpu, unsigned int counter, u64 *value);
bool pmu_write_counter(struct cpu *cpu, unsigned int counter, u64 value);

#endif
