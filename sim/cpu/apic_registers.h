/* SPDX-License-Identifier: Apache-2.0 */
/* CR8 and IA32_APIC_BASE: the local APIC's below the seam, or the processor's own copies for an
 * APIC that user space has. The caller holds the VM's lock. */
#ifndef LOCKSTEP_SIM_CPU_APIC_REGISTERS_H
#define LOCKSTEP_SIM_CPU_APIC_REGISTERS_H

#include "sim/cpu/cpu.h"

#define CR8_MAX 15

u64 cpu_cr8(const struct cpu *cpu);
void cpu_set_cr8(struct cpu *cpu, u8 value);

/* EOI. */
void cpu_end_interrupt(struct cpu *cpu);
/* An interrupt as @destination, of a posted-interrupt descriptor, asks for it (SDM 3C table 30-1).
 */
void cpu_send_notification(struct cpu *cpu, u8 vector, u32 destination);

/* AVIC's doorbell of the processor with that physical APIC ID. */
void cpu_ring_doorbell(struct cpu *cpu, u32 id);

u64 cpu_apic_base(const struct cpu *cpu);
/* False if that base does not exist, or (unless @host) can't be reached from the present one. */
bool cpu_set_apic_base(struct cpu *cpu, u64 value, bool host);

#endif
