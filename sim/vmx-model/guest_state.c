/* SPDX-License-Identifier: Apache-2.0 */
/* The guest-state area: loaded by VM entries, saved by VM exits (SDM 3C:27.3.2, 28.3). */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

#define CR0_LOADED (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_PG)

/* --- loading --- */

/* Of an unusable segment the manual leaves more open than this: all of it is loaded. */
static void load_segments(struct cpu *cpu, const u64 *value)
{
	for (unsigned int i = SEG_ES; i < SEG_COUNT; i++) {
		cpu->seg[i] = (struct segment){.selector = value[VMCS_GUEST_ES_SELECTOR + i],
					       .limit = value[VMCS_GUEST_ES_LIMIT + i],
					       .rights = value[VMCS_GUEST_ES_RIGHTS + i] &
							 (SEG_RIGHTS_DESCRIPTOR | SEG_UNUSABLE)};
		SEG_BASE(cpu, i) = value[VMCS_GUEST_ES_BASE + i];
	}
	cpu->gdtr = (struct descriptor_table){value[VMCS_GUEST_GDTR_BASE],
					      value[VMCS_GUEST_GDTR_LIMIT]};
	cpu->idtr = (struct descriptor_table){value[VMCS_GUEST_IDTR_BASE],
					      value[VMCS_GUEST_IDTR_LIMIT]};
}

static u64 guest_efer(struct cpu *cpu, const u64 *value)
{
	u64 ia32e = VMX_ENTRY(cpu, IA32E_MODE_GUEST) ? EFER_LMA | EFER_LME : 0;

	if (VMX_ENTRY(cpu, LOAD_EFER))
		return value[VMCS_GUEST_EFER];
	if (value[VMCS_GUEST_CR0] & CR0_PG)
		return (cpu->efer & ~(EFER_LMA | EFER_LME)) | ia32e;
	return (cpu->efer & ~EFER_LMA) | (ia32e & EFER_LMA);
}

static void load_msrs(struct cpu *cpu, const u64 *value)
{
	cpu->msr[MSR_SYSENTER_CS] = value[VMCS_GUEST_SYSENTER_CS];
	cpu->msr[MSR_SYSENTER_ESP] = value[VMCS_GUEST_SYSENTER_ESP];
	cpu->msr[MSR_SYSENTER_EIP] = value[VMCS_GUEST_SYSENTER_EIP];
	if (VMX_ENTRY(cpu, LOAD_DEBUG)) {
		cpu->dr[7] = (value[VMCS_GUEST_DR7] & DR7_KNOWN) | DR7_ONES;
		cpu->msr[MSR_DEBUGCTL] = value[VMCS_GUEST_DEBUGCTL] & ~DEBUGCTL_LBR;
	}
	if (VMX_ENTRY(cpu, LOAD_PAT))
		cpu->msr[MSR_PAT] = value[VMCS_GUEST_PAT];
	if (VMX_ENTRY(cpu, LOAD_PERF_GLOBAL_CTRL))
		msr_write(cpu, 0x38f, value[VMCS_GUEST_PERF_GLOBAL_CTRL], true);
	if (VMX_ENTRY(cpu, LOAD_PKRS))
		cpu->msr[MSR_PKRS] = (u32)value[VMCS_GUEST_PKRS];
	if (VMX_ENTRY(cpu, LOAD_CET)) {
		cpu->msr[MSR_S_CET] = value[VMCS_GUEST_S_CET];
		cpu->ssp = value[VMCS_GUEST_SSP];
		cpu->msr[MSR_INTERRUPT_SSP_TABLE] = value[VMCS_GUEST_SSP_TABLE];
	}
}

void vmx_load_guest(struct cpu *cpu)
{
	const u64 *value = vmx_of(cpu)->value;

	cpu->efer = guest_efer(cpu, value);
	cpu->cr0 = (cpu->cr0 & ~CR0_LOADED) | (value[VMCS_GUEST_CR0] & CR0_LOADED);
	cpu->cr3 = value[VMCS_GUEST_CR3];
	cpu->cr4 = value[VMCS_GUEST_CR4];
	load_segments(cpu, value);
	load_msrs(cpu, value);
	cpu_set_rflags(cpu, value[VMCS_GUEST_RFLAGS]);
	cpu->reg[REG_RIP] = value[VMCS_GUEST_RIP];
	cpu->reg[REG_RSP] = value[VMCS_GUEST_RSP];
	cpu->cpl = cpu_real_mode(cpu) ? 0 : rights_dpl(cpu->seg[SEG_SS].rights);
}

/* --- saving --- */

