/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs, CPUID and extended control registers (api.rst 4.18 to 4.20, 4.42 to 4.45). */
#include <stdlib.h>

#include "sim/cpu/msr.h"
#include "sim/cpu/segment.h"
#include "sim/state.h"

#define CPUID_ENTRIES_MAX 256

bool state_msr_listed(const struct msr_row *row)
{
	return row->access->read && row->access->write;
}

/* As in KVM: what the list names but this vCPU is without reads 0 for user space, and may be given
 * that back, so that the whole list can always be saved and restored. */
static bool listed(u32 number)
{
	unsigned int n;

	for (n = 0; n < MSR_INDEX_COUNT; n++)
		if (msr_rows[n].number == number)
			return state_msr_listed(&msr_rows[n]);
	return false;
}

int state_get_msrs(struct cpu *cpu, struct kvm_msrs *msrs)
{
	unsigned int n;
	u64 value;

	for (n = 0; n < msrs->nmsrs; n++) {
		u32 number = msrs->entries[n].index;

		if (!msr_read(cpu, number, &value, true) && !listed(number))
			break;
		msrs->entries[n].data = value; /* 0 if it failed */
	}
	return n;
}

int state_set_msrs(struct cpu *cpu, const struct kvm_msrs *msrs)
{
	unsigned int n;

	for (n = 0; n < msrs->nmsrs; n++) {
		const struct kvm_msr_entry *entry = &msrs->entries[n];

		if (!msr_write(cpu, entry->index, entry->data, true) &&
		    (entry->data || !listed(entry->index)))
			break;
	}
	cpu_update_mode(cpu);
	return n;
}

int state_set_cpuid(struct cpu *cpu, const struct kvm_cpuid2 *cpuid)
{
	size_t bytes = sizeof(*cpuid) + cpuid->nent * sizeof(cpuid->entries[0]);
	struct kvm_cpuid2 *copy;

	if (cpuid->nent > CPUID_ENTRIES_MAX)
		return -E2BIG;
	copy = malloc(bytes);
	if (!copy)
		return -ENOMEM;
	__builtin_memcpy(copy, cpuid, bytes);
	free(cpu->cpuid);
	cpu->cpuid = copy;
	cpuid_adopt(cpu);
	cpu_update_mode(cpu);
	cpu_flush_all(cpu);
	return 0;
}

int state_get_cpuid(const struct cpu *cpu, struct kvm_cpuid2 *cpuid)
{
	unsigned int room = cpuid->nent, have = cpu->cpuid ? cpu->cpuid->nent : 0;

	cpuid->nent = have;
	if (room < have)
		return -E2BIG;
	if (have)
		__builtin_memcpy(cpuid->entries, cpu->cpuid->entries,
				 have * sizeof(cpuid->entries[0]));
	return 0;
}

void state_get_xcrs(const struct cpu *cpu, struct kvm_xcrs *xcrs)
{
	*xcrs = (struct kvm_xcrs){.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = cpu->xcr0}};
}

int state_set_xcrs(struct cpu *cpu, const struct kvm_xcrs *xcrs)
{
	unsigned int n;

	if (xcrs->flags || xcrs->nr_xcrs > KVM_MAX_XCRS)
		return -EINVAL;
	for (n = 0; n < xcrs->nr_xcrs; n++) {
		u64 value = xcrs->xcrs[n].value;

		if (xcrs->xcrs[n].xcr || !(value & 1) || (value & ~cpu->xcr0_supported) ||
		    (value & 6) == 4)
			return -EINVAL;
		cpu->xcr0 = value;
	}
	cpu_update_mode(cpu);
	return 0;
}
