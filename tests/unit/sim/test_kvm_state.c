/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of KVM's calls about a vCPU's state, through the seam; each test names its section of
 * api.rst. */
#include "tests/unit/sim/kvm_rig.h"

static int extension(struct kvm_rig *rig, unsigned long cap)
{
	return ls_ioctl(rig->engine, rig->vm, KVM_CHECK_EXTENSION, cap);
}

/* KVM_CAP_SYNC_REGS: kvm_valid_regs are stored at each exit, kvm_dirty_regs loaded before each run
 * and cleared; unknown bits are EINVAL. */
static void test_sync_regs(void)
{
	struct kvm_rig rig;
	struct kvm_sync_regs *regs;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x43, 0xf4); /* INC BX; HLT */
	regs = &rig.run->s.regs;
	CHECK_EQUAL(extension(&rig, KVM_CAP_SYNC_REGS), KVM_SYNC_X86_VALID_FIELDS);
	rig.run->kvm_valid_regs = KVM_SYNC_X86_VALID_FIELDS;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(regs->regs.rip, CODE + 2);
	CHECK_EQUAL(regs->regs.rbx, 1);
	CHECK_EQUAL(regs->sregs.cs.base, 0);
	CHECK_EQUAL(regs->sregs.cr0 & 1, 0);
	regs->regs.rip = CODE;
	regs->regs.rbx = 0x41;
	regs->sregs.cr2 = 0x9999;
	rig.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(rig.run->kvm_dirty_regs, 0);
	CHECK_EQUAL(regs->regs.rbx, 0x42);
	CHECK_EQUAL(regs->sregs.cr2, 0); /* was not dirty */
	rig.run->kvm_valid_regs = 1u << 3;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_RUN, NULL), -EINVAL);
	rig.run->kvm_valid_regs = 0;
	rig.run->kvm_dirty_regs = 1u << 3;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_RUN, NULL), -EINVAL);
	kvm_close(&rig);
}

/* immediate_exit: KVM_RUN returns EINTR before the guest runs, but completes an answered access. */
static void test_immediate_exit(void)
{
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xe4, 0x80, 0x90, 0xf4); /* IN AL, 80H; NOP; HLT */
	rig.run->immediate_exit = 1;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_RUN, NULL), -EINTR);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE);
	rig.run->immediate_exit = 0;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IO);
	*((uint8_t *)rig.run + rig.run->io.data_offset) = 0x5a;
	rig.run->immediate_exit = 1;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_RUN, NULL), -EINTR);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 2);
	CHECK_EQUAL(kvm_regs(&rig).rax, 0x5a);
	kvm_close(&rig);
}

/* KVM_GET_XSAVE2: the size that KVM_CAP_XSAVE2 tells, at least 4096; the same image. */
static void test_xsave2(void)
{
	static struct kvm_xsave image, again;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(extension(&rig, KVM_CAP_XSAVE2), 4096);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_XSAVE2, &image), 0);
	image.region[160 / 4] = 0x11223344; /* XMM0 (SDM 1:10.5.1) */
	image.region[512 / 4] |= 2;         /* XSTATE_BV.SSE */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_XSAVE, &image), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_XSAVE2, &again), 0);
	CHECK_EQUAL(again.region[160 / 4], 0x11223344);
	kvm_close(&rig);
}

/* KVM_TRANSLATE: "translates a virtual address according to the vcpu's current address translation
 * mode". */
static void test_translate(void)
{
	struct kvm_translation translation = {.linear_address = 0x12345};
	struct kvm_rig rig;
	struct kvm_sregs sregs;
	uint32_t entry;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_TRANSLATE, &translation), 0);
	CHECK_EQUAL(translation.valid, 1);
	CHECK_EQUAL(translation.physical_address, 0x12345);
	/* 32-bit paging: directory at 10000H, its entry 1 leads to a table at 11000H, whose entry 2
	 * leads to page 3000H. */
	entry = 0x11003;
	memcpy(rig.memory + 0x10004, &entry, 4);
	entry = 0x3003;
	memcpy(rig.memory + 0x11008, &entry, 4);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	sregs.cr0 |= 0x80000001;
	sregs.cr3 = 0x10000;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs), 0);
	translation.linear_address = 0x402345;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_TRANSLATE, &translation), 0);
	CHECK_EQUAL(translation.valid, 1);
	CHECK_EQUAL(translation.physical_address, 0x3345);
	memcpy(&entry, rig.memory + 0x11008, 4);
	CHECK_EQUAL(entry, 0x3003); /* no accessed bit was set */
	translation.linear_address = 0x403000;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_TRANSLATE, &translation), 0);
	CHECK_EQUAL(translation.valid, 0);
	kvm_close(&rig);
}

struct msr_list {
	struct kvm_msr_list head;
	uint32_t indices[256];
};

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[256];
};

static bool contains(const struct msr_list *list, uint32_t number)
{
	for (unsigned int n = 0; n < list->head.nmsrs; n++)
		if (list->indices[n] == number)
			return true;
	return false;
}

