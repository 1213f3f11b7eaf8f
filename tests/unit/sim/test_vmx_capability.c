/* SPDX-License-Identifier: Apache-2.0 */
/* The VMX capability MSRs, as SDM 3D appendix A has them made of what is offered. */
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/model.h"
#include "sim/cpu/vmcs_existence.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/cpu/vmx_controls.h"
#include "tests/unit/check.h"

static u32 feature[FEATURE_WORDS];
static u64 msr[VMX_MSR_COUNT];

static void offer(enum cpu_feature f, bool on)
{
	feature[f / 32] &= ~(1u << f % 32);
	feature[f / 32] |= (u32)on << f % 32;
}

static void offer_everything(void)
{
	memset(feature, 0xff, sizeof(feature));
	vmx_capability(feature, 0x3fffff, msr);
}

/* A.1: revision, 4096 bytes, write-back, no dual monitor, and the three that are offered. */
static void test_basic(void)
{
	offer_everything();
	CHECK_EQUAL(msr[VMX_BASIC] & 0x7fffffff, 0x11e57ed0);
	CHECK_EQUAL(msr[VMX_BASIC] >> 31 & 1, 0);
	CHECK_EQUAL(msr[VMX_BASIC] >> 32 & 0x1fff, 4096);
	CHECK_EQUAL(msr[VMX_BASIC] >> 48 & 3, 0);
	CHECK_EQUAL(msr[VMX_BASIC] >> 50 & 0xf, 6);
	CHECK_EQUAL(msr[VMX_BASIC] >> 54, 7);
}

/* A.3.1, A.3.2, A.4.1, A.5: the default1 classes. */
static void test_default1(void)
{
	memset(feature, 0, sizeof(feature));
	offer(FEATURE_VMX, true);
	vmx_capability(feature, 0, msr);
	CHECK_EQUAL(msr[VMX_PINBASED], UINT64_C(0x0000001600000016));
	CHECK_EQUAL(msr[VMX_PROCBASED], UINT64_C(0x0401e1720401e172));
	CHECK_EQUAL(msr[VMX_EXIT], UINT64_C(0x00036dff00036dff));
	CHECK_EQUAL(msr[VMX_ENTRY], UINT64_C(0x000011ff000011ff));
	CHECK_EQUAL(msr[VMX_PROCBASED2], 0);
	offer_everything();
	CHECK_EQUAL(msr[VMX_PROCBASED] & UINT32_MAX, 0x0401e172);
	CHECK_EQUAL(msr[VMX_TRUE_PROCBASED] & UINT32_MAX, 0x04006172); /* CR3 load and store */
	CHECK_EQUAL(msr[VMX_TRUE_EXIT] & UINT32_MAX, 0x00036dfb);      /* debug controls */
	CHECK_EQUAL(msr[VMX_TRUE_ENTRY] & UINT32_MAX, 0x000011fb);
	CHECK_EQUAL(msr[VMX_TRUE_PINBASED], UINT64_C(0x000000ff00000016));
}

/* A.7, A.8: PE, NE and PG; VMXE and no bit of CR4 that the processor is without. */
static void test_fixed(void)
{
	offer_everything();
	CHECK_EQUAL(msr[VMX_CR0_FIXED0], 0x80000021);
	CHECK_EQUAL(msr[VMX_CR0_FIXED1], 0xffffffff);
	CHECK_EQUAL(msr[VMX_CR4_FIXED0], 0x2000);
	CHECK_EQUAL(msr[VMX_CR4_FIXED1], 0x3fffff);
}

/* A control without what it needs is not offered. */
static void test_dependencies(void)
{
	offer_everything();
	CU_ASSERT(msr[VMX_EPT_VPID] & BIT(21));
	CU_ASSERT(msr[VMX_PROCBASED2] >> 32 & BIT(7));
	offer(FEATURE_VMX_EPT_VPID_ACCESSED_DIRTY, false);
	vmx_capability(feature, 0, msr);
	CU_ASSERT_FALSE(msr[VMX_EPT_VPID] & BIT(21));
	CU_ASSERT(msr[VMX_EPT_VPID] & BIT(20));
	offer(FEATURE_VMX_SECONDARY_EPT, false);
	vmx_capability(feature, 0, msr);
	CHECK_EQUAL(msr[VMX_EPT_VPID] & UINT32_MAX, 0);
	CU_ASSERT_FALSE(msr[VMX_PROCBASED2] >> 32 & BIT(7));
	offer(FEATURE_VMX_PRIMARY_SECONDARY, false);
	vmx_capability(feature, 0, msr);
	CHECK_EQUAL(msr[VMX_PROCBASED2], 0);
	CHECK_EQUAL(msr[VMX_EPT_VPID], 0);
	CHECK_EQUAL(msr[VMX_PROCBASED] >> 63, 0);
	offer_everything();
	CU_ASSERT(msr[VMX_PROCBASED3] & BIT(4)); /* IPI virtualization */
	offer(FEATURE_VMX_PRIMARY_TERTIARY, false);
	vmx_capability(feature, 0, msr);
	CHECK_EQUAL(msr[VMX_PROCBASED3], 0);
	offer_everything();
	offer(FEATURE_VMX_PRIMARY_TPR_SHADOW, false);
	vmx_capability(feature, 0, msr);
	CHECK_EQUAL(msr[VMX_PROCBASED3] & BIT(4), 0);
}

