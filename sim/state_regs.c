/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_regs and struct kvm_sregs (api.rst 4.11 to 4.14, 4.141). */
#include "apic/lapic.h"
#include "sim/cpu/flags.h"
#include "sim/state.h"

void state_get_regs(const struct cpu *cpu, struct kvm_regs *regs)
{
	const u64 *r = cpu->reg;

	*regs = (struct kvm_regs){
		.rax = r[REG_RAX], .rbx = r[REG_RBX], .rcx = r[REG_RCX], .rdx = r[REG_RDX],
		.rsi = r[REG_RSI], .rdi = r[REG_RDI], .rsp = r[REG_RSP], .rbp = r[REG_RBP],
		.r8 = r[REG_R8],   .r9 = r[REG_R9],   .r10 = r[REG_R10], .r11 = r[REG_R11],
		.r12 = r[REG_R12], .r13 = r[REG_R13], .r14 = r[REG_R14], .r15 = r[REG_R15],
		.rip = r[REG_RIP], .rflags = cpu_rflags(cpu),
	};
}

void state_set_regs(struct cpu *cpu, const struct kvm_regs *regs)
{
	const u64 values[] = {regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp,
			      regs->rsi, regs->rdi, regs->r8,  regs->r9,  regs->r10, regs->r11,
			      regs->r12, regs->r13, regs->r14, regs->r15};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(values); n++)
		cpu->reg[n] = values[n];
	cpu->reg[REG_RIP] = regs->rip;
	cpu_set_rflags(cpu, regs->rflags);
	cpu->exception_due = false; /* as KVM: a pending exception is dropped */
	cpu_update_mode(cpu);
}

/* --- segments --- */

static void get_segment(const struct cpu *cpu, unsigned int index, struct kvm_segment *out)
{
	const struct segment *seg = &cpu->seg[index];

	*out = (struct kvm_segment){
		.base = SEG_BASE(cpu, index),
		.limit = seg->limit,
		.selector = seg->selector,
		.type = seg->rights & SEG_TYPE,
		.s = (seg->rights & SEG_S) != 0,
		.dpl = (seg->rights & SEG_DPL) >> SEG_DPL_SHIFT,
		.present = (seg->rights & SEG_P) != 0,
		.avl = (seg->rights & SEG_AVL) != 0,
		.l = (seg->rights & SEG_L) != 0,
		.db = (seg->rights & SEG_DB) != 0,
		.g = (seg->rights & SEG_G) != 0,
		.unusable = (seg->rights & SEG_UNUSABLE) != 0,
	};
}

static void set_segment(struct cpu *cpu, unsigned int index, const struct kvm_segment *in)
{
	struct segment *seg = &cpu->seg[index];

	SEG_BASE(cpu, index) = in->base;
	seg->limit = in->limit;
	seg->selector = in->selector;
	seg->rights = (in->type & SEG_TYPE) | (in->s ? SEG_S : 0) |
		      ((u32)in->dpl << SEG_DPL_SHIFT & SEG_DPL) | (in->present ? SEG_P : 0) |
		      (in->avl ? SEG_AVL : 0) | (in->l ? SEG_L : 0) | (in->db ? SEG_DB : 0) |
		      (in->g ? SEG_G : 0) | (in->unusable || !in->present ? SEG_UNUSABLE : 0);
}

/* Where each segment register stands in the struct. */
#define SEGMENT(index, field) {index, offsetof(struct kvm_sregs, field)}
static const struct {
	enum segment_index index;
	size_t offset;
} segments[] = {SEGMENT(SEG_CS, cs), SEGMENT(SEG_DS, ds), SEGMENT(SEG_ES, es),
		SEGMENT(SEG_FS, fs), SEGMENT(SEG_GS, gs), SEGMENT(SEG_SS, ss),
		SEGMENT(SEG_TR, tr), SEGMENT(SEG_LDTR, ldt)};

static struct kvm_segment *segment_of(struct kvm_sregs *sregs, unsigned int n)
{
	return (struct kvm_segment *)((char *)sregs + segments[n].offset);
}

void state_get_sregs(const struct cpu *cpu, struct kvm_sregs *sregs)
{
	unsigned int n;

	*sregs = (struct kvm_sregs){
		.gdt = {.base = cpu->gdtr.base, .limit = cpu->gdtr.limit},
		.idt = {.base = cpu->idtr.base, .limit = cpu->idtr.limit},
		.cr0 = cpu->cr0, .cr2 = cpu->cr2, .cr3 = cpu->cr3, .cr4 = cpu->cr4,
		.efer = cpu->efer,
		.cr8 = cpu->lapic ? lapic_get_cr8(cpu->lapic) : 0,
		.apic_base = cpu->lapic ? cpu->lapic->base : 0,
	};
	for (n = 0; n < ARRAY_SIZE(segments); n++)
		get_segment(cpu, segments[n].index, segment_of(sregs, n));
}

/* Combinations that no processor can be in (SDM 3A:2.5, 3A:9.8.5). */
static bool consistent(const struct cpu *cpu, const struct kvm_sregs *sregs)
{
	bool paging = sregs->cr0 & CR0_PG, long_mode = sregs->efer & EFER_LMA;

	if (sregs->cr0 >> 32 || (paging && !(sregs->cr0 & CR0_PE)) ||
	    ((sregs->cr0 & CR0_NW) && !(sregs->cr0 & CR0_CD)))
		return false;
	if ((sregs->cr4 & cpu->cr4_reserved) || (sregs->efer & cpu->efer_reserved))
		return false;
	if (long_mode != (paging && (sregs->efer & EFER_LME)))
		return false;
	if (long_mode)
		return sregs->cr4 & CR4_PAE;
	return !sregs->cs.l;
}

static u8 find_cpl(const struct cpu *cpu)
{
	if (!(cpu->cr0 & CR0_PE))
		return 0;
	if (cpu->rflags & FLAG_VM)
		return 3;
	return (cpu->seg[SEG_SS].rights & SEG_DPL) >> SEG_DPL_SHIFT;
}

int state_set_sregs(struct cpu *cpu, const struct kvm_sregs *sregs)
{
	unsigned int n;

	if (!consistent(cpu, sregs))
		return -EINVAL;
	if (cpu->lapic && lapic_set_base(cpu->lapic, sregs->apic_base, true) < 0)
		return -EINVAL;
	for (n = 0; n < ARRAY_SIZE(segments); n++)
		set_segment(cpu, segments[n].index, segment_of((struct kvm_sregs *)sregs, n));
	cpu->gdtr = (struct descriptor_table){sregs->gdt.base, sregs->gdt.limit};
	cpu->idtr = (struct descriptor_table){sregs->idt.base, sregs->idt.limit};
	cpu->cr0 = sregs->cr0 | CR0_ET;
	cpu->cr2 = sregs->cr2;
	cpu->cr3 = sregs->cr3;
	cpu->cr4 = sregs->cr4;
	cpu->efer = sregs->efer;
	cpu->cpl = find_cpl(cpu);
	if (cpu->lapic)
		lapic_set_cr8(cpu->lapic, sregs->cr8);
	cpu_update_mode(cpu);
	cpu_flush_tlb(cpu);
	if ((cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !(cpu->efer & EFER_LMA))
		walk_load_pdptes(cpu->slots, &cpu->walk, cpu->cr3, cpu->walk.pdpte);
	return 0;
}
