/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of a hypervisor is interrupted by an SMI; in its handler the processor is taken away by
 * KVM's calls and set up in another VM, where RSM goes back to the guest and the guest exits to its
 * host (api.rst 4.114, 4.115; SDM 3C:32.14; APM 2:15.22).
 */
#include <errno.h>

#include "sim/svm-model/vmcb.h"
#include "sim/vmx-model/vmcs.h"
#include "tests/unit/sim/kvm_rig.h"

#define PAGE      4096u
#define HEAD      sizeof(struct kvm_nested_state)
#define HOST_CODE 0x6000u
#define TABLE     0x7000u
#define EPT       0x9000u
#define SAVE_AREA 0xb000u
#define REGION    0x2000u
#define BLOCK     0x5000u /* VMCS or VMCB */
#define HANDLER   0x38000u
#define PAT       0x0007040600070406u

#define PORT_GUEST   0x10
#define PORT_HANDLER 0x11
#define PORT_AGAIN   0x12
#define PORT_HOST    0x13

union buffer {
	struct kvm_nested_state state;
	uint8_t room[HEAD + 2 * PAGE];
};

union msr {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static void put(struct kvm_rig *rig, uint32_t at, uint64_t value, size_t size)
{
	memcpy(rig->memory + at, &value, size);
}

static void set_msr(struct kvm_rig *rig, uint32_t index, uint64_t value)
{
	union msr msr = {.head = {.nmsrs = 1}};

	msr.head.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_MSRS, &msr), 1);
}

/* --- what both vendors' guests run --- */

static void write_code(struct kvm_rig *rig)
{
	kvm_code(rig, CODE, 0xe6, PORT_GUEST, 0xe6, PORT_AGAIN, 0xf4);
	kvm_code(rig, HANDLER, 0xe6, PORT_HANDLER, 0x0f, 0xaa);
	kvm_code(rig, HOST_CODE, 0xe6, PORT_HOST, 0xf4);
	put(rig, TABLE, 0x83, 4); /* 4 MiB, one to one */
}

static void check_port(struct kvm_rig *rig, uint16_t port)
{
	CHECK_EQUAL(kvm_run(rig), KVM_EXIT_IO);
	CHECK_EQUAL(rig->run->io.port, port);
}

static void get(struct kvm_rig *rig, union buffer *to)
{
	to->state.size = sizeof(*to);
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_NESTED_STATE, to), 0);
}

/* The answer to the last OUT is given with the next KVM_RUN. */
static void finish_access(struct kvm_rig *rig)
{
	rig->run->immediate_exit = 1;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_RUN, NULL), -EINTR);
	rig->run->immediate_exit = 0;
}

static void move(struct kvm_rig *from, struct kvm_rig *to, const union buffer *nested)
{
	static const unsigned long calls[][2] = {
		{KVM_GET_SREGS, KVM_SET_SREGS},
		{KVM_GET_REGS, KVM_SET_REGS},
		{KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS},
	};
	uint64_t room[64];

	memcpy(to->memory, from->memory, KVM_MEMORY);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		CHECK_EQUAL(kvm_vcpu_call(from, calls[i][0], room), 0);
		CHECK_EQUAL(kvm_vcpu_call(to, calls[i][1], room), 0);
	}
	CHECK_EQUAL(kvm_vcpu_call(to, KVM_SET_NESTED_STATE, nested), 0);
}

/* Behind RSM: the guest, which HLT ends, and then its host. */
static void check_rest(struct kvm_rig *rig)
{
	union buffer buffer;

	check_port(rig, PORT_AGAIN);
	get(rig, &buffer);
	CHECK_EQUAL(buffer.state.flags & KVM_STATE_NESTED_GUEST_MODE, KVM_STATE_NESTED_GUEST_MODE);
	check_port(rig, PORT_HOST);
	get(rig, &buffer);
	CHECK_EQUAL(buffer.state.flags & KVM_STATE_NESTED_GUEST_MODE, 0);
}

/* --- VMX: a guest in real mode on EPT --- */

static void set_segment(u64 *value, enum vmcs_field base, u16 selector, u32 rights)
{
	unsigned int n = base - VMCS_GUEST_ES_SELECTOR;

	value[VMCS_GUEST_ES_SELECTOR + n] = selector;
	value[VMCS_GUEST_ES_BASE + n] = selector << 4;
	value[VMCS_GUEST_ES_LIMIT + n] = 0xffff;
	value[VMCS_GUEST_ES_RIGHTS + n] = rights;
}

