/* SPDX-License-Identifier: Apache-2.0 */
/* Which translations the TLB holds: worlds, address spaces, and what invalidates them. */
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
/* INVLPG in the worlds with (tag & @mask) == @tag, be it this one or not. */
void cpu_flush_linear_in(struct cpu *cpu, u64 mask, u64 tag, u64 linear);
/* What MOV to CR0 and CR4 invalidate (SDM 3A:4.10.4.1, APM 2:5.5.2). Permissions are looked at anew
 * anyway: for a sticky TLB. */
void cpu_paging_changed(struct cpu *cpu, u64 old_cr0, u64 old_cr4);
/* INVPCID by address. */
void cpu_flush_pcid_linear(struct cpu *cpu, u16 pcid, u64 linear);
/* Every access is looked at once more. The architecture invalidates nothing. */
void cpu_drop_tags(struct cpu *cpu);
/* Drops all translations of the guests' worlds with (tag & @mask) == @tag. */
void cpu_flush_worlds(struct cpu *cpu, u64 mask, u64 tag);

#endif
