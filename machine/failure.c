/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu_model.h"
#include "machine/internal.h"
#include "machine/view.h"

#define VENDOR_AMD_EBX 0x68747541u /* "Auth" */

#define MSR_PAT          0x277
#define MSR_DEBUGCTL     0x1d9
#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_EFER_SVME    0x1000u

/* What there is of a vCPU. */
struct readable {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	bool has_debug, has_events;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct vcpu *vcpu;
};

static bool read_msr(const struct readable *from, uint32_t number, uint64_t *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {.head = {.nmsrs = 1}, .entry = {.index = number}};
	struct vcpu *vcpu = from->vcpu;

	if (ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
		return false;
	*value = msrs.entry.data;
	return true;
}

/* ES to GS, LDTR, TR: as VMCS and VMCB have them. */
static void list_segments(const struct readable *from, const struct kvm_segment *segment[8])
{
	const struct kvm_sregs *s = &from->sregs;
	const struct kvm_segment *const all[] = {&s->es, &s->cs, &s->ss,  &s->ds,
						 &s->fs, &s->gs, &s->ldt, &s->tr};

	memcpy(segment, all, sizeof(all));
}

/* --- VMX: "ENCODING NAME: VALUE" (SDM 3D appendix B) --- */

static void put(FILE *to, unsigned int encoding, const char *name, uint64_t value)
{
	fprintf(to, "%04x %s: %llx\n", encoding, name, (unsigned long long)value);
}

/* SDM 3C:25.4.1, table 25-2. */
static uint32_t vmx_rights(const struct kvm_segment *s)
{
	if (s->unusable)
		return 1u << 16;
	return s->type | (uint32_t)s->s << 4 | (uint32_t)s->dpl << 5 | (uint32_t)s->present << 7 |
	       (uint32_t)s->avl << 12 | (uint32_t)s->l << 13 | (uint32_t)s->db << 14 |
	       (uint32_t)s->g << 15;
}

static void put_vmx_segments(const struct readable *from, FILE *to)
{
	const struct kvm_segment *segment[8];

	list_segments(from, segment);
	for (unsigned int n = 0; n < 8; n++) {
		put(to, 0x800 + 2 * n, "GUEST_SELECTOR", segment[n]->selector);
		put(to, 0x4800 + 2 * n, "GUEST_LIMIT", segment[n]->limit);
		put(to, 0x4814 + 2 * n, "GUEST_RIGHTS", vmx_rights(segment[n]));
		put(to, 0x6806 + 2 * n, "GUEST_BASE", segment[n]->base);
	}
	put(to, 0x4810, "GUEST_GDTR_LIMIT", from->sregs.gdt.limit);
	put(to, 0x6816, "GUEST_GDTR_BASE", from->sregs.gdt.base);
	put(to, 0x4812, "GUEST_IDTR_LIMIT", from->sregs.idt.limit);
	put(to, 0x6818, "GUEST_IDTR_BASE", from->sregs.idt.base);
}

static void put_vmx_msrs(const struct readable *from, FILE *to)
{
	static const struct {
		uint32_t number, encoding;
		const char *name;
	} msrs[] = {
		{MSR_DEBUGCTL, 0x2802, "GUEST_DEBUGCTL"},
		{MSR_PAT, 0x2804, "GUEST_PAT"},
		{MSR_SYSENTER_CS, 0x482a, "GUEST_SYSENTER_CS"},
		{MSR_SYSENTER_ESP, 0x6824, "GUEST_SYSENTER_ESP"},
		{MSR_SYSENTER_EIP, 0x6826, "GUEST_SYSENTER_EIP"},
	};
	uint64_t value;

	for (size_t n = 0; n < sizeof(msrs) / sizeof(msrs[0]); n++)
		if (read_msr(from, msrs[n].number, &value))
			put(to, msrs[n].encoding, msrs[n].name, value);
}

/* SDM 3C:25.4.2, table 25-3. A guest of KVM's in SMM runs outside it on the processor, which blocks
 * no SMIs then. */
static uint32_t vmx_interruptibility(const struct kvm_vcpu_events *events)
{
	return (events->interrupt.shadow & KVM_X86_SHADOW_INT_STI ? 1 : 0) |
	       (events->interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS ? 2 : 0) |
	       (events->nmi.masked ? 8 : 0);
}

/* KVM runs guests with CR0.NE and CR4.VMXE set, whatever they see. */
#define CR0_NE   0x20u
#define CR4_VMXE 0x2000u

static void put_vmcs(const struct readable *from, FILE *to)
{
	put_vmx_segments(from, to);
	put_vmx_msrs(from, to);
	put(to, 0x6800, "GUEST_CR0", from->sregs.cr0 | CR0_NE);
	put(to, 0x6802, "GUEST_CR3", from->sregs.cr3);
	put(to, 0x6804, "GUEST_CR4", from->sregs.cr4 | CR4_VMXE);
	put(to, 0x2806, "GUEST_EFER", from->sregs.efer);
	put(to, 0x681c, "GUEST_RSP", from->regs.rsp);
	put(to, 0x681e, "GUEST_RIP", from->regs.rip);
	put(to, 0x6820, "GUEST_RFLAGS", from->regs.rflags);
	if (from->has_debug)
		put(to, 0x681a, "GUEST_DR7", from->debug.dr7);
	if (from->has_events)
		put(to, 0x4824, "GUEST_INTERRUPTIBILITY", vmx_interruptibility(&from->events));
}

/* --- SVM: kvm_amd's form (APM 2:4.9.1, 15.5.1: twelve bits of attributes) --- */

static uint32_t svm_attributes(const struct kvm_segment *s)
{
	uint32_t rights = vmx_rights(s);

	return s->unusable ? 0 : (rights & 0xff) | (rights >> 4 & 0xf00);
}

static void put_svm_segments(const struct readable *from, FILE *to)
{
	static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
	const struct kvm_segment *segment[8];

	list_segments(from, segment);
	for (unsigned int n = 0; n < 8; n++)
		fprintf(to, "%s: s: %04x a: %04x l: %08x b: %016llx\n", names[n],
			segment[n]->selector, svm_attributes(segment[n]), segment[n]->limit,
			segment[n]->base);
	fprintf(to, "gdtr: s: 0000 a: 0000 l: %08x b: %016llx\n", from->sregs.gdt.limit,
		from->sregs.gdt.base);
	fprintf(to, "idtr: s: 0000 a: 0000 l: %08x b: %016llx\n", from->sregs.idt.limit,
		from->sregs.idt.base);
}

/* KVM runs guests with EFER.SVME set, whatever they see. */
static void put_vmcb(const struct readable *from, FILE *to)
{
	uint64_t pat;

	fputs("VMCB Control Area:\nVMCB State Save Area:\n", to);
	put_svm_segments(from, to);
	fprintf(to, "cpl: %u efer: %016llx\n", from->sregs.ss.dpl,
		from->sregs.efer | MSR_EFER_SVME);
	fprintf(to, "cr0: %016llx cr2: %016llx\n", from->sregs.cr0, from->sregs.cr2);
	fprintf(to, "cr3: %016llx cr4: %016llx\n", from->sregs.cr3, from->sregs.cr4);
	fprintf(to, "rip: %016llx rflags: %016llx\n", from->regs.rip, from->regs.rflags);
	fprintf(to, "rsp: %016llx rax: %016llx\n", from->regs.rsp, from->regs.rax);
	if (from->has_debug)
		fprintf(to, "dr6: %016llx dr7: %016llx\n", from->debug.dr6, from->debug.dr7);
	if (read_msr(from, MSR_PAT, &pat))
		fprintf(to, "gpat: %016llx\n", (unsigned long long)pat);
}

/* --- both --- */

static bool read_vcpu(struct vcpu *vcpu, struct readable *to)
{
	struct ls_engine *engine = vcpu->machine->engine;

	to->vcpu = vcpu;
	to->has_debug = ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_DEBUGREGS, &to->debug) >= 0;
	to->has_events = ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_VCPU_EVENTS, &to->events) >= 0;
	return ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_REGS, &to->regs) >= 0 &&
	       ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_SREGS, &to->sregs) >= 0;
}

