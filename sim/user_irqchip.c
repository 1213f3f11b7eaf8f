/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts where user space has the chips (api.rst: KVM_INTERRUPT, and request_interrupt_window,
 * ready_for_interrupt_injection, if_flag, cr8 and apic_base of struct kvm_run). */
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/segment.h"
#include "sim/vm.h"

/* api.rst has -EEXIST for a second one, too; KVM says so only where it has the local APIC, and takes
 * the second in place of the first here. */
int user_irqchip_interrupt(struct vcpu *vcpu, const struct kvm_interrupt *interrupt)
{
	if (interrupt->irq > 255)
		return -EINVAL;
	if (vcpu->vm->irqchip)
		return -ENXIO;
	event_resume_external(&vcpu->cpu, interrupt->irq);
	return 0;
}

int user_irqchip_enter(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (vcpu->vm->irqchip)
		return 0;
	if (run->cr8 > CR8_MAX)
		return -EINVAL;
	vcpu->cpu.cr8 = run->cr8;
	if (run->request_interrupt_window)
		event_post(&vcpu->cpu, EVENT_INTERRUPT);
	return 0;
}

static bool ready_for_interrupt(const struct cpu *cpu)
{
	return (cpu->rflags & FLAG_IF) && !cpu->shadow && !cpu->user_interrupt &&
	       !cpu->exception_due && !cpu->delivering.active;
}

void user_irqchip_leave(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct cpu *cpu = &vcpu->cpu;

	/* With the chips here api.rst leaves this open: it says whether an interrupt can wake. */
	run->if_flag = (cpu->rflags & FLAG_IF) ||
		       (cpu->activity == ACTIVITY_WAITING && cpu->wait.masked_too);
	run->ready_for_interrupt_injection = vcpu->vm->irqchip || ready_for_interrupt(cpu);
	run->cr8 = cpu_cr8(cpu);
	run->apic_base = cpu_apic_base(cpu);
}

/* --- what the processor asks: only one without a local APIC does --- */

static bool window_wanted(const struct vcpu *vcpu)
{
	return !vcpu->vm->irqchip && vcpu->run->request_interrupt_window;
}

bool user_irqchip_pending(struct cpu *cpu)
{
	return cpu->user_interrupt || window_wanted(cpu_vcpu(cpu));
}

/* The processor is open for an interrupt: it gets the one that waits, or user space is told. */
int user_irqchip_acknowledge(struct cpu *cpu)
{
	u16 interrupt = cpu->user_interrupt;

	cpu->user_interrupt = 0;
	if (interrupt)
		return (u8)interrupt;
	if (window_wanted(cpu_vcpu(cpu)))
		event_stop(cpu, CPU_EXIT_INTERRUPT_WINDOW);
	return -1;
}
