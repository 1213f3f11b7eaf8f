/* SPDX-License-Identifier: Apache-2.0 */
/* api.rst: KVM_X86_SET_MSR_FILTER, KVM_CAP_X86_USER_SPACE_MSR, KVM_EXIT_X86_RDMSR,
 * KVM_EXIT_X86_WRMSR. */
#include "tests/unit/sim/kvm_rig.h"

#define HANDLER   0x2000 /* of #GP */
#define UNKNOWN   0x12345
#define STAR      0xc0000081
#define SYSENTER  0x174
#define X2APIC_ID 0x802

static int user_space_msr(struct kvm_rig *rig, uint64_t reasons)
{
	const struct kvm_enable_cap enable = {.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = {reasons}};

	return kvm_call(rig, KVM_ENABLE_CAP, &enable);
}

static void open_rig(struct kvm_rig *rig)
{
	kvm_open(rig, "intel", false);
	/* RDMSR; HLT and, at +10H, WRMSR; HLT */
	kvm_code(rig, CODE, 0x0f, 0x32, 0xf4);
	kvm_code(rig, CODE + 0x10, 0x0f, 0x30, 0xf4);
	kvm_code(rig, HANDLER, 0xf4);
	kvm_vector(rig, 13, HANDLER);
}

/* Sets the vCPU up for one access and runs; returns the exit reason. */
static unsigned int access_msr(struct kvm_rig *rig, uint32_t number, bool write, uint64_t value)
{
	struct kvm_regs regs = {.rip = write ? CODE + 0x10 : CODE,
				.rsp = STACK,
				.rflags = 2,
				.rcx = number,
				.rax = (uint32_t)value,
				.rdx = value >> 32};

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_REGS, &regs), 0);
	return kvm_run(rig);
}

static bool got_gp(struct kvm_rig *rig)
{
	return kvm_regs(rig).rip == HANDLER + 1;
}

static void check_exit(struct kvm_rig *rig, uint32_t reason, uint32_t index)
{
	CHECK_EQUAL(rig->run->msr.reason, reason);
	CHECK_EQUAL(rig->run->msr.index, index);
}

/* Off by default: #GP. With KVM_MSR_EXIT_REASON_UNKNOWN user space gives the value, or an error
 * that the guest sees as #GP. */
static void test_unknown_read(void)
{
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(access_msr(&rig, UNKNOWN, false, 0), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_UNKNOWN), 0);
	CHECK_EQUAL(access_msr(&rig, UNKNOWN, false, 0), KVM_EXIT_X86_RDMSR);
	check_exit(&rig, KVM_MSR_EXIT_REASON_UNKNOWN, UNKNOWN);
	rig.run->msr.data = 0x1122334455667788;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 3);
	CHECK_EQUAL(kvm_regs(&rig).rax, 0x55667788);
	CHECK_EQUAL(kvm_regs(&rig).rdx, 0x11223344);
	CHECK_EQUAL(access_msr(&rig, UNKNOWN, false, 0), KVM_EXIT_X86_RDMSR);
	rig.run->msr.error = 1;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	kvm_close(&rig);
}

static void test_unknown_write(void)
{
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_UNKNOWN), 0);
	CHECK_EQUAL(access_msr(&rig, UNKNOWN, true, 0x123456789a), KVM_EXIT_X86_WRMSR);
	check_exit(&rig, KVM_MSR_EXIT_REASON_UNKNOWN, UNKNOWN);
	CHECK_EQUAL(rig.run->msr.data, 0x123456789a);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 0x13);
	kvm_close(&rig);
}

/* A reserved bit of a register that is there: KVM_MSR_EXIT_REASON_INVAL, and only that. */
static void test_invalid(void)
{
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_UNKNOWN), 0);
	CHECK_EQUAL(access_msr(&rig, SYSENTER, true, 1ull << 32), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_INVAL), 0);
	CHECK_EQUAL(access_msr(&rig, SYSENTER, true, 1ull << 32), KVM_EXIT_X86_WRMSR);
	check_exit(&rig, KVM_MSR_EXIT_REASON_INVAL, SYSENTER);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(user_space_msr(&rig, 1u << 3), -EINVAL);
	kvm_close(&rig);
}

