/* SPDX-License-Identifier: Apache-2.0 */
/* api.rst: KVM_SET_GUEST_DEBUG, KVM_EXIT_DEBUG, KVM_CAP_SET_GUEST_DEBUG2. */
#include "tests/unit/sim/kvm_rig.h"

#define DR6_ONES 0xffff0ff0u
#define DR6_BS   0x4000u

static int debug_with(struct kvm_rig *rig, uint32_t control, uint64_t dr0, uint64_t dr7)
{
	const struct kvm_guest_debug debug = {
		.control = control,
		.arch.debugreg = {[0] = dr0, [7] = dr7},
	};

	return kvm_vcpu_call(rig, KVM_SET_GUEST_DEBUG, &debug);
}

#define STEP     (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)
#define SOFTWARE (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP)
#define HARDWARE (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP)

static void check_db_exit(struct kvm_rig *rig, uint64_t pc, uint32_t dr6)
{
	CHECK_EQUAL(kvm_run(rig), KVM_EXIT_DEBUG);
	CHECK_EQUAL(rig->run->debug.arch.exception, 1);
	CHECK_EQUAL(rig->run->debug.arch.pc, pc);
	CHECK_EQUAL(rig->run->debug.arch.dr6, DR6_ONES | dr6);
	CHECK_EQUAL(kvm_regs(rig).rip, pc);
}

/* Every instruction ends in KVM_EXIT_DEBUG with DR6.BS, the guest sees neither TF nor #DB. */
static void test_single_step(void)
{
	struct kvm_rig rig;
	struct kvm_debugregs regs;

	kvm_open(&rig, "intel", false);
	/* NOP; PUSHF; POP AX; JMP $+2; HLT */
	kvm_code(&rig, CODE, 0x90, 0x9c, 0x58, 0xeb, 0x00, 0xf4);
	CHECK_EQUAL(debug_with(&rig, STEP, 0, 0), 0);
	check_db_exit(&rig, CODE + 1, DR6_BS);
	check_db_exit(&rig, CODE + 2, DR6_BS);
	check_db_exit(&rig, CODE + 3, DR6_BS);
	CHECK_EQUAL(kvm_regs(&rig).rax, 2);
	check_db_exit(&rig, CODE + 5, DR6_BS);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_DEBUGREGS, &regs), 0);
	CHECK_EQUAL(regs.dr6, DR6_ONES);
	CHECK_EQUAL(debug_with(&rig, 0, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	kvm_close(&rig);
}

/* Without KVM_GUESTDBG_ENABLE nothing is debugged; unknown bits are refused. */
static void test_control_bits(void)
{
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x90, 0xf4);
	CHECK_EQUAL(debug_with(&rig, KVM_GUESTDBG_SINGLESTEP, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(debug_with(&rig, STEP | 1u << 31, 0, 0), -EINVAL);
	CHECK_EQUAL(ls_ioctl(rig.engine, rig.vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2),
		    KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |
			    KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB |
			    KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_BLOCKIRQ);
	kvm_close(&rig);
}

/* INT3 leaves before it is executed; INJECT_BP gives it to the guest, which finds the RIP behind
 * it on its stack (SDM 2: INT3). */
static void test_software_breakpoint(void)
{
	struct kvm_rig rig;
	uint16_t pushed;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x90, 0xcc, 0x90, 0xf4);
	kvm_code(&rig, 0x2000, 0xf4);
	kvm_vector(&rig, 3, 0x2000);
	CHECK_EQUAL(debug_with(&rig, SOFTWARE, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_DEBUG);
	CHECK_EQUAL(rig.run->debug.arch.exception, 3);
	CHECK_EQUAL(rig.run->debug.arch.pc, CODE + 1);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 1);
	CHECK_EQUAL(kvm_regs(&rig).rsp, STACK);
	CHECK_EQUAL(debug_with(&rig, SOFTWARE | KVM_GUESTDBG_INJECT_BP, 0, 0), 0);
	CHECK_EQUAL(debug_with(&rig, SOFTWARE | KVM_GUESTDBG_INJECT_BP, 0, 0), -EBUSY);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, 0x2001);
	memcpy(&pushed, rig.memory + STACK - 6, 2);
	CHECK_EQUAL(pushed, CODE + 2);
	kvm_close(&rig);
}

/* INT 3 as CD 03 is a software interrupt, which no debugger is asked about. */
static void test_int_n_is_no_breakpoint(void)
{
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xcd, 0x03);
	kvm_code(&rig, 0x2000, 0xf4);
	kvm_vector(&rig, 3, 0x2000);
	CHECK_EQUAL(debug_with(&rig, SOFTWARE, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, 0x2001);
	kvm_close(&rig);
}

