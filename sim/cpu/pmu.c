/* SPDX-License-Identifier: Apache-2.0 */
/* Counting: values from retired instructions, overflows, and when the next one is due. */
#include "sim/cpu/pmu.h"
#include "apic/lapic.h"
#include "sim/cpu/op.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/pmu_control.h"
#include "sim/cpu/segment.h"

/* Reference cycles at that number of retired instructions. */
static u64 reference(const struct cpu *cpu, u64 retired)
{
	u64 khz = cpu_tsc_khz(cpu);

	return (u128)retired * khz / 1000000;
}

static u64 counted_between(const struct cpu *cpu, enum pmu_counted counted, u64 from, u64 to)
{
	return counted == PMU_REFERENCE ? reference(cpu, to) - reference(cpu, from) : to - from;
}

/* The number of retired instructions at which @count more will have been counted. */
static u64 retired_when(const struct cpu *cpu, enum pmu_counted counted, u64 count)
{
	u64 khz = cpu_tsc_khz(cpu);
	u64 from = cpu->pmu.settled;

	if (counted != PMU_REFERENCE)
		return from + count;
	return ((u128)(reference(cpu, from) + count) * 1000000 + khz - 1) / khz;
}

u64 pmu_width_mask(const struct cpu *cpu, unsigned int counter)
{
	return BIT(counter < PMU_GENERAL ? cpu->pmu.general_width : cpu->pmu.fixed_width) - 1;
}

static u64 *value_of(struct cpu *cpu, unsigned int counter)
{
	return &cpu->msr[counter < PMU_GENERAL ? MSR_PMC0 + counter
					       : MSR_FIXED_CTR0 + counter - PMU_GENERAL];
}

/* True if the counter went through zero and is to interrupt. */
static bool add(struct cpu *cpu, unsigned int counter, u64 count)
{
	u64 mask = pmu_width_mask(cpu, counter), value = *value_of(cpu, counter) + count;

	*value_of(cpu, counter) = value & mask;
	if (value <= mask)
		return false;
	if (pmu_has_global(cpu))
		cpu->msr[MSR_PERF_GLOBAL_STATUS] |= pmu_global_bit(counter);
	return pmu_control_of(cpu, counter).pmi;
}

/* SDM 3B:18.4.7: IA32_DEBUGCTL asks to freeze on a PMI. AMD has no such bits here. */
static void freeze(struct cpu *cpu)
{
	u64 debugctl = cpu->msr[MSR_DEBUGCTL];

	if (cpu->pmu.version >= 4)
		cpu->msr[MSR_PERF_GLOBAL_STATUS] |=
			(debugctl & DEBUGCTL_FREEZE_LBRS ? PMU_STATUS_LBR_FRZ : 0) |
			(debugctl & DEBUGCTL_FREEZE_COUNTERS ? PMU_STATUS_CTR_FRZ : 0);
	else if (debugctl & DEBUGCTL_FREEZE_COUNTERS)
		cpu->msr[MSR_PERF_GLOBAL_CTRL] = 0;
}

static void interrupt(struct cpu *cpu)
{
	freeze(cpu);
	if (!cpu->lapic)
		return;
	platform_lock(cpu);
	lapic_local_interrupt(cpu->lapic, LAPIC_LVT_PERF);
	platform_unlock(cpu);
}

/* Makes the values true at @now. True if a counter interrupts. */
static bool settle(struct cpu *cpu, u64 now)
{
	u64 from = cpu->pmu.settled;
	u16 left = cpu->pmu.counting;
	bool pmi = false;

	if (now <= from)
		return false;
	for (; left; left &= left - 1) {
		unsigned int counter = __builtin_ctz(left);

		pmi |= add(cpu, counter,
			   counted_between(cpu, pmu_control_of(cpu, counter).counted, from, now));
	}
	cpu->pmu.settled = now;
	return pmi;
}

/* --- which counters count from here on --- */

/* An overflow that interrupts is a bound of the run, as a timer's deadline is. */
static void set_deadline(struct cpu *cpu)
{
	u64 deadline = UINT64_MAX;
	s64 left;

	for (u16 rest = cpu->pmu.counting; rest; rest &= rest - 1) {
		unsigned int counter = __builtin_ctz(rest);
		struct pmu_control control = pmu_control_of(cpu, counter);
		u64 count = pmu_width_mask(cpu, counter) + 1 - *value_of(cpu, counter), at;

		at = retired_when(cpu, control.counted, count);
		if (control.pmi && at < deadline)
			deadline = at;
	}
	cpu->pmu.deadline = deadline;
	if (deadline == UINT64_MAX)
		return;
	left = deadline - cpu_retired(cpu);
	if (left < cpu->budget)
		cpu_set_budget(cpu, left);
}