static void save_segments(const struct cpu *cpu, u64 *value)
{
	for (unsigned int i = SEG_ES; i < SEG_COUNT; i++) {
		value[VMCS_GUEST_ES_SELECTOR + i] = cpu->seg[i].selector;
		value[VMCS_GUEST_ES_LIMIT + i] = cpu->seg[i].limit;
		value[VMCS_GUEST_ES_RIGHTS + i] = cpu->seg[i].rights;
		value[VMCS_GUEST_ES_BASE + i] = SEG_BASE(cpu, i);
	}
	value[VMCS_GUEST_GDTR_BASE] = cpu->gdtr.base;
	value[VMCS_GUEST_GDTR_LIMIT] = cpu->gdtr.limit;
	value[VMCS_GUEST_IDTR_BASE] = cpu->idtr.base;
	value[VMCS_GUEST_IDTR_LIMIT] = cpu->idtr.limit;
}

static void save_msrs(struct cpu *cpu, u64 *value)
{
	value[VMCS_GUEST_SYSENTER_CS] = (u32)cpu->msr[MSR_SYSENTER_CS];
	value[VMCS_GUEST_SYSENTER_ESP] = cpu->msr[MSR_SYSENTER_ESP];
	value[VMCS_GUEST_SYSENTER_EIP] = cpu->msr[MSR_SYSENTER_EIP];
	if (VMX_EXIT(cpu, SAVE_DEBUG)) {
		value[VMCS_GUEST_DR7] = cpu->dr[7];
		value[VMCS_GUEST_DEBUGCTL] = cpu->msr[MSR_DEBUGCTL];
	}
	if (VMX_EXIT(cpu, SAVE_PAT))
		value[VMCS_GUEST_PAT] = cpu->msr[MSR_PAT];
	if (VMX_EXIT(cpu, SAVE_EFER))
		value[VMCS_GUEST_EFER] = cpu->efer;
	if (VMX_EXIT(cpu, SAVE_PERF_GLOBAL_CTRL))
		value[VMCS_GUEST_PERF_GLOBAL_CTRL] = cpu->msr[MSR_PERF_GLOBAL_CTRL];
	/* The manual saves these wherever the processor has them (SDM 3C:28.3.1). */
	value[VMCS_GUEST_PKRS] = cpu->msr[MSR_PKRS];
	value[VMCS_GUEST_S_CET] = cpu->msr[MSR_S_CET];
	value[VMCS_GUEST_SSP] = cpu->ssp;
	value[VMCS_GUEST_SSP_TABLE] = cpu->msr[MSR_INTERRUPT_SSP_TABLE];
}

static void save_events(struct cpu *cpu, u64 *value)
{
	static const u8 activities[] = {[ACTIVITY_RUNNING] = ACTIVE,
					[ACTIVITY_HALTED] = HLT,
					[ACTIVITY_SHUTDOWN] = SHUTDOWN,
					[ACTIVITY_WAIT_SIPI] = WAIT_FOR_SIPI,
					[ACTIVITY_WAITING] = ACTIVE};
	const struct vmx_exit *exit = &vmx_of(cpu)->exit;

	value[VMCS_GUEST_ACTIVITY] = activities[cpu->activity];
	value[VMCS_GUEST_INTERRUPTIBILITY] = (exit->shadow & SHADOW_STI ? BY_STI : 0) |
					     (exit->shadow & SHADOW_MOV_SS ? BY_MOV_SS : 0) |
					     (cpu->nmi_blocked ? BY_NMI : 0);
	value[VMCS_GUEST_PENDING_DEBUG] = exit->pending_debug;
}

static u64 rflags_image(const struct cpu *cpu)
{
	u64 rflags = cpu_rflags(cpu);

	switch (vmx_of(cpu)->exit.rf) {
	case RF_CLEAR:
		return rflags & ~FLAG_RF;
	case RF_SET:
		return rflags | FLAG_RF;
	default:
		return rflags;
	}
}

void vmx_save_guest(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 *value = vmx->value;

	value[VMCS_GUEST_CR0] = cpu->cr0;
	value[VMCS_GUEST_CR3] = cpu->cr3;
	value[VMCS_GUEST_CR4] = cpu->cr4;
	value[VMCS_GUEST_RIP] = cpu->reg[REG_RIP];
	value[VMCS_GUEST_RSP] = cpu->reg[REG_RSP];
	value[VMCS_GUEST_RFLAGS] = rflags_image(cpu);
	save_segments(cpu, value);
	save_msrs(cpu, value);
	save_events(cpu, value);
	vmx_save_timer(cpu);
	if (VMX_SECONDARY(cpu, EPT))
		for (unsigned int n = 0; n < 4; n++)
			value[VMCS_GUEST_PDPTE0 + n] = cpu->walk.pdpte[n];
	if ((cpu->msr[MSR_VMX_BASIC + VMX_MISC] & MISC_STORE_LMA) &&
	    cpu_long_mode(cpu) != ((value[VMCS_ENTRY_CONTROLS] & ENTRY_IA32E_MODE_GUEST) != 0)) {
		value[VMCS_ENTRY_CONTROLS] ^= ENTRY_IA32E_MODE_GUEST;
		vmx->judged = false;
	}
}
