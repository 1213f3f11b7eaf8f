/* SPDX-License-Identifier: Apache-2.0 */
/* #VMEXIT (APM 2:15.6): keep the guest in its VMCB, say why, bring the host back. */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/debugger.h"
#include "sim/cpu/flags.h"
#include "sim/svm-model/bytes.h"
#include "sim/svm-model/translation.h"

/* --- the guest --- */

void svm_save_guest(struct cpu *cpu)
{
	u64 *value = svm_of(cpu)->value;

	for (unsigned int i = SEG_ES; i <= SEG_DS; i++)
		svm_save_segment(cpu, i, &value[VMCB_ES_SELECTOR + 4 * i]);
	value[VMCB_GDTR_BASE] = cpu->gdtr.base;
	value[VMCB_GDTR_LIMIT] = cpu->gdtr.limit;
	value[VMCB_IDTR_BASE] = cpu->idtr.base;
	value[VMCB_IDTR_LIMIT] = cpu->idtr.limit;
	value[VMCB_CPL] = cpu->cpl;
	value[VMCB_EFER] = cpu->efer;
	value[VMCB_CR0] = cpu->cr0;
	value[VMCB_CR2] = cpu->cr2;
	value[VMCB_CR3] = cpu->cr3;
	value[VMCB_CR4] = cpu->cr4;
	value[VMCB_DR6] = cpu->dr[6];
	value[VMCB_DR7] = cpu->dr[7];
	value[VMCB_RFLAGS] = cpu_rflags(cpu);
	value[VMCB_RIP] = cpu->reg[REG_RIP];
	value[VMCB_RSP] = cpu->reg[REG_RSP];
	value[VMCB_RAX] = cpu->reg[REG_RAX];
	value[VMCB_S_CET] = cpu->msr[MSR_S_CET];
	value[VMCB_SSP] = cpu->ssp;
	value[VMCB_ISST_ADDR] = cpu->msr[MSR_INTERRUPT_SSP_TABLE];
	value[VMCB_G_PAT] = cpu->msr[MSR_PAT];
	value[VMCB_INTERRUPT_STATE] = (cpu->shadow ? INTERRUPT_SHADOW : 0) |
				      (cpu->rflags & FLAG_IF ? GUEST_INTERRUPT_MASK : 0);
}

/* An NMI whose delivery the exit cut short is not the guest's to end (APM 2:15.21.10). */
static void unmask_virtual_nmi(struct svm *svm)
{
	u64 event = svm->exit.interrupted;

	if ((svm->value[VMCB_V_INTR] & V_NMI_ENABLE) && (event & INJ_VALID) &&
	    INJ_TYPE(event) == INJ_NMI)
		svm->value[VMCB_V_INTR] &= ~V_NMI_MASK;
}

static void note_exit(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 *value = svm->value;

	value[VMCB_EXITCODE] = svm->exit.code;
	value[VMCB_EXITINFO1] = svm->exit.info1;
	value[VMCB_EXITINFO2] = svm->exit.info2;
	value[VMCB_EXITINTINFO] = svm->exit.interrupted;
	value[VMCB_N_RIP] = svm->exit.next_rip;
	value[VMCB_EVENTINJ] &= ~INJ_VALID;
	unmask_virtual_nmi(svm);
	svm_note_bytes(cpu);
}

static void store_vmcb(struct cpu *cpu, bool state)
{
	struct svm *svm = svm_of(cpu);
	u8 *page = mem_physical_begin(cpu, svm->vmcb);

	if (!page)
		return;
	vmcb_store_exit(svm->value, page);
	if (state) {
		vmcb_store_state(svm->value, page);
		if (svm_nested_paging(svm))
			vmcb_store_field(svm->value, page, VMCB_G_PAT);
		if (cpu_has(cpu, FEATURE_CET_SS)) {
			vmcb_store_field(svm->value, page, VMCB_S_CET);
			vmcb_store_field(svm->value, page, VMCB_SSP);
			vmcb_store_field(svm->value, page, VMCB_ISST_ADDR);
		}
		if (svm_virtual_branches(cpu))
			for (unsigned int f = VMCB_DBGCTL; f <= VMCB_LASTEXCPTO; f++)
				vmcb_store_field(svm->value, page, f);
	}
	mem_physical_end(cpu, svm->vmcb, PAGE_SIZE_4K);
}

/* --- the host --- */

