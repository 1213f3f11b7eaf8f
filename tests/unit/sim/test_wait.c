/* SPDX-License-Identifier: Apache-2.0 */
/* UMWAIT and TPAUSE seen through the seam: what ends a wait, and what does not (SDM 2: UMWAIT). */
#include "tests/unit/sim/vm_rig.h"

#define FAR_AWAY 1000000

GUEST_CODE(waits, "umonitor %rdi\n umwait %ecx\n nop\n hlt\n");
GUEST_CODE(pauses, "tpause %ecx\n nop\n hlt\n");
GUEST_CODE(stores, "incb (%rdi)\n hlt\n");
GUEST_CODE(stores_locked, "lock incb (%rdi)\n hlt\n");
#define LENGTH_TO_AFTER 8  /* of UMONITOR and UMWAIT */
#define LENGTH_TO_HALT  10 /* and of NOP and HLT */

static void open(struct vm_rig *rig, bool irqchip)
{
	vm_open(rig);
	if (irqchip)
		CHECK_EQUAL(ls_ioctl(rig->engine, rig->vm, KVM_CREATE_IRQCHIP, 0), 0);
	vm_add_vcpu(rig);
	vm_put(rig, VM_CODE, waits);
}

/* RDI = @address, EDX:EAX = @deadline, ECX = 0; the run may go on for long. */
static int run(struct vm_rig *rig, unsigned int n, u64 rip, u64 address, u64 deadline)
{
	struct kvm_regs regs = {.rip = rip,
				.rflags = 2,
				.rdi = address,
				.rax = (u32)deadline,
				.rdx = deadline >> 32,
				.rsp = VM_STACK};
	struct kvm_mp_state running = {.mp_state = KVM_MP_STATE_RUNNABLE};

	ls_ioctl_ptr(rig->engine, rig->vcpu[n], KVM_SET_REGS, &regs);
	ls_ioctl_ptr(rig->engine, rig->vcpu[n], KVM_SET_MP_STATE, &running);
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[n], LS_NEVER - 1);
	return vm_run(rig, n);
}

static bool runnable(struct vm_rig *rig, unsigned int n)
{
	return rig->ext->vcpu_runnable(rig->engine, rig->vcpu[n]);
}

static void begin_to_wait(struct vm_rig *rig)
{
	CHECK_EQUAL(run(rig, 0, VM_CODE, VM_DATA + 64, FAR_AWAY), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(rig, 0).rip, VM_CODE + LENGTH_TO_AFTER);
	CU_ASSERT_FALSE(runnable(rig, 0));
}