static bool is_amd(const struct vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *vendor =
		vcpu->cpuid ? cpuid_find(&vcpu->cpuid->head, 0, 0) : NULL;

	return vendor && vendor->ebx == VENDOR_AMD_EBX;
}

/* What KVM says that it could not emulate, or what memory holds there. */
static void read_code(struct vcpu *vcpu, const struct readable *from, struct machine_failure *to)
{
	const struct kvm_run *run = vcpu->run;
	const struct machine_view view = {.vcpu = vcpu->index};
	bool linear = from->sregs.cs.l;

	to->rip = from->regs.rip;
	to->code_bits = linear ? 64 : from->sregs.cs.db ? 32 : 16;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	    run->emulation_failure.suberror == KVM_INTERNAL_ERROR_EMULATION &&
	    run->emulation_failure.ndata >= 3 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) &&
	    run->emulation_failure.insn_size <= FAILURE_CODE) {
		to->code_size = run->emulation_failure.insn_size;
		memcpy(to->code, run->emulation_failure.insn_bytes, to->code_size);
		return;
	}
	to->code_size = (unsigned int)machine_view_read(
		vcpu->machine, &view, (linear ? 0 : from->sregs.cs.base) + from->regs.rip, to->code,
		FAILURE_CODE);
}

void failure_tell(struct vcpu *vcpu)
{
	const struct machine_config *config = &vcpu->machine->config;
	struct machine_failure failure = {.vcpu = vcpu->index};
	struct readable readable;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!config->failed || !read_vcpu(vcpu, &readable) || !(to = open_memstream(&text, &size)))
		return;
	if (is_amd(vcpu))
		put_vmcb(&readable, to);
	else
		put_vmcs(&readable, to);
	fclose(to);
	failure.state = text;
	read_code(vcpu, &readable, &failure);
	config->failed(config->failed_opaque, &failure);
	free(text);
}
