/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/svm-model/translation.h"
#include "mmu/sticky.h"
#include "sim/cpu/address_space.h"

/* Where the guest's APIC page is found: beyond all memory, for the processor itself does the
 * accesses. */
#define APIC_ELSEWHERE BIT(52)

/* Nested paging's own translations, for a sticky TLB, stand beside the ASID's. */
#define NESTED BIT(62)

/* Worlds whose APIC page is redirected stand beside the ASID's, too, and are dropped with it. */
#define AVIC BIT(61)

static u64 world_of(u32 asid)
{
	return asid ? asid : WORLD_HOST;
}

/* Keys protect linear addresses, not what nested tables map. */
static u64 nested_cr4(const struct svm *svm)
{
	return svm->host.cr4 & ~(CR4_PKE | CR4_PKS);
}

/* What walks found through other nested tables, or by the rules of another host, is forgotten. */
static void open_second_stage(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	struct walk_registers *host = &svm->second.host;
	u64 asid = svm->value[VMCB_GUEST_ASID], root = svm->value[VMCB_N_CR3];
	bool traps = cpu_has(cpu, FEATURE_GMET) && (svm->value[VMCB_NP_CONTROL] & NP_GMET);

	if (asid != svm->second_asid || root != host->cr3 || traps != svm->second.execute_trap ||
	    host->cr0 != svm->host.cr0 || host->cr4 != nested_cr4(svm) ||
	    host->efer != svm->host.efer)
		second_stage_flush(&svm->second);
	svm->second_asid = asid;
	svm->second.kind = SECOND_STAGE_NPT;
	svm->second.execute_trap = traps;
	*host = cpu->walk;
	host->second = NULL;
	host->pcid = 0;
	if (host->sticky)
		host->space = sticky_space(host->sticky, NESTED | asid);
	svm->second.apic_target = APIC_ELSEWHERE;
	host->cr0 = svm->host.cr0;
	host->cr3 = root;
	host->cr4 = nested_cr4(svm);
	host->efer = svm->host.efer;
}

/* Returns what this adds to the world's name. A TLB may well hold the page of another guest with
 * the same ASID (APM 2:15.29.4.3); here it is looked up at each access. */
static u64 redirect_apic(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	if (!svm_avic(cpu) || svm_x2avic(cpu)) {
		cpu->apic_access_end = svm->second.apic_end = 0;
		return 0;
	}
	cpu->apic_access_end = APIC_ELSEWHERE | PAGE_OFFSET_MASK;
	svm->second.apic_end = svm->value[VMCB_AVIC_APIC_BAR] | PAGE_OFFSET_MASK;
	return AVIC;
}

/* A flush of "this guest's" is one of its ASID; other values than the manual's flush as much. */
static void control_tlb(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	switch (svm->value[VMCB_TLB_CONTROL]) {
	case TLB_KEEP:
		return;
	case TLB_FLUSH_ALL:
		cpu_flush_all(cpu);
		break;
	default:
		cpu_flush_worlds(cpu, ~(NESTED | AVIC), world_of(svm->value[VMCB_GUEST_ASID]));
	}
	second_stage_flush(&svm->second);
}

void svm_world_return(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	if (svm_nested_paging(svm)) {
		open_second_stage(cpu);
		cpu->walk.second = &svm->second;
	}
	cpu_enter_world(cpu, world_of(svm->value[VMCB_GUEST_ASID]) | redirect_apic(cpu));
	cpu_update_mode(cpu);
}

void svm_world_enter(struct cpu *cpu)
{
	control_tlb(cpu);
	svm_world_return(cpu);
}

void svm_world_leave(struct cpu *cpu)
{
	cpu->walk.second = NULL;
	cpu->apic_access_end = 0;
	cpu_enter_world(cpu, WORLD_HOST);
	cpu_update_mode(cpu);
}

void svm_world_invalidate(struct cpu *cpu, u64 linear, u32 asid)
{
	struct svm *svm = svm_of(cpu);

	cpu_flush_linear_in(cpu, ~AVIC, world_of(asid), linear);
	if (asid == svm->second_asid)
		second_stage_flush(&svm->second);
}