static void check_goes_on(struct vm_rig *rig, u64 carry)
{
	CU_ASSERT_TRUE(runnable(rig, 0));
	CHECK_EQUAL(vm_run(rig, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(rig, 0).rip, VM_CODE + LENGTH_TO_HALT);
	CHECK_EQUAL(vm_regs(rig, 0).rflags & 1, carry);
}

/* api.rst knows no exit for it, so where user space has the chips nobody waits. */
static void test_without_chips(void)
{
	struct vm_rig rig;

	open(&rig, false);
	CHECK_EQUAL(run(&rig, 0, VM_CODE, VM_DATA, FAR_AWAY), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(&rig, 0).rip, VM_CODE + LENGTH_TO_HALT);
	vm_close(&rig);
}

/* DMA into the line ends it, into another page it does not. */
static void test_machine_writes(void)
{
	struct vm_rig rig;
	u8 byte = 1;

	open(&rig, true);
	begin_to_wait(&rig);
	vm_write(&rig, VM_DATA + 4096, &byte, 1);
	CU_ASSERT_FALSE(runnable(&rig, 0));
	vm_write(&rig, VM_DATA + 100, &byte, 1);
	check_goes_on(&rig, 0);
	vm_close(&rig);
}

/* A store of another processor, to the line only; and as one change of the host's if it is locked.
 */
static void check_other_processor(const u8 *code, size_t size)
{
	struct vm_rig rig;

	open(&rig, true);
	vm_add_vcpu(&rig);
	vm_write(&rig, VM_CODE + 4096, code, size);
	/* its TLB may write the page before it is monitored */
	run(&rig, 1, VM_CODE + 4096, VM_DATA + 64, 0);
	begin_to_wait(&rig);
	run(&rig, 1, VM_CODE + 4096, VM_DATA + 63, 0);
	run(&rig, 1, VM_CODE + 4096, VM_DATA + 128, 0);
	CU_ASSERT_FALSE(runnable(&rig, 0));
	run(&rig, 1, VM_CODE + 4096, VM_DATA + 127, 0);
	check_goes_on(&rig, 0);
	CHECK_EQUAL(rig.memory[VM_DATA + 63] << 16 | rig.memory[VM_DATA + 64] << 8 |
			    rig.memory[VM_DATA + 127],
		    0x010101);
	vm_close(&rig);
}

static void test_other_processor(void)
{
	check_other_processor(stores, (size_t)(stores_end - stores));
	check_other_processor(stores_locked, (size_t)(stores_locked_end - stores_locked));
}

/* The first nanosecond at which the TSC has the value, which here is that value. */
static void test_deadline(void)
{
	struct vm_rig rig;

	open(&rig, true);
	begin_to_wait(&rig);
	CHECK_EQUAL(rig.ext->clock_next_deadline(rig.engine, rig.vm), FAR_AWAY);
	rig.ext->clock_advance(rig.engine, rig.vm, FAR_AWAY - 1);
	CU_ASSERT_FALSE(runnable(&rig, 0));
	rig.ext->clock_advance(rig.engine, rig.vm, FAR_AWAY);
	check_goes_on(&rig, 0);
	CHECK_EQUAL(rig.ext->vcpu_time(rig.engine, rig.vcpu[0]), FAR_AWAY + 2);
	vm_close(&rig);
}

/* SDM 4:2.1: IA32_UMWAIT_CONTROL[31:2] counts from where the instruction begins; CF = 1. */
static void test_limit(void)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {.head.nmsrs = 1, .entry = {.index = 0xe1, .data = 4000}};
	struct vm_rig rig;

	open(&rig, true);
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, rig.vcpu[0], KVM_SET_MSRS, &msrs), 1);
	begin_to_wait(&rig);
	CHECK_EQUAL(rig.ext->clock_next_deadline(rig.engine, rig.vm), 4001);
	rig.ext->clock_advance(rig.engine, rig.vm, 5000);
	check_goes_on(&rig, 1);
	/* a store that comes first takes the limit's place */
	begin_to_wait(&rig);
	vm_write(&rig, VM_DATA + 64, "", 1);
	rig.ext->clock_advance(rig.engine, rig.vm, 50000);
	check_goes_on(&rig, 0);
	vm_close(&rig);
}

/* TPAUSE watches nothing. */
static void test_pause(void)
{
	struct vm_rig rig;

	open(&rig, true);
	vm_put(&rig, VM_CODE, pauses);
	CHECK_EQUAL(run(&rig, 0, VM_CODE, VM_DATA, 500), KVM_EXIT_HLT);
	vm_write(&rig, VM_DATA, "", 1);
	CU_ASSERT_FALSE(runnable(&rig, 0));
	rig.ext->clock_advance(rig.engine, rig.vm, 500);
	CU_ASSERT_TRUE(runnable(&rig, 0));
	vm_close(&rig);
}

/* With other memory nobody watches the line any more: the wait is over. */
static void test_memory_changes(void)
{
	struct vm_rig rig;

	open(&rig, true);
	begin_to_wait(&rig);
	CHECK_EQUAL(vm_slot(&rig, 1, BIT(32), rig.memory, 4096, 0), 0);
	check_goes_on(&rig, 0);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"without chips", test_without_chips},
	{"machine writes", test_machine_writes},
	{"other processor", test_other_processor},
	{"deadline", test_deadline},
	{"limit", test_limit},
	{"pause", test_pause},
	{"memory changes", test_memory_changes},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.wait", tests)
