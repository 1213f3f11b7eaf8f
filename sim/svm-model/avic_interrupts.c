/* SPDX-License-Identifier: Apache-2.0 */
/* Priorities, delivery and the end of interrupts in the backing page (APM 2:15.29.3.1, 15.29.8). */
#include "sim/svm-model/avic.h"

static u8 task_priority(struct cpu *cpu)
{
	return apic_page_get(cpu, avic_backing_page(cpu), LAPIC_TPR, 1);
}

static u8 in_service(struct cpu *cpu)
{
	return apic_page_highest_vector(cpu, avic_backing_page(cpu), LAPIC_ISR);
}

/* When the TPR or the highest vector in service has changed; what that opens is looked at. */
static void update_priority(struct cpu *cpu)
{
	apic_page_set(cpu, avic_backing_page(cpu), LAPIC_PPR,
		      apic_page_priority(task_priority(cpu), in_service(cpu)), 4);
	event_post(cpu, EVENT_VENDOR);
}

static void set_v_tpr(struct cpu *cpu, u8 value)
{
	u64 *control = &svm_of(cpu)->value[VMCB_V_INTR];

	*control = (*control & ~V_TPR) | value;
}

void avic_act_on_tpr(struct cpu *cpu)
{
	set_v_tpr(cpu, task_priority(cpu) >> 4);
	update_priority(cpu);
}

void avic_set_cr8(struct cpu *cpu, u8 value)
{
	set_v_tpr(cpu, value);
	apic_page_set(cpu, avic_backing_page(cpu), LAPIC_TPR, (u32)value << 4, 4);
	update_priority(cpu);
}

/*
 * PPR as the processor has it. A VMRUN loads the task priority from V_TPR, which the hypervisor may
 * have set to another than the page's; processors go by that one.
 */
int avic_pending(struct cpu *cpu)
{
	u8 request = apic_page_highest_vector(cpu, avic_backing_page(cpu), LAPIC_IRR);
	u8 task = (svm_of(cpu)->value[VMCB_V_INTR] & 0xf) << 4;

	return request >> 4 > apic_page_priority(task, in_service(cpu)) >> 4 ? request : -1;
}

void avic_accept(struct cpu *cpu, u8 vector)
{
	u64 page = avic_backing_page(cpu);

	apic_page_set_vector(cpu, page, LAPIC_IRR, vector, false);
	apic_page_set_vector(cpu, page, LAPIC_ISR, vector, true);
	update_priority(cpu);
}

/* One that is level-triggered the hypervisor ends: it stays in service. */
bool avic_end_interrupt(struct cpu *cpu)
{
	u64 page = avic_backing_page(cpu);
	u8 vector = in_service(cpu);

	if (!vector)
		return false;
	if (apic_page_test_vector(cpu, page, LAPIC_TMR, vector)) {
		avic_trap(cpu, LAPIC_EOI, vector);
		return true;
	}
	apic_page_set_vector(cpu, page, LAPIC_ISR, vector, false);
	update_priority(cpu);
	return false;
}
