/* SPDX-License-Identifier: Apache-2.0 */
/* Which performance counters a processor has, and what each is set to count. */
#include "sim/cpu/pmu_control.h"
#include "sim/cpu/model.h"

static const struct event {
	enum vendor vendor;
	u16 select;
	u8 unit_mask, bit;
	enum pmu_counted counted;
} events[] = {
#define PMU_EVENT(vendor, select, unit_mask, bit, counted, manual)                                 \
	{VENDOR_##vendor, select, unit_mask, bit, PMU_##counted},
#include "sim/cpu/pmu.def"
#undef PMU_EVENT
};

static enum pmu_counted event_counted(const struct cpu *cpu, u64 select)
{
	enum vendor vendor = cpu->amd ? VENDOR_AMD : VENDOR_INTEL;
	u16 number = (select & 0xff) | (cpu->amd ? select >> 24 & 0xf00 : 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].vendor == vendor && events[i].select == number &&
		    events[i].unit_mask == (select >> 8 & 0xff))
			return cpu->pmu.events >> events[i].bit & 1 ? events[i].counted
								    : PMU_NOTHING;
	return PMU_NOTHING;
}

/* CMASK compares the occurrences in a cycle, of which there is one here; INV turns that over. */
static bool compares(u64 select)
{
	u8 cmask = select >> 24;

	return !cmask || (cmask <= 1) != !!(select & PMU_SELECT_INV);
}

static struct pmu_control general_control(const struct cpu *cpu, unsigned int counter)
{
	u64 select = cpu->msr[MSR_PERFEVTSEL0 + counter];

	if (!(select & PMU_SELECT_EN) || !compares(select))
		return (struct pmu_control){PMU_NOTHING};
	return (struct pmu_control){
		.counted = event_counted(cpu, select),
		.os = select & PMU_SELECT_OS,
		.usr = select & PMU_SELECT_USR,
		.pmi = select & PMU_SELECT_INT,
		.edge = select & PMU_SELECT_EDGE,
	};
}

static struct pmu_control fixed_control(const struct cpu *cpu, unsigned int n)
{
	static const enum pmu_counted counted[PMU_FIXED] = {PMU_INSTRUCTIONS, PMU_CYCLES,
							    PMU_REFERENCE};
	u64 field = cpu->msr[MSR_FIXED_CTR_CTRL] >> 4 * n;

	return (struct pmu_control){
		.counted = counted[n],
		.os = field & PMU_FIXED_OS,
		.usr = field & PMU_FIXED_USR,
		.pmi = field & PMU_FIXED_PMI,
	};
}

/* The counter's bit in the global registers. */
u64 pmu_global_bit(unsigned int counter)
{
	return counter < PMU_GENERAL ? BIT(counter) : BIT(PMU_STATUS_FIXED + counter - PMU_GENERAL);
}

bool pmu_has_global(const struct cpu *cpu)
{
	return cpu->pmu.version >= 2;
}

/* SDM 3B:20.2.4.1: enabled in its own register and in IA32_PERF_GLOBAL_CTRL, and not frozen. */
struct pmu_control pmu_control_of(const struct cpu *cpu, unsigned int counter)
{
	bool enabled = !pmu_has_global(cpu) ||
		       ((cpu->msr[MSR_PERF_GLOBAL_CTRL] & pmu_global_bit(counter)) &&
			!(cpu->msr[MSR_PERF_GLOBAL_STATUS] & PMU_STATUS_CTR_FRZ));

	if (!enabled || !pmu_has_counter(cpu, counter))
		return (struct pmu_control){PMU_NOTHING};
	return counter < PMU_GENERAL ? general_control(cpu, counter)
				     : fixed_control(cpu, counter - PMU_GENERAL);
}

/* --- what the processor has --- */

bool pmu_has_counter(const struct cpu *cpu, unsigned int counter)
{
	return cpu->pmu.counters >> counter & 1;
}

u64 pmu_global_mask(const struct cpu *cpu)
{
	u64 fixed = cpu->pmu.counters >> PMU_GENERAL;

	return (cpu->pmu.counters & (BIT(PMU_GENERAL) - 1)) | fixed << PMU_STATUS_FIXED;
}

static u8 width_or_default(u32 width)
{
	return width && width < 64 ? width : PMU_WIDTH;
}

static u16 first(unsigned int count, unsigned int most)
{
	return BIT(count < most ? count : most) - 1;
}

#define AMD_COUNTERS_K7   4u
#define AMD_COUNTERS_CORE 6u

static void adopt_amd(struct cpu *cpu, const u32 leaf[4])
{
	bool core = cpu_has(cpu, FEATURE_PERFCTR_CORE), v2 = cpu_has(cpu, FEATURE_PERFMON_V2);
	unsigned int count = core ? AMD_COUNTERS_CORE : AMD_COUNTERS_K7;

	if (core && v2)
		count = leaf[EBX] & 0xf;
	cpu->pmu.version = v2 ? 2 : 1;
	cpu->pmu.counters = first(count, AMD_COUNTERS_CORE);
	cpu->pmu.events = 1;
}

/* SDM 2A CPUID, leaf 0AH. */
static void adopt_intel(struct cpu *cpu, const u32 leaf[4])
{
	u32 length = leaf[EAX] >> 24, version = leaf[EAX] & 0xff;
	u16 fixed = first(leaf[EDX] & 0x1f, PMU_FIXED);

	cpu->pmu.version = version;
	if (!version)
		return;
	if (version >= 5)
		fixed |= leaf[ECX] & (BIT(PMU_FIXED) - 1);
	cpu->pmu.counters = first(leaf[EAX] >> 8 & 0xff, PMU_GENERAL);
	if (version >= 2)
		cpu->pmu.counters |= fixed << PMU_GENERAL;
	cpu->pmu.events = ~leaf[EBX] & (length < 32 ? BIT(length) - 1 : UINT32_MAX);
	cpu->pmu.general_width = width_or_default(leaf[EAX] >> 16 & 0xff);
	cpu->pmu.fixed_width = width_or_default(leaf[EDX] >> 5 & 0xff);
	cpu->pmu.any_thread = version >= 3 && !(leaf[EDX] & BIT(15));
}

void pmu_adopt(struct cpu *cpu, const u32 leaf[4])
{
	pmu_before_change(cpu);
	cpu->pmu.counters = cpu->pmu.events = 0;
	cpu->pmu.general_width = cpu->pmu.fixed_width = PMU_WIDTH;
	cpu->pmu.any_thread = false;
	if (cpu->amd)
		adopt_amd(cpu, leaf);
	else
		adopt_intel(cpu, leaf);
	pmu_after_change(cpu);
}
