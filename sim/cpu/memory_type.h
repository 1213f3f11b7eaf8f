/* SPDX-License-Identifier: Apache-2.0 */
/* Memory types, which nothing depends on here but what a locked access does to the bus. */
#ifndef LOCKSTEP_SIM_CPU_MEMORY_TYPE_H
#define LOCKSTEP_SIM_CPU_MEMORY_TYPE_H

#include "sim/cpu/cpu.h"

/* Whether the page of @linear, which may be accessed so, is write-back memory: by its MTRR, PAT and
 * second stage (SDM 3A:12.5.2.1, table 12-7, 12.11.4; 3C:29.3.7; APM 2:15.25.8, tables 15-19,
 * 15-20). */
bool memory_is_write_back(struct cpu *cpu, u64 linear, unsigned int access);

#endif
