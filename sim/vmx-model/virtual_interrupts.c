/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual interrupts: the guest interrupt status (SDM 3C:25.4.2), recognition and delivery (30.2),
 * and those that are posted (30.6). */
#include "sim/cpu/apic_page.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/platform_lock.h"
#include "sim/vmx-model/posted.h"
#include "sim/vmx-model/vmx.h"

/* --- the guest interrupt status: RVI in the low byte, SVI in the high one --- */

u8 vmx_request_vector(const struct cpu *cpu)
{
	return vmx_of(cpu)->value[VMCS_GUEST_INTERRUPT_STATUS];
}

u8 vmx_service_vector(const struct cpu *cpu)
{
	return vmx_of(cpu)->value[VMCS_GUEST_INTERRUPT_STATUS] >> 8;
}

void vmx_set_request_vector(struct cpu *cpu, u8 vector)
{
	u64 *status = &vmx_of(cpu)->value[VMCS_GUEST_INTERRUPT_STATUS];

	*status = (*status & 0xff00) | vector;
}

void vmx_set_service_vector(struct cpu *cpu, u8 vector)
{
	u64 *status = &vmx_of(cpu)->value[VMCS_GUEST_INTERRUPT_STATUS];

	*status = (*status & 0xff) | (u64)vector << 8;
}

/* --- recognition and delivery --- */

void vmx_evaluate_virtual_interrupts(struct cpu *cpu)
{
	u8 priority = vmx_virtual_apic_get(cpu, LAPIC_PPR, 1);
	bool recognized =
		!VMX_PRIMARY(cpu, INTERRUPT_WINDOW) && vmx_request_vector(cpu) >> 4 > priority >> 4;

	vmx_of(cpu)->virtual_interrupt = recognized;
	if (recognized)
		event_post(cpu, EVENT_VENDOR);
}

static void deliver(struct cpu *cpu)
{
	u8 vector = vmx_request_vector(cpu);

	vmx_virtual_vector_set(cpu, LAPIC_ISR, vector, true);
	vmx_set_service_vector(cpu, vector);
	vmx_virtual_apic_set(cpu, LAPIC_PPR, vector & 0xf0, 4);
	vmx_virtual_vector_set(cpu, LAPIC_IRR, vector, false);
	vmx_set_request_vector(cpu, vmx_virtual_vector_highest(cpu, LAPIC_IRR));
	vmx_of(cpu)->virtual_interrupt = false;
	cpu->stats.interrupts++;
	cpu->activity = ACTIVITY_RUNNING;
	cpu->reg[REG_RIP] =
		event_deliver(cpu, vector, EVENT_TYPE_EXTERNAL, false, 0, cpu->reg[REG_RIP]);
}

bool vmx_take_virtual_interrupt(struct cpu *cpu)
{
	if (!vmx_of(cpu)->virtual_interrupt)
		return false;
	if (!(cpu->rflags & FLAG_IF)) {
		cpu->interrupt_waits = true;
		return false;
	}
	if (cpu->shadow != SHADOW_NONE) {
		event_post(cpu, EVENT_VENDOR);
		return false;
	}
	deliver(cpu);
	return true;
}

/* --- posted interrupts --- */

/* Takes the requests one by one, so that none that is posted meanwhile is lost; the highest, or 0.
 */
static u8 take_posted(struct cpu *cpu, struct posted_descriptor *descriptor)
{
	u8 highest = 0;

	for (unsigned int n = 0; n < POSTED_WORDS; n++) {
		u32 posted = __atomic_exchange_n(&descriptor->requests[n], 0, __ATOMIC_SEQ_CST);

		if (!posted)
			continue;
		apic_page_add_vectors(cpu, vmx_of(cpu)->value[VMCS_VIRTUAL_APIC_ADDRESS], LAPIC_IRR,
				      n, posted);
		highest = 32 * n + 31 - __builtin_clz(posted);
	}
	return highest;
}

bool vmx_is_notification(const struct cpu *cpu, int vector)
{
	return VMX_PIN(cpu, POSTED_INTERRUPTS) &&
	       vector == (int)vmx_of(cpu)->value[VMCS_POSTED_INTERRUPT_VECTOR];
}

/* Steps 3 to 7: the notification has been acknowledged. */
void vmx_process_posted(struct cpu *cpu)
{
	u64 address = vmx_of(cpu)->value[VMCS_POSTED_INTERRUPT_DESCRIPTOR_ADDRESS];
	struct posted_descriptor *descriptor = (void *)mem_physical_begin(cpu, address);
	u8 highest = 0;

	if (descriptor)
		__atomic_fetch_and(&descriptor->control, ~POSTED_OUTSTANDING, __ATOMIC_SEQ_CST);
	platform_lock(cpu);
	cpu_end_interrupt(cpu);
	platform_unlock(cpu);
	if (descriptor) {
		highest = take_posted(cpu, descriptor);
		mem_physical_end(cpu, address, sizeof(*descriptor));
	}
	if (highest > vmx_request_vector(cpu))
		vmx_set_request_vector(cpu, highest);
	vmx_evaluate_virtual_interrupts(cpu);
}
