/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual-APIC page (SDM 3C:30.1), and what changes of its registers bring about. */
#include "sim/cpu/apic_page.h"
#include "sim/vmx-model/vmx.h"

static u64 page(const struct cpu *cpu)
{
	return vmx_of(cpu)->value[VMCS_VIRTUAL_APIC_ADDRESS];
}

u64 vmx_virtual_apic_get(struct cpu *cpu, u32 offset, unsigned int size)
{
	return apic_page_get(cpu, page(cpu), offset, size);
}

void vmx_virtual_apic_set(struct cpu *cpu, u32 offset, u64 value, unsigned int size)
{
	apic_page_set(cpu, page(cpu), offset, value, size);
}

void vmx_virtual_vector_set(struct cpu *cpu, u32 bank, u8 vector, bool on)
{
	apic_page_set_vector(cpu, page(cpu), bank, vector, on);
}

u8 vmx_virtual_vector_highest(struct cpu *cpu, u32 bank)
{
	return apic_page_highest_vector(cpu, page(cpu), bank);
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

/* The processor priority (30.1.3). */
static void virtualize_ppr(struct cpu *cpu)
{
	u8 tpr = vmx_virtual_apic_get(cpu, LAPIC_TPR, 1), service = vmx_service_vector(cpu);

	vmx_virtual_apic_set(cpu, LAPIC_PPR, apic_page_priority(tpr, service), 4);
}

void vmx_virtualize_tpr(struct cpu *cpu)
{
	if (!VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY)) {
		check_threshold(cpu);
		return;
	}
	virtualize_ppr(cpu);
	vmx_evaluate_virtual_interrupts(cpu);
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

/* --- the end of an interrupt (30.1.4), and one to oneself (30.1.5) --- */

void vmx_virtualize_eoi(struct cpu *cpu)
{
	const u64 *bitmap = &vmx_of(cpu)->value[VMCS_EOI_EXIT_BITMAP_0];
	u8 vector = vmx_service_vector(cpu);

	vmx_virtual_vector_set(cpu, LAPIC_ISR, vector, false);
	vmx_set_service_vector(cpu, vmx_virtual_vector_highest(cpu, LAPIC_ISR));
	virtualize_ppr(cpu);
	if (bitmap[vector / 64] >> vector % 64 & 1)
		vmx_exit_behind(cpu, REASON_VIRTUALIZED_EOI, vector);
	else
		vmx_evaluate_virtual_interrupts(cpu);
}

void vmx_virtualize_self_ipi(struct cpu *cpu, u8 vector)
{
	vmx_virtual_vector_set(cpu, LAPIC_IRR, vector, true);
	if (vector > vmx_request_vector(cpu))
		vmx_set_request_vector(cpu, vector);
	vmx_evaluate_virtual_interrupts(cpu);
}

/* --- VM entry --- */

/* Without virtual-interrupt delivery a check has refused a VTPR below the threshold where APIC
 * accesses are not virtualized (27.2.1.1); where they are, the guest exits at once (27.7.7). With
 * it, pending virtual interrupts are looked at (27.3.2.5). */
void vmx_begin_virtual_apic(struct cpu *cpu)
{
	struct vmx *vmx = vmx_of(cpu);

	vmx->trap.reason = 0;
	vmx->apic_write.size = 0;
	vmx->virtual_interrupt = false;
	if (!VMX_PRIMARY(cpu, TPR_SHADOW))
		return;
	if (VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY)) {
		virtualize_ppr(cpu);
		vmx_evaluate_virtual_interrupts(cpu);
	} else if (VMX_SECONDARY(cpu, VIRTUALIZE_APIC_ACCESSES)) {
		check_threshold(cpu);
	}
}
