/* SPDX-License-Identifier: Apache-2.0 */
/* SMIs and RSM in VMX operation, by the default treatment (SDM 3C:32.14): SMM is outside it. */
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

/* What the processor keeps internally, before the rest goes to SMRAM (32.14.1). The guest is put
 * into the VMCS, too, for who takes the processor's state meanwhile; the next exit does so anew. */
void vmx_enter_smm(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	if (cpu->guest)
		vmx_note_guest(cpu);
	vmx->smm.vmxe = cpu->cr4 & CR4_VMXE;
	vmx->smm.on = vmx->on;
	vmx->smm.guest = cpu->guest;
	vmx->smm.shadow = cpu->shadow;
	vmx->smm.nmi_virtual = cpu->nmi_virtual;
	vmx->smm.iret_keeps_nmi = cpu->iret_keeps_nmi;
	vmx->smm.trap_due = cpu->monitor_trap.due;
	__builtin_memcpy(vmx->smm.pdpte, cpu->walk.pdpte, sizeof(vmx->smm.pdpte));
	cpu->cr4 &= ~CR4_VMXE;
	if (!vmx->on)
		return;
	vmx->on = cpu->guest = cpu->arbitrates = false;
	cpu->nmi_virtual = cpu->iret_keeps_nmi = false;
	cpu->monitor_trap.on = cpu->monitor_trap.due = false;
	vmx_fix_control_registers(cpu);
	if (vmx->smm.guest)
		vmx_leave_world(cpu);
}

void vmx_interrupt_root(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx->on = cpu->arbitrates = false;
	__builtin_memset(&vmx->smm, 0, sizeof(vmx->smm));
	vmx->smm.on = vmx->smm.vmxe = true;
	vmx_fix_control_registers(cpu);
}

void vmx_interrupt_guest(struct cpu *cpu, bool trap_due)
{
	struct vmx *vmx = vmx_of(cpu);
	u64 blocking = vmx->value[VMCS_GUEST_INTERRUPTIBILITY];

	vmx_interrupt_root(cpu);
	vmx_adopt_controls(cpu);
	vmx->smm.guest = true;
	vmx->smm.shadow =
		(blocking & BY_STI ? SHADOW_STI : 0) | (blocking & BY_MOV_SS ? SHADOW_MOV_SS : 0);
	vmx->smm.nmi_virtual = VMX_PIN(cpu, VIRTUAL_NMIS);
	vmx->smm.iret_keeps_nmi = VMX_PIN(cpu, NMI) && !vmx->smm.nmi_virtual;
	vmx->smm.trap_due = trap_due;
	vmx_load_pdptes(cpu, vmx->smm.pdpte);
}

/* SDM 3C:32.14.2: the handler may have changed the privilege in the selectors. */
static void fix_privilege(struct cpu *cpu)
{
	if (cpu_v86(cpu) || (cpu->guest && VMX_SECONDARY(cpu, UNRESTRICTED_GUEST)))
		return;
	cpu->seg[SEG_CS].selector = (cpu->seg[SEG_CS].selector & ~3u) | cpu->cpl;
	cpu->seg[SEG_SS].selector = (cpu->seg[SEG_SS].selector & ~3u) | cpu->cpl;
}

/* The state of SMRAM is loaded. The preemption timer has gone on. */
void vmx_leave_smm(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	if (vmx->smm.vmxe)
		cpu->cr4 |= CR4_VMXE;
	if (!vmx->smm.on)
		return;
	vmx->on = cpu->arbitrates = true;
	cpu->guest = vmx->smm.guest;
	cpu->shadow = vmx->smm.shadow;
	cpu->nmi_virtual = vmx->smm.nmi_virtual;
	cpu->iret_keeps_nmi = vmx->smm.iret_keeps_nmi;
	__builtin_memcpy(cpu->walk.pdpte, vmx->smm.pdpte, sizeof(vmx->smm.pdpte));
	vmx_fix_control_registers(cpu);
	cpu->cr0 |= cpu->cr0_must;
	cpu->cr4 |= cpu->cr4_must;
	fix_privilege(cpu);
	if (cpu->guest) {
		cpu->monitor_trap.on = VMX_PRIMARY(cpu, MONITOR_TRAP_FLAG);
		cpu->monitor_trap.due = vmx->smm.trap_due;
		vmx_change_world(cpu);
	}
	vendor_reopen(cpu);
}