/* User space may take away, and add nothing. */
static void test_within(void)
{
	u64 pin = UINT64_C(0x0000003f00000016);

	CU_ASSERT(vmx_capability_within(VMX_PINBASED, pin, pin));
	CU_ASSERT(vmx_capability_within(VMX_PINBASED, UINT64_C(0x1600000016), pin));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_PINBASED, UINT64_C(0x7f00000016), pin));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_PINBASED, UINT64_C(0x3f00000006), pin));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_PINBASED, UINT64_C(0x1600000036), pin));
	offer_everything();
	CU_ASSERT(vmx_capability_within(VMX_BASIC, msr[VMX_BASIC] & ~BIT(54), msr[VMX_BASIC]));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_BASIC, msr[VMX_BASIC] ^ 1, msr[VMX_BASIC]));
	CU_ASSERT(vmx_capability_within(VMX_CR4_FIXED1, 0x1fffff, 0x3fffff));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_CR4_FIXED1, 0x7fffff, 0x3fffff));
	CU_ASSERT_FALSE(vmx_capability_within(VMX_CR4_FIXED0, 0, 0x2000));
}

/* What --cpu asks for is what user space gives the vCPU. */
static void test_of_model(void)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + VMX_MSR_COUNT * sizeof(msrs->entries[0]));

	msrs->nmsrs = VMX_MSR_COUNT;
	CHECK_EQUAL(vmx_capability_of_model("intel,+vmx,-vmx-hlt-exit", msrs, NULL), 0);
	CHECK_EQUAL(msrs->nmsrs, VMX_MSR_COUNT);
	CHECK_EQUAL(msrs->entries[VMX_TRUE_PROCBASED].index, 0x48e);
	CU_ASSERT_FALSE(msrs->entries[VMX_TRUE_PROCBASED].data >> 32 & BIT(7));
	CU_ASSERT(msrs->entries[VMX_TRUE_PROCBASED].data >> 32 & BIT(9));
	msrs->nmsrs = VMX_MSR_COUNT;
	CHECK_EQUAL(vmx_capability_of_model("intel,-vmx", msrs, NULL), 0);
	CHECK_EQUAL(msrs->nmsrs, 0);
	msrs->nmsrs = VMX_MSR_COUNT - 1;
	CHECK_EQUAL(vmx_capability_of_model("intel,+vmx", msrs, NULL), -E2BIG);
	CHECK_EQUAL(vmx_capability_of_model("intel,-vmx-nonesuch", msrs, NULL), -ENOENT);
	free(msrs);
}

static void capabilities_of(const char *model)
{
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + VMX_MSR_COUNT * sizeof(msrs->entries[0]));

	msrs->nmsrs = VMX_MSR_COUNT;
	CHECK_EQUAL(vmx_capability_of_model(model, msrs, NULL), 0);
	for (unsigned int n = 0; n < VMX_MSR_COUNT; n++)
		msr[n] = msrs->entries[n].data;
	free(msrs);
}

/* struct vmcs12 of Linux 6.1 ends below 800H; what a control adds behind it KVM would lose. These
 * are there without any control (B.2.1, B.3.3, B.4.2) and tell of SMM alone. */
static void test_kvm_nested(void)
{
	static const u32 of_smm[] = {0x200c, 0x4828, 0x6402, 0x6404, 0x6406, 0x6408};
	static const struct {
		u32 encoding, offset;
	} fields[] = {
#define VMCS_FIELD(identifier, encoding, offset, exists, name) {encoding, offset},
#include "sim/cpu/vmcs_fields.def"
#undef VMCS_FIELD
	};
	unsigned int lost;

	capabilities_of("intel");
	CU_ASSERT(vmcs_exists(msr, 0x4020)); /* PLE_Gap */
	capabilities_of("kvm-nested");
	CU_ASSERT(vmcs_exists(msr, 0x201a)); /* EPTP */
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		lost = fields[i].offset >= 0x800 && vmcs_exists(msr, fields[i].encoding);
		for (unsigned int n = 0; n < ARRAY_SIZE(of_smm); n++)
			lost -= lost && fields[i].encoding == of_smm[n];
		CHECK_ROW(!lost, "vmcs12 has no field %#x", fields[i].encoding);
	}
}

static CU_TestInfo tests[] = {
	{"basic", test_basic},           {"default1", test_default1},
	{"fixed", test_fixed},           {"dependencies", test_dependencies},
	{"within", test_within},         {"of a model", test_of_model},
	{"kvm-nested", test_kvm_nested}, CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.vmx_capability", tests)
