/* SPDX-License-Identifier: Apache-2.0 */
/* RDMSR and WRMSR by table. */
#include "sim/cpu/msr.h"

#include <errno.h>
#include <stdlib.h>

#include "apic/lapic.h"
#include "sim/cpu/model.h"
#include "sim/cpu/params.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/vmx_capability.h"

#define MSR(identifier, number, vendors, gate, reserved, reset, access, manual)                    \
	extern const struct msr_access msr_access_##access;
#include "sim/cpu/msrs.def"
#undef MSR

const struct msr_row msr_rows[MSR_INDEX_COUNT] = {
#define MSR(identifier, number_, vendors_, gate_, reserved_, reset_, access_, manual_)             \
	[MSR_##identifier] = {                                                                     \
		.number = number_,                                                                 \
		.index = MSR_##identifier,                                                         \
		.vendors = VENDOR_##vendors_,                                                      \
		.gate = FEATURE_##gate_,                                                           \
		.reserved = reserved_,                                                             \
		.reset = reset_,                                                                   \
		.access = &msr_access_##access_,                                                   \
		.name = #identifier,                                                               \
		.manual = manual_,                                                                 \
	},
#include "sim/cpu/msrs.def"
#undef MSR
};

static const struct msr_row *row_of(u32 number)
{
	unsigned int low = 0, high = MSR_INDEX_COUNT;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (msr_rows[middle].number == number)
			return &msr_rows[middle];
		if (msr_rows[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool row_exists(const struct cpu *cpu, const struct msr_row *row)
{
	return row->vendors & (cpu->amd ? VENDOR_AMD : VENDOR_INTEL) && cpu_has(cpu, row->gate);
}

const struct msr_row *msr_find(const struct cpu *cpu, u32 number)
{
	const struct msr_row *row = row_of(number);

	return row && row_exists(cpu, row) ? row : NULL;
}

/* The x2APIC's registers are the local APIC's business, or those of a virtual one. */
static bool x2apic_access(struct cpu *cpu, u32 number, u64 *value, bool write, bool host)
{
	enum vendor_msr virtual = VENDOR_MSR_AS_EVER;
	int ret;

	if (unlikely(cpu->guest) && !host && cpu->vendor->x2apic)
		virtual = cpu->vendor->x2apic(cpu, number, value, write);
	if (virtual != VENDOR_MSR_AS_EVER)
		return virtual == VENDOR_MSR_DONE;
	if (!cpu->lapic)
		return false;
	platform_lock(cpu);
	ret = write ? lapic_msr_write(cpu->lapic, number, *value)
		    : lapic_msr_read(cpu->lapic, number, value);
	platform_unlock(cpu);
	return ret == 0;
}

static bool ignored(const struct cpu *cpu)
{
	return cpu->params && cpu->params->ignore_msrs;
}

bool msr_read(struct cpu *cpu, u32 number, u64 *value, bool host)
{
	const struct msr_row *row;

	*value = 0;
	if (msr_is_x2apic(number))
		return x2apic_access(cpu, number, value, false, host);
	row = msr_find(cpu, number);
	if (!row)
		return ignored(cpu); /* reads as 0 */
	return row->access->read && row->access->read(cpu, row, value, host);
}

bool msr_write(struct cpu *cpu, u32 number, u64 value, bool host)
{
	const struct msr_row *row;

	if (msr_is_x2apic(number))
		return x2apic_access(cpu, number, &value, true, host);
	row = msr_find(cpu, number);
	if (!row)
		return ignored(cpu);
	if (value & row->reserved)
		return false;
	return row->access->write && row->access->write(cpu, row, value, host);
}

/* INIT changes none of them but those named in SDM 3A:9.1.1, table 9-1: EFER, FS and GS bases
 * (with their segments, elsewhere) and the shadow-stack controls. */
static bool changed_by_init(enum msr_index index)
{
	return index == MSR_U_CET || index == MSR_S_CET || index == MSR_PKRS ||
	       index == MSR_DEBUGCTL;
}

/* What the processor offers is no state. */
static bool set_once(enum msr_index index)
{
	return index >= MSR_VMX_BASIC && index <= MSR_VMX_EXIT_CTLS2;
}

/* Whatever of the reset value depends on the processor. */
static u64 reset_value(const struct cpu *cpu, const struct msr_row *row)
{
	switch (row->index) {
	case MSR_FEATURE_CONTROL: /* with VMX it is firmware's to set */
		return cpu_has(cpu, FEATURE_VMX) ? 0 : row->reset;
	case MSR_MICROCODE:
		return cpu->amd ? 1 : BIT(32);
	case MSR_MISC_ENABLE:
		return row->reset | (cpu_has(cpu, FEATURE_MONITOR) ? BIT(18) : 0) |
		       (cpu_has(cpu, FEATURE_PMU) ? BIT(7) : 0);
	case MSR_PERF_GLOBAL_CTRL:
		return pmu_global_mask(cpu) & (BIT(PMU_GENERAL) - 1);
	case MSR_ARCH_CAPABILITIES:
		/* IBRS_ALL promises IBRS. */
		return cpu_has(cpu, FEATURE_SPEC_CTRL) ? row->reset : row->reset & ~BIT(1);
	default:
		return row->reset;
	}
}

void msr_adopt(struct cpu *cpu)
{
	static const u16 dependent[] = {MSR_FEATURE_CONTROL, MSR_MICROCODE, MSR_MISC_ENABLE,
					MSR_ARCH_CAPABILITIES, MSR_PERF_GLOBAL_CTRL};

	for (unsigned int i = 0; i < ARRAY_SIZE(dependent); i++)
		cpu->msr[dependent[i]] = reset_value(cpu, &msr_rows[dependent[i]]);
	if (cpu_has(cpu, FEATURE_VMX))
		vmx_capability_adopt(cpu);
}

void msr_reset(struct cpu *cpu, bool init)
{
	for (unsigned int i = 0; i < MSR_INDEX_COUNT; i++)
		if (init ? changed_by_init(i) : !set_once(i))
			cpu->msr[i] = reset_value(cpu, &msr_rows[i]);
}

unsigned int msr_list(const struct cpu *cpu, u32 *numbers, unsigned int room)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < MSR_INDEX_COUNT; i++) {
		const struct msr_row *row = &msr_rows[i];

		if (!row->access->read || !row->access->write || !row_exists(cpu, row))
			continue;
		if (count < room)
			numbers[count] = row->number;
		count++;
	}
	return count;
}

int msr_each(const struct kvm_cpuid2 *cpuid, void (*msr)(void *opaque, u32 number, u64 value),
	     void *opaque)
{
	struct cpu *cpu = aligned_alloc(_Alignof(struct cpu), sizeof(*cpu));

	if (!cpu)
		return -ENOMEM;
	__builtin_memset(cpu, 0, sizeof(*cpu));
	cpu->cpuid = (struct kvm_cpuid2 *)cpuid;
	cpuid_adopt(cpu);
	for (unsigned int i = 0; i < MSR_INDEX_COUNT; i++)
		if (row_exists(cpu, &msr_rows[i]))
			msr(opaque, msr_rows[i].number, reset_value(cpu, &msr_rows[i]));
	free(cpu);
	return 0;
}
