/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE (api.rst 4.114, 4.115). */
#include <errno.h>

#include "tests/unit/sim/kvm_rig.h"

#define PAGE      4096u
#define HEAD      sizeof(struct kvm_nested_state)
#define REVISION  0x11e57ed0u /* struct vmcs12's */
#define NOWHERE   UINT64_MAX
#define GUEST_RIP 544 /* in struct vmcs12 */

union buffer {
	struct kvm_nested_state state;
	uint8_t room[HEAD + 2 * PAGE];
};

static void get(struct kvm_rig *rig, union buffer *to)
{
	memset(to, 0xcc, sizeof(*to));
	to->state.size = sizeof(*to);
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_NESTED_STATE, to), 0);
}

static int set(struct kvm_rig *rig, const union buffer *from)
{
	return kvm_vcpu_call(rig, KVM_SET_NESTED_STATE, from);
}

static void check_refused(struct kvm_rig *rig, const union buffer *from)
{
	CHECK_EQUAL(set(rig, from), -EINVAL);
}

/* "-E2BIG: the total state size exceeds the value of 'size' specified by the user; the size
 * required will be written into size." */
static void test_size(void)
{
	union buffer buffer = {.state.size = HEAD - 1};
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(ls_ioctl(rig.engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE),
		    HEAD + 2 * PAGE);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_NESTED_STATE, &buffer), -E2BIG);
	CHECK_EQUAL(buffer.state.size, HEAD);
	buffer.state.size = HEAD - 1;
	check_refused(&rig, &buffer);
	kvm_close(&rig);
}

/* Outside of VMX operation, and with GIF set and no guest, there is nothing but the head; so it is
 * without VMX and SVM. */
static void test_nothing(void)
{
	static const struct {
		const char *model;
		uint16_t format, flags;
	} rows[] = {
		{"intel", KVM_STATE_NESTED_FORMAT_VMX, 0},
		{"intel,-vmx", KVM_STATE_NESTED_FORMAT_VMX, 0},
		{"amd", KVM_STATE_NESTED_FORMAT_SVM, KVM_STATE_NESTED_GIF_SET},
		{"amd,-svm", KVM_STATE_NESTED_FORMAT_SVM, KVM_STATE_NESTED_GIF_SET},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		union buffer buffer;
		struct kvm_rig rig;

		kvm_open(&rig, rows[i].model, false);
		get(&rig, &buffer);
		CHECK_EQUAL(buffer.state.size, HEAD);
		CHECK_EQUAL(buffer.state.format, rows[i].format);
		CHECK_EQUAL(buffer.state.flags, rows[i].flags);
		if (!rows[i].format) {
			CHECK_EQUAL(buffer.state.hdr.vmx.vmxon_pa, NOWHERE);
			CHECK_EQUAL(buffer.state.hdr.vmx.vmcs12_pa, NOWHERE);
		}
		CHECK_EQUAL(set(&rig, &buffer), 0);
		buffer.state.format = !rows[i].format;
		check_refused(&rig, &buffer);
		kvm_close(&rig);
	}
}

/* --- VMX --- */

static union buffer vmx_state(uint64_t region, uint64_t vmcs, uint32_t pages, uint16_t flags)
{
	union buffer buffer = {.state = {.format = KVM_STATE_NESTED_FORMAT_VMX,
					 .size = HEAD + pages * PAGE,
					 .flags = flags}};
	uint32_t revision = REVISION;

	buffer.state.hdr.vmx.vmxon_pa = region;
	buffer.state.hdr.vmx.vmcs12_pa = vmcs;
	memcpy(buffer.room + HEAD, &revision, sizeof(revision));
	return buffer;
}