static void fill_controls(u64 *value)
{
	value[VMCS_PIN_CONTROLS] = 0x16;
	value[VMCS_PRIMARY_CONTROLS] = 0x8401e172u | 1u << 7; /* secondary ones, HLT */
	value[VMCS_SECONDARY_CONTROLS] = 1u << 1 | 1u << 7;   /* EPT, unrestricted guest */
	value[VMCS_EXIT_CONTROLS] = 0x36dff;
	value[VMCS_ENTRY_CONTROLS] = 0x11ff;
	value[VMCS_EPTP] = EPT | 3 << 3 | 6;
	value[VMCS_VMCS_LINK_POINTER] = UINT64_MAX;
}

static void fill_guest(u64 *value)
{
	for (unsigned int i = VMCS_GUEST_ES_SELECTOR; i <= VMCS_GUEST_GS_SELECTOR; i++)
		set_segment(value, i, 0, 0x93);
	set_segment(value, VMCS_GUEST_LDTR_SELECTOR, 0, 0x10000);
	set_segment(value, VMCS_GUEST_TR_SELECTOR, 0, 0x8b);
	value[VMCS_GUEST_CS_RIGHTS] = 0x9b;
	value[VMCS_GUEST_CR0] = 0x30;
	value[VMCS_GUEST_CR4] = 0x2000;
	value[VMCS_GUEST_DR7] = 0x400;
	value[VMCS_GUEST_RFLAGS] = 2;
	value[VMCS_GUEST_RIP] = CODE;
}

static void fill_host(u64 *value)
{
	value[VMCS_HOST_CR0] = 0x80000031;
	value[VMCS_HOST_CR3] = TABLE;
	value[VMCS_HOST_CR4] = 0x2010;
	value[VMCS_HOST_CS_SELECTOR] = 8;
	value[VMCS_HOST_SS_SELECTOR] = value[VMCS_HOST_DS_SELECTOR] = 0x10;
	value[VMCS_HOST_ES_SELECTOR] = 0x10;
	value[VMCS_HOST_TR_SELECTOR] = 0x18;
	value[VMCS_HOST_RIP] = HOST_CODE;
}

static union buffer vmx_state(void)
{
	union buffer buffer = {.state = {.format = KVM_STATE_NESTED_FORMAT_VMX,
					 .size = HEAD + PAGE,
					 .flags = KVM_STATE_NESTED_GUEST_MODE}};
	static u64 value[VMCS_FIELD_COUNT];
	uint32_t revision = VMCS_REVISION;

	buffer.state.hdr.vmx.vmxon_pa = REGION;
	buffer.state.hdr.vmx.vmcs12_pa = BLOCK;
	fill_controls(value);
	fill_guest(value);
	fill_host(value);
	memcpy(buffer.room + HEAD, &revision, sizeof(revision));
	vmcs_store(value, buffer.room + HEAD);
	buffer.room[HEAD + VMCS_STATE_OFFSET] = 1;
	return buffer;
}

static void set_guest_cr(struct kvm_rig *rig)
{
	struct kvm_sregs sregs;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_SREGS, &sregs), 0);
	sregs.cr0 = 0x30;
	sregs.cr4 = 0x2000;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_SREGS, &sregs), 0);
}

static void test_vmx(void)
{
	union buffer in = vmx_state(), out, bad;
	struct kvm_rig rig, other;
	u64 rip;

	kvm_open(&rig, "intel", true);
	kvm_open(&other, "intel", true);
	set_msr(&rig, 0x3a, 5);
	set_msr(&other, 0x3a, 5);
	set_guest_cr(&rig);
	write_code(&rig);
	put(&rig, EPT, (EPT + PAGE) | 7, 8);
	put(&rig, EPT + PAGE, 0x80 | 6 << 3 | 7, 8);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_NESTED_STATE, &in), 0);
	check_port(&rig, PORT_GUEST);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SMI, NULL), 0);
	check_port(&rig, PORT_HANDLER);
	finish_access(&rig);
	get(&rig, &out);
	CHECK_EQUAL(out.state.flags, 0);
	CHECK_EQUAL(out.state.hdr.vmx.smm.flags,
		    KVM_STATE_NESTED_SMM_VMXON | KVM_STATE_NESTED_SMM_GUEST_MODE);
	CHECK_EQUAL(out.state.size, HEAD + PAGE);
	memcpy(&rip, out.room + HEAD + vmcs_fields[VMCS_GUEST_RIP].offset, sizeof(rip));
	CHECK_EQUAL(rip, CODE + 2);
	/* Outside SMM there is nothing that it has interrupted, and in it no guest. */
	CHECK_EQUAL(kvm_vcpu_call(&other, KVM_SET_NESTED_STATE, &out), -EINVAL);
	bad = out;
	bad.state.flags = KVM_STATE_NESTED_GUEST_MODE;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_NESTED_STATE, &bad), -EINVAL);
	bad = out;
	bad.state.hdr.vmx.smm.flags = KVM_STATE_NESTED_SMM_GUEST_MODE;
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_NESTED_STATE, &bad), -EINVAL);
	move(&rig, &other, &out);
	check_rest(&other);
	kvm_close(&rig);
	kvm_close(&other);
}

