/* SPDX-License-Identifier: Apache-2.0 */
/* Guest time: one retired instruction is one nanosecond. */
#include "apic/lapic.h"
#include "sim/cpu/params.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"

/* Also asked by other threads while the vCPU runs: @op is read once, for it may become NULL. */
u64 cpu_time(const struct cpu *cpu)
{
	const struct op *op = __atomic_load_n(&cpu->op, __ATOMIC_RELAXED);

	return cpu->time_base + cpu_retired(cpu) + (op ? op->number : 0);
}

/* Ticks in @time ns. Guests that wait ask for little else, so only large numbers take 128 bits. */
static u64 ticks_in(u64 time, u64 khz)
{
	u64 product;

	if (likely(!__builtin_mul_overflow(time, khz, &product)))
		return product / 1000000;
	return (u64)((u128)time * khz / 1000000);
}

u32 cpu_tsc_khz(const struct cpu *cpu)
{
	if (cpu->tsc_khz)
		return cpu->tsc_khz;
	return cpu->params ? cpu->params->tsc_khz : 1000000;
}

bool tsc_khz_valid(u64 khz)
{
	return khz >= TSC_KHZ_MIN && khz <= TSC_KHZ_MAX;
}

/* The TSC itself goes on from where it is. */
void cpu_set_tsc_khz(struct cpu *cpu, u32 khz)
{
	u64 now = cpu_tsc(cpu);

	pmu_before_change(cpu);
	cpu->tsc_khz = khz;
	pmu_after_change(cpu);
	cpu->msr[MSR_TSC] += now - cpu_tsc(cpu);
	if (cpu->lapic)
		lapic_tsc_changed(cpu->lapic);
}

u64 cpu_tsc_at(const struct cpu *cpu, u64 time)
{
	u64 khz = cpu_tsc_khz(cpu);

	return ticks_in(time, khz) + cpu->msr[MSR_TSC];
}

u64 cpu_tsc(const struct cpu *cpu)
{
	return cpu_tsc_at(cpu, cpu_time(cpu));
}

u64 cpu_tsc_seen(const struct cpu *cpu)
{
	u64 tsc = cpu_tsc(cpu);

	if (likely(!cpu->guest))
		return tsc;
	if (cpu->guest_tsc.fraction)
		tsc = (u64)((u128)tsc * cpu->guest_tsc.multiplier >> cpu->guest_tsc.fraction);
	return tsc + cpu->guest_tsc.offset;
}

u64 cpu_tsc_to_time(const struct cpu *cpu, u64 tsc)
{
	u64 khz = cpu_tsc_khz(cpu);
	u64 ticks = tsc - cpu->msr[MSR_TSC];
	u128 time = ((u128)ticks * 1000000 + khz - 1) / khz;

	/* A TSC that lies behind wraps: it was passed long ago. */
	if ((s64)(tsc - cpu_tsc(cpu)) <= 0 && tsc <= cpu_tsc(cpu))
		return 0;
	return time >> 64 ? UINT64_MAX : (u64)time;
}
