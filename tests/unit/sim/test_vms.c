/* SPDX-License-Identifier: Apache-2.0 */
/* Several VMs in one process, and what other threads may ask of a vCPU (engine.h). */
#include "tests/unit/sim/vm_rig.h"

GUEST_CODE(counts, "mov $1000000, %ecx\n 1: add %rcx, 0x90000\n dec %rcx\n jnz 1b\n hlt\n");
GUEST_CODE(spins, "1: jmp 1b\n");
GUEST_CODE(halts, "hlt\n jmp .-1\n");

static void *run_thread(void *opaque)
{
	return (void *)(intptr_t)vm_run(opaque, 0);
}

/* Two VMs of one engine and one of another, at the same time: nothing is shared. */
static void test_side_by_side(void)
{
	struct ls_engine *shared = ls_engine_sim.open(NULL);
	struct vm_rig rig[3];
	pthread_t thread[3];
	void *reason;

	vm_open_in(&rig[0], shared);
	vm_open_in(&rig[1], shared);
	vm_open(&rig[2]);
	for (unsigned int n = 0; n < 3; n++) {
		vm_add_vcpu(&rig[n]);
		vm_put(&rig[n], VM_CODE, counts);
		*vm_word(&rig[n], VM_DATA) = n;
	}
	for (unsigned int n = 0; n < 3; n++)
		pthread_create(&thread[n], NULL, run_thread, &rig[n]);
	for (unsigned int n = 0; n < 3; n++) {
		pthread_join(thread[n], &reason);
		CHECK_EQUAL((intptr_t)reason, KVM_EXIT_HLT);
		CHECK_EQUAL(*vm_word(&rig[n], VM_DATA), n + UINT64_C(500000500000));
	}
	vm_close_in(&rig[0]);
	vm_close(&rig[1]);
	vm_close(&rig[2]);
}

/* Closing one VM leaves the other's handles alone. */
static void test_close_one(void)
{
	struct ls_engine *shared = ls_engine_sim.open(NULL);
	struct vm_rig first, second, third;

	vm_open_in(&first, shared);
	vm_open_in(&second, shared);
	vm_add_vcpu(&first);
	vm_add_vcpu(&second);
	vm_put(&second, VM_CODE, counts);
	vm_close_in(&first);
	CHECK_EQUAL(ls_ioctl(shared, first.vcpu[0], KVM_RUN, 0), -EBADF);
	vm_open_in(&third, shared);
	vm_add_vcpu(&third);
	CHECK_EQUAL(vm_run(&second, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(*vm_word(&second, VM_DATA), UINT64_C(500000500000));
	CHECK_EQUAL(*vm_word(&third, VM_DATA), 0);
	vm_close_in(&second);
	vm_close(&third);
}

struct runner {
	struct vm_rig rig;
	unsigned int times, returned; /* atomic */
	bool only_kicked;
};

static void *run_again_and_again(void *opaque)
{
	struct runner *runner = opaque;

	runner->only_kicked = true;
	for (unsigned int n = 0; n < runner->times; n++) {
		runner->only_kicked &= vm_run(&runner->rig, 0) == -EINTR;
		__atomic_fetch_add(&runner->returned, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Kicks a guest that never leaves by itself, so many times, waiting for each to have worked. */
static void kick_out(const u8 *code, size_t size, bool chips, unsigned int times)
{
	struct runner runner = {.times = times};
	struct vm_rig *rig = &runner.rig;
	pthread_t thread;

	vm_open(rig);
	if (chips)
		CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	vm_add_vcpu(rig);
	vm_write(rig, VM_CODE, code, size);
	pthread_create(&thread, NULL, run_again_and_again, &runner);
	for (unsigned int n = 0; n < times; n++) {
		for (unsigned int wait = 0; wait < n % 256; wait++)
			__builtin_ia32_pause();
		rig->engine->ops->kick(rig->engine, rig->vcpu[0]);
		while (__atomic_load_n(&runner.returned, __ATOMIC_ACQUIRE) == n)
			sched_yield();
	}
	pthread_join(thread, NULL);
	CU_ASSERT(runner.only_kicked);
	vm_close(rig);
}
#define KICK_OUT(name, chips, times) kick_out(name, (size_t)(name##_end - name), chips, times)

/* engine.h: one kick is enough, whether it comes before the run, in it, or on the way to sleep. */
static void test_kick(void)
{
	KICK_OUT(spins, false, 1000);
	KICK_OUT(halts, true, 50000);
}

static CU_TestInfo tests[] = {
	{"VMs side by side", test_side_by_side},
	{"one of them closes", test_close_one},
	{"a kick ends every run", test_kick},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.vms", tests)
