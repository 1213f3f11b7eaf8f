/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INIT and start-up IPIs (SDM 3A:8.4.3, 3A:9.1, 3A:10.6.1), in every order in which another
 * processor's may arrive. A processor starts in real mode at the vector's page.
 */
#include "sim/vm.h"
#include "tests/unit/sim/vm_rig.h"

#define AP 1

static struct vcpu *vcpu_of(struct vm_rig *rig, unsigned int n)
{
	return ((struct sim_engine *)rig->engine)->handle[rig->vcpu[n]].object;
}

static void send_init(struct vm_rig *rig)
{
	lapic_owner_ops.init(vcpu_of(rig, AP));
}

static void send_sipi(struct vm_rig *rig, u8 vector)
{
	lapic_owner_ops.sipi(vcpu_of(rig, AP), vector);
}

/* HLT on every page, so that a processor stops where it started. */
static void open(struct vm_rig *rig)
{
	vm_open(rig);
	CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	while (rig->vcpus < VM_VCPUS)
		vm_add_vcpu(rig);
	for (u64 page = 0x10000; page < VM_MEMORY; page += 0x1000)
		rig->memory[page] = 0xf4;
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[AP], LS_NEVER - 1);
}

static bool waits(struct vm_rig *rig)
{
	struct kvm_mp_state state;

	CHECK_EQUAL(vm_run(rig, AP), KVM_EXIT_HLT);
	ls_ioctl_ptr(rig->engine, rig->vcpu[AP], KVM_GET_MP_STATE, &state);
	return state.mp_state != KVM_MP_STATE_HALTED && state.mp_state != KVM_MP_STATE_RUNNABLE;
}

static void expect_start(struct vm_rig *rig, u8 vector)
{
	struct kvm_sregs sregs;

	CU_ASSERT(!waits(rig));
	ls_ioctl_ptr(rig->engine, rig->vcpu[AP], KVM_GET_SREGS, &sregs);
	CHECK_EQUAL(sregs.cs.selector, vector << 8);
	CHECK_EQUAL(sregs.cs.base, vector << 12);
	CHECK_EQUAL(sregs.cr0 & CR0_PE, 0);
	CHECK_EQUAL(vm_regs(rig, AP).rip, 1); /* behind the HLT */
}

static void test_in_order(void)
{
	struct vm_rig rig;

	open(&rig);
	CU_ASSERT(waits(&rig));
	send_init(&rig);
	CU_ASSERT(waits(&rig));
	send_sipi(&rig, 0x50);
	expect_start(&rig, 0x50);
	vm_close(&rig);
}

/* Both before the processor's turn. */
static void test_together(void)
{
	struct vm_rig rig;

	open(&rig);
	send_init(&rig);
	send_sipi(&rig, 0x51);
	expect_start(&rig, 0x51);
	vm_close(&rig);
}

/* A SIPI counts only for a processor that waits for it; INIT makes it wait anew. */
static void test_lost(void)
{
	struct vm_rig rig;

	open(&rig);
	send_sipi(&rig, 0x52);
	send_init(&rig);
	CU_ASSERT(waits(&rig));
	send_sipi(&rig, 0x53);
	expect_start(&rig, 0x53);
	send_sipi(&rig, 0x54);
	CU_ASSERT(!waits(&rig));
	expect_start(&rig, 0x53);
	send_init(&rig);
	CU_ASSERT(waits(&rig));
	vm_close(&rig);
}

/* Sends the SIPI from inside the INIT, as another thread may. */
static struct vm_rig *interrupted;

static void lock_late(struct cpu *cpu)
{
	struct vm_rig *rig = interrupted;

	vcpu_platform.lock(cpu);
	interrupted = NULL;
	if (rig)
		send_sipi(rig, 0x55);
}

static void test_in_between(void)
{
	struct cpu_platform platform = vcpu_platform;
	struct vm_rig rig;

	open(&rig);
	platform.lock = lock_late;
	vcpu_of(&rig, AP)->cpu.platform = &platform;
	send_init(&rig);
	interrupted = &rig;
	vm_run(&rig, AP);
	CU_ASSERT_PTR_NULL(interrupted);
	expect_start(&rig, 0x55);

	/* One waited already: the processor has started when the second comes. */
	send_init(&rig);
	send_sipi(&rig, 0x55);
	expect_start(&rig, 0x55);
	vm_close(&rig);
}

static void *run_thread(void *opaque)
{
	return (void *)(intptr_t)vm_run(opaque, AP);
}

/* Without a bound the processor sleeps in KVM_RUN until it is started, from another thread. */
static void test_asleep(void)
{
	struct vm_rig rig;
	pthread_t thread;

	open(&rig);
	rig.ext->vcpu_run_until(rig.engine, rig.vcpu[AP], LS_NEVER);
	for (unsigned int n = 0; n < 300; n++) {
		u8 vector = 0x40 + n % 64;
		struct kvm_sregs sregs;

		/* out %al, $0x80; jmp . */
		memcpy(rig.memory + (vector << 12), "\xe6\x80\xeb\xfe", 4);
		pthread_create(&thread, NULL, run_thread, &rig);
		send_init(&rig);
		send_sipi(&rig, vector);
		pthread_join(thread, NULL);
		CHECK_EQUAL(rig.run[AP]->exit_reason, KVM_EXIT_IO);
		ls_ioctl_ptr(rig.engine, rig.vcpu[AP], KVM_GET_SREGS, &sregs);
		CHECK_EQUAL(sregs.cs.base, vector << 12);
	}
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"INIT, then SIPI", test_in_order},  {"both before its turn", test_together},
	{"SIPIs that are lost", test_lost},  {"a SIPI while INIT is being taken", test_in_between},
	{"a processor asleep", test_asleep}, CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.init_sipi", tests)
