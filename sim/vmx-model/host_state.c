/* SPDX-License-Identifier: Apache-2.0 */
/* The host-state area, which VM exits load (SDM 3C:28.5). */
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/flags.h"
#include "sim/vmx-model/vmx.h"

#define CR0_LOADED (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_PG)

#define RIGHTS_CODE 0x9bu
#define RIGHTS_DATA 0x93u
#define RIGHTS_TSS  0x8bu

static void load_segment(struct cpu *cpu, enum segment_index seg, u16 selector, u64 base, u32 limit,
			 u32 rights)
{
	cpu->seg[seg] = (struct segment){selector, limit, rights};
	SEG_BASE(cpu, seg) = base;
}

/* SDM 3C:28.5.2: flat, and unusable where the selector is null. */
static void load_segments(struct cpu *cpu, const u64 *value, bool long_mode)
{
	u32 code = RIGHTS_CODE | SEG_G | (long_mode ? SEG_L : SEG_DB);
	u32 data = RIGHTS_DATA | SEG_G | SEG_DB;

	for (unsigned int i = SEG_ES; i <= SEG_GS; i++) {
		u16 selector = value[VMCS_HOST_ES_SELECTOR + i];
		u64 base = 0;
		u32 rights = selector ? data : SEG_UNUSABLE | data;

		if (i == SEG_FS)
			base = value[VMCS_HOST_FS_BASE];
		if (i == SEG_GS)
			base = value[VMCS_HOST_GS_BASE];
		load_segment(cpu, i, selector, base, UINT32_MAX, i == SEG_CS ? code : rights);
	}
	load_segment(cpu, SEG_LDTR, 0, 0, 0, SEG_UNUSABLE);
	load_segment(cpu, SEG_TR, value[VMCS_HOST_TR_SELECTOR], value[VMCS_HOST_TR_BASE], 0x67,
		     RIGHTS_TSS);
	cpu->gdtr = (struct descriptor_table){value[VMCS_HOST_GDTR_BASE], 0xffff};
	cpu->idtr = (struct descriptor_table){value[VMCS_HOST_IDTR_BASE], 0xffff};
}

static void load_control_registers(struct cpu *cpu, const u64 *value, bool long_mode)
{
	cpu->cr0 = (cpu->cr0 & ~CR0_LOADED) | (value[VMCS_HOST_CR0] & CR0_LOADED);
	cpu->cr3 = value[VMCS_HOST_CR3];
	cpu->cr4 = long_mode ? value[VMCS_HOST_CR4] | CR4_PAE : value[VMCS_HOST_CR4] & ~CR4_PCIDE;
	if (VMX_EXIT(cpu, LOAD_EFER))
		cpu->efer = value[VMCS_HOST_EFER];
	else
		cpu->efer = (cpu->efer & ~(EFER_LMA | EFER_LME)) |
			    (long_mode ? EFER_LMA | EFER_LME : 0);
}

static void load_msrs(struct cpu *cpu, const u64 *value)
{
	cpu->dr[7] = DR7_ONES;
	cpu->msr[MSR_DEBUGCTL] = 0;
	cpu->msr[MSR_SYSENTER_CS] = value[VMCS_HOST_SYSENTER_CS];
	cpu->msr[MSR_SYSENTER_ESP] = value[VMCS_HOST_SYSENTER_ESP];
	cpu->msr[MSR_SYSENTER_EIP] = value[VMCS_HOST_SYSENTER_EIP];
	if (VMX_EXIT(cpu, LOAD_PAT))
		cpu->msr[MSR_PAT] = value[VMCS_HOST_PAT];
	if (VMX_EXIT(cpu, LOAD_PERF_GLOBAL_CTRL))
		msr_write(cpu, 0x38f, value[VMCS_HOST_PERF_GLOBAL_CTRL], true);
	if (VMX_EXIT(cpu, LOAD_PKRS))
		cpu->msr[MSR_PKRS] = (u32)value[VMCS_HOST_PKRS];
	if (VMX_EXIT(cpu, LOAD_CET)) {
		cpu->msr[MSR_S_CET] = value[VMCS_HOST_S_CET];
		cpu->ssp = value[VMCS_HOST_SSP];
		cpu->msr[MSR_INTERRUPT_SSP_TABLE] = value[VMCS_HOST_SSP_TABLE];
	}
}

/* Nothing blocks, nothing pends; an NMI that exited blocks others (SDM 3C:28.5.5). */
static void load_events(struct cpu *cpu)
{
	cpu->shadow = SHADOW_NONE;
	cpu->pending_debug = 0;
	if (cpu->nmi_virtual)
		cpu->nmi_blocked = false;
	if (vmx_of(cpu)->exit.nmi)
		cpu->nmi_blocked = true;
	cpu->nmi_virtual = cpu->iret_keeps_nmi = false;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->monitor.armed = false;
	cpu->delivering.active = cpu->delivering.injected = false;
	cpu->exception_due = false;
}

void vmx_host_paging(const struct cpu *cpu, struct walk_registers *walk)
{
	const u64 *value = vmx_of(cpu)->value;
	bool long_mode = VMX_EXIT(cpu, HOST_ADDRESS_SPACE_SIZE);

	walk->cr0 = (cpu->cr0 & ~CR0_LOADED) | (value[VMCS_HOST_CR0] & CR0_LOADED);
	walk->cr3 = value[VMCS_HOST_CR3];
	walk->cr4 = long_mode ? value[VMCS_HOST_CR4] | CR4_PAE : value[VMCS_HOST_CR4] & ~CR4_PCIDE;
	walk->efer = long_mode ? EFER_LMA | EFER_LME | EFER_NXE : EFER_NXE;
	if (VMX_EXIT(cpu, LOAD_EFER))
		walk->efer = value[VMCS_HOST_EFER];
}

void vmx_load_host(struct cpu *cpu)
{
	const u64 *value = vmx_of(cpu)->value;
	bool long_mode = VMX_EXIT(cpu, HOST_ADDRESS_SPACE_SIZE);

	load_control_registers(cpu, value, long_mode);
	load_msrs(cpu, value);
	load_segments(cpu, value, long_mode);
	cpu_set_rflags(cpu, FLAG_FIXED);
	cpu->reg[REG_RIP] = value[VMCS_HOST_RIP];
	cpu->reg[REG_RSP] = value[VMCS_HOST_RSP];
	cpu->cpl = 0;
	load_events(cpu);
}
