/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCKSTEP_SIM_CPU_ADDRESS_SPACE_H
#define LOCKSTEP_SIM_CPU_ADDRESS_SPACE_H

#include "sim/cpu/cpu.h"

/* Brings contexts and the walk's mirrors in line with the registers; part of cpu_update_mode. */
void address_space_update(struct cpu *cpu);
/* What of it CPL and RFLAGS decide; part of cpu_update_privilege. */
void address_space_update_privilege(struct cpu *cpu);

#endif
