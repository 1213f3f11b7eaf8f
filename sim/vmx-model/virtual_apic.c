/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual-APIC page (SDM 3C:30.1) and what changes of its registers bring about. */
#include "apic/lapic.h"
#include "sim/vmx-model/vmx.h"

u64 vmx_virtual_apic_get(struct cpu *cpu, u32 offset, unsigned int size)
{
	return mem_load_physical(cpu, vmx_of(cpu)->value[VMCS_VIRTUAL_APIC_ADDRESS] + offset, size);
}

void vmx_virtual_apic_set(struct cpu *cpu, u32 offset, u64 value, unsigned int size)
{
	mem_store_physical(cpu, vmx_of(cpu)->value[VMCS_VIRTUAL_APIC_ADDRESS] + offset, value,
			   size);
}

void vmx_exit_behind(struct cpu *cpu, u32 reason, u64 qualification)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx->trap.reason = reason;
	vmx->trap.qualification = qualification;
	event_post(cpu, EVENT_VENDOR);
}

/* --- the task priority (30.1.2, 30.3) --- */

static void check_threshold(struct cpu *cpu)
{
	if (vmx_virtual_cr8(cpu) < (vmx_of(cpu)->value[VMCS_TPR_THRESHOLD] & 0xf))
		vmx_exit_behind(cpu, REASON_TPR_BELOW_THRESHOLD, 0);
}

void vmx_virtualize_tpr(struct cpu *cpu)
{
	check_threshold(cpu);
}

u8 vmx_virtual_cr8(struct cpu *cpu)
{
	return vmx_virtual_apic_get(cpu, LAPIC_TPR, 1) >> 4;
}

void vmx_set_virtual_cr8(struct cpu *cpu, u8 value)
{
	vmx_virtual_apic_set(cpu, LAPIC_TPR, (u32)value << 4, 4);
	vmx_virtualize_tpr(cpu);
}

/* --- VM entry --- */

/* A check has refused the threshold already where accesses are not virtualized (27.2.1.1); where
 * they are the guest exits at once (27.7.7). */
void vmx_begin_virtual_apic(struct cpu *cpu)
{
	vmx_of(cpu)->trap.reason = 0;
	vmx_of(cpu)->apic_write.size = 0;
	if (VMX_PRIMARY(cpu, TPR_SHADOW) && VMX_SECONDARY(cpu, VIRTUALIZE_APIC_ACCESSES))
		check_threshold(cpu);
}
