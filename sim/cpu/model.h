/* SPDX-License-Identifier: Apache-2.0 */
/* CPU models: from a name and changes to it to CPUID leaves. */
#ifndef LOCKSTEP_SIM_CPU_MODEL_H
#define LOCKSTEP_SIM_CPU_MODEL_H

#include <linux/kvm.h>
#include <lockstep/error.h>

#include "mmu/types.h"
#include "sim/cpu/features.h"

enum vendor { VENDOR_INTEL = 1, VENDOR_AMD = 2, VENDOR_ANY = 3 };

/* Registers of a CPUID result, in the order of struct kvm_cpuid_entry2. */
enum cpuid_register { EAX, EBX, ECX, EDX };

/* A row of models.def. */
struct model_info {
	const char *name, *brand, *summary;
	enum vendor vendor;
	u16 family;
	u8 model, stepping, physical_bits;
};

/* A model after its changes, for one vCPU: what leaves are made from. */
struct model {
	struct model_info info;
	char brand[48]; /* padded with NULs */
	u32 feature[FEATURE_WORDS];
	unsigned int index, count; /* this vCPU, and all; APIC id = index */
	u32 tsc_khz;
};

/* A row of features.def, or of vmx_controls.def. */
struct feature_info {
	const char *identifier, *name;
	u32 leaf, subleaf; /* of a control: the number of its capability MSR */
	u8 reg, bit; /* enum cpuid_register */
};

extern const struct model_info model_infos[];
extern const unsigned int model_info_count;
extern const struct feature_info feature_infos[FEATURE_BASE];

ALWAYS_INLINE bool model_has(const struct model *model, enum cpu_feature feature)
{
	return model->feature[feature / 32] >> (feature % 32) & 1;
}

/* "yes" cells of `lockstep list features`: whether model number @model offers @feature. */
bool model_offers(unsigned int model, enum cpu_feature feature);
/* Whether any does. */
bool model_built(enum cpu_feature feature);

/* Resolves "NAME[,+feature,-feature,key=value…]". Keys: vendor (intel, amd or a vendor string),
 * family, model, stepping, phys-bits (32 to 52), model-name; feature=on|off. -EINVAL, -ENOENT. */
int model_resolve(struct model *model, const char *spec, struct ls_error *err);

/* Makes the leaves. @cpuid->nent holds the room on entry, the number on return. -E2BIG. */
int cpuid_build(const struct model *model, struct kvm_cpuid2 *cpuid);

/* Both: ls_extension.cpu_model. */
int cpu_model_build(const char *spec, unsigned int index, unsigned int count, u32 tsc_khz,
		    struct kvm_cpuid2 *cpuid, struct ls_error *err);
/* KVM_GET_SUPPORTED_CPUID: all that is built. -E2BIG. */
int cpuid_supported(u32 tsc_khz, struct kvm_cpuid2 *cpuid);

#endif
