/* SPDX-License-Identifier: Apache-2.0 */
/* The performance-monitoring MSRs (SDM 3B:20.2, SDM 4:2.1; APM 2:13.2.1). */
#include "sim/cpu/pmu_msr.h"
#include "sim/cpu/msr_access.h"

bool pmu_change(struct cpu *cpu, enum msr_index index, u64 value)
{
	pmu_before_change(cpu);
	cpu->msr[index] = value;
	pmu_after_change(cpu);
	return true;
}

bool pmu_change_status(struct cpu *cpu, u64 clear, u64 set)
{
	u64 *status = &cpu->msr[MSR_PERF_GLOBAL_STATUS];

	pmu_before_change(cpu);
	*status = (*status & ~clear) | set;
	pmu_after_change(cpu);
	return true;
}

/* --- counters --- */

bool pmu_read_counter(struct cpu *cpu, unsigned int counter, u64 *value)
{
	if (!pmu_has_counter(cpu, counter))
		return false;
	*value = pmu_value(cpu, counter);
	return true;
}

bool pmu_write_counter(struct cpu *cpu, unsigned int counter, u64 value)
{
	unsigned int index =
		counter < PMU_GENERAL ? MSR_PMC0 + counter : MSR_FIXED_CTR0 + counter - PMU_GENERAL;

	return pmu_has_counter(cpu, counter) &&
	       pmu_change(cpu, index, value & pmu_width_mask(cpu, counter));
}

READ(pmc)
{
	(void)host;
	return pmu_read_counter(cpu, row->index - MSR_PMC0, value);
}

/* SDM 3B:20.2.8: a write has 32 bits, extended by its sign. */
WRITE(pmc)
{
	return pmu_write_counter(cpu, row->index - MSR_PMC0, host ? value : (u64)(s32)value);
}

ACCESS(PMC, read_pmc, write_pmc);

static bool writes_in_full(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_PDCM) && (cpu->msr[MSR_PERF_CAPABILITIES] & PMU_FW_WRITE);
}

READ(full_pmc)
{
	(void)host;
	return writes_in_full(cpu) && pmu_read_counter(cpu, row->index - MSR_A_PMC0, value);
}

WRITE(full_pmc)
{
	unsigned int counter = row->index - MSR_A_PMC0;

	(void)host;
	return writes_in_full(cpu) && !(value & ~pmu_width_mask(cpu, counter)) &&
	       pmu_write_counter(cpu, counter, value);
}

ACCESS(FULL_PMC, read_full_pmc, write_full_pmc);

READ(fixed_ctr)
{
	(void)host;
	return pmu_read_counter(cpu, PMU_GENERAL + row->index - MSR_FIXED_CTR0, value);
}

WRITE(fixed_ctr)
{
	unsigned int counter = PMU_GENERAL + row->index - MSR_FIXED_CTR0;

	(void)host;
	return !(value & ~pmu_width_mask(cpu, counter)) && pmu_write_counter(cpu, counter, value);
}

ACCESS(FIXED_CTR, read_fixed_ctr, write_fixed_ctr);

/* --- controls --- */

READ(perfevtsel)
{
	UNUSED;
	*value = cpu->msr[row->index];
	return pmu_has_counter(cpu, row->index - MSR_PERFEVTSEL0);
}

WRITE(perfevtsel)
{
	u64 absent = cpu->pmu.any_thread ? 0 : PMU_SELECT_ANY;

	(void)host;
	return pmu_has_counter(cpu, row->index - MSR_PERFEVTSEL0) && !(value & absent) &&
	       pmu_change(cpu, row->index, value);
}

ACCESS(PERFEVTSEL, read_perfevtsel, write_perfevtsel);

/* A register of the unit that begins with version 2. */
READ(pmu_v2)
{
	UNUSED;
	*value = cpu->msr[row->index];
	return cpu->pmu.version >= 2;
}

static u64 fixed_fields(const struct cpu *cpu)
{
	u64 field = PMU_FIXED_OS | PMU_FIXED_USR | PMU_FIXED_PMI, fields = 0;

	if (cpu->pmu.any_thread)
		field |= PMU_FIXED_ANY;
	for (unsigned int n = 0; n < PMU_FIXED; n++)
		if (pmu_has_counter(cpu, PMU_GENERAL + n))
			fields |= field << 4 * n;
	return fields;
}

