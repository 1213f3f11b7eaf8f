/* SPDX-License-Identifier: Apache-2.0 */
/* api.rst: KVM_INTERRUPT and struct kvm_run's request_interrupt_window,
 * ready_for_interrupt_injection, if_flag, cr8 and apic_base, without chips below the seam. */
#include "tests/unit/sim/kvm_rig.h"
#include "tests/unit/sim/vm_rig.h"

#define VECTOR  0x30
#define HANDLER 0x2000

static int interrupt(struct kvm_rig *rig, unsigned int vector)
{
	const struct kvm_interrupt interrupt = {.irq = vector};

	return kvm_vcpu_call(rig, KVM_INTERRUPT, &interrupt);
}

static void open_with(struct kvm_rig *rig, const uint8_t *code, size_t size)
{
	kvm_open(rig, "intel", false);
	memcpy(rig->memory + CODE, code, size);
	kvm_code(rig, HANDLER, 0xf4); /* HLT */
	kvm_vector(rig, VECTOR, HANDLER);
}

/* "-EINVAL the irq number is invalid, -ENXIO if the PIC is in the kernel"; a second interrupt takes
 * the place of the first, where api.rst has -EEXIST (KVM: arch/x86/kvm/x86.c, KVM_INTERRUPT). */
static void test_errors(void)
{
	struct kvm_sregs sregs;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(interrupt(&rig, 256), -EINVAL);
	CHECK_EQUAL(interrupt(&rig, VECTOR + 1), 0);
	CHECK_EQUAL(interrupt(&rig, VECTOR), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.interrupt_bitmap[VECTOR / 64], 1ull << VECTOR % 64);
	kvm_close(&rig);
	kvm_open(&rig, "intel", true);
	CHECK_EQUAL(interrupt(&rig, VECTOR), -ENXIO);
	kvm_close(&rig);
}

/* It is taken before the next instruction with IF = 1. */
static void test_delivery(void)
{
	static const uint8_t code[] = {0xfb, 0x90, 0x90, 0xf4}; /* STI; NOP; NOP; HLT */
	struct kvm_rig rig;
	uint16_t pushed;

	open_with(&rig, code, sizeof(code));
	CHECK_EQUAL(interrupt(&rig, VECTOR), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, HANDLER + 1);
	memcpy(&pushed, rig.memory + STACK - 6, 2);
	CHECK_EQUAL(pushed, CODE + 2);           /* behind STI's shadow (SDM 2: STI) */
	CHECK_EQUAL(interrupt(&rig, VECTOR), 0); /* the place is free again */
	kvm_close(&rig);
}

/* The window opens where the interrupt would have been taken, and each time anew. */
static void test_window(void)
{
	static const uint8_t code[] = {0x90, 0xfb, 0x90, 0x90, 0xf4};
	struct kvm_rig rig;

	open_with(&rig, code, sizeof(code));
	rig.run->request_interrupt_window = 1;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IRQ_WINDOW_OPEN);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 3);
	CHECK_EQUAL(rig.run->ready_for_interrupt_injection, 1);
	CHECK_EQUAL(rig.run->if_flag, 1);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IRQ_WINDOW_OPEN);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 3);
	/* One interrupt is taken; its handler runs with IF = 0. */
	CHECK_EQUAL(interrupt(&rig, VECTOR), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, HANDLER + 1);
	CHECK_EQUAL(rig.run->ready_for_interrupt_injection, 0);
	CHECK_EQUAL(rig.run->if_flag, 0);
	kvm_close(&rig);
}

/* Without a request nothing stops, and the interrupt window passes. */
static void test_no_window(void)
{
	static const uint8_t code[] = {0xfb, 0x90, 0xf4};
	struct kvm_rig rig;

	open_with(&rig, code, sizeof(code));
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 3);
	CHECK_EQUAL(rig.run->ready_for_interrupt_injection, 1);
	/* "the next KVM_RUN goes on": RIP is behind HLT; from STI's shadow on it is not ready. */
	kvm_code(&rig, CODE + 3, 0xf4);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 4);
	kvm_close(&rig);
}

/* cr8 is input and output; KVM_EXIT_SET_TPR tells when the guest lowers it. */
GUEST_CODE(cr8_code, "mov $5, %eax; mov %rax, %cr8; mov $2, %eax; mov %rax, %cr8\n"
		     "mov %cr8, %rbx; hlt");

static void test_cr8(void)
{
	struct vm_rig rig;

	vm_open(&rig);
	vm_add_vcpu(&rig);
	vm_put(&rig, VM_CODE, cr8_code);
	rig.run[0]->cr8 = 16;
	CHECK_EQUAL(vm_run(&rig, 0), -EINVAL);
	rig.run[0]->cr8 = 3;
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_SET_TPR);
	CHECK_EQUAL(rig.run[0]->cr8, 2);
	CHECK_EQUAL(vm_regs(&rig, 0).rip, VM_CODE + 18); /* 5 + 4 + 5 + 4 bytes on */
	rig.run[0]->cr8 = 9;
	CHECK_EQUAL(vm_run(&rig, 0), KVM_EXIT_HLT);
	CHECK_EQUAL(vm_regs(&rig, 0).rbx, 9);
	CHECK_EQUAL(rig.run[0]->cr8, 9);
	vm_close(&rig);
}

/* IA32_APIC_BASE is there for the guest and for user space: reset value of a BSP, FEE00900H. */
static void test_apic_base(void)
{
	/* MOV ECX, 1BH; RDMSR; HLT */
	static const uint8_t code[] = {0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0xf4};
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	open_with(&rig, code, sizeof(code));
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rax, 0xfee00900);
	CHECK_EQUAL(rig.run->apic_base, 0xfee00900);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.apic_base, 0xfee00900);
	sregs.apic_base = 0xfee00901;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs), -EINVAL);
	sregs.apic_base = 0xfed00800;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs), 0);
	kvm_set_rip(&rig, CODE);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(rig.run->apic_base, 0xfed00800);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"errors", test_errors}, {"delivery", test_delivery},
	{"window", test_window}, {"no window", test_no_window},
	{"cr8", test_cr8},       {"apic_base", test_apic_base},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.user_irqchip", tests)