/* KVM_GET_MSR_INDEX_LIST: E2BIG tells the number; all of the list can be saved and restored, on a
 * processor of either vendor. */
static void test_msr_list(void)
{
	static const char *const models[] = {"intel", "amd"};
	struct msr_list list = {.head.nmsrs = 0};
	struct msrs msrs = {.head.nmsrs = 0};
	struct kvm_rig rig;

	for (unsigned int model = 0; model < 2; model++) {
		kvm_open(&rig, models[model], false);
		list.head.nmsrs = 1;
		CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, &list),
			    -E2BIG);
		CU_ASSERT_TRUE_FATAL(list.head.nmsrs <= 256);
		CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, &list), 0);
		CU_ASSERT_TRUE(contains(&list, 0xc0000081)); /* STAR */
		CU_ASSERT_FALSE(contains(&list, 0x49));      /* PRED_CMD can't be read */
		msrs.head.nmsrs = list.head.nmsrs;
		for (unsigned int n = 0; n < list.head.nmsrs; n++)
			msrs.entries[n].index = list.indices[n];
		CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_MSRS, &msrs), list.head.nmsrs);
		CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_MSRS, &msrs), list.head.nmsrs);
		kvm_close(&rig);
	}
}

/* KVM_GET_MSR_FEATURE_INDEX_LIST, and KVM_GET_MSRS on the system: IA32_ARCH_CAPABILITIES is one. */
static void test_feature_msrs(void)
{
	struct msr_list list = {.head.nmsrs = 256};
	struct msrs msrs = {.head.nmsrs = 2, .entries = {{.index = 0x10a}, {.index = 0x10}}};
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSR_FEATURE_INDEX_LIST, &list), 0);
	CU_ASSERT_TRUE(contains(&list, 0x10a));
	CU_ASSERT_FALSE(contains(&list, 0x10));
	/* RDCL_NO is bit 0 (SDM 4:2.1); the TSC is no feature, so one entry is done. */
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSRS, &msrs), 1);
	CHECK_EQUAL(msrs.entries[0].data & 1, 1);
	/* IA32_VMX_CR4_FIXED0: VMXE, bit 13 (SDM 3D:A.8). */
	CU_ASSERT_TRUE(contains(&list, 0x480));
	msrs = (struct msrs){.head.nmsrs = 1, .entries = {{.index = 0x488}}};
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSRS, &msrs), 1);
	CHECK_EQUAL(msrs.entries[0].data, 0x2000);
	list.head.nmsrs = 0;
	CHECK_EQUAL(ls_ioctl_ptr(rig.engine, LS_SYSTEM, KVM_GET_MSR_FEATURE_INDEX_LIST, &list),
		    -E2BIG);
	kvm_close(&rig);
}

/* KVM_GET_SREGS: interrupt_bitmap is "a bitmap of pending external interrupts. At most one bit may
 * be set. This interrupt has been acknowledged by the APIC but not yet injected into the cpu core".
 */
static void test_interrupt_bitmap(void)
{
	const struct kvm_interrupt interrupt = {.irq = 0x45};
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_INTERRUPT, &interrupt), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.interrupt_bitmap[1], 1ull << 5);
	kvm_close(&rig);
	kvm_open(&rig, "intel", false);
	sregs.cs.base = 0;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.interrupt_bitmap[1], 1ull << 5);
	kvm_close(&rig);
}

static uint64_t msr_of(struct kvm_rig *rig, uint32_t number)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = {.head = {.nmsrs = 1}, .entry = {.index = number}};

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_MSRS, &one), 1);
	return one.entry.data;
}

/* SDM 3D:A.2, A.3.3: IA32_VMX_PROCBASED_CTLS is the register with TRUE in its name but for the
 * default1 class, and there are tertiary controls only if bit 49 of it is 1; user space reads 0
 * else. */
static void test_vmx_controls(void)
{
	const uint64_t gone = 1ull << 49 | 1ull << 39; /* tertiary controls, HLT exiting */
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = {.head = {.nmsrs = 1}, .entry = {.index = 0x48e}};
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	one.entry.data = msr_of(&rig, 0x48e);
	CU_ASSERT_EQUAL(one.entry.data & gone, gone);
	CU_ASSERT_NOT_EQUAL(msr_of(&rig, 0x492), 0);
	one.entry.data &= ~gone;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_MSRS, &one), 1);
	CHECK_EQUAL(msr_of(&rig, 0x482), one.entry.data | 0x0401e172);
	CHECK_EQUAL(msr_of(&rig, 0x492), 0);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"VMX controls", test_vmx_controls},
	{"sync_regs", test_sync_regs},
	{"immediate_exit", test_immediate_exit},
	{"KVM_GET_XSAVE2", test_xsave2},
	{"KVM_TRANSLATE", test_translate},
	{"KVM_GET_MSR_INDEX_LIST", test_msr_list},
	{"KVM_GET_MSR_FEATURE_INDEX_LIST", test_feature_msrs},
	{"interrupt_bitmap", test_interrupt_bitmap},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.kvm_state", tests)
