/* SPDX-License-Identifier: Apache-2.0 */
/* VMCALL and VMMCALL with and without KVM behind them (Linux,
 * Documentation/virt/kvm/x86/hypercalls.rst; results: include/uapi/linux/kvm_para.h). */
#include "tests/unit/apic/fake_vm.h"
#include "tests/unit/sim/system_rig.h"

#define VMCALL(rig)  RUN(rig, 0x0f, 0x01, 0xc1)
#define VMMCALL(rig) RUN(rig, 0x0f, 0x01, 0xd9)

#define SEND_IPI  10
#define VECTOR    0x41
#define EPERM_64  (u64) - 1
#define EINVAL_64 (u64) - 22
#define NOSUPP_64 (u64) - 95
#define ENOSYS_64 (u64) - 1000

/* The rig's processor is number 0 of the VM. */
static void open_with(struct cpu_rig *rig, struct fake_vm *vm, const char *spec, unsigned int count)
{
	rig_open(rig, spec);
	fake_vm_init(vm, count);
	rig->cpu->lapic = &vm->cpu[0].lapic;
	rig_mode(rig, MODE_64, 0);
}

static u64 send_ipi(struct cpu_rig *rig, u64 low, u64 high, u64 first, u64 icr)
{
	rig->cpu->reg[REG_RAX] = SEND_IPI;
	rig->cpu->reg[REG_RBX] = low;
	rig->cpu->reg[REG_RCX] = high;
	rig->cpu->reg[REG_RDX] = first;
	rig->cpu->reg[REG_RSI] = icr;
	CHECK_EQUAL(VMCALL(rig), NOTHING);
	return rig->cpu->reg[REG_RAX];
}

/* Which processors have @vector pending, as a bitmap; forgets it. */
static u64 got(struct fake_vm *vm, u8 vector)
{
	u64 bits = 0;

	for (unsigned int i = 0; i < vm->cpus; i++) {
		bits |= (u64)fake_bit(&vm->cpu[i].lapic, LAPIC_IRR, vector) << i;
		vm->cpu[i].lapic.regs[(LAPIC_IRR >> 4) + vector / 32] = 0;
	}
	return bits;
}

/* SDM 3C:31.3 VMCALL outside VMX operation, APM 3 VMMCALL that nobody intercepts: #UD. */
static void test_no_hypervisor(void)
{
	static const char *const specs[] = {"intel", "amd", "qemu64", "max,-kvm-pv-ipi"};
	struct cpu_rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		rig_open(&rig, specs[i]);
		rig_mode(&rig, MODE_64, 0);
		CHECK_EQUAL(VMCALL(&rig), VECTOR_UD);
		CHECK_EQUAL(VMMCALL(&rig), VECTOR_UD);
		rig_close(&rig);
	}
}

/* Each vendor's processor has its own instruction and not the other's. */
static void test_vendors(void)
{
	struct cpu_rig intel, amd;

	rig_open(&intel, "intel,+kvm-pv-ipi");
	rig_mode(&intel, MODE_64, 0);
	rig_open(&amd, "amd,+kvm-pv-ipi");
	rig_mode(&amd, MODE_64, 0);
	CHECK_EQUAL(VMCALL(&intel), NOTHING);
	CHECK_EQUAL(VMMCALL(&intel), VECTOR_UD);
	CHECK_EQUAL(VMMCALL(&amd), NOTHING);
	CHECK_EQUAL(VMCALL(&amd), VECTOR_UD);
	rig_close(&intel);
	rig_close(&amd);
}

/* -KVM_ENOSYS for an unknown number, -KVM_EPERM above CPL 0; 32 bits of result outside 64-bit mode.
 */
static void test_refusals(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel,+kvm-pv-ipi");
	rig_mode(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(VMCALL(&rig), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], ENOSYS_64);
	rig.cpu->reg[REG_RAX] = BIT(32) | SEND_IPI; /* another number in 64-bit mode */
	CHECK_EQUAL(VMCALL(&rig), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], ENOSYS_64);
	rig_mode(&rig, MODE_64, 3);
	rig.cpu->reg[REG_RAX] = SEND_IPI;
	CHECK_EQUAL(VMCALL(&rig), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], EPERM_64);
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->reg[REG_RAX] = 77;
	CHECK_EQUAL(VMCALL(&rig), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], (u32)ENOSYS_64);
	CHECK_EQUAL(send_ipi(&rig, 1, 0, 0, VECTOR), (u32)NOSUPP_64); /* no local APIC */
	rig_close(&rig);
}

