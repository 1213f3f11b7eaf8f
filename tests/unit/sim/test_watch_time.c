/* SPDX-License-Identifier: Apache-2.0 */
/* Unbounded runs: a vCPU that drives the clock (extension.h: vcpu_drive_clock, vm_watch_time). */
#include "tests/unit/sim/vm_rig.h"

GUEST_CODE(code_halt, "cli; hlt");
GUEST_CODE(code_spin, "jmp .");
/* The local APIC's timer, 1,000 ns from here; RAX counts until its vector 0x40 is in the IRR. */
GUEST_CODE(code_timer, "mov $0xfee00000, %ebx\n"
		       "movl $0x1ff, 0xf0(%rbx)\n"
		       "movl $0x40, 0x320(%rbx)\n"
		       "movl $0xb, 0x3e0(%rbx)\n"
		       "movl $1000, 0x380(%rbx)\n"
		       "xor %eax, %eax\n"
		       "1: inc %eax\n"
		       "testl $1, 0x220(%rbx)\n"
		       "jz 1b\n"
		       "cli; hlt");

struct watched {
	struct vm_rig rig;
	unsigned int words;
};

/* One word is enough: the vCPU leaves. */
static void on_word(void *opaque)
{
	struct watched *watched = opaque;

	watched->words++;
	watched->rig.engine->ops->kick(watched->rig.engine, watched->rig.vcpu[0]);
}

static void watched_open(struct watched *watched, bool drives)
{
	struct vm_rig *rig = &watched->rig;

	watched->words = 0;
	vm_open(rig);
	CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	vm_add_vcpu(rig);
	rig->ext->vcpu_drive_clock(rig->engine, rig->vcpu[0], drives);
	rig->ext->vm_watch_time(rig->engine, rig->vm, on_word, watched);
	rig->ext->vcpu_limit(rig->engine, rig->vcpu[0], 10000000);
}

/* A word when the last vCPU begins to wait. */
static void test_all_wait(void)
{
	struct watched watched;

	watched_open(&watched, false);
	vm_put(&watched.rig, VM_CODE, code_halt);
	CHECK_EQUAL(vm_run(&watched.rig, 0), -EINTR);
	CHECK_EQUAL(watched.words, 1);
	vm_close(&watched.rig);
}

static void timer_fired(struct ls_timer *timer, uint64_t now)
{
	*(uint64_t *)timer->opaque = now;
}

/* A word at user space's deadline, which the clock does not pass before user space has fired it. */
static void test_deadline_of_user_space(void)
{
	uint64_t fired = 0;
	struct ls_timer timer = {.deadline = LS_NEVER, .fn = timer_fired, .opaque = &fired};
	struct watched watched;
	struct ls_clock *clock;

	watched_open(&watched, true);
	clock = watched.rig.ext->vm_clock(watched.rig.engine, watched.rig.vm);
	clock->arm(clock, &timer, 5000);
	vm_put(&watched.rig, VM_CODE, code_spin);
	CHECK_EQUAL(vm_run(&watched.rig, 0), -EINTR);
	CHECK_EQUAL(watched.words, 1);
	CHECK_EQUAL(fired, 0);
	CU_ASSERT(clock->now(clock) <= 5000);
	watched.rig.ext->clock_advance(watched.rig.engine, watched.rig.vm, 6000);
	CHECK_EQUAL(fired, 5000);
	vm_close(&watched.rig);
}

/* A deadline of the engine's own chips needs no word. */
static void test_deadline_of_chips(void)
{
	struct watched watched;

	watched_open(&watched, true);
	vm_put(&watched.rig, VM_CODE, code_timer);
	CHECK_EQUAL(vm_run(&watched.rig, 0), -EINTR);
	CHECK_EQUAL(watched.words, 1); /* that of the HLT */
	/* 1,000 instructions, three a turn; the slice that armed the timer is at most 100,000. */
	CU_ASSERT(vm_regs(&watched.rig, 0).rax >= 333);
	CU_ASSERT(vm_regs(&watched.rig, 0).rax <= 33334);
	vm_close(&watched.rig);
}

static CU_TestInfo tests[] = {
	{"all wait", test_all_wait},
	{"a deadline of user space", test_deadline_of_user_space},
	{"a deadline of the chips", test_deadline_of_chips},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.watch_time", tests)