static enum pmu_privilege privilege(const struct cpu *cpu)
{
	if (cpu->activity != ACTIVITY_RUNNING)
		return PMU_HALTED;
	return cpu->cpl ? PMU_USER : PMU_SUPERVISOR;
}

/* Works out who counts, at the present privilege. */
static void choose(struct cpu *cpu)
{
	u16 counting = 0, high = 0;
	bool privileged = false;

	cpu->pmu.privilege = privilege(cpu);
	for (unsigned int n = 0; n < PMU_COUNTERS; n++) {
		struct pmu_control control = pmu_control_of(cpu, n);

		if (control.counted == PMU_NOTHING)
			continue;
		privileged |= control.os != control.usr || control.edge;
		if (!(cpu->cpl ? control.usr : control.os))
			continue;
		if (!control.edge)
			counting |= BIT(n);
		else if (cpu->pmu.privilege != PMU_HALTED)
			high |= BIT(n);
	}
	cpu->pmu.counting = counting;
	cpu->pmu.high = high;
	cpu->pmu.privileged = privileged;
	set_deadline(cpu);
}

/* Instructions retired once the one in progress has, if there is one. */
static u64 retired_after(const struct cpu *cpu)
{
	return cpu_retired(cpu) + (cpu->op ? cpu->op->number + 1 : 0);
}

void pmu_before_change(struct cpu *cpu)
{
	if (settle(cpu, retired_after(cpu)))
		interrupt(cpu);
}

void pmu_after_change(struct cpu *cpu)
{
	choose(cpu);
}

/* EDGE counts how often the condition comes to hold (SDM 3B:20.2.1.1). It holds in each cycle of
 * those counted, so it rises where a privilege is entered and where a halt ends; a control that is
 * switched on is no such place. */
void pmu_privilege_changed(struct cpu *cpu)
{
	bool pmi = settle(cpu, retired_after(cpu));
	u16 before = cpu->pmu.high, rising;

	choose(cpu);
	for (rising = cpu->pmu.high & ~before; rising; rising &= rising - 1)
		pmi |= add(cpu, __builtin_ctz(rising), 1);
	if (!pmi)
		return;
	interrupt(cpu);
	choose(cpu);
}

void pmu_halted(struct cpu *cpu)
{
	cpu->pmu.high = 0;
	cpu->pmu.privilege = PMU_HALTED;
}

void pmu_settle(struct cpu *cpu)
{
	bool due = cpu_retired(cpu) >= cpu->pmu.deadline;

	pmu_before_change(cpu);
	if (due)
		choose(cpu);
}

u64 pmu_instructions_left(const struct cpu *cpu)
{
	return cpu->pmu.deadline - cpu_retired(cpu);
}

void pmu_reset(struct cpu *cpu)
{
	cpu->pmu.settled = cpu_retired(cpu);
	choose(cpu);
}

/* --- reading --- */

/* The deadline has not come: only counters that don't interrupt may overflow here. */
void pmu_look(struct cpu *cpu)
{
	settle(cpu, cpu_retired(cpu) + (cpu->op ? cpu->op->number : 0));
}

u64 pmu_value(struct cpu *cpu, unsigned int counter)
{
	pmu_look(cpu);
	return *value_of(cpu, counter);
}

#define RDPMC_TYPE_FIXED 0x4000u

/* SDM 2B RDPMC: ECX[31:16] is the type and ECX[15:0] the number. With an architectural unit there
 * is no "fast" read by ECX[31]. APM 3: RDPMC has the core's counters from 0 up. */
bool pmu_read_by_number(struct cpu *cpu, u32 ecx, u64 *value)
{
	u32 type = ecx >> 16, number = ecx & 0xffff, counter = number;

	if (!cpu->amd && type == RDPMC_TYPE_FIXED && number < PMU_FIXED)
		counter += PMU_GENERAL;
	else if (type || number >= PMU_GENERAL)
		return false;
	if (!pmu_has_counter(cpu, counter))
		return false;
	*value = pmu_value(cpu, counter);
	return true;
}
