/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to CR0, CR3, CR4, CR8, EFER and XCR0 (SDM 3A:2.5, 3A:4.1, 3A:9.8.5; SDM 2: MOV CR). */
#include "sim/cpu/control.h"
#include "mmu/second_stage.h"
#include "sim/cpu/address_space.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/xstate.h"

#define CR0_KNOWN                                                                                  \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

#define CR3_NO_FLUSH BIT(63) /* with CR4.PCIDE = 1 */
#define CR3_LAM      (BIT(61) | BIT(62))

#define TSS_TYPE_16      1
#define TSS_TYPE_16_BUSY 3

static bool pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA);
}

/* Reads the PDPTE registers as @cr3 and the mode to come want it; #GP(0) if they are bad. */
static void load_pdptes(struct cpu *cpu, u64 cr3)
{
	struct second_stage *second = cpu->walk.second;
	struct walk_result walk;
	u64 pdpte[4];

	/* Under nested paging every walk reads them from memory (APM 2:15.25.10). */
	if (second && second->kind == SECOND_STAGE_NPT)
		return;
	if (!walk_load_pdptes(cpu->slots, &cpu->walk, cr3, pdpte, &walk)) {
		if (walk.second.refused)
			cpu->vendor->second_stage_fault(cpu, 0, SECOND_STAGE_TABLE, &walk);
		raise_gp(cpu, 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		cpu->walk.pdpte[i] = pdpte[i];
}

/* --- CR0 --- */

/* SDM 3A:9.8.5, APM 2:14.6.2: what CR0.PG = 1 with EFER.LME = 1 asks for. Only Intel's processors
 * refuse a 16-bit TSS; a vCPU that KVM starts has one. */
static bool may_enter_long_mode(const struct cpu *cpu)
{
	u32 tss = cpu->seg[SEG_TR].rights & SEG_TYPE;

	if (!(cpu->cr4 & CR4_PAE) || (cpu->seg[SEG_CS].rights & SEG_L))
		return false;
	return cpu->amd || (tss != TSS_TYPE_16 && tss != TSS_TYPE_16_BUSY);
}

static bool cr0_allowed(const struct cpu *cpu, u64 value)
{
	bool turns_on = (value & CR0_PG) && !(cpu->cr0 & CR0_PG);
	bool turns_off = !(value & CR0_PG) && (cpu->cr0 & CR0_PG);

	if (value >> 32 || (cpu->cr0_must & ~value))
		return false;
	if ((value & CR0_PG) && !(value & CR0_PE))
		return false;
	if ((value & CR0_NW) && !(value & CR0_CD))
		return false;
	if (!(value & CR0_WP) && (cpu->cr4 & CR4_CET))
		return false;
	if (turns_on && (cpu->efer & EFER_LME) && !may_enter_long_mode(cpu))
		return false;
	/* AMD's checks have none of 64-bit mode here (APM 2:14.6.2, table 14-5): what comes next is
	 * 16-bit code, for CS.D is clear. */
	return !(turns_off && ((cpu_64bit(cpu) && !cpu->amd) || (cpu->cr4 & CR4_PCIDE)));
}

void control_write_cr0(struct cpu *cpu, u64 value)
{
	u64 changed, efer = cpu->efer;

	if (!cr0_allowed(cpu, value))
		raise_gp(cpu, 0);
	value = (value & CR0_KNOWN) | CR0_ET; /* the others can't be set */
	changed = cpu->cr0 ^ value;
	if (changed & CR0_PG) {
		efer &= ~EFER_LMA;
		if ((value & CR0_PG) && (efer & EFER_LME))
			efer |= EFER_LMA;
	}
	/* SDM 3A:4.4.1 */
	if ((changed & (CR0_CD | CR0_NW | CR0_PG)) && pae_paging(value, cpu->cr4, efer))
		load_pdptes(cpu, cpu->cr3);
	cpu->cr0 = value;
	cpu->efer = efer;
	cpu_paging_changed(cpu, value ^ changed, cpu->cr4);
	cpu_update_mode(cpu);
}

/* --- CR3 --- */

static u64 cr3_reserved(const struct cpu *cpu)
{
	u64 reserved = cpu->physical_bits < 64 ? ~(BIT(cpu->physical_bits) - 1) : 0;

	if (cpu_has(cpu, FEATURE_LAM))
		reserved &= ~CR3_LAM;
	return reserved;
}

static bool keeps_translations(const struct cpu *cpu, u64 value)
{
	return (value & CR3_NO_FLUSH) && (cpu->cr4 & CR4_PCIDE);
}

static bool cr3_allowed(const struct cpu *cpu, u64 value)
{
	if (keeps_translations(cpu, value))
		value &= ~CR3_NO_FLUSH;
	return !cpu_long_mode(cpu) || !(value & cr3_reserved(cpu));
}

void control_write_cr3(struct cpu *cpu, u64 value)
{
	bool keep = keeps_translations(cpu, value);

	if (!cr3_allowed(cpu, value))
		raise_gp(cpu, 0);
	if (keep)
		value &= ~CR3_NO_FLUSH;
	if (pae_paging(cpu->cr0, cpu->cr4, cpu->efer))
		load_pdptes(cpu, value);
	cpu->cr3 = value;
	cpu_switch_address_space(cpu, keep);
}

/* --- CR4 --- */

static bool cr4_allowed(const struct cpu *cpu, u64 value)
{
	u64 changed = cpu->cr4 ^ value;

	if ((value & cpu->cr4_reserved) || (cpu->cr4_must & ~value))
		return false;
	if ((value & CR4_VMXE) && cpu->smm) /* SDM 3C:32.14.4 */
		return false;
	if (cpu_long_mode(cpu) && (!(value & CR4_PAE) || (changed & CR4_LA57)))
		return false;
	if ((value & CR4_CET) && !(cpu->cr0 & CR0_WP))
		return false;
	/* SDM 3A:4.10.1: PCIDs begin in IA-32e mode and with PCID 0. */
	if ((changed & value & CR4_PCIDE) && (!cpu_long_mode(cpu) || (cpu->cr3 & 0xfff)))
		return false;
	return true;
}

void control_write_cr4(struct cpu *cpu, u64 value)
{
	u64 changed = cpu->cr4 ^ value;

	if (!cr4_allowed(cpu, value))
		raise_gp(cpu, 0);
	/* SDM 3A:4.4.1 */
	if ((changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) &&
	    pae_paging(cpu->cr0, value, cpu->efer))
		load_pdptes(cpu, cpu->cr3);
	cpu->cr4 = value;
	cpu_paging_changed(cpu, cpu->cr0, value ^ changed);
	cpu_update_mode(cpu);
}

/* --- CR8 --- */

void control_write_cr8(struct cpu *cpu, u64 value)
{
	u64 old = cpu_cr8(cpu);

	if (value > CR8_MAX)
		raise_gp(cpu, 0);
	platform_lock(cpu);
	cpu_set_cr8(cpu, value);
	platform_unlock(cpu);
	/* Interrupts that it held back are user space's to bring, if it has the local APIC. */
	if (!cpu->lapic && value < old)
		event_stop(cpu, CPU_EXIT_TPR);
}

/* --- debug registers --- */

/* DR4 and DR5 stand for DR6 and DR7 unless CR4.DE. */
void control_check_dr(struct cpu *cpu, unsigned int number, u64 written)
{
	if (cpu->cpl)
		raise_gp(cpu, 0);
	if ((number == 4 || number == 5) && (cpu->cr4 & CR4_DE))
		raise_ud(cpu);
	if (cpu->dr[7] & DR7_GD) {
		cpu->exception.address = DR6_BD;
		cpu_raise(cpu, VECTOR_DB);
	}
	if (number >= 4 && written >> 32)
		raise_gp(cpu, 0);
}

bool control_allows(const struct cpu *cpu, unsigned int number, u64 value)
{
	switch (number) {
	case 0:
		return cr0_allowed(cpu, value);
	case 3:
		return cr3_allowed(cpu, value);
	case 4:
		return cr4_allowed(cpu, value);
	case 8:
		return value <= CR8_MAX;
	default:
		return true;
	}
}

/* --- EFER --- */

/* VM_CR.SVMDIS makes EFER.SVME a bit that must be 0 (APM 2:15.30.1). */
static u64 efer_reserved(const struct cpu *cpu, bool host)
{
	bool disabled = !host && (cpu->msr[MSR_VM_CR] & VM_CR_SVMDIS);

	return cpu->efer_reserved | (disabled ? EFER_SVME : 0);
}

bool control_set_efer(struct cpu *cpu, u64 value, bool host)
{
	u64 changed;

	/* LMA follows LME and CR0.PG; writes to it are ignored (SDM 3A:2.2.1). */
	value = (value & ~EFER_LMA) | (cpu->efer & EFER_LMA);
	changed = cpu->efer ^ value;
	if (value & efer_reserved(cpu, host))
		return false;
	if (!host && (changed & EFER_LME) && (cpu->cr0 & CR0_PG))
		return false;
	cpu->efer = value;
	cpu_update_mode(cpu);
	return true;
}

void control_write_efer(struct cpu *cpu, u64 value)
{
	if (!control_set_efer(cpu, value, false))
		raise_gp(cpu, 0);
}

/* --- XCR0 --- */

/* SDM 1:13.3, SDM 2: XSETBV. */
static bool xcr0_allowed(const struct cpu *cpu, u64 value)
{
	return !(value & ~cpu->xcr0_supported) && (value & XSTATE_X87) &&
	       !((value & XSTATE_AVX) && !(value & XSTATE_SSE));
}

void control_write_xcr0(struct cpu *cpu, u32 index, u64 value)
{
	if (index != 0 || !xcr0_allowed(cpu, value))
		raise_gp(cpu, 0);
	cpu->xcr0 = value;
	cpu_update_mode(cpu);
}
