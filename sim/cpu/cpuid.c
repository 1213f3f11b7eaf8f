/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUID instruction, and what a processor concludes from its own leaves. */
#include <string.h>

#include <linux/kvm_para.h>

#include "apic/lapic.h"
#include "sim/cpu/model.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/xstate.h"

static const struct kvm_cpuid_entry2 *find(const struct cpu *cpu, u32 leaf, u32 subleaf)
{
	for (unsigned int i = 0; cpu->cpuid && i < cpu->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpu->cpuid->entries[i];

		if (entry->function == leaf &&
		    (entry->index == subleaf || !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return entry;
	}
	return NULL;
}

/* A leaf beyond the highest answers as the highest basic leaf on Intel, with zeros on AMD; one
 * within range that is not there gives zeros on both (SDM 2A CPUID, APM 3 E.2). */
static const struct kvm_cpuid_entry2 *find_in_place_of(const struct cpu *cpu, u32 *leaf,
						       u32 subleaf)
{
	const struct kvm_cpuid_entry2 *basic = find(cpu, 0, 0);
	const struct kvm_cpuid_entry2 *range = find(cpu, *leaf & 0x80000000, 0);

	if (cpu->amd || !basic || (range && *leaf <= range->eax))
		return NULL;
	*leaf = basic->eax;
	return find(cpu, basic->eax, subleaf);
}

static void set_bit(u32 *word, unsigned int bit, bool value)
{
	*word = (*word & ~(1u << bit)) | (u32)value << bit;
}

/* IA32_MISC_ENABLE (SDM 4:2.1) takes features away. */
#define MISC_ENABLE_MONITOR BIT(18)
#define MISC_ENABLE_LIMIT   BIT(22) /* leaf 0 shows no more than 2 */
#define MISC_ENABLE_NO_XD   BIT(34)

static bool misc_enable(const struct cpu *cpu, u64 bit)
{
	return !cpu->amd && (cpu->msr[MSR_MISC_ENABLE] & bit);
}

/* What CPUID shows of the present state. */
static void add_state(const struct cpu *cpu, u32 leaf, u32 subleaf, u32 out[4])
{
	u64 enabled = cpu->xcr0;

	switch (leaf) {
	case 0x0:
		if (misc_enable(cpu, MISC_ENABLE_LIMIT) && out[EAX] > 2)
			out[EAX] = 2;
		break;
	case 0x1:
		set_bit(&out[ECX], 27, cpu->cr4 & CR4_OSXSAVE);
		if (cpu->lapic && !lapic_enabled(cpu->lapic)) /* SDM 3A:11.4.3 */
			set_bit(&out[EDX], 9, false);
		if (!cpu->amd && !misc_enable(cpu, MISC_ENABLE_MONITOR))
			set_bit(&out[ECX], 3, false);
		break;
	case 0x7:
		if (subleaf == 0)
			set_bit(&out[ECX], 4, cpu->cr4 & CR4_PKE);
		break;
	case 0xd:
		if (subleaf == 0)
			out[EBX] = xstate_size_standard(enabled);
		else if (subleaf == 1 && (out[EAX] & (BIT(1) | BIT(3))))
			out[EBX] = xstate_size_compacted(enabled | cpu->msr[MSR_XSS]);
		break;
	case 0x80000001:
		if (cpu->amd && cpu->lapic && !lapic_enabled(cpu->lapic))
			set_bit(&out[EDX], 9, false);
		if (misc_enable(cpu, MISC_ENABLE_NO_XD))
			set_bit(&out[EDX], 20, false);
		break;
	}
}

void cpuid_query(struct cpu *cpu, u32 leaf, u32 subleaf, u32 out[4])
{
	const struct kvm_cpuid_entry2 *entry = find(cpu, leaf, subleaf);

	if (!entry)
		entry = find_in_place_of(cpu, &leaf, subleaf);
	out[EAX] = entry ? entry->eax : 0;
	out[EBX] = entry ? entry->ebx : 0;
	out[ECX] = entry ? entry->ecx : 0;
	out[EDX] = entry ? entry->edx : 0;
	if (entry) {
		add_state(cpu, leaf, subleaf, out);
	} else if (leaf == 0xb || leaf == 0x1f) {
		/* Beyond the last level ECX[7:0] still repeats the input and EDX the id. */
		entry = find(cpu, leaf, 1);
		if (entry) {
			out[ECX] = subleaf & 0xff;
			out[EDX] = entry->edx;
		}
	}
}

/* --- what follows from the leaves --- */

static u32 entry_register(const struct kvm_cpuid_entry2 *entry, u8 reg)
{
	const u32 values[] = {entry->eax, entry->ebx, entry->ecx, entry->edx};

	return values[reg];
}

/* Leaf 4000_0001H means what the signature below it says. */
static bool is_kvm(const struct cpu *cpu)
{
	const struct kvm_cpuid_entry2 *entry = find(cpu, KVM_CPUID_SIGNATURE, 0);

	return entry && !memcmp(&entry->ebx, KVM_SIGNATURE, 4) &&
	       !memcmp(&entry->ecx, KVM_SIGNATURE + 4, 4) &&
	       !memcmp(&entry->edx, KVM_SIGNATURE + 8, 4);
}

static void adopt_features(struct cpu *cpu)
{
	bool kvm = is_kvm(cpu);

	memset(cpu->feature, 0, sizeof(cpu->feature));
	for (unsigned int f = 0; f < FEATURE_CPUID_COUNT; f++) {
		const struct feature_info *info = &feature_infos[f];
		const struct kvm_cpuid_entry2 *entry = find(cpu, info->leaf, info->subleaf);

		if (info->leaf == KVM_CPUID_FEATURES && !kvm)
			continue;
		if (entry && entry_register(entry, info->reg) >> info->bit & 1)
			cpu->feature[f / 32] |= 1u << f % 32;
	}
	cpu->feature[FEATURE_BASE / 32] |= 1u << FEATURE_BASE % 32;
}

/* Bits of CR4 and EFER that exist only with a feature (SDM 3A:2.5, 3A:2.2.1; APM 2:3.1.7). */
struct allowed_bits {
	u64 bits;
	enum cpu_feature feature;
};

static const struct allowed_bits cr4_rows[] = {
	{CR4_VME | CR4_PVI, FEATURE_VME},
	{CR4_TSD, FEATURE_TSC},
	{CR4_DE, FEATURE_DE},
	{CR4_PSE, FEATURE_PSE},
	{CR4_PAE, FEATURE_PAE},
	{CR4_MCE, FEATURE_MCE},
	{CR4_PGE, FEATURE_PGE},
	{CR4_PCE, FEATURE_BASE},
	{CR4_OSFXSR, FEATURE_FXSR},
	{CR4_OSXMMEXCPT, FEATURE_SSE},
	{CR4_UMIP, FEATURE_UMIP},
	{CR4_LA57, FEATURE_LA57},
	{CR4_VMXE, FEATURE_VMX},
	{CR4_FSGSBASE, FEATURE_FSGSBASE},
	{CR4_PCIDE, FEATURE_PCID},
	{CR4_OSXSAVE, FEATURE_XSAVE},
	{CR4_SMEP, FEATURE_SMEP},
	{CR4_SMAP, FEATURE_SMAP},
	{CR4_PKE, FEATURE_PKU},
	{CR4_CET, FEATURE_CET_SS},
	{CR4_CET, FEATURE_CET_IBT},
	{CR4_PKS, FEATURE_PKS},
	{CR4_LAM_SUP, FEATURE_LAM},
};

static const struct allowed_bits efer_rows[] = {
	{EFER_SCE, FEATURE_SYSCALL},    {EFER_LME | EFER_LMA, FEATURE_LM},
	{EFER_NXE, FEATURE_NX},         {EFER_SVME, FEATURE_SVM},
	{EFER_FFXSR, FEATURE_FXSR_OPT}, {EFER_AUTOIBRS, FEATURE_AUTO_IBRS},
};

u64 cpuid_cr4_bits(const u32 *feature)
{
	u64 bits = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(cr4_rows); i++)
		if (feature[cr4_rows[i].feature / 32] >> cr4_rows[i].feature % 32 & 1)
			bits |= cr4_rows[i].bits;
	return bits;
}

static void adopt_reserved_bits(struct cpu *cpu)
{
	cpu->cr4_reserved = ~cpuid_cr4_bits(cpu->feature);
	cpu->efer_reserved = ~UINT64_C(0);
	for (unsigned int i = 0; i < ARRAY_SIZE(efer_rows); i++)
		if (cpu_has(cpu, efer_rows[i].feature))
			cpu->efer_reserved &= ~efer_rows[i].bits;
}

static void adopt_xstate(struct cpu *cpu)
{
	const struct kvm_cpuid_entry2 *user = find(cpu, 0xd, 0), *supervisor = find(cpu, 0xd, 1);
	u64 user_built = 0, supervisor_built = 0;

	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++)
		*(xstate_components[i].supervisor ? &supervisor_built : &user_built) |=
			BIT(xstate_components[i].bit);
	cpu->xcr0_supported = cpu->xss_supported = 0;
	if (user)
		cpu->xcr0_supported = (user->eax | (u64)user->edx << 32) & user_built;
	if (supervisor && cpu_has(cpu, FEATURE_XSAVES))
		cpu->xss_supported =
			(supervisor->ecx | (u64)supervisor->edx << 32) & supervisor_built;
}

