/* SPDX-License-Identifier: Apache-2.0 */
/* A CPU model's MSRs on an engine without models (api.rst 4.97, KVM_X86_SET_MSR_FILTER): those that
 * the reference has, with its values, and no others. */
#include "machine/internal.h"
#include "machine/msr_model.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/fake_engine.h"

#define TSC               0x10u
#define MICROCODE         0x8bu
#define MCG_CAP           0x179u
#define ARCH_CAPABILITIES 0x10au
#define PAT               0x277u
#define STAR              0xc0000081u
#define HWCR              0xc0010015u
#define DE_CFG            0xc0011029u
#define OTHER             0xc001001bu /* of the engine's only */

static const struct kvm_msr_entry reference[] = {{.index = TSC, .data = 5},
						 {.index = MICROCODE, .data = 7},
						 {.index = ARCH_CAPABILITIES, .data = 0xb},
						 {.index = MCG_CAP, .data = 4},
						 {.index = PAT, .data = 0x7040600070406},
						 {.index = STAR},
						 {.index = HWCR, .data = 1 << 24},
						 {.index = DE_CFG, .data = 1 << 1}};

static struct {
	struct kvm_msr_filter filter;
	uint8_t bitmaps[KVM_MSR_FILTER_MAX_RANGES][KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	uint64_t exits, mce;
	struct kvm_msr_entry has[8]; /* the engine's registers */
	unsigned int count, sets;
} told;

static int msr_access(struct kvm_msrs *msrs, bool set)
{
	for (unsigned int i = 0; i < told.count; i++) {
		if (told.has[i].index != msrs->entries[0].index)
			continue;
		if (set)
			told.has[i].data = msrs->entries[0].data;
		told.sets += set;
		msrs->entries[0].data = told.has[i].data;
		return 1;
	}
	return 0;
}

static int set_filter(const struct kvm_msr_filter *filter)
{
	told.filter = *filter;
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].nmsrs)
			memcpy(told.bitmaps[i], filter->ranges[i].bitmap,
			       filter->ranges[i].nmsrs / 8);
	return 0;
}

static int vendor(struct kvm_cpuid2 *cpuid)
{
	cpuid->nent = 1;
	cpuid->entries[0] = (struct kvm_cpuid_entry2){
		.eax = 1, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65};
	return 0;
}

static int bare_ioctl(struct ls_engine *engine, int handle, unsigned long request,
		      unsigned long arg)
{
	const struct kvm_enable_cap *cap = (const void *)arg;

	switch (request) {
	case KVM_CHECK_EXTENSION:
		if (arg == KVM_CAP_X86_USER_SPACE_MSR || arg == KVM_CAP_X86_MSR_FILTER)
			return 1;
		break;
	case KVM_GET_SUPPORTED_CPUID:
		return vendor((void *)arg);
	case KVM_GET_MSRS:
		return msr_access((void *)arg, false);
	case KVM_SET_MSRS:
		return msr_access((void *)arg, true);
	case KVM_X86_SETUP_MCE:
		told.mce = *(const uint64_t *)arg;
		return 0;
	case KVM_ENABLE_CAP:
		CHECK_EQUAL(cap->cap, KVM_CAP_X86_USER_SPACE_MSR);
		told.exits = cap->args[0];
		return 0;
	case KVM_X86_SET_MSR_FILTER:
		return set_filter((const void *)arg);
	}
	return fake_ioctl(engine, handle, request, arg);
}

static int model(struct ls_engine *engine, const char *spec, unsigned int index, unsigned int count,
		 struct kvm_cpuid2 *cpuid, struct ls_error *err)
{
	(void)engine;
	(void)spec;
	(void)index;
	(void)count;
	(void)err;
	return vendor(cpuid);
}

static int msrs_of(struct ls_engine *engine, const struct kvm_cpuid2 *cpuid,
		   void (*msr)(void *opaque, uint32_t number, uint64_t value), void *opaque)
{
	(void)engine;
	CHECK_EQUAL(cpuid->entries[0].ebx, 0x68747541);
	for (size_t i = 0; i < sizeof(reference) / sizeof(reference[0]); i++)
		msr(opaque, reference[i].index, reference[i].data);
	return 0;
}

static void take_model(struct ls_extension *extension)
{
	extension->cpu_model = NULL;
}

static void give_models(struct ls_extension *extension)
{
	extension->cpu_model = model;
	extension->cpuid_msrs = msrs_of;
}

FAKE_VARIANT(bare_engine, bare_ioctl, take_model)
FAKE_VARIANT(reference_engine, fake_ioctl, give_models)

