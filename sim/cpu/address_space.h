/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCKSTEP_SIM_CPU_ADDRESS_SPACE_H
#define LOCKSTEP_SIM_CPU_ADDRESS_SPACE_H

#include "sim/cpu/cpu.h"

/* Brings contexts and the walk's mirrors in line with the registers; part of cpu_update_mode. */
void address_space_update(struct cpu *cpu);
/* What of it CPL and RFLAGS decide; part of cpu_update_privilege. */
void address_space_update_privilege(struct cpu *cpu);

/*
 * Goes to the world that @tag names, whose registers stand in @cpu already. What it left in the TLB
 * is there yet, unless a register differs on which permissions depend.
 */
void cpu_enter_world(struct cpu *cpu, u64 tag);
/* The name of the world that the processor is in. */
u64 cpu_world_tag(const struct cpu *cpu);
/* INVLPG in the world of @tag, be it this one or not. */
void cpu_flush_linear_in(struct cpu *cpu, u64 tag, u64 linear);
/* Drops all translations of the guests' worlds with (tag & @mask) == @tag. */
void cpu_flush_worlds(struct cpu *cpu, u64 mask, u64 tag);

#endif
