/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of memory with the registers of a guest's local APIC at the xAPIC's offsets: VMX's
 * virtual-APIC page (SDM 3C:30.1.1), AVIC's vAPIC backing page (APM 2:15.29.3). Other processors
 * may set requests in it at any time.
 */
#ifndef LOCKSTEP_SIM_CPU_APIC_PAGE_H
#define LOCKSTEP_SIM_CPU_APIC_PAGE_H

#include "apic/lapic.h"
#include "sim/cpu/memory.h"

ALWAYS_INLINE u64 apic_page_get(struct cpu *cpu, u64 page, u32 offset, unsigned int size)
{
	return mem_load_physical(cpu, page + offset, size);
}

ALWAYS_INLINE void apic_page_set(struct cpu *cpu, u64 page, u32 offset, u64 value,
				 unsigned int size)
{
	mem_store_physical(cpu, page + offset, value, size);
}

/* IRR, ISR and TMR, by the offset of their first register. */
bool apic_page_test_vector(struct cpu *cpu, u64 page, u32 bank, u8 vector);
void apic_page_set_vector(struct cpu *cpu, u64 page, u32 bank, u8 vector, bool on);
/* 32 at once: those of @bits in the bank's register @n. */
void apic_page_add_vectors(struct cpu *cpu, u64 page, u32 bank, unsigned int n, u32 bits);
/* 0 if there is none. */
u8 apic_page_highest_vector(struct cpu *cpu, u64 page, u32 bank);

/* The processor priority of a task priority and the highest vector in service (SDM 3A:11.8.3.1, APM
 * 2:16.6.4). */
ALWAYS_INLINE u8 apic_page_priority(u8 task, u8 service)
{
	return task >> 4 >= service >> 4 ? task : service & 0xf0;
}

#endif