static void test_vmx_refused(void)
{
	union buffer rows[] = {
		vmx_state(0x2008, NOWHERE, 0, 0),
		vmx_state(1ull << 52, NOWHERE, 0, 0),
		vmx_state(NOWHERE, 0x3000, 1, 0),
		vmx_state(NOWHERE, NOWHERE, 0, KVM_STATE_NESTED_GUEST_MODE),
		vmx_state(0x2000, NOWHERE, 0, KVM_STATE_NESTED_GUEST_MODE),
		vmx_state(0x2000, 0x2000, 1, 0),
		vmx_state(0x2000, 0x3004, 1, 0),
		vmx_state(0x2000, 0x3000, 0, 0),
		vmx_state(0x2000, 0x3000, 1, KVM_STATE_NESTED_RUN_PENDING),
		vmx_state(0x2000, 0x3000, 1, KVM_STATE_NESTED_GIF_SET),
		vmx_state(0x2000, 0x3000, 1, KVM_STATE_NESTED_EVMCS),
		/* a VMCS of zeros is none that could have been entered */
		vmx_state(0x2000, 0x3000, 1, KVM_STATE_NESTED_GUEST_MODE),
		vmx_state(0x2000, 0x3000, 1, 0), /* to be changed below */
		vmx_state(0x2000, 0x3000, 1, 0),
	};
	struct kvm_rig rig;

	rows[sizeof(rows) / sizeof(rows[0]) - 1].room[HEAD]++; /* the revision */
	rows[sizeof(rows) / sizeof(rows[0]) - 2].state.hdr.vmx.flags = 2;
	kvm_open(&rig, "intel", false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_refused(&rig, &rows[i]);
	kvm_close(&rig);
}

/* What was set is there again: the VMXON region, the current VMCS with its launch state. */
static void test_vmx_kept(void)
{
	union buffer in = vmx_state(0x2000, NOWHERE, 0, 0), out;
	uint64_t rip = 0x123456789abc;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	CHECK_EQUAL(set(&rig, &in), 0);
	get(&rig, &out);
	CHECK_EQUAL(out.state.size, HEAD);
	CHECK_EQUAL(out.state.hdr.vmx.vmxon_pa, 0x2000);
	CHECK_EQUAL(out.state.hdr.vmx.vmcs12_pa, NOWHERE);
	in = vmx_state(0x2000, 0x3000, 1, 0);
	in.room[HEAD + 8] = 1; /* launched */
	memcpy(in.room + HEAD + GUEST_RIP, &rip, sizeof(rip));
	CHECK_EQUAL(set(&rig, &in), 0);
	get(&rig, &out);
	CHECK_EQUAL(out.state.size, HEAD + PAGE);
	CHECK_EQUAL(out.state.hdr.vmx.vmcs12_pa, 0x3000);
	CHECK_EQUAL(memcmp(in.room + HEAD, out.room + HEAD, 1024), 0);
	in = vmx_state(NOWHERE, NOWHERE, 0, 0);
	CHECK_EQUAL(set(&rig, &in), 0);
	get(&rig, &out);
	CHECK_EQUAL(out.state.hdr.vmx.vmxon_pa, NOWHERE);
	kvm_close(&rig);
}

/* --- SVM --- */

#define EFER_SVME 0x1000
#define HOST_CODE 0x6000
#define TABLE     0x7000

static void put(uint8_t *at, uint64_t value, size_t size)
{
	memcpy(at, &value, size);
}

static void put_segment(uint8_t *at, uint16_t attributes)
{
	put(at, 0x10, 2);
	put(at + 2, attributes, 2);
	put(at + 4, UINT32_MAX, 4);
}

/* A guest that exits at HLT; its host, with 32-bit paging, goes on at HOST_CODE (APM 2 tables B-1
 * and B-2; api.rst: the save area is the host's). */
static union buffer svm_state(void)
{
	union buffer buffer = {
		.state = {.format = KVM_STATE_NESTED_FORMAT_SVM,
			  .size = HEAD + PAGE,
			  .flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_GIF_SET}};
	uint8_t *vmcb = buffer.room + HEAD;

	buffer.state.hdr.svm.vmcb_pa = 0x5000;
	put(vmcb + 0x00c, 1 << 24, 4); /* HLT */
	put(vmcb + 0x010, 1, 4);       /* VMRUN */
	put(vmcb + 0x058, 1, 4);       /* ASID */
	put_segment(vmcb + 0x400, 0xc93);
	put_segment(vmcb + 0x410, 0xc9b);
	put_segment(vmcb + 0x420, 0xc93);
	put_segment(vmcb + 0x430, 0xc93);
	put(vmcb + 0x4d0, EFER_SVME, 8);
	put(vmcb + 0x548, 1 << 4, 8); /* CR4.PSE */
	put(vmcb + 0x550, TABLE, 8);
	put(vmcb + 0x558, 0x80000011, 8);
	put(vmcb + 0x570, 2, 8);
	put(vmcb + 0x578, HOST_CODE, 8);
	put(vmcb + 0x668, 0x0007040600070406, 8);
	return buffer;
}

static void set_efer(struct kvm_rig *rig, uint64_t efer)
{
	struct kvm_sregs sregs;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_SREGS, &sregs), 0);
	sregs.efer = efer;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_SREGS, &sregs), 0);
}

static void test_svm_refused(void)
{
	union buffer good = svm_state(), bad;
	struct kvm_rig rig;

	kvm_open(&rig, "amd", false);
	check_refused(&rig, &good); /* EFER.SVME = 0 */
	set_efer(&rig, EFER_SVME);
	bad = good;
	bad.state.size = HEAD;
	check_refused(&rig, &bad);
	bad = good;
	bad.state.hdr.svm.vmcb_pa++;
	check_refused(&rig, &bad);
	bad = good;
	put(bad.room + HEAD + 0x058, 0, 4); /* ASID 0 (APM 2:15.5.1) */
	check_refused(&rig, &bad);
	bad = good;
	put(bad.room + HEAD + 0x558, 0x11, 8); /* VMRUN wants protection; KVM, paging */
	check_refused(&rig, &bad);
	bad = good;
	put(bad.room + HEAD + 0x570, 0x20002, 8); /* not in virtual-8086 mode */
	check_refused(&rig, &bad);
	CHECK_EQUAL(set(&rig, &good), 0);
	kvm_close(&rig);
}

