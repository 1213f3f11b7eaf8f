/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_regs, kvm_sregs and kvm_sregs2 (api.rst: KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_SREGS2
 * and their setters): the rows of state.def, and what must hold between them. */
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/state_table.h"
#include "sim/state.h"

void state_get_regs(const struct cpu *cpu, struct kvm_regs *regs)
{
	state_store_kvm(cpu, STATE_IN_REGS, regs);
}

void state_set_regs(struct cpu *cpu, const struct kvm_regs *regs)
{
	state_load_kvm(cpu, STATE_IN_REGS, regs);
	cpu_set_rflags(cpu, regs->rflags);
	cpu->exception_due = false; /* as KVM: a pending exception is dropped */
	cpu_update_mode(cpu);
}

/* --- segments and control registers --- */

static bool pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA);
}

void state_get_sregs(const struct cpu *cpu, struct kvm_sregs *sregs)
{
	int vector = event_external(cpu);

	*sregs = (struct kvm_sregs){0};
	state_store_kvm(cpu, STATE_IN_SREGS, sregs);
	if (vector >= 0)
		sregs->interrupt_bitmap[vector / 64] = BIT(vector % 64);
}

void state_get_sregs2(const struct cpu *cpu, struct kvm_sregs2 *sregs)
{
	*sregs = (struct kvm_sregs2){0};
	state_store_kvm(cpu, STATE_IN_SREGS, sregs);
	if (!pae_paging(cpu->cr0, cpu->cr4, cpu->efer))
		return;
	__builtin_memcpy(sregs->pdptrs, cpu->walk.pdpte, sizeof(sregs->pdptrs));
	sregs->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
}

/* Combinations that no processor can be in (SDM 3A:2.5, 3A:9.8.5). */
static bool consistent(const struct cpu *cpu, const struct kvm_sregs2 *sregs)
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

/* @sregs has been found consistent. */
static int load_sregs(struct cpu *cpu, const struct kvm_sregs2 *sregs)
{
	if (!cpu_set_apic_base(cpu, sregs->apic_base, true))
		return -EINVAL;
	state_load_kvm(cpu, STATE_IN_SREGS, sregs);
	cpu->cr0 |= CR0_ET;
	cpu->cpl = find_cpl(cpu);
	cpu_set_cr8(cpu, sregs->cr8);
	cpu_update_mode(cpu);
	cpu_flush_tlb(cpu);
	return 0;
}

static void load_pdptes(struct cpu *cpu)
{
	struct walk_result walk;

	if (pae_paging(cpu->cr0, cpu->cr4, cpu->efer))
		walk_load_pdptes(cpu->slots, &cpu->walk, cpu->cr3, cpu->walk.pdpte, &walk);
}

/* interrupt_bitmap: "at most one bit may be set; this interrupt has been acknowledged". */
static void queue_interrupt(struct cpu *cpu, const struct kvm_sregs *sregs)
{
	unsigned int vector;

	for (vector = 0; vector < 256; vector++)
		if (sregs->interrupt_bitmap[vector / 64] >> vector % 64 & 1) {
			event_resume_external(cpu, vector);
			return;
		}
}

int state_set_sregs(struct cpu *cpu, const struct kvm_sregs *sregs)
{
	struct kvm_sregs2 both = {0};
	int ret;

	__builtin_memcpy(&both, sregs, offsetof(struct kvm_sregs, interrupt_bitmap));
	if (!consistent(cpu, &both))
		return -EINVAL;
	ret = load_sregs(cpu, &both);
	if (ret)
		return ret;
	load_pdptes(cpu);
	queue_interrupt(cpu, sregs);
	return 0;
}

int state_set_sregs2(struct cpu *cpu, const struct kvm_sregs2 *sregs)
{
	bool given = sregs->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID;
	int ret;

	if ((sregs->flags & ~(u64)KVM_SREGS2_FLAGS_PDPTRS_VALID) || !consistent(cpu, sregs) ||
	    (given && !pae_paging(sregs->cr0, sregs->cr4, sregs->efer)))
		return -EINVAL;
	ret = load_sregs(cpu, sregs);
	if (ret)
		return ret;
	if (given)
		__builtin_memcpy(cpu->walk.pdpte, sregs->pdptrs, sizeof(sregs->pdptrs));
	else
		load_pdptes(cpu);
	return 0;
}

/* --- debug registers --- */

void state_get_debug(const struct cpu *cpu, struct kvm_debugregs *regs)
{
	*regs = (struct kvm_debugregs){0};
	state_store_kvm(cpu, STATE_IN_DEBUGREGS, regs);
}

int state_set_debug(struct cpu *cpu, const struct kvm_debugregs *regs)
{
	if (regs->flags || regs->dr6 >> 32 || regs->dr7 >> 32)
		return -EINVAL;
	state_load_kvm(cpu, STATE_IN_DEBUGREGS, regs);
	cpu_update_mode(cpu);
	return 0;
}
