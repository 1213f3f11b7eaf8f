/* SPDX-License-Identifier: Apache-2.0 */
/* struct kvm_vcpu_events (api.rst: KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS). */
#include "sim/cpu/segment.h"
#include "sim/cpu/smm.h"
#include "sim/state.h"
#include "sim/vm.h"

#define FLAGS_KNOWN                                                                                \
	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |                       \
	 KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_PAYLOAD |      \
	 KVM_VCPUEVENT_VALID_TRIPLE_FAULT)

static bool has_payload(u8 vector)
{
	return vector == VECTOR_PF || vector == VECTOR_DB;
}

/* An event whose delivery broke off for an answer of user space; KVM calls it injected. */
static bool delivers(const struct cpu *cpu, enum event_type type)
{
	return cpu->delivering.active && cpu->delivering.type == type;
}

/* --- get --- */

/* Who does not know of payloads gets an exception that has already left CR2 or DR6 behind; a
 * guest's does not, as its hypervisor may take it yet (SDM 3C:28.1). */
static void get_exception(struct cpu *cpu, bool payloads, struct kvm_vcpu_events *events)
{
	if (!cpu->exception_due)
		return;
	if (!payloads && !cpu->guest)
		event_set_side_registers(cpu);
	events->exception.nr = cpu->exception.vector;
	events->exception.has_error_code = cpu->exception.has_error;
	events->exception.error_code = cpu->exception.has_error ? cpu->exception.error : 0;
	events->exception.injected = !payloads || cpu->exception.injected;
	events->exception.pending = !events->exception.injected;
	if (events->exception.pending && has_payload(cpu->exception.vector)) {
		events->exception_has_payload = 1;
		events->exception_payload = cpu->exception.address;
	}
}

static void get_interrupts(const struct cpu *cpu, struct kvm_vcpu_events *events)
{
	if (event_external(cpu) >= 0) {
		events->interrupt.injected = 1;
		events->interrupt.nr = event_external(cpu);
	}
	events->interrupt.shadow = (cpu->shadow & SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
				   (cpu->shadow & SHADOW_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
	events->nmi.injected = delivers(cpu, EVENT_TYPE_NMI);
	events->nmi.pending = event_is_pending(cpu, EVENT_NMI);
	events->nmi.masked = cpu->nmi_blocked;
}

void state_get_events(struct cpu *cpu, struct kvm_vcpu_events *events)
{
	const struct vm *vm = cpu_vcpu(cpu)->vm;

	*events = (struct kvm_vcpu_events){
		.sipi_vector = cpu->sipi_vector,
		.smi = {.smm = cpu->smm,
			.pending = event_is_pending(cpu, EVENT_SMI),
			.smm_inside_nmi = smm_inside_nmi(cpu),
			.latched_init = event_is_pending(cpu, EVENT_INIT)},
		.triple_fault.pending =
			vm->triple_fault_event && cpu->activity == ACTIVITY_SHUTDOWN,
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			 KVM_VCPUEVENT_VALID_SMM |
			 (vm->exception_payload ? KVM_VCPUEVENT_VALID_PAYLOAD : 0) |
			 (vm->triple_fault_event ? KVM_VCPUEVENT_VALID_TRIPLE_FAULT : 0),
	};
	get_exception(cpu, vm->exception_payload, events);
	get_interrupts(cpu, events);
}

/* --- set --- */

static bool waits_for_sipi(const struct cpu *cpu)
{
	return cpu->activity == ACTIVITY_WAIT_SIPI && cpu->init_received;
}

/* A software interrupt has no place among the interpreter's events between instructions. */
static bool acceptable(const struct cpu *cpu, const struct vm *vm,
		       const struct kvm_vcpu_events *events)
{
	bool exception = events->exception.injected || events->exception.pending;
	u32 flags = events->flags;

	if ((flags & ~(u32)FLAGS_KNOWN) ||
	    ((flags & KVM_VCPUEVENT_VALID_PAYLOAD) && !vm->exception_payload) ||
	    ((flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) && !vm->triple_fault_event))
		return false;
	if (exception && (events->exception.nr > 31 || events->exception.nr == VECTOR_NMI))
		return false;
	if ((flags & KVM_VCPUEVENT_VALID_SMM) && (events->smi.smm || events->smi.pending) &&
	    waits_for_sipi(cpu))
		return false;
	return !(events->interrupt.injected && events->interrupt.soft);
}

static void set_exception(struct cpu *cpu, const struct kvm_vcpu_events *events)
{
	bool pending = events->flags & KVM_VCPUEVENT_VALID_PAYLOAD && events->exception.pending;

	cpu->exception_due = pending || events->exception.injected;
	if (!cpu->exception_due)
		return;
	/* KVM shows an event that a VM entry brings there, too. */
	if (cpu->delivering.injected)
		cpu->delivering.active = cpu->delivering.injected = false;
	cpu->exception.vector = events->exception.nr;
	cpu->exception.has_error = events->exception.has_error_code;
	cpu->exception.error = events->exception.error_code;
	cpu->exception.injected = !pending || !events->exception_has_payload;
	cpu->exception.address = events->exception_payload;
}

static void resume_nmi(struct cpu *cpu)
{
	cpu->delivering.active = true;
	cpu->delivering.vector = VECTOR_NMI;
	cpu->delivering.type = EVENT_TYPE_NMI;
	event_post(cpu, EVENT_TRAP);
}

static void set_interrupts(struct cpu *cpu, const struct kvm_vcpu_events *events)
{
	u8 shadow = events->interrupt.shadow;

	cpu->user_interrupt = 0;
	if ((delivers(cpu, EVENT_TYPE_EXTERNAL) || delivers(cpu, EVENT_TYPE_NMI)) &&
	    !cpu->delivering.injected)
		cpu->delivering.active = false;
	if (events->interrupt.injected)
		event_resume_external(cpu, events->interrupt.nr);
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW)
		cpu->shadow = (shadow & KVM_X86_SHADOW_INT_STI ? SHADOW_STI : 0) |
			      (shadow & KVM_X86_SHADOW_INT_MOV_SS ? SHADOW_MOV_SS : 0);
	if (events->nmi.injected)
		resume_nmi(cpu);
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		event_set_pending(cpu, EVENT_NMI, events->nmi.pending);
	cpu->nmi_blocked = events->nmi.masked;
}

static void set_smm(struct cpu *cpu, const struct kvm_vcpu_events *events)
{
	cpu->smm = events->smi.smm;
	event_set_pending(cpu, EVENT_SMI, events->smi.pending);
	if (cpu->smm)
		smm_set_inside_nmi(cpu, events->smi.smm_inside_nmi);
	if (cpu->lapic)
		event_set_pending(cpu, EVENT_INIT, events->smi.latched_init);
}

static void set_triple_fault(struct cpu *cpu, bool pending)
{
	if (pending)
		cpu->activity = ACTIVITY_SHUTDOWN;
	else if (cpu->activity == ACTIVITY_SHUTDOWN)
		cpu->activity = ACTIVITY_RUNNING;
}

int state_set_events(struct cpu *cpu, const struct kvm_vcpu_events *events)
{
	if (!acceptable(cpu, cpu_vcpu(cpu)->vm, events))
		return -EINVAL;
	set_exception(cpu, events);
	set_interrupts(cpu, events);
	if (events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		cpu->sipi_vector = events->sipi_vector;
	if (events->flags & KVM_VCPUEVENT_VALID_SMM)
		set_smm(cpu, events);
	if (events->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		set_triple_fault(cpu, events->triple_fault.pending);
	cpu_update_mode(cpu);
	return 0;
}