/* DR7: L0; R/W0 = 00 execution, 01 writes; LEN0 = 01 two bytes. The guest's own registers stay. */
static void test_hardware_breakpoints(void)
{
	struct kvm_rig rig;
	struct kvm_debugregs regs;

	kvm_open(&rig, "intel", false);
	/* NOP; MOV [3000h], AX; NOP; HLT */
	kvm_code(&rig, CODE, 0x90, 0xa3, 0x00, 0x30, 0x90, 0xf4);
	CHECK_EQUAL(debug_with(&rig, HARDWARE, CODE + 1, 0x1), 0);
	check_db_exit(&rig, CODE + 1, 0x1); /* before the instruction */
	CHECK_EQUAL(rig.run->debug.arch.dr7, 0x401);
	CHECK_EQUAL(debug_with(&rig, HARDWARE, 0x3001, 0x50001), 0);
	check_db_exit(&rig, CODE + 4, 0x1); /* behind it */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_DEBUGREGS, &regs), 0);
	CHECK_EQUAL(regs.dr6, DR6_ONES);
	CHECK_EQUAL(regs.dr7, 0x400);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	kvm_close(&rig);
}

/* A #DB that is the guest's own goes to it with INJECT_DB, as a fault at the RIP it had. */
static void test_inject_db(void)
{
	struct kvm_rig rig;
	uint16_t pushed;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x90, 0x90, 0xf4);
	kvm_code(&rig, 0x2000, 0xf4);
	kvm_vector(&rig, 1, 0x2000);
	CHECK_EQUAL(debug_with(&rig, STEP, 0, 0), 0);
	check_db_exit(&rig, CODE + 1, DR6_BS);
	CHECK_EQUAL(debug_with(&rig, HARDWARE | KVM_GUESTDBG_INJECT_DB, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, 0x2001);
	memcpy(&pushed, rig.memory + STACK - 6, 2);
	CHECK_EQUAL(pushed, CODE + 1);
	kvm_close(&rig);
}

/* KVM_GUESTDBG_BLOCKIRQ: an NMI waits while the guest is stepped. */
static void test_block_interrupts(void)
{
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x90, 0x90, 0xf4);
	kvm_code(&rig, 0x2000, 0xf4);
	kvm_vector(&rig, 2, 0x2000);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_NMI, NULL), 0);
	CHECK_EQUAL(debug_with(&rig, STEP | KVM_GUESTDBG_BLOCKIRQ, 0, 0), 0);
	check_db_exit(&rig, CODE + 1, DR6_BS);
	CHECK_EQUAL(debug_with(&rig, 0, 0, 0), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, 0x2001);
	kvm_close(&rig);
}

static void break_at(struct kvm_rig *rig, uint64_t gpa)
{
	CHECK_EQUAL(rig->engine->ext->vcpu_break_physical(rig->engine, rig->vcpu, gpa), 0);
}

/* extension.h, vcpu_break_physical: the stop is before the instruction that begins there, by
 * whatever linear address (SDM 3A:20.1.1: in real mode a segment's base is 16 times its selector),
 * also in code that has run before, and while it is stepped; the next run goes over it. */
static void test_physical(void)
{
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	kvm_open(&rig, "intel", false);
	/* NOP; NOP; LOOP to the second; HLT */
	kvm_code(&rig, CODE, 0x90, 0x90, 0xe2, 0xfd, 0xf4);
	break_at(&rig, CODE + 1);
	check_db_exit(&rig, CODE + 1, 0);
	CHECK_EQUAL(debug_with(&rig, STEP, 0, 0), 0);
	check_db_exit(&rig, CODE + 2, DR6_BS);
	check_db_exit(&rig, CODE + 1, DR6_BS);
	check_db_exit(&rig, CODE + 1, 0);
	CHECK_EQUAL(debug_with(&rig, 0, 0, 0), 0);
	check_db_exit(&rig, CODE + 1, 0);
	break_at(&rig, UINT64_MAX);
	kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs);
	sregs.cs.selector = (CODE - 0x100) >> 4;
	sregs.cs.base = CODE - 0x100;
	kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs);
	kvm_set_rip(&rig, 0x100);
	break_at(&rig, CODE + 4);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_DEBUG);
	CHECK_EQUAL(kvm_regs(&rig).rip, 0x104);
	CHECK_EQUAL(kvm_regs(&rig).rcx & 0xffff, 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"single step", test_single_step},
	{"control bits", test_control_bits},
	{"INT3", test_software_breakpoint},
	{"INT n", test_int_n_is_no_breakpoint},
	{"hardware breakpoints", test_hardware_breakpoints},
	{"INJECT_DB", test_inject_db},
	{"BLOCKIRQ", test_block_interrupts},
	{"physical addresses", test_physical},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.guest_debug", tests)
