/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's CPUID leaves say, one maker a leaf (SDM 2A CPUID, APM 3 appendix E). */
#include <errno.h>
#include <string.h>

#include <linux/kvm_para.h>

#include "sim/cpu/model.h"
#include "sim/cpu/xstate.h"

#define CACHE_LINE 64

struct cache {
	u8 type; /* 1 data, 2 instruction, 3 unified */
	u8 level;
	u8 ways;
	u32 kib;
	bool shared; /* by the whole package */
};

/* The sizes of the processors that the models are named after. */
static const struct cache caches_intel[] = {
	{.type = 1, .level = 1, .ways = 12, .kib = 48},
	{.type = 2, .level = 1, .ways = 8, .kib = 32},
	{.type = 3, .level = 2, .ways = 16, .kib = 2048},
	{.type = 3, .level = 3, .ways = 15, .kib = 107520, .shared = true},
};

static const struct cache caches_amd[] = {
	{.type = 1, .level = 1, .ways = 8, .kib = 32},
	{.type = 2, .level = 1, .ways = 8, .kib = 32},
	{.type = 3, .level = 2, .ways = 8, .kib = 1024},
	{.type = 3, .level = 3, .ways = 16, .kib = 32768, .shared = true},
};

/* Bits of an APIC id that number @count processors. */
static unsigned int id_bits(unsigned int count)
{
	return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

static void leaf_bits_only(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf, (void)out;
}

/* EAX, the highest leaf, is put in when all are made. */
static void leaf_vendor(const struct model *model, u32 subleaf, u32 out[4])
{
	const char *text = model->info.vendor == VENDOR_AMD ? "AuthenticAMD" : "GenuineIntel";

	(void)subleaf;
	memcpy(&out[EBX], text, 4);
	memcpy(&out[EDX], text + 4, 4);
	memcpy(&out[ECX], text + 8, 4);
}

static u32 version(const struct model *model)
{
	u32 family = model->info.family, number = model->info.model;
	u32 base = family > 0xf ? 0xf : family;
	/* Families below 6 have no extended model; all others show it. */
	u32 extended_model = family >= 6 ? number >> 4 : 0;

	return (family - base) << 20 | extended_model << 16 | base << 8 | (number & 0xf) << 4 |
	       model->info.stepping;
}

static void leaf_version(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	out[EAX] = version(model);
	out[EBX] = (model->index & 0xff) << 24 | CACHE_LINE / 8 << 8;
	if (model->count > 1) {
		out[EBX] |= (model->count > 255 ? 255 : model->count) << 16;
		out[EDX] |= 1 << 28; /* HTT: EBX[23:16] is valid */
	}
}

/* FFH: ask leaf 4. F0H: 64-byte prefetch. The low byte of EAX is always 1. */
static void leaf_descriptors(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	out[EAX] = 0x00feff01;
	out[EBX] = 0xf0;
}

/* EAX without the count of cores, EBX, ECX: the same for both vendors (leaf 4, 8000001DH). */
static void cache_parameters(const struct model *model, const struct cache *cache, u32 out[4])
{
	u32 sharing = cache->shared ? (1u << id_bits(model->count)) - 1 : 0;

	out[EAX] = cache->type | cache->level << 5 | 1 << 8 | (sharing & 0xfff) << 14;
	out[EBX] = (cache->ways - 1u) << 22 | (CACHE_LINE - 1);
	out[ECX] = cache->kib * 1024 / CACHE_LINE / cache->ways - 1;
}

static void leaf_cache_intel(const struct model *model, u32 subleaf, u32 out[4])
{
	u32 cores = (1u << id_bits(model->count)) - 1;

	if (subleaf >= ARRAY_SIZE(caches_intel))
		return;
	cache_parameters(model, &caches_intel[subleaf], out);
	out[EAX] |= (cores > 63 ? 63 : cores) << 26;
}

static void leaf_cache_amd(const struct model *model, u32 subleaf, u32 out[4])
{
	if (subleaf < ARRAY_SIZE(caches_amd))
		cache_parameters(model, &caches_amd[subleaf], out);
}

/* Monitor lines of 64 bytes; interrupts end MWAIT even while masked; C1 is the only state. */
static void leaf_monitor(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	out[EAX] = CACHE_LINE;
	out[EBX] = CACHE_LINE;
	out[ECX] = 3;
	out[EDX] = model->info.vendor == VENDOR_INTEL ? 0x10 : 0;
}

static void leaf_structured(const struct model *model, u32 subleaf, u32 out[4])
{
	if (subleaf == 0) /* highest subleaf */
		out[EAX] = model_has(model, FEATURE_BHI_CTRL) ? 2 : 1;
}

/* Version 5; eight general-purpose counters and three fixed ones, 48 bits wide; no AnyThread. Of the
 * eight architectural events, those after the first three are not available. */
static void leaf_monitoring_intel(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	out[EAX] = 5 | 8 << 8 | 48 << 16 | 8 << 24;
	out[EBX] = 0xf8;
	out[ECX] = 7;
	out[EDX] = 3 | 48 << 5 | 1 << 15;
}

static void leaf_monitoring_amd(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	out[EBX] = model_has(model, FEATURE_PERFCTR_CORE) ? 6 : 4;
}

/* One thread a core, one package. Subleaf 0 is the thread level, 1 the core level. */
static void leaf_topology(const struct model *model, u32 subleaf, u32 out[4])
{
	out[EAX] = subleaf ? id_bits(model->count) : 0;
	out[EBX] = subleaf ? model->count : 1;
	out[ECX] = subleaf | (subleaf + 1) << 8;
	out[EDX] = model->index;
}

static void xstate_masks(const struct model *model, u64 *user, u64 *supervisor)
{
	*user = *supervisor = 0;
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (!model_has(model, component->gate))
			continue;
		*(component->supervisor ? supervisor : user) |= BIT(component->bit);
	}
	if (!model_has(model, FEATURE_XSAVES))
		*supervisor = 0;
}

