/* SPDX-License-Identifier: Apache-2.0 */
/* The MSR areas of VM entries and VM exits (SDM 3C:27.4, 28.4, 28.6). */
#include "sim/cpu/msr.h"
#include "sim/vmx-model/vmx.h"

struct entry {
	u32 number, reserved;
	u64 value;
};

static struct entry entry_at(struct cpu *cpu, u64 address, u32 n)
{
	u64 low = mem_load_physical(cpu, address + 16 * (u64)n, 8);

	return (struct entry){.number = (u32)low,
			      .reserved = low >> 32,
			      .value = mem_load_physical(cpu, address + 16 * (u64)n + 8, 8)};
}

#define IA32_SMM_MONITOR_CTL 0x9b
#define IA32_SMBASE          0x9e
#define IA32_BIOS_UPDT_TRIG  0x79
#define IA32_FS_BASE         0xc0000100
#define IA32_GS_BASE         0xc0000101

/* Not the x2APIC's registers, nor those that only SMM may write. */
static bool common(const struct entry *entry)
{
	return !entry->reserved && entry->number >> 8 != 8 && entry->number != IA32_SMBASE;
}

/* Loading of the update trigger is left to the processor; most, and this one, refuse it. */
static bool load(struct cpu *cpu, const struct entry *entry)
{
	if (!common(entry) || entry->number == IA32_FS_BASE || entry->number == IA32_GS_BASE ||
	    entry->number == IA32_SMM_MONITOR_CTL || entry->number == IA32_BIOS_UPDT_TRIG)
		return false;
	return msr_write(cpu, entry->number, entry->value, false);
}

u32 vmx_load_msrs(struct cpu *cpu, u64 address, u32 count)
{
	for (u32 n = 0; n < count; n++) {
		struct entry entry = entry_at(cpu, address, n);

		if (!load(cpu, &entry))
			return n + 1;
	}
	return 0;
}

u32 vmx_store_msrs(struct cpu *cpu, u64 address, u32 count)
{
	for (u32 n = 0; n < count; n++) {
		struct entry entry = entry_at(cpu, address, n);
		u64 value;

		if (!common(&entry) || !msr_read(cpu, entry.number, &value, false))
			return n + 1;
		mem_store_physical(cpu, address + 16 * (u64)n + 8, value, 8);
	}
	return 0;
}
