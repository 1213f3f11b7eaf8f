/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which TLB context stands for the current address space and privilege. An asid is handed out for
 * every PCID in use and taken away when that PCID is flushed, so that only using up all asids
 * flushes the TLB itself. Dropping more than the architecture asks (global pages with bit 63 clear)
 * is always allowed (SDM 3A:4.10.2).
 */
#include "sim/cpu/address_space.h"

/* Addresses with bit 63 set share one context, so they have to be looked for. */
static void drop_upper(struct cpu *cpu)
{
	tlb_flush_upper(&cpu->tlb);
	cpu->space.upper = cpu->space.upper_local = false;
}

static void forget_large_pages(struct cpu *cpu)
{
	cpu->space.large_low[0] = cpu->space.large_low[1] = UINT64_MAX;
	cpu->space.large_high[0] = cpu->space.large_high[1] = 0;
}

static void forget_pcids(struct cpu *cpu)
{
	if (cpu->space.pcids)
		__builtin_memset(cpu->space.of_pcid, 0, sizeof(cpu->space.of_pcid));
	cpu->space.of_pcid[0] = 0;
	cpu->space.pcids = false;
}

static u16 current_pcid(const struct cpu *cpu)
{
	return cpu->cr4 & CR4_PCIDE ? cpu->cr3 & 0xfff : 0;
}

/* An asid under which the TLB holds nothing. */
static u16 new_asid(struct cpu *cpu)
{
	if (cpu->space.next == 0 || cpu->space.next == TLB_ASIDS) {
		tlb_flush_all(&cpu->tlb);
		forget_pcids(cpu);
		cpu->space.next = 1;
	}
	return cpu->space.next++;
}

/* @asid 0: a new one. */
static void enter_asid(struct cpu *cpu, u16 asid)
{
	u16 pcid = current_pcid(cpu);

	if (!asid)
		asid = new_asid(cpu);
	cpu->space.of_pcid[pcid] = asid;
	cpu->space.pcids |= pcid != 0;
	cpu->space.current = asid;
	address_space_update(cpu);
}

void cpu_flush_tlb(struct cpu *cpu)
{
	forget_pcids(cpu);
	forget_large_pages(cpu);
	tlb_flush_global(&cpu->tlb);
	if (cpu->space.upper)
		drop_upper(cpu);
	enter_asid(cpu, 0);
}

void cpu_switch_address_space(struct cpu *cpu, bool keep)
{
	if (cpu->space.upper_local)
		drop_upper(cpu);
	enter_asid(cpu, keep ? cpu->space.of_pcid[current_pcid(cpu)] : 0);
}

void cpu_flush_nonglobal(struct cpu *cpu)
{
	forget_pcids(cpu);
	cpu_switch_address_space(cpu, false);
}

void cpu_flush_pcid(struct cpu *cpu, u16 pcid)
{
	cpu->space.of_pcid[pcid] = 0;
	if (pcid == current_pcid(cpu))
		cpu_switch_address_space(cpu, false);
}

void cpu_flush_linear(struct cpu *cpu, u64 linear)
{
	unsigned int half = linear >> 63;

	if (linear >= cpu->space.large_low[half] && linear <= cpu->space.large_high[half])
		cpu_flush_tlb(cpu);
	else
		tlb_flush_page(&cpu->tlb, linear);
}

/* SMAP looks at RFLAGS.AC for explicit supervisor accesses. */
static enum tlb_privilege privilege(const struct cpu *cpu)
{
	if (cpu->cpl == 3)
		return TLB_USER;
	return (cpu->rflags & FLAG_AC) ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
}

/* Accesses that need more than a translation: alignment checks and data breakpoints. */
static bool accesses_are_checked(const struct cpu *cpu)
{
	bool alignment = cpu->cpl == 3 && (cpu->cr0 & CR0_AM) && (cpu->rflags & FLAG_AC);

	return alignment || cpu_watches(cpu);
}

/* True if a register changed from which permissions in the TLB were computed. */
static bool permissions_changed(const struct cpu *cpu)
{
	const u64 cr4 = CR4_PSE | CR4_PAE | CR4_LA57 | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS |
			CR4_CET | CR4_PGE | CR4_PCIDE;

	return ((cpu->walk.cr0 ^ cpu->cr0) & (CR0_WP | CR0_PG | CR0_PE)) ||
	       ((cpu->walk.cr4 ^ cpu->cr4) & cr4) ||
	       ((cpu->walk.efer ^ cpu->efer) & (EFER_NXE | EFER_LMA)) ||
	       cpu->walk.pkru != cpu->pkru || cpu->walk.pkrs != cpu->msr[MSR_PKRS];
}

static void mirror_registers(struct cpu *cpu)
{
	cpu->walk.cr0 = cpu->cr0;
	cpu->walk.cr3 = cpu->cr3;
	cpu->walk.cr4 = cpu->cr4;
	cpu->walk.efer = cpu->efer;
	cpu->walk.pkru = cpu->pkru;
	cpu->walk.pkrs = cpu->msr[MSR_PKRS];
	cpu->walk.amd = cpu->amd;
	cpu->walk.physical_bits = cpu->physical_bits;
	cpu->walk.gbyte_pages = cpu_has(cpu, FEATURE_PDPE1GB);
}

void address_space_update_privilege(struct cpu *cpu)
{
	cpu->walk.rflags_ac = cpu->rflags & FLAG_AC;
	cpu->code_context = TLB_CONTEXT(cpu->space.current, privilege(cpu));
	cpu->data_context = accesses_are_checked(cpu) ? TLB_CONTEXT_NEVER : cpu->code_context;
}

void address_space_update(struct cpu *cpu)
{
	bool flush = permissions_changed(cpu);

	cpu->canonical_shift = cpu->cr4 & CR4_LA57 ? 7 : 16;
	mirror_registers(cpu);
	if (flush) {
		cpu_flush_tlb(cpu); /* comes back here */
		return;
	}
	address_space_update_privilege(cpu);
}
