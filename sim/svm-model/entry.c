/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN (APM 2:15.5): keep the host, look at the VMCB, load the guest. */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/flags.h"
#include "sim/svm-model/translation.h"

static void keep_host(struct cpu *cpu, const struct op *op)
{
	struct svm_host *host = &svm_of(cpu)->host;

	for (unsigned int i = SEG_ES; i <= SEG_DS; i++) {
		host->segment[i] = cpu->seg[i];
		host->base[i] = SEG_BASE(cpu, i);
	}
	host->gdtr = cpu->gdtr;
	host->idtr = cpu->idtr;
	host->efer = cpu->efer;
	host->cr0 = cpu->cr0;
	host->cr3 = cpu->cr3;
	host->cr4 = cpu->cr4;
	host->rflags = cpu_rflags(cpu);
	host->rip = OP_NEXT_RIP(cpu, op);
	host->rsp = cpu->reg[REG_RSP];
	host->rax = cpu->reg[REG_RAX];
	host->pat = cpu->msr[MSR_PAT];
	host->s_cet = cpu->msr[MSR_S_CET];
	host->ssp = cpu->ssp;
	host->isst = cpu->msr[MSR_INTERRUPT_SSP_TABLE];
	host->step = cpu->rflags & FLAG_TF;
	cpu->no_step = true;
}

#define CR0_LOADED                                                                                 \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)

static void load_control_registers(struct cpu *cpu, const u64 *value)
{
	cpu->cr0 = (value[VMCB_CR0] & CR0_LOADED) | CR0_ET;
	cpu->cr2 = value[VMCB_CR2];
	cpu->cr3 = value[VMCB_CR3];
	cpu->cr4 = value[VMCB_CR4];
	cpu->efer = value[VMCB_EFER] & ~EFER_LMA;
	if ((cpu->efer & EFER_LME) && (cpu->cr0 & CR0_PG))
		cpu->efer |= EFER_LMA;
	if (!cpu_long_mode(cpu))
		cpu->cr3 = (u32)cpu->cr3;
	cpu->dr[6] = (value[VMCB_DR6] & DR6_KNOWN) | DR6_ONES;
	cpu->dr[7] = (value[VMCB_DR7] & DR7_KNOWN) | DR7_ONES;
}

static void load_cet(struct cpu *cpu, const u64 *value)
{
	if (!cpu_has(cpu, FEATURE_CET_SS))
		return;
	cpu->msr[MSR_S_CET] = value[VMCB_S_CET];
	cpu->ssp = svm_canonical(cpu, value[VMCB_SSP]);
	cpu->msr[MSR_INTERRUPT_SSP_TABLE] = svm_canonical(cpu, value[VMCB_ISST_ADDR]);
}

/* CPL is the VMCB's own, but follows from the mode in real and virtual-8086 mode (APM 2:15.5.1). */
static void load_privilege(struct cpu *cpu, const u64 *value)
{
	cpu->cpl = value[VMCB_CPL] & 3;
	if (cpu_real_mode(cpu))
		cpu->cpl = 0;
	else if (cpu_v86(cpu))
		cpu->cpl = 3;
}

static void load_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	const u64 *value = svm->value;

	/* Of these bases 32 bits are implemented (APM 2 appendix B, table B-2). */
	for (unsigned int i = SEG_ES; i <= SEG_DS; i++) {
		svm_load_segment(cpu, i, &value[VMCB_ES_SELECTOR + 4 * i]);
		SEG_BASE(cpu, i) = (u32)SEG_BASE(cpu, i);
	}
	cpu->gdtr = (struct descriptor_table){value[VMCB_GDTR_BASE], (u16)value[VMCB_GDTR_LIMIT]};
	cpu->idtr = (struct descriptor_table){value[VMCB_IDTR_BASE], (u16)value[VMCB_IDTR_LIMIT]};
	load_control_registers(cpu, value);
	load_cet(cpu, value);
	if (svm_virtual_branches(cpu))
		svm_enter_branches(cpu);
	cpu_set_rflags(cpu, (value[VMCB_RFLAGS] & FLAG_KNOWN) | FLAG_FIXED);
	cpu->reg[REG_RSP] = value[VMCB_RSP];
	cpu->reg[REG_RAX] = value[VMCB_RAX];
	load_privilege(cpu, value);
	if (svm_nested_paging(svm))
		cpu->msr[MSR_PAT] = value[VMCB_G_PAT];
	cpu->shadow = value[VMCB_INTERRUPT_STATE] & INTERRUPT_SHADOW ? SHADOW_STI : SHADOW_NONE;
	cpu->pending_debug = 0;
}

/* PAE: the PDPTEs are loaded here unless nested paging reads them at every walk (APM 2:15.25.10).
 * They have been checked. */
void svm_load_pdptes(struct cpu *cpu)
{
	const u64 *value = svm_of(cpu)->value;
	struct walk_result result;
	bool pae = (value[VMCB_CR0] & CR0_PG) && (value[VMCB_CR4] & CR4_PAE) &&
		   !(value[VMCB_EFER] & EFER_LME);

	if (pae && !svm_nested_paging(svm_of(cpu)))
		walk_load_pdptes(cpu->slots, &cpu->walk, value[VMCB_CR3], cpu->walk.pdpte, &result);
}

void svm_begin_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	svm->gif = true;
	cpu->locks_watched =
		cpu_has(cpu, FEATURE_BUS_LOCK_THRESHOLD) && svm_intercepted(svm, SVM_EXIT_BUSLOCK);
	svm->avic_written = 0;
	cpu->guest = true;
	svm_update_arbitration(cpu);
	cpu->guest_tsc.offset = svm->value[VMCB_TSC_OFFSET];
	cpu->guest_tsc.multiplier = cpu->msr[MSR_TSC_RATIO];
	cpu->guest_tsc.fraction = 32;
}

u64 svm_enter(struct cpu *cpu, const struct op *op, u64 vmcb)
{
	struct svm *svm = svm_of(cpu);

	vmcb_fetch(svm->value, slots_host(cpu->slots, vmcb));
	svm->vmcb = vmcb;
	svm->interrupted = false;
	if (svm_check(cpu)) {
		svm_refuse(cpu);
		return OP_NEXT_RIP(cpu, op);
	}
	svm->pause_left = svm->value[VMCB_PAUSE_COUNT];
	keep_host(cpu, op);
	load_guest(cpu);
	svm_load_pdptes(cpu);
	svm_begin_guest(cpu);
	debugger_sees(cpu, DEBUGGER_VM_ENTRY);
	svm_world_enter(cpu);
	svm_record_entry(cpu, OP_RIP(cpu, op));
	svm_inject(cpu);
	vendor_reopen(cpu);
	return svm->value[VMCB_RIP];
}