/* CR0.PE is set and RFLAGS.VM clear whatever was kept; breakpoints are off (APM 2:15.6). */
static void load_host(struct cpu *cpu)
{
	struct svm_host *host = &svm_of(cpu)->host;

	for (unsigned int i = SEG_ES; i <= SEG_DS; i++) {
		cpu->seg[i] = host->segment[i];
		SEG_BASE(cpu, i) = host->base[i];
	}
	cpu->gdtr = host->gdtr;
	cpu->idtr = host->idtr;
	cpu->efer = host->efer;
	cpu->cr0 = host->cr0 | CR0_PE;
	cpu->cr3 = host->cr3;
	cpu->cr4 = host->cr4;
	cpu->dr[7] = DR7_ONES;
	cpu_set_rflags(cpu, host->rflags & ~(FLAG_VM | FLAG_RF));
	cpu->reg[REG_RIP] = host->rip;
	cpu->reg[REG_RSP] = host->rsp;
	cpu->reg[REG_RAX] = host->rax;
	cpu->cpl = 0;
	cpu->msr[MSR_PAT] = host->pat;
	cpu->msr[MSR_S_CET] = host->s_cet;
	cpu->ssp = host->ssp;
	cpu->msr[MSR_INTERRUPT_SSP_TABLE] = host->isst;
}

/* A host with PAE gets its PDPTEs back from memory; bad ones shut it down (APM 2:15.6). */
static void load_pdptes(struct cpu *cpu)
{
	struct walk_result result;
	bool pae = (cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !cpu_long_mode(cpu);

	if (pae && !walk_load_pdptes(cpu->slots, &cpu->walk, cpu->cr3, cpu->walk.pdpte, &result))
		cpu->activity = ACTIVITY_SHUTDOWN;
}

void svm_host_paging(const struct cpu *cpu, struct walk_registers *walk)
{
	const struct svm_host *host = &svm_of(cpu)->host;

	walk->cr0 = host->cr0;
	walk->cr3 = host->cr3;
	walk->cr4 = host->cr4;
	walk->efer = host->efer;
}

static void end_guest(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);

	cpu->guest = false;
	svm->gif = false;
	svm->avic_written = 0;
	svm_update_arbitration(cpu);
	cpu->shadow = SHADOW_NONE;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->delivering.active = cpu->delivering.injected = false;
	cpu->pending_debug = 0;
	cpu->monitor.armed = false;
	if (svm->host.step)
		debug_trap(cpu, DR6_BS);
	debugger_sees(cpu, DEBUGGER_VM_EXIT);
}

void svm_switch_to_host(struct cpu *cpu)
{
	svm_save_guest(cpu);
	if (svm_virtual_branches(cpu))
		svm_leave_branches(cpu);
	note_exit(cpu);
	svm_record_exit(cpu);
	store_vmcb(cpu, true);
	load_host(cpu);
	end_guest(cpu);
	svm_world_leave(cpu);
	load_pdptes(cpu);
}

/* --- ways out --- */

/* APM 2:15.7.2: exceptions and software interrupts alike as EVENTINJ has them. */
u64 svm_interrupted(const struct cpu *cpu)
{
	static const u8 types[] = {
		[EVENT_TYPE_EXTERNAL] = INJ_INTR,
		[EVENT_TYPE_NMI] = INJ_NMI,
		[EVENT_TYPE_EXCEPTION] = INJ_EXCEPTION,
		[EVENT_TYPE_SOFTWARE] = INJ_SOFTWARE,
		[EVENT_TYPE_SOFTWARE_EXCEPTION] = INJ_EXCEPTION,
		[EVENT_TYPE_ICEBP] = INJ_EXCEPTION,
	};

	if (!cpu->delivering.active)
		return 0;
	return INJ_VALID | cpu->delivering.vector |
	       (u64)types[cpu->delivering.type] << INJ_TYPE_SHIFT |
	       (cpu->delivering.has_error
			? INJ_ERROR_VALID | (u64)cpu->delivering.error << INJ_ERROR_SHIFT
			: 0);
}

static void begin_exit(struct cpu *cpu, u64 code, u64 info1, u64 info2)
{
	svm_of(cpu)->exit = (struct svm_exit){
		.code = code,
		.info1 = info1,
		.info2 = info2,
		.interrupted = svm_interrupted(cpu),
	};
}

void svm_exit(struct cpu *cpu, u64 code, u64 info1, u64 info2)
{
	begin_exit(cpu, code, info1, info2);
	svm_switch_to_host(cpu);
}

_Noreturn void svm_leave(struct cpu *cpu, const struct op *op, u64 code, u64 info1, u64 info2)
{
	begin_exit(cpu, code, info1, info2);
	svm_of(cpu)->exit.next_rip = OP_NEXT_RIP(cpu, op);
	vendor_exit(cpu);
}

_Noreturn void svm_leave_fault(struct cpu *cpu, u64 code, u64 info1, u64 info2, bool fetch)
{
	begin_exit(cpu, code, info1, info2);
	svm_of(cpu)->exit.fetch = fetch;
	vendor_exit(cpu);
}

void svm_refuse(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 inject = svm->value[VMCB_EVENTINJ];

	begin_exit(cpu, SVM_EXIT_INVALID, 0, 0);
	note_exit(cpu);
	svm->value[VMCB_EVENTINJ] = inject;
	svm_record_exit(cpu);
	store_vmcb(cpu, false);
	svm->gif = false;
	svm_update_arbitration(cpu);
	cpu->dr[7] = DR7_ONES;
	cpu_update_mode(cpu);
}