static void adopt_pmu(struct cpu *cpu)
{
	const struct kvm_cpuid_entry2 *entry = find(cpu, cpu->amd ? 0x80000022 : 0xa, 0);
	u32 leaf[4] = {0};

	if (entry)
		for (u8 reg = EAX; reg <= EDX; reg++)
			leaf[reg] = entry_register(entry, reg);
	if (!cpu->amd && (leaf[EAX] & 0xff)) /* the version's low bit need not be set */
		cpu->feature[FEATURE_PMU / 32] |= 1u << FEATURE_PMU % 32;
	pmu_adopt(cpu, leaf);
}

static bool vendor_is(const struct kvm_cpuid_entry2 *entry, const char *text)
{
	return !memcmp(&entry->ebx, text, 4) && !memcmp(&entry->edx, text + 4, 4) &&
	       !memcmp(&entry->ecx, text + 8, 4);
}

/* A width that user space gave, 0 for @standard, as far as there are such processors. */
static u8 within(u32 width, u8 standard, u8 least, u8 most)
{
	if (!width)
		return standard;
	return width < least ? least : width > most ? most : width;
}

void cpuid_adopt(struct cpu *cpu)
{
	const struct kvm_cpuid_entry2 *vendor = find(cpu, 0, 0), *sizes = find(cpu, 0x80000008, 0);

	cpu->amd =
		vendor && (vendor_is(vendor, "AuthenticAMD") || vendor_is(vendor, "HygonGenuine"));
	/* Without leaf 80000008H: 36 and, in 64-bit mode, 48 bits (SDM 3A:4.1.4). */
	cpu->physical_bits = within(sizes ? sizes->eax & 0xff : 0, 36, 32, 52);
	cpu->linear_bits = within(sizes ? sizes->eax >> 8 & 0xff : 0, 48, 48, 57);
	adopt_features(cpu);
	adopt_reserved_bits(cpu);
	adopt_xstate(cpu);
	adopt_pmu(cpu);
	msr_adopt(cpu);
	cpu->walk.amd = cpu->amd;
	cpu->walk.physical_bits = cpu->physical_bits;
	cpu->walk.gbyte_pages = cpu_has(cpu, FEATURE_PDPE1GB);
}
