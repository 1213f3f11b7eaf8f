/* SPDX-License-Identifier: Apache-2.0 */
/* AMD's performance-monitoring MSRs (APM 2:13.2.1). */
#include "sim/cpu/msr_access.h"
#include "sim/cpu/pmu_msr.h"

/* Event, unit mask and controls; bits 41:40 belong to SVM. Reserved bits are dropped, not faulted
 * on, as processors do (PPR: PERF_CTL). */
#define AMD_SELECT (UINT64_C(0xf00000000) | (UINT32_MAX & ~(BIT(19) | PMU_SELECT_ANY)))

/* The core extension has control and counter side by side; the first four are K7's as well. */
static unsigned int amd_counter(const struct msr_row *row)
{
	if (row->index >= MSR_CORE_PERF_CTL0)
		return (row->index - MSR_CORE_PERF_CTL0) / 2;
	return (row->index - MSR_PERF_CTL0) % 4;
}

READ(amd_ctl)
{
	unsigned int counter = amd_counter(row);

	(void)host;
	*value = cpu->msr[MSR_PERFEVTSEL0 + counter];
	return pmu_has_counter(cpu, counter);
}

WRITE(amd_ctl)
{
	unsigned int counter = amd_counter(row);

	(void)host;
	return pmu_has_counter(cpu, counter) &&
	       pmu_change(cpu, MSR_PERFEVTSEL0 + counter, value & AMD_SELECT);
}

ACCESS(AMD_PERF_CTL, read_amd_ctl, write_amd_ctl);

READ(amd_ctr)
{
	(void)host;
	return pmu_read_counter(cpu, amd_counter(row), value);
}

WRITE(amd_ctr)
{
	(void)host;
	return pmu_write_counter(cpu, amd_counter(row), value);
}

ACCESS(AMD_PERF_CTR, read_amd_ctr, write_amd_ctr);

/* PerfMonV2: the registers stand in the places of Intel's. Reserved bits and writes to the
 * read-only status are ignored (PPR: PerfCntrGlobalStatus). */
READ(amd_global_ctl)
{
	UNUSED;
	*value = cpu->msr[MSR_PERF_GLOBAL_CTRL];
	return true;
}

WRITE(amd_global_ctl)
{
	UNUSED;
	return pmu_change(cpu, MSR_PERF_GLOBAL_CTRL, value & pmu_global_mask(cpu));
}

ACCESS(AMD_GLOBAL_CTL, read_amd_global_ctl, write_amd_global_ctl);

READ(amd_global_status)
{
	UNUSED;
	pmu_look(cpu);
	*value = cpu->msr[MSR_PERF_GLOBAL_STATUS];
	return true;
}

WRITE(amd_global_status)
{
	(void)row;
	return !host || pmu_change(cpu, MSR_PERF_GLOBAL_STATUS, value & pmu_global_mask(cpu));
}

ACCESS(AMD_GLOBAL_STATUS, read_amd_global_status, write_amd_global_status);

WRITE(amd_global_status_clr)
{
	UNUSED;
	return pmu_change_status(cpu, value, 0);
}

READ(order)
{
	(void)cpu, UNUSED;
	*value = 0;
	return true;
}

ACCESS(AMD_GLOBAL_STATUS_CLR, read_order, write_amd_global_status_clr);

WRITE(amd_global_status_set)
{
	UNUSED;
	return pmu_change_status(cpu, 0, value & pmu_global_mask(cpu));
}

ACCESS(AMD_GLOBAL_STATUS_SET, read_order, write_amd_global_status_set);
