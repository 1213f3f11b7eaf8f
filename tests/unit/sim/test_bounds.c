/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded runs (extension.h): KVM_RUN ends at the exact instruction, wherever that lies in a trace.
 */
#include "tests/unit/sim/vm_rig.h"

GUEST_CODE(loop_of_four, "1: inc %rax\n inc %rbx\n cmp %rax, %rbx\n je 1b\n hlt\n");
GUEST_CODE(with_string,
	   "mov $1000, %ecx\n mov $0x90000, %edi\n rep stosb\n inc %rbx\n 1: jmp 1b\n");
GUEST_CODE(halts, "inc %rax\n hlt\n inc %rax\n 1: jmp 1b\n");
/* The local APIC's timer, 100 ns from the sixth instruction on; HLT once its vector, 40H, is in
 * IRR. */
GUEST_CODE(awaits_timer, "mov $0xfee00000, %ebx\n movl $0x1ff, 0xf0(%rbx)\n movl $11, 0x3e0(%rbx)\n"
			 "movl $0x40, 0x320(%rbx)\n nop\n movl $100, 0x380(%rbx)\n"
			 "1: mov 0x220(%rbx), %eax\n test %eax, %eax\n jz 1b\n hlt\n");

/* Where that loop stands after so many instructions: CMP and JE are fused into one op, and the
 * bound may fall between them. */
static const u8 offset_after[] = {0, 3, 6, 9};

static u64 instructions(struct vm_rig *rig)
{
	struct ls_vcpu_stats stats;

	CHECK_EQUAL(rig->ext->vcpu_stats(rig->engine, rig->vcpu[0], &stats), 0);
	return stats.instructions;
}

static void check_position(struct vm_rig *rig, u64 count)
{
	struct kvm_regs regs = vm_regs(rig, 0);

	CHECK_EQUAL(regs.rip, VM_CODE + offset_after[count % 4]);
	CHECK_EQUAL(regs.rax, (count + 3) / 4);
	CHECK_EQUAL(regs.rbx, (count + 2) / 4);
	CHECK_EQUAL(instructions(rig), count);
}

static void open(struct vm_rig *rig)
{
	vm_open(rig);
	vm_add_vcpu(rig);
	vm_put(rig, VM_CODE, loop_of_four);
}

static void test_limit_is_exact(void)
{
	struct vm_rig rig;
	u64 count = 0;

	open(&rig);
	for (u64 step = 1; step < 150; step++) {
		rig.ext->vcpu_limit(rig.engine, rig.vcpu[0], step);
		CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
		count += step;
		check_position(&rig, count);
	}
	/* Beyond the slices in which an unbounded run looks at the clock. */
	rig.ext->vcpu_limit(rig.engine, rig.vcpu[0], 1234567);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	check_position(&rig, count + 1234567);
	vm_close(&rig);
}

static void test_limit_of_zero(void)
{
	struct vm_rig rig;

	open(&rig);
	rig.ext->vcpu_limit(rig.engine, rig.vcpu[0], 0);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	check_position(&rig, 0);
	vm_close(&rig);
}

/* extension.h: one retired instruction is one nanosecond of the vCPU's own time. */
static void test_until_is_exact(void)
{
	struct vm_rig rig;

	open(&rig);
	for (u64 until = 7; until < 5000; until += 97) {
		rig.ext->vcpu_run_until(rig.engine, rig.vcpu[0], until);
		CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
		CHECK_EQUAL(rig.ext->vcpu_time(rig.engine, rig.vcpu[0]), until);
		check_position(&rig, until);
	}
	/* The nearer one of both bounds. */
	rig.ext->vcpu_run_until(rig.engine, rig.vcpu[0], 6000);
	rig.ext->vcpu_limit(rig.engine, rig.vcpu[0], 5);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	CHECK_EQUAL(rig.ext->vcpu_time(rig.engine, rig.vcpu[0]), instructions(&rig));
	CHECK_EQUAL(instructions(&rig) % 97, (7 + 5) % 97);
	vm_close(&rig);
}