/* The guest goes on as it was set, and its #VMEXIT brings the host that was. */
static void test_svm_guest(void)
{
	union buffer buffer = svm_state(), again;
	struct kvm_rig rig;

	kvm_open(&rig, "amd", false);
	set_efer(&rig, EFER_SVME);
	kvm_code(&rig, CODE, 0xe6, 0x10, 0xf4);            /* out %al, $0x10; hlt */
	kvm_code(&rig, HOST_CODE, 0xe6, 0x11, 0xe6, 0x12); /* out %al, $0x11 … */
	put(rig.memory + TABLE, 0x83, 4);                  /* 4 MiB, one to one */
	CHECK_EQUAL(set(&rig, &buffer), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IO);
	CHECK_EQUAL(rig.run->io.port, 0x10);
	get(&rig, &again);
	CHECK_EQUAL(again.state.flags, buffer.state.flags);
	CHECK_EQUAL(again.state.size, HEAD + PAGE);
	CHECK_EQUAL(again.state.hdr.svm.vmcb_pa, 0x5000);
	CHECK_EQUAL(memcmp(buffer.room + HEAD + 0x400, again.room + HEAD + 0x400, 0x40), 0);
	CHECK_EQUAL(memcmp(buffer.room + HEAD + 0x548, again.room + HEAD + 0x548, 0x18), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IO);
	CHECK_EQUAL(rig.run->io.port, 0x11);
	get(&rig, &again);
	CHECK_EQUAL(again.state.flags, 0); /* GIF is 0 after a #VMEXIT */
	CHECK_EQUAL(again.state.size, HEAD);
	CHECK_EQUAL(rig.memory[0x5000 + 0x70], 0x78); /* VMEXIT_HLT */
	kvm_close(&rig);
}

/* With nested paging the guest has a PAT of its own, which newer kernels put behind vmcb_pa; the
 * MSR is the host's then, and a move takes both along. */
static void test_svm_pat(void)
{
	const uint64_t host = 0x0007040600070406, guest = 0x0606060606060606;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {.head = {.nmsrs = 1}, .entry = {.index = 0x277, .data = host}};
	union buffer buffer = svm_state(), again;
	uint8_t *pat = (uint8_t *)&buffer.state.hdr.svm + 8;
	struct kvm_rig rig;

	kvm_open(&rig, "amd", false);
	set_efer(&rig, EFER_SVME);
	put(buffer.room + HEAD + 0x090, 1, 8);
	put(buffer.room + HEAD + 0x0b0, TABLE, 8);
	put(pat, 1, 4);
	put(pat + 8, guest, 8);
	put(rig.memory + TABLE, 0x87, 4);
	kvm_code(&rig, CODE, 0x66, 0xb9, 0x77, 0x02, 0, 0, 0x0f, 0x32, 0xe6, 0x10); /* rdmsr; out */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_MSRS, &msr), 1);
	CHECK_EQUAL(set(&rig, &buffer), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_IO);
	CHECK_EQUAL(kvm_regs(&rig).rax, (uint32_t)guest);
	msr.entry.data = 0;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_MSRS, &msr), 1);
	CHECK_EQUAL(msr.entry.data, host);
	get(&rig, &again);
	CHECK_EQUAL(memcmp(pat, (uint8_t *)&again.state.hdr.svm + 8, 16), 0);
	CHECK_EQUAL(memcmp(again.room + HEAD + 0x668, &host, 8), 0);
	kvm_close(&rig);
}

/* APM 2:15.17: with GIF clear an NMI is held, so it does not wake a halted processor either. */
static void test_gif(void)
{
	struct kvm_mp_state halted = {.mp_state = KVM_MP_STATE_HALTED};
	union buffer buffer = {.state = {.format = KVM_STATE_NESTED_FORMAT_SVM, .size = HEAD}};
	struct kvm_rig rig;

	kvm_open(&rig, "amd", true);
	set_efer(&rig, EFER_SVME);
	CHECK_EQUAL(set(&rig, &buffer), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_MP_STATE, &halted), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_NMI, NULL), 0);
	CU_ASSERT_FALSE(rig.engine->ext->vcpu_runnable(rig.engine, rig.vcpu));
	buffer.state.flags = KVM_STATE_NESTED_GIF_SET;
	CHECK_EQUAL(set(&rig, &buffer), 0);
	CU_ASSERT_TRUE(rig.engine->ext->vcpu_runnable(rig.engine, rig.vcpu));
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"GIF", test_gif},
	{"size", test_size},
	{"nothing", test_nothing},
	{"VMX, refused", test_vmx_refused},
	{"VMX, kept", test_vmx_kept},
	{"SVM, refused", test_svm_refused},
	{"a guest of SVM", test_svm_guest},
	{"a guest's PAT", test_svm_pat},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("sim.nested_state", tests)
