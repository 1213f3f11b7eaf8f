/* SPDX-License-Identifier: Apache-2.0 */
/* api.rst: KVM_SET_TSC_KHZ, KVM_GET_TSC_KHZ, KVM_GET_CLOCK, KVM_SET_CLOCK. */
#include "tests/unit/sim/kvm_rig.h"

static void run_instructions(struct kvm_rig *rig, uint64_t count)
{
	rig->engine->ext->vcpu_limit(rig->engine, rig->vcpu, count);
	CHECK_EQUAL(kvm_run(rig), LS_EXIT_BOUND);
}

static uint64_t tsc_of(struct kvm_rig *rig)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {.head.nmsrs = 1, .entry.index = 0x10};

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_MSRS, &msrs), 1);
	return msrs.entry.data;
}

/* One instruction is one nanosecond: at 2 GHz the TSC counts two. The TSC itself does not jump. */
static void test_vcpu_frequency(void)
{
	struct kvm_rig rig;
	uint64_t before;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xeb, 0xfe); /* JMP $ */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_TSC_KHZ, NULL), 1000000);
	run_instructions(&rig, 1000);
	before = tsc_of(&rig);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vcpu, KVM_SET_TSC_KHZ, 2000000), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_TSC_KHZ, NULL), 2000000);
	CHECK_EQUAL(tsc_of(&rig), before);
	run_instructions(&rig, 1000);
	CHECK_EQUAL(tsc_of(&rig), before + 2000);
	/* 0: the default again */
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vcpu, KVM_SET_TSC_KHZ, 0), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_TSC_KHZ, NULL), 1000000);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vcpu, KVM_SET_TSC_KHZ, 1), -EINVAL);
	kvm_close(&rig);
}

/* On the VM it is what later vCPUs start with; once there are vCPUs it is too late. */
static void test_vm_frequency(void)
{
	struct kvm_rig rig;
	int vm, vcpu;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vm, KVM_SET_TSC_KHZ, 3000000), -EINVAL);
	vm = ls_ioctl(rig.engine, LS_SYSTEM, KVM_CREATE_VM, 0);
	CHECK_EQUAL(ls_ioctl(rig.engine, vm, KVM_GET_TSC_KHZ, 0), 1000000);
	CHECK_EQUAL(ls_ioctl(rig.engine, vm, KVM_SET_TSC_KHZ, 3000000), 0);
	CHECK_EQUAL(ls_ioctl(rig.engine, vm, KVM_GET_TSC_KHZ, 0), 3000000);
	vcpu = ls_ioctl(rig.engine, vm, KVM_CREATE_VCPU, 0);
	CHECK_EQUAL(ls_ioctl(rig.engine, vcpu, KVM_GET_TSC_KHZ, 0), 3000000);
	rig.engine->ops->close(rig.engine, vcpu);
	rig.engine->ops->close(rig.engine, vm);
	kvm_close(&rig);
}

/* KVM_SET_CLOCK sets what KVM_GET_CLOCK tells, which goes on from there with the guest's time. No
 * host time: the flags for it are refused. */
static void test_clock(void)
{
	struct kvm_clock_data clock = {.clock = 5000000000};
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xeb, 0xfe);
	CHECK_EQUAL(kvm_call(&rig, KVM_SET_CLOCK, &clock), 0);
	rig.engine->ext->clock_advance(rig.engine, rig.vm, 1234);
	CHECK_EQUAL(kvm_call(&rig, KVM_GET_CLOCK, &clock), 0);
	CHECK_EQUAL(clock.clock, 5000001234);
	CHECK_EQUAL(clock.flags, KVM_CLOCK_TSC_STABLE);
	CHECK_EQUAL(kvm_call(&rig, KVM_SET_CLOCK, &clock), 0); /* what was got can be set */
	clock.flags = KVM_CLOCK_REALTIME;
	CHECK_EQUAL(kvm_call(&rig, KVM_SET_CLOCK, &clock), -EINVAL);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vm, KVM_CHECK_EXTENSION, KVM_CAP_ADJUST_CLOCK),
		    KVM_CLOCK_TSC_STABLE);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"a vCPU's TSC", test_vcpu_frequency},
	{"a VM's TSC", test_vm_frequency},
	{"clock", test_clock},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.kvm_time", tests)