static void fires(struct ls_timer *timer, uint64_t now)
{
	*(u64 *)timer->opaque = now;
}

static void test_deadline_is_exact(void)
{
	struct vm_rig rig;
	u64 fired = 0;
	struct ls_timer timer = {.fn = fires, .opaque = &fired};
	struct ls_clock *clock;

	open(&rig);
	clock = rig.ext->vm_clock(rig.engine, rig.vm);
	clock->arm(clock, &timer, 1002);
	CHECK_EQUAL(rig.ext->clock_next_deadline(rig.engine, rig.vm), 1002);
	rig.ext->vcpu_run_until(rig.engine, rig.vcpu[0], 100000);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	check_position(&rig, 1002);
	CHECK_EQUAL(fired, 0); /* time is its user's to move */
	rig.ext->clock_advance(rig.engine, rig.vm, 1002);
	CHECK_EQUAL(fired, 1002);
	CHECK_EQUAL(rig.ext->clock_next_deadline(rig.engine, rig.vm), LS_NEVER);
	vm_close(&rig);
}

static void open_awaiting_timer(struct vm_rig *rig)
{
	vm_open(rig);
	CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	vm_add_vcpu(rig);
	vm_put(rig, VM_CODE, awaits_timer);
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[0], 100000);
}

/* extension.h: a vCPU that drives the clock passes the chips' deadlines, but not user space's. */
static void test_driven_clock(void)
{
	struct vm_rig rig;
	u64 fired = 0;
	struct ls_timer timer = {.fn = fires, .opaque = &fired};
	struct ls_clock *clock;

	open_awaiting_timer(&rig);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	CHECK_EQUAL(instructions(&rig), 105);
	vm_close(&rig);

	open_awaiting_timer(&rig);
	clock = rig.ext->vm_clock(rig.engine, rig.vm);
	clock->arm(clock, &timer, 50);
	rig.ext->vcpu_drive_clock(rig.engine, rig.vcpu[0], true);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	CHECK_EQUAL(instructions(&rig), 50);
	CHECK_EQUAL(fired, 0);
	rig.ext->clock_advance(rig.engine, rig.vm, 50);
	CHECK_EQUAL(fired, 50);
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_HLT);
	/* The loop reads IRR at 6, 9, ... 105, which is when the timer fires. */
	CHECK_EQUAL(instructions(&rig), 109);
	vm_close(&rig);
}

/* extension.h: a REP instruction counts once. */
static void test_string_counts_once(void)
{
	struct vm_rig rig;

	vm_open(&rig);
	vm_add_vcpu(&rig);
	vm_put(&rig, VM_CODE, with_string);
	rig.ext->vcpu_limit(rig.engine, rig.vcpu[0], 3);
	CHECK_EQUAL(vm_run(&rig, 0), LS_EXIT_BOUND);
	CHECK_EQUAL(instructions(&rig), 3);
	CHECK_EQUAL(vm_regs(&rig, 0).rcx, 0);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 0);
	CHECK_EQUAL(vm_regs(&rig, 0).rdi, 0x90000 + 1000);
	vm_close(&rig);
}

static void test_halt_ends_a_bounded_run(void)
{
	struct vm_rig rig;

	vm_open(&rig);
	vm_add_vcpu(&rig);
	vm_put(&rig, VM_CODE, halts);
	rig.ext->vcpu_run_until(rig.engine, rig.vcpu[0], 1000);
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(&rig, 0).rax, 1);
	CHECK_EQUAL(instructions(&rig), 2);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"a limit of instructions is exact", test_limit_is_exact},
	{"a limit of zero runs nothing", test_limit_of_zero},
	{"a bound of guest time is exact", test_until_is_exact},
	{"a deadline is exact", test_deadline_is_exact},
	{"a vCPU drives the clock", test_driven_clock},
	{"a string instruction counts once", test_string_counts_once},
	{"HLT ends a bounded run", test_halt_ends_a_bounded_run},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.bounds", tests)