static struct machine *start(const char *cpu)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	memset(&told, 0, sizeof(told));
	for (size_t i = 0; i < sizeof(reference) / sizeof(reference[0]); i++)
		told.has[told.count++].index = reference[i].index;
	told.has[2].data = 0x16;
	config.engine = &bare_engine;
	config.models = &reference_engine;
	config.cpu = cpu;
	machine = machine_create(&config, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	return machine;
}

static bool allowed(uint32_t number)
{
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		uint32_t at = number - told.filter.ranges[i].base;

		if (at < told.filter.ranges[i].nmsrs)
			return told.bitmaps[i][at / 8] >> at % 8 & 1;
	}
	return !(told.filter.flags & KVM_MSR_FILTER_DEFAULT_DENY);
}

static uint64_t value(uint32_t number)
{
	for (unsigned int i = 0; i < told.count; i++)
		if (told.has[i].index == number)
			return told.has[i].data;
	return 0;
}

static void test_filter(void)
{
	struct machine *machine = start("model");

	CHECK_EQUAL(told.exits, KVM_MSR_EXIT_REASON_FILTER);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQUAL(told.filter.ranges[i].flags,
			    KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE);
	CU_ASSERT_TRUE(allowed(TSC));
	CU_ASSERT_TRUE(allowed(MICROCODE));
	CU_ASSERT_TRUE(allowed(STAR));
	CU_ASSERT_FALSE(allowed(MICROCODE + 1));
	CU_ASSERT_FALSE(allowed(OTHER));
	CU_ASSERT_FALSE(allowed(0x4b564d00)); /* KVM's own, whose CPUID leaf is not there */
	CU_ASSERT_FALSE(allowed(HWCR));       /* the machine answers */
	machine_destroy(machine);
}

static void test_values(void)
{
	struct machine *machine = start("model");

	CHECK_EQUAL(value(MICROCODE), 7);
	CHECK_EQUAL(value(PAT), 0x7040600070406);
	CHECK_EQUAL(value(TSC), 0); /* it counts */
	CHECK_EQUAL(told.mce, 4);
	CHECK_EQUAL(value(DE_CFG), 0);
	/* SDM 4:2.1: what both promise (IBRS_ALL), and a weakness of either (RSBA, bit 2). */
	CHECK_EQUAL(value(ARCH_CAPABILITIES), 0x6);
	machine_destroy(machine);
}

static uint8_t access_at(struct machine *machine, uint32_t number, bool write, uint64_t *data)
{
	struct kvm_run *run = machine->vcpus[0].run;

	memset(run, 0, sizeof(*run));
	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.index = number;
	run->msr.data = *data;
	msr_model_exit(&machine->vcpus[0], run);
	*data = run->msr.data;
	return run->msr.error;
}

/* APM 2:3.2.10, 15.32.1: SmmLock stays set, McStatusWrEn, which the engine is told of, may be
 * written; TlbCacheDis is ignored here; others are #GP(0). */
static void test_answers(void)
{
	struct machine *machine = start("model");
	uint64_t data = 0;

	CHECK_EQUAL(access_at(machine, HWCR, false, &data), 0);
	CHECK_EQUAL(data, 1 << 24);
	data = 1 << 24 | 1 << 18 | 1 << 3;
	CHECK_EQUAL(access_at(machine, HWCR, true, &data), 0);
	CHECK_EQUAL(access_at(machine, HWCR, false, &data), 0);
	CHECK_EQUAL(data, 1 << 24 | 1 << 18);
	CHECK_EQUAL(value(HWCR), 1 << 18);
	data = 1 << 24 | 2;
	CHECK_EQUAL(access_at(machine, HWCR, true, &data), 1);
	data = 1;
	CHECK_EQUAL(access_at(machine, HWCR, true, &data), 0);
	data = 1 << 24;
	CHECK_EQUAL(access_at(machine, HWCR, true, &data), 0);
	CHECK_EQUAL(access_at(machine, HWCR, false, &data), 0);
	CHECK_EQUAL(data, 1 << 24 | 1);
	CHECK_EQUAL(value(HWCR), 0);
	CHECK_EQUAL(access_at(machine, OTHER, false, &data), 1);
	CHECK_EQUAL(access_at(machine, OTHER, true, &data), 1);
	machine_destroy(machine);
}

/* "host" is what the engine has. */
static void test_host(void)
{
	struct machine *machine = start("host");

	CHECK_EQUAL(told.exits, 0);
	CHECK_EQUAL(value(MICROCODE), 0);
	CU_ASSERT_PTR_NULL(msr_model_shadow(&machine->vcpus[0], HWCR));
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"the filter", test_filter},
	{"values after RESET", test_values},
	{"the machine answers", test_answers},
	{"the host's own", test_host},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/msr_model", tests)
