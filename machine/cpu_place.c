/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leaves that say which of how many processors one is. An engine's own, those of its host, tell
 * of the host's sockets and threads.
 */
#include <stdbool.h>

#include "machine/cpu_model.h"

/* Bits of an APIC ID that number @count processors. */
static unsigned int id_bits(unsigned int count)
{
	return count > 1 ? 32 - (unsigned int)__builtin_clz(count - 1) : 0;
}

static void set_field(uint32_t *reg, unsigned int shift, unsigned int bits, uint32_t value)
{
	uint32_t field = ((1u << bits) - 1) << shift;

	*reg = (*reg & ~field) | (value << shift & field);
}

static void set_bit(uint32_t *reg, unsigned int bit, bool on)
{
	set_field(reg, bit, 1, on);
}

/* SDM 2A CPUID 01H, APM 3 E.3.2: initial APIC ID, logical processors, and whether that counts. */
static void place_version(struct kvm_cpuid_entry2 *entry, unsigned int index, unsigned int count)
{
	set_field(&entry->ebx, 24, 8, index);
	set_field(&entry->ebx, 16, 8, count);
	set_bit(&entry->edx, 28, count > 1);
}

/* SDM 2A CPUID 04H, APM 3 E.4.16: how many share a cache, of which only the third level is shared;
 * on Intel also the cores of the package. */
static void place_cache(struct kvm_cpuid_entry2 *entry, unsigned int count)
{
	unsigned int type = entry->eax & 0x1f, level = entry->eax >> 5 & 7;

	if (!type)
		return;
	set_field(&entry->eax, 14, 12, level == 3 ? count - 1 : 0);
	if (entry->function == 4)
		set_field(&entry->eax, 26, 6, count - 1);
}

/* SDM 2A CPUID 0BH and 1FH: subleaf 0 is the thread's level, 1 the core's. */
static void place_level(struct kvm_cpuid_entry2 *entry, unsigned int index, unsigned int count)
{
	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	entry->eax = entry->index ? id_bits(count) : 0;
	entry->ebx = entry->index ? count : 1;
	entry->ecx = entry->index | (entry->index + 1) << 8;
	entry->edx = index;
}

static void place_entry(struct kvm_cpuid_entry2 *entry, unsigned int index, unsigned int count)
{
	switch (entry->function) {
	case 1:
		place_version(entry, index, count);
		break;
	case 4:
	case 0x8000001d:
		place_cache(entry, count);
		break;
	case 0xb:
	case 0x1f:
		if (entry->index < 2)
			place_level(entry, index, count);
		break;
	case 0x80000001: /* APM 3 E.4.2: CmpLegacy */
		set_bit(&entry->ecx, 1, count > 1);
		break;
	case 0x80000008: /* APM 3 E.4.7: ApicIdSize, NC; reserved on Intel */
		if (entry->ecx)
			entry->ecx = id_bits(count) << 12 | ((count - 1) & 0xff);
		break;
	case 0x8000001e: /* APM 3 E.4.17: APIC ID, core, one thread a core, one node */
		entry->eax = index;
		entry->ebx = index & 0xff;
		entry->ecx = 0;
		break;
	}
}

/* The engine gives one subleaf of a leaf that it leaves to us. */
static void add_core_level(struct kvm_cpuid2 *cpuid, uint32_t leaf)
{
	const struct kvm_cpuid_entry2 *first = cpuid_find(cpuid, leaf, 0);

	if (!first || cpuid->nent >= CPUID_ROOM)
		return;
	if ((first->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) && cpuid_find(cpuid, leaf, 1))
		return;
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
		.function = leaf, .index = 1, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX};
}

void cpu_model_place(struct kvm_cpuid2 *cpuid, unsigned int index, unsigned int count)
{
	add_core_level(cpuid, 0xb);
	add_core_level(cpuid, 0x1f);
	for (uint32_t i = 0; i < cpuid->nent; i++)
		place_entry(&cpuid->entries[i], index, count);
}
