/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/vmx_capability.h"
#include "mmu/control_registers.h"
#include "sim/cpu/model.h"
#include "sim/cpu/msr_access.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/vmcs_existence.h"
#include "sim/cpu/vmx_controls.h"

/* Where a row of vmx_controls.def stands. The clear ones follow what they belong to. */
enum group {
	GROUP_BASIC,
	GROUP_PIN,
	GROUP_PRIMARY,
	GROUP_PRIMARY_CLEAR,
	GROUP_SECONDARY,
	GROUP_TERTIARY,
	GROUP_EXIT,
	GROUP_EXIT_CLEAR,
	GROUP_EXIT2,
	GROUP_ENTRY,
	GROUP_ENTRY_CLEAR,
	GROUP_MISC,
	GROUP_EPT_VPID,
	GROUP_FUNCTION,
	GROUP_COUNT
};

struct control {
	u8 group, bit;
	u16 feature, needs; /* enum cpu_feature */
};

static const struct control controls[] = {
#define CONTROL(group_, identifier, bit_, name, needs_, models)                                    \
	{.group = GROUP_##group_,                                                                  \
	 .bit = bit_,                                                                              \
	 .feature = FEATURE_VMX_##group_##_##identifier,                                           \
	 .needs = FEATURE_##needs_},
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
};

static bool has(const u32 *feature, unsigned int f)
{
	return feature[f / 32] >> f % 32 & 1;
}

static bool offered(const u32 *feature, unsigned int f);

/* What the whole field of its group needs. */
static bool activated(const u32 *feature, enum group group)
{
	switch (group) {
	case GROUP_SECONDARY:
		return offered(feature, FEATURE_VMX_PRIMARY_SECONDARY);
	case GROUP_TERTIARY:
		return offered(feature, FEATURE_VMX_PRIMARY_TERTIARY);
	default:
		return true;
	}
}

/* Rows may need rows further down. */
static bool offered(const u32 *feature, unsigned int f)
{
	if (!has(feature, f))
		return false;
	if (f < FEATURE_CPUID_COUNT)
		return true;
	for (unsigned int i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i].feature == f)
			return offered(feature, controls[i].needs) &&
			       activated(feature, controls[i].group);
	return false;
}

/* May be 1 in the upper half, must be 1 in the lower (SDM 3D:A.3.1). */
static u64 allowed(u64 must, u64 may)
{
	return must | (must | may) << 32;
}

static u64 basic(u64 bits)
{
	const u64 write_back = 6;

	return VMCS_REVISION | (u64)VMCS_REGION_SIZE << 32 | write_back << 50 | bits;
}

static u64 misc(u64 bits)
{
	return VMX_TIMER_RATE | VMX_CR3_TARGETS << 16 | bits;
}

void vmx_capability(const u32 *feature, u64 cr4, u64 msr[VMX_MSR_COUNT])
{
	u64 bits[GROUP_COUNT] = {0}, must;

	for (unsigned int i = 0; i < ARRAY_SIZE(controls); i++)
		if (offered(feature, controls[i].feature))
			bits[controls[i].group] |= BIT(controls[i].bit);
	msr[VMX_BASIC] = basic(bits[GROUP_BASIC]);
	msr[VMX_PINBASED] = msr[VMX_TRUE_PINBASED] = allowed(PIN_DEFAULT1, bits[GROUP_PIN]);
	msr[VMX_PROCBASED] = allowed(PRIMARY_DEFAULT1, bits[GROUP_PRIMARY]);
	must = PRIMARY_DEFAULT1 & ~bits[GROUP_PRIMARY_CLEAR];
	msr[VMX_TRUE_PROCBASED] = allowed(must, bits[GROUP_PRIMARY] | PRIMARY_DEFAULT1);
	msr[VMX_EXIT] = allowed(EXIT_DEFAULT1, bits[GROUP_EXIT]);
	must = EXIT_DEFAULT1 & ~bits[GROUP_EXIT_CLEAR];
	msr[VMX_TRUE_EXIT] = allowed(must, bits[GROUP_EXIT] | EXIT_DEFAULT1);
	msr[VMX_ENTRY] = allowed(ENTRY_DEFAULT1, bits[GROUP_ENTRY]);
	must = ENTRY_DEFAULT1 & ~bits[GROUP_ENTRY_CLEAR];
	msr[VMX_TRUE_ENTRY] = allowed(must, bits[GROUP_ENTRY] | ENTRY_DEFAULT1);
	msr[VMX_MISC] = misc(bits[GROUP_MISC]);
	msr[VMX_CR0_FIXED0] = CR0_PE | CR0_NE | CR0_PG;
	msr[VMX_CR0_FIXED1] = UINT32_MAX;
	msr[VMX_CR4_FIXED0] = CR4_VMXE;
	msr[VMX_CR4_FIXED1] = cr4;
	msr[VMX_PROCBASED2] = bits[GROUP_SECONDARY] << 32;
	msr[VMX_EPT_VPID] = bits[GROUP_EPT_VPID];
	msr[VMX_FUNCTION] = bits[GROUP_FUNCTION];
	msr[VMX_PROCBASED3] = bits[GROUP_TERTIARY];
	msr[VMX_EXIT2] = bits[GROUP_EXIT2];
	msr[VMX_VMCS_ENUM] = vmcs_highest_index(msr) << 1;
}