WRITE(fixed_ctr_ctrl)
{
	(void)host;
	return cpu->pmu.version >= 2 && !(value & ~fixed_fields(cpu)) &&
	       pmu_change(cpu, row->index, value);
}

ACCESS(FIXED_CTR_CTRL, read_pmu_v2, write_fixed_ctr_ctrl);

WRITE(perf_global_ctrl)
{
	(void)host;
	return cpu->pmu.version >= 2 && !(value & ~pmu_global_mask(cpu)) &&
	       pmu_change(cpu, row->index, value);
}

ACCESS(PERF_GLOBAL_CTRL, read_pmu_v2, write_perf_global_ctrl);

/* --- overflow status --- */

#define STATUS_ASCI       BIT(60)
#define STATUS_OVF_UNCORE BIT(61)
#define STATUS_OVF_BUFFER BIT(62)
#define STATUS_COND_CHGD  BIT(63)

/* Bits that software may set (SDM 3B figure 20-12) and clear (figures 20-3, 20-11). */
static u64 status_settable(const struct cpu *cpu)
{
	u64 frozen = PMU_STATUS_LBR_FRZ | PMU_STATUS_CTR_FRZ | STATUS_ASCI | STATUS_OVF_UNCORE;

	return pmu_global_mask(cpu) | STATUS_OVF_BUFFER | (cpu->pmu.version >= 4 ? frozen : 0);
}

static u64 status_clearable(const struct cpu *cpu)
{
	return status_settable(cpu) | STATUS_COND_CHGD |
	       (cpu->pmu.version >= 3 ? STATUS_OVF_UNCORE : 0);
}

READ(perf_global_status)
{
	pmu_look(cpu);
	return read_pmu_v2(cpu, row, value, host);
}

WRITE(perf_global_status)
{
	return host && cpu->pmu.version >= 2 && !(value & ~status_clearable(cpu)) &&
	       pmu_change(cpu, row->index, value);
}

ACCESS(PERF_GLOBAL_STATUS, read_perf_global_status, write_perf_global_status);

/* What these registers take is an order: they read 0. */
READ(order_v2)
{
	UNUSED;
	*value = 0;
	return cpu->pmu.version >= 2;
}

WRITE(perf_global_ovf_ctrl)
{
	UNUSED;
	return cpu->pmu.version >= 2 && !(value & ~status_clearable(cpu)) &&
	       pmu_change_status(cpu, value, 0);
}

ACCESS(PERF_GLOBAL_OVF_CTRL, read_order_v2, write_perf_global_ovf_ctrl);

READ(perf_global_status_set)
{
	UNUSED;
	*value = 0;
	return cpu->pmu.version >= 4;
}

WRITE(perf_global_status_set)
{
	UNUSED;
	return cpu->pmu.version >= 4 && !(value & ~status_settable(cpu)) &&
	       pmu_change_status(cpu, 0, value);
}

ACCESS(PERF_GLOBAL_STATUS_SET, read_perf_global_status_set, write_perf_global_status_set);

/* SDM 3B:20.2.4.3: selects with an event, fixed counters that are enabled, and any that interrupts.
 */
READ(perf_global_inuse)
{
	UNUSED;
	*value = 0;
	for (unsigned int n = 0; n < PMU_GENERAL; n++) {
		u64 select = cpu->msr[MSR_PERFEVTSEL0 + n];

		*value |= (select & 0xff ? BIT(n) : 0) | (select & PMU_SELECT_INT ? BIT(63) : 0);
	}
	for (unsigned int n = 0; n < PMU_FIXED; n++) {
		u64 field = cpu->msr[MSR_FIXED_CTR_CTRL] >> 4 * n;

		*value |= (field & 3 ? BIT(PMU_STATUS_FIXED + n) : 0) |
			  (field & PMU_FIXED_PMI ? BIT(63) : 0);
	}
	return cpu->pmu.version >= 4;
}

ACCESS(PERF_GLOBAL_INUSE, read_perf_global_inuse, NULL);

/* Read-only; a restore may take away what it knows nothing of. */
READ(perf_capabilities)
{
	UNUSED;
	*value = cpu->msr[row->index];
	return true;
}

WRITE(perf_capabilities)
{
	if (!host || (value & ~row->reset))
		return false;
	cpu->msr[row->index] = value;
	return true;
}

ACCESS(PERF_CAPABILITIES, read_perf_capabilities, write_perf_capabilities);