/* A bitmap of two registers, whose bit 0 is the APIC ID in a2; the result counts who took it. */
static void test_bitmap(void)
{
	struct cpu_rig rig;
	struct fake_vm vm;

	open_with(&rig, &vm, "intel,+kvm-pv-ipi", 4);
	CHECK_EQUAL(send_ipi(&rig, 0xa, 0, 0, VECTOR), 2);
	CHECK_EQUAL(got(&vm, VECTOR), 0xa);
	CHECK_EQUAL(send_ipi(&rig, 0x3, 0, 2, VECTOR), 2);
	CHECK_EQUAL(got(&vm, VECTOR), 0xc);
	CHECK_EQUAL(send_ipi(&rig, ~0ull, ~0ull, 0, VECTOR), 4);
	CHECK_EQUAL(got(&vm, VECTOR), 0xf);
	/* beyond the last processor, and where a2 + bit would wrap */
	CHECK_EQUAL(send_ipi(&rig, ~0ull, 0, 4, VECTOR), 0);
	CHECK_EQUAL(send_ipi(&rig, ~0ull, 0, UINT32_MAX, VECTOR), 0);
	CHECK_EQUAL(got(&vm, VECTOR), 0);
	/* the second register goes on after 64 bits, after 32 outside 64-bit mode */
	fake_x2apic(&vm.cpu[3].lapic);
	vm.cpu[3].lapic.config.id = 67;
	CHECK_EQUAL(send_ipi(&rig, 0, 0x8, 0, VECTOR), 1);
	CHECK_EQUAL(got(&vm, VECTOR), 0x8);
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->lapic = &vm.cpu[0].lapic;
	CHECK_EQUAL(send_ipi(&rig, 0, 0x10, 31, VECTOR), 1);
	CHECK_EQUAL(got(&vm, VECTOR), 0x8);
	CHECK_EQUAL(send_ipi(&rig, 0, BIT(32), 31, VECTOR), 0);
	rig_close(&rig);
}

/* a2 names IDs, not destinations: FFH is no broadcast, though it is one in an xAPIC's ICR. */
static void test_no_broadcast(void)
{
	struct cpu_rig rig;
	struct fake_vm vm;

	open_with(&rig, &vm, "intel,+kvm-pv-ipi", 3);
	CHECK_EQUAL(send_ipi(&rig, 1, 0, 0xff, VECTOR), 0);
	CHECK_EQUAL(got(&vm, VECTOR), 0);
	rig_close(&rig);
}

/* a3 is an ICR: its delivery mode counts, its destination mode and shorthand must be 0. */
static void test_icr(void)
{
	struct cpu_rig rig;
	struct fake_vm vm;

	open_with(&rig, &vm, "intel,+kvm-pv-ipi", 2);
	CHECK_EQUAL(send_ipi(&rig, 2, 0, 0, VECTOR | BIT(11)), EINVAL_64);
	CHECK_EQUAL(send_ipi(&rig, 2, 0, 0, VECTOR | BIT(18)), EINVAL_64);
	CHECK_EQUAL(send_ipi(&rig, 2, 0, 0, VECTOR | BIT(19)), EINVAL_64);
	CHECK_EQUAL(got(&vm, VECTOR), 0);
	CHECK_EQUAL(send_ipi(&rig, 2, 0, 0, 0x400), 1);
	CHECK_EQUAL(vm.cpu[1].nmi, 1);
	CHECK_EQUAL(vm.cpu[0].nmi, 0);
	/* a software-disabled local APIC takes no vector (SDM 3A:11.4.7.2) */
	lapic_write(&vm.cpu[1].lapic, LAPIC_SVR, 0xff);
	CHECK_EQUAL(send_ipi(&rig, 3, 0, 0, VECTOR), 1);
	CHECK_EQUAL(got(&vm, VECTOR), 1);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"no hypervisor", test_no_hypervisor},
	{"vendors", test_vendors},
	{"refusals", test_refusals},
	{"bitmap", test_bitmap},
	{"no broadcast", test_no_broadcast},
	{"icr", test_icr},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.hypercall", tests)
