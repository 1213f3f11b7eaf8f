/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/apic_registers.h"
#include "apic/lapic.h"

u64 cpu_cr8(const struct cpu *cpu)
{
	return cpu->lapic ? lapic_get_cr8(cpu->lapic) : cpu->cr8;
}

void cpu_set_cr8(struct cpu *cpu, u8 value)
{
	if (cpu->lapic)
		lapic_set_cr8(cpu->lapic, value);
	else
		cpu->cr8 = value;
}

void cpu_end_interrupt(struct cpu *cpu)
{
	if (cpu->lapic)
		lapic_write(cpu->lapic, LAPIC_EOI, 0);
}

void cpu_send_notification(struct cpu *cpu, u8 vector, u32 destination)
{
	bool wide = cpu->lapic && lapic_x2apic(cpu->lapic);
	const struct apic_message message = {
		.vector = vector,
		.delivery_mode = APIC_FIXED,
		.dest_mode = APIC_PHYSICAL,
		.assert = true,
		.wide = wide,
		.destination = wide ? destination : destination >> 8 & 0xff,
	};

	if (cpu->lapic)
		apic_bus_deliver(cpu->lapic->bus, cpu->lapic, &message, NULL);
}

void cpu_ring_doorbell(struct cpu *cpu, u32 id)
{
	if (cpu->lapic)
		apic_bus_ring_doorbell(cpu->lapic->bus, id);
}

u64 cpu_apic_base(const struct cpu *cpu)
{
	return cpu->lapic ? cpu->lapic->base : cpu->msr[MSR_APIC_BASE];
}

/* SDM 3A:11.4.4, figure 11-5. Without an APIC here there are no transitions to check. */
static bool base_valid(const struct cpu *cpu, u64 value)
{
	u64 known = LAPIC_BASE_BSP | LAPIC_BASE_EXTD | LAPIC_BASE_ENABLE | ~PAGE_OFFSET_MASK;

	return !(value & ~known) && !(value >> cpu->physical_bits) &&
	       (value & (LAPIC_BASE_EXTD | LAPIC_BASE_ENABLE)) != LAPIC_BASE_EXTD;
}

bool cpu_set_apic_base(struct cpu *cpu, u64 value, bool host)
{
	if (cpu->lapic)
		return lapic_set_base(cpu->lapic, value, host) == 0;
	if (!base_valid(cpu, value))
		return false;
	cpu->msr[MSR_APIC_BASE] = value;
	return true;
}