void vmx_capability_built(const u32 *feature, u64 cr4, u64 msr[VMX_MSR_COUNT])
{
	u32 all[FEATURE_WORDS];

	__builtin_memcpy(all, feature, sizeof(all));
	for (unsigned int f = FEATURE_CPUID_COUNT; f < FEATURE_BASE; f++)
		if (model_built(f))
			all[f / 32] |= 1u << f % 32;
	vmx_capability(all, cr4, msr);
}

#define MISC_CR3_TARGETS UINT64_C(0x1ff0000)

static bool subset(u64 value, u64 full, u64 may_go)
{
	return !(value & ~full) && !(full & ~value & ~may_go);
}

/* A processor may know fewer CR3 targets (SDM 3D:A.6). */
static bool misc_within(u64 value, u64 full)
{
	return (value & MISC_CR3_TARGETS) <= (full & MISC_CR3_TARGETS) &&
	       subset(value & ~MISC_CR3_TARGETS, full & ~MISC_CR3_TARGETS,
		      MISC_STORE_LMA | MISC_ACTIVITY_HLT | MISC_ACTIVITY_SHUTDOWN |
			      MISC_ACTIVITY_WAIT_SIPI | MISC_WRITE_ANY_FIELD |
			      MISC_ZERO_LENGTH_INJECTION);
}

bool vmx_capability_within(enum vmx_msr which, u64 value, u64 full)
{
	switch (which) {
	case VMX_BASIC:
		return subset(value, full,
			      BASIC_INS_OUTS | BASIC_TRUE_CONTROLS | BASIC_ANY_ERROR_CODE);
	case VMX_MISC:
		return misc_within(value, full);
	case VMX_PINBASED:
	case VMX_PROCBASED:
	case VMX_EXIT:
	case VMX_ENTRY:
	case VMX_PROCBASED2:
	case VMX_TRUE_PINBASED:
	case VMX_TRUE_PROCBASED:
	case VMX_TRUE_EXIT:
	case VMX_TRUE_ENTRY:
		/* No less that must be 1, no more that may be 1; and what must may. */
		return !((u32)full & ~(u32)value) && !(value >> 32 & ~(full >> 32)) &&
		       !((u32)value & ~(value >> 32));
	case VMX_CR0_FIXED0:
	case VMX_CR4_FIXED0:
		return !(full & ~value);
	case VMX_VMCS_ENUM:
		return !(value & ~UINT64_C(0x3fe));
	default:
		return !(value & ~full);
	}
}

/* --- the registers --- */

static enum vmx_msr which(const struct msr_row *row)
{
	return row->number - VMX_MSR_BASE;
}