/* --- SVM --- */

static void fill_segment(u64 *value, enum vmcb_field at, u16 attributes, u32 limit)
{
	value[at + VMCB_SELECTOR] = limit > 0xffff ? 0x10 : 0;
	value[at + VMCB_ATTRIB] = attributes;
	value[at + VMCB_LIMIT] = limit;
}

/* The guest's VMCB in memory; in KVM's state the save area is the host's. */
static void fill_vmcb(u64 *value)
{
	value[VMCB_INTERCEPTS_3] = 1u << 24; /* HLT */
	value[VMCB_INTERCEPTS_4] = 1;        /* VMRUN */
	value[VMCB_GUEST_ASID] = 1;
	fill_segment(value, VMCB_ES_SELECTOR, 0xc93, UINT32_MAX);
	fill_segment(value, VMCB_CS_SELECTOR, 0xc9b, UINT32_MAX);
	fill_segment(value, VMCB_SS_SELECTOR, 0xc93, UINT32_MAX);
	fill_segment(value, VMCB_DS_SELECTOR, 0xc93, UINT32_MAX);
	value[VMCB_EFER] = 0x1000;
	value[VMCB_CR4] = 0x10;
	value[VMCB_CR3] = TABLE;
	value[VMCB_CR0] = 0x80000011;
	value[VMCB_RFLAGS] = 2;
	value[VMCB_RIP] = HOST_CODE;
	value[VMCB_G_PAT] = PAT;
}

static union buffer svm_state(struct kvm_rig *rig)
{
	union buffer buffer = {
		.state = {.format = KVM_STATE_NESTED_FORMAT_SVM,
			  .size = HEAD + PAGE,
			  .flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_GIF_SET}};
	static u64 value[VMCB_FIELD_COUNT];

	buffer.state.hdr.svm.vmcb_pa = BLOCK;
	fill_vmcb(value);
	vmcb_store_all(value, buffer.room + HEAD);
	vmcb_store_all(value, rig->memory + BLOCK);
	return buffer;
}

static void set_efer(struct kvm_rig *rig)
{
	struct kvm_sregs sregs;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_SREGS, &sregs), 0);
	sregs.efer = 0x1000;
	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_SET_SREGS, &sregs), 0);
}

static void test_svm(void)
{
	struct kvm_rig rig, other;
	union buffer in, out;

	kvm_open(&rig, "amd", true);
	kvm_open(&other, "amd", true);
	in = svm_state(&rig);
	set_efer(&rig);
	set_efer(&other);
	set_msr(&rig, 0xc0010117, SAVE_AREA);
	set_msr(&other, 0xc0010117, SAVE_AREA);
	write_code(&rig);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_NESTED_STATE, &in), 0);
	check_port(&rig, PORT_GUEST);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SMI, NULL), 0);
	check_port(&rig, PORT_HANDLER);
	finish_access(&rig);
	get(&rig, &out);
	CHECK_EQUAL(out.state.flags, KVM_STATE_NESTED_GIF_SET);
	CHECK_EQUAL(out.state.size, HEAD);
	move(&rig, &other, &out);
	check_rest(&other);
	CHECK_EQUAL(other.memory[BLOCK + 0x70], 0x78); /* VMEXIT_HLT */
	kvm_close(&rig);
	kvm_close(&other);
}

static CU_TestInfo tests[] = {
	{"VMX", test_vmx},
	{"SVM", test_svm},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("sim.nested_smm", tests)