static int filter(struct kvm_rig *rig, uint32_t flags, uint32_t range_flags, uint32_t base,
		  uint32_t count, uint8_t *bitmap)
{
	const struct kvm_msr_filter filter = {
		.flags = flags,
		.ranges = {{.flags = range_flags, .nmsrs = count, .base = base, .bitmap = bitmap}},
	};

	return kvm_call(rig, KVM_X86_SET_MSR_FILTER, &filter);
}

/* "a 1 bit allows the operations in flags, 0 denies": a denied access is #GP, or an exit with
 * KVM_MSR_EXIT_REASON_FILTER. Other MSRs and the other direction go by the default. */
static void test_filter(void)
{
	uint8_t bitmap = 1; /* STAR is allowed, LSTAR not */
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(
		filter(&rig, KVM_MSR_FILTER_DEFAULT_ALLOW, KVM_MSR_FILTER_READ, STAR, 2, &bitmap),
		0);
	CHECK_EQUAL(access_msr(&rig, STAR, false, 0), KVM_EXIT_HLT);
	CU_ASSERT_FALSE(got_gp(&rig));
	CHECK_EQUAL(access_msr(&rig, STAR + 1, false, 0), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	CHECK_EQUAL(access_msr(&rig, STAR + 1, true, 0x1000), KVM_EXIT_HLT);
	CU_ASSERT_FALSE(got_gp(&rig));
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_FILTER), 0);
	CHECK_EQUAL(access_msr(&rig, STAR + 1, false, 0), KVM_EXIT_X86_RDMSR);
	check_exit(&rig, KVM_MSR_EXIT_REASON_FILTER, STAR + 1);
	rig.run->msr.data = 7;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rax, 7);
	/* no ranges: no filtering */
	CHECK_EQUAL(filter(&rig, KVM_MSR_FILTER_DEFAULT_ALLOW, 0, 0, 0, NULL), 0);
	CHECK_EQUAL(access_msr(&rig, STAR + 1, false, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rax, 0x1000);
	kvm_close(&rig);
}

/* DEFAULT_DENY denies what no range allows, but never the x2APIC's registers and never what user
 * space itself asks for. */
static void test_deny_by_default(void)
{
	uint8_t bitmap = 1;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {.head.nmsrs = 1, .entry.index = STAR + 1};
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(
		filter(&rig, KVM_MSR_FILTER_DEFAULT_DENY, KVM_MSR_FILTER_READ, STAR, 1, &bitmap),
		0);
	CHECK_EQUAL(access_msr(&rig, STAR, false, 0), KVM_EXIT_HLT);
	CU_ASSERT_FALSE(got_gp(&rig));
	CHECK_EQUAL(access_msr(&rig, STAR, true, 0), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	CHECK_EQUAL(access_msr(&rig, STAR + 1, false, 0), KVM_EXIT_HLT);
	CU_ASSERT_TRUE(got_gp(&rig));
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_MSRS, &msrs), 1);
	/* Not the filter's, but refused for want of a local APIC: INVAL. */
	CHECK_EQUAL(user_space_msr(&rig, KVM_MSR_EXIT_REASON_INVAL), 0);
	CHECK_EQUAL(access_msr(&rig, X2APIC_ID, false, 0), KVM_EXIT_X86_RDMSR);
	check_exit(&rig, KVM_MSR_EXIT_REASON_INVAL, X2APIC_ID);
	kvm_close(&rig);
}

static void test_bad_filters(void)
{
	static uint8_t bitmap[KVM_MSR_FILTER_MAX_BITMAP_SIZE + 1];
	struct kvm_rig rig;

	open_rig(&rig);
	CHECK_EQUAL(filter(&rig, KVM_MSR_FILTER_DEFAULT_DENY, 0, 0, 0, NULL), -EINVAL);
	CHECK_EQUAL(filter(&rig, 2, KVM_MSR_FILTER_READ, 0, 8, bitmap), -EINVAL);
	CHECK_EQUAL(filter(&rig, 0, 4, 0, 8, bitmap), -EINVAL);
	CHECK_EQUAL(filter(&rig, 0, 0, 0, 8, bitmap), -EINVAL);
	CHECK_EQUAL(filter(&rig, 0, KVM_MSR_FILTER_READ, 0, 8 * sizeof(bitmap), bitmap), -EINVAL);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"unknown, read", test_unknown_read},
	{"unknown, write", test_unknown_write},
	{"invalid", test_invalid},
	{"filter", test_filter},
	{"deny by default", test_deny_by_default},
	{"bad filters", test_bad_filters},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.msr_exits", tests)