/* EBX of subleaves 0 and 1 depends on XCR0 and XSS: cpuid_query puts it in. */
static void leaf_xstate(const struct model *model, u32 subleaf, u32 out[4])
{
	u64 user, supervisor;

	xstate_masks(model, &user, &supervisor);
	if (subleaf == 0) {
		out[EAX] = user;
		out[ECX] = xstate_size_standard(user);
		out[EBX] = xstate_size_standard(1);
		return;
	}
	if (subleaf == 1) {
		out[ECX] = supervisor;
		return;
	}
	for (unsigned int i = 0; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_component *component = &xstate_components[i];

		if (component->bit != subleaf || !((user | supervisor) >> subleaf & 1))
			continue;
		out[EAX] = component->size;
		out[EBX] = component->offset;
		out[ECX] = component->supervisor | component->aligned << 1;
	}
}

static u32 greatest_divisor(u32 a, u32 b)
{
	while (b) {
		u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

#define CRYSTAL_KHZ 1000000u

/* The crystal is the clock of the local APIC's timer, which kernels conclude from here. */
static void leaf_crystal(const struct model *model, u32 subleaf, u32 out[4])
{
	u32 divisor = greatest_divisor(model->tsc_khz, CRYSTAL_KHZ);

	(void)subleaf;
	out[EAX] = CRYSTAL_KHZ / divisor;
	out[EBX] = model->tsc_khz / divisor;
	out[ECX] = CRYSTAL_KHZ * 1000;
}

static void leaf_frequency(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	out[EAX] = out[EBX] = model->tsc_khz / 1000 & 0xffff;
	out[ECX] = 100;
}

/* EAX, the highest of KVM's leaves, as in leaf_vendor. */
static void leaf_kvm_signature(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	memcpy(&out[EBX], KVM_SIGNATURE, 12);
}

static void leaf_extended(const struct model *model, u32 subleaf, u32 out[4])
{
	if (model->info.vendor == VENDOR_AMD)
		leaf_vendor(model, subleaf, out);
}

/* Bits of 1:EDX that AMD repeats in 8000_0001H:EDX: 0 to 9, 12 to 17, 23, 24. */
#define EDX_REPEATED 0x0183f3ffu

static void leaf_extended_features(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	if (model->info.vendor != VENDOR_AMD)
		return;
	out[EAX] = version(model);
	for (unsigned int f = 0; f < FEATURE_CPUID_COUNT; f++) {
		const struct feature_info *info = &feature_infos[f];

		if (info->leaf == 1 && info->reg == EDX && model_has(model, f))
			out[EDX] |= 1u << info->bit & EDX_REPEATED;
	}
	if (model->count > 1)
		out[ECX] |= 1 << 1; /* CmpLegacy: the cores count as logical processors */
}

static void leaf_brand0(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	memcpy(out, model->brand, 16);
}

static void leaf_brand1(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	memcpy(out, model->brand + 16, 16);
}

static void leaf_brand2(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	memcpy(out, model->brand + 32, 16);
}

static void leaf_cache_l1(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	for (unsigned int i = 0; i < 2; i++)
		out[ECX + i] =
			caches_amd[i].kib << 24 | caches_amd[i].ways << 16 | 1 << 8 | CACHE_LINE;
}

/* Associativity codes of APM 3, table E-4. */
static u32 ways_code(u8 ways)
{
	switch (ways) {
	case 8:
		return 6;
	case 16:
		return 8;
	default:
		return 9; /* see leaf 8000001DH */
	}
}

static void leaf_cache_l2(const struct model *model, u32 subleaf, u32 out[4])
{
	bool amd = model->info.vendor == VENDOR_AMD;
	const struct cache *l2 = amd ? &caches_amd[2] : &caches_intel[2];

	(void)subleaf;
	out[ECX] = l2->kib << 16 | ways_code(l2->ways) << 12 | CACHE_LINE;
	if (amd) {
		out[ECX] |= 1 << 8;
		out[EDX] = caches_amd[3].kib / 512 << 18 | ways_code(caches_amd[3].ways) << 12 |
			   1 << 8 | CACHE_LINE;
	}
}

static void leaf_sizes(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	out[EAX] = model->info.physical_bits | (model_has(model, FEATURE_LA57) ? 57 : 48) << 8;
	if (model->info.vendor == VENDOR_AMD)
		out[ECX] = id_bits(model->count) << 12 | ((model->count - 1) & 0xff);
	if (model_has(model, FEATURE_RDPRU))
		out[EDX] = 1 << 16; /* highest register that RDPRU knows: APERF */
}

/* Revision 1; as many ASIDs as processors of Zen 4's class have. */
static void leaf_svm(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)model, (void)subleaf;
	out[EAX] = 1;
	out[EBX] = 0x8000;
}

static void leaf_unit(const struct model *model, u32 subleaf, u32 out[4])
{
	(void)subleaf;
	out[EAX] = model->index;
	out[EBX] = model->index & 0xff;
}

static const struct {
	u32 function, subleaves;
	enum vendor vendors;
	enum cpu_feature gate;
	void (*make)(const struct model *model, u32 subleaf, u32 out[4]);
} leaves[] = {
#define LEAF(function, subleaves, vendors, gate, maker, manual)                                    \
	{function, subleaves, VENDOR_##vendors, FEATURE_##gate, leaf_##maker},
#include "sim/cpu/cpuid.def"
#undef LEAF
};

static void add_features(const struct model *model, u32 function, u32 subleaf, u32 out[4])
{
	for (unsigned int f = 0; f < FEATURE_CPUID_COUNT; f++) {
		const struct feature_info *info = &feature_infos[f];

		if (info->leaf == function && info->subleaf == subleaf && model_has(model, f))
			out[info->reg] |= 1u << info->bit;
	}
}

/* Basic, hypervisor's and extended leaves. */
#define RANGE_MASK 0xc0000000u

static void set_highest(struct kvm_cpuid2 *cpuid, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		u32 base = cpuid->entries[i].function & RANGE_MASK;

		if (cpuid->entries[i].function != base)
			continue;
		for (unsigned int j = i; j < count; j++)
			if ((cpuid->entries[j].function & RANGE_MASK) == base)
				cpuid->entries[i].eax = cpuid->entries[j].function;
	}
}

int cpuid_build(const struct model *model, struct kvm_cpuid2 *cpuid)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (!(leaves[i].vendors & model->info.vendor) ||
		    (leaves[i].gate != FEATURE_BASE && !model_has(model, leaves[i].gate)))
			continue;
		for (u32 sub = 0; sub < leaves[i].subleaves; sub++) {
			u32 out[4] = {0};

			leaves[i].make(model, sub, out);
			add_features(model, leaves[i].function, sub, out);
			if (sub > 1 && !(out[EAX] | out[EBX] | out[ECX] | out[EDX]))
				continue;
			if (count == cpuid->nent)
				return -E2BIG;
			cpuid->entries[count++] = (struct kvm_cpuid_entry2){
				.function = leaves[i].function,
				.index = sub,
				.flags = leaves[i].subleaves > 1 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX
								 : 0,
				.eax = out[EAX],
				.ebx = out[EBX],
				.ecx = out[ECX],
				.edx = out[EDX],
			};
		}
	}
	set_highest(cpuid, count);
	cpuid->nent = count;
	return 0;
}