/* Some are there only if what they tell of is (SDM 3D:A.2 to A.13). */
static bool exists(const struct cpu *cpu, enum vmx_msr number)
{
	const u64 *msr = &cpu->msr[MSR_VMX_BASIC];

	switch (number) {
	case VMX_TRUE_PINBASED:
	case VMX_TRUE_PROCBASED:
	case VMX_TRUE_EXIT:
	case VMX_TRUE_ENTRY:
		return msr[VMX_BASIC] & BASIC_TRUE_CONTROLS;
	case VMX_PROCBASED2:
		return msr[VMX_PROCBASED] >> 32 & PRIMARY_SECONDARY;
	case VMX_EPT_VPID:
		return msr[VMX_PROCBASED2] >> 32 & (SECONDARY_EPT | SECONDARY_VPID);
	case VMX_FUNCTION:
		return msr[VMX_PROCBASED2] >> 32 & SECONDARY_VM_FUNCTIONS;
	case VMX_PROCBASED3:
		return msr[VMX_PROCBASED] >> 32 & PRIMARY_TERTIARY;
	case VMX_EXIT2:
		return msr[VMX_EXIT] >> 32 & EXIT_SECONDARY;
	default:
		return true;
	}
}

/* User space, which asks for all of them, reads 0. */
READ(vmx_capability)
{
	bool there = exists(cpu, which(row));

	*value = there ? cpu->msr[row->index] : 0;
	return host || there;
}

/* What of the controls that a register with TRUE in its name allows can be 0 is 1 in that without
 * (SDM 3D:A.2). Who restores the one, as KVM has it, need not name the other. */
static void follow_true(struct cpu *cpu, enum vmx_msr number, u64 value)
{
	static const struct {
		u8 number, plain;
		u32 default1;
	} pairs[] = {
		{VMX_TRUE_PINBASED, VMX_PINBASED, PIN_DEFAULT1},
		{VMX_TRUE_PROCBASED, VMX_PROCBASED, PRIMARY_DEFAULT1},
		{VMX_TRUE_EXIT, VMX_EXIT, EXIT_DEFAULT1},
		{VMX_TRUE_ENTRY, VMX_ENTRY, ENTRY_DEFAULT1},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].number == number)
			cpu->msr[MSR_VMX_BASIC + pairs[i].plain] = value | pairs[i].default1;
}

/* Read-only for the guest; user space may take away from what is built. */
WRITE(vmx_capability)
{
	u64 full[VMX_MSR_COUNT];

	if (!host)
		return false;
	vmx_capability_built(cpu->feature, ~cpu->cr4_reserved, full);
	if (!vmx_capability_within(which(row), value, full[which(row)]))
		return false;
	cpu->msr[row->index] = value;
	follow_true(cpu, which(row), value);
	if (cpu->vendor->settle)
		cpu->vendor->settle(cpu);
	return true;
}

ACCESS(VMX_CAPABILITY, read_vmx_capability, write_vmx_capability);

void vmx_capability_adopt(struct cpu *cpu)
{
	vmx_capability_built(cpu->feature, ~cpu->cr4_reserved, &cpu->msr[MSR_VMX_BASIC]);
}

static void of_model(const struct model *model, u64 msr[VMX_MSR_COUNT])
{
	u32 feature[FEATURE_WORDS];

	__builtin_memcpy(feature, model->feature, sizeof(feature));
	feature[FEATURE_BASE / 32] |= 1u << FEATURE_BASE % 32;
	vmx_capability(feature, cpuid_cr4_bits(feature), msr);
}

u64 vmx_capability_supported(enum vmx_msr number)
{
	u64 msr[VMX_MSR_COUNT];
	struct model model;

	if (model_resolve(&model, "max", NULL))
		return 0;
	of_model(&model, msr);
	return msr[number];
}

int vmx_capability_of_model(const char *spec, struct kvm_msrs *msrs, struct ls_error *err)
{
	unsigned int room = msrs->nmsrs;
	u64 msr[VMX_MSR_COUNT];
	struct model model;
	int ret = model_resolve(&model, spec, err);

	msrs->nmsrs = 0;
	if (ret || !model_has(&model, FEATURE_VMX))
		return ret;
	if (room < VMX_MSR_COUNT)
		return ls_error_set(err, -E2BIG, "no room for the VMX capability MSRs of '%s'",
				    spec);
	of_model(&model, msr);
	for (unsigned int i = 0; i < VMX_MSR_COUNT; i++)
		msrs->entries[msrs->nmsrs++] =
			(struct kvm_msr_entry){.index = VMX_MSR_BASE + i, .data = msr[i]};
	return 0;
}
