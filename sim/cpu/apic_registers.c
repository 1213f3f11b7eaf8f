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
