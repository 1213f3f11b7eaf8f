/* SPDX-License-Identifier: Apache-2.0 */
/* Debug registers, activity and pending events (api.rst 4.38, 4.39, 4.31 to 4.34). */
#include "sim/cpu/state_table.h"
#include "sim/state.h"

void state_get_debug(const struct cpu *cpu, struct kvm_debugregs *regs)
{
	*regs = (struct kvm_debugregs){0};
	state_store_kvm(cpu, STATE_IN_DEBUGREGS, regs);
}

int state_set_debug(struct cpu *cpu, const struct kvm_debugregs *regs)
{
	if (regs->flags || regs->dr6 >> 32 || regs->dr7 >> 32)
		return -EINVAL;
	state_load_kvm(cpu, STATE_IN_DEBUGREGS, regs);
	cpu_update_mode(cpu);
	return 0;
}

void state_get_mp(const struct cpu *cpu, struct kvm_mp_state *state)
{
	switch (cpu->activity) {
	case ACTIVITY_HALTED: state->mp_state = KVM_MP_STATE_HALTED; break;
	case ACTIVITY_WAIT_SIPI: state->mp_state = KVM_MP_STATE_UNINITIALIZED; break;
	default: state->mp_state = KVM_MP_STATE_RUNNABLE;
	}
}

int state_set_mp(struct cpu *cpu, const struct kvm_mp_state *state)
{
	switch (state->mp_state) {
	case KVM_MP_STATE_RUNNABLE: cpu->activity = ACTIVITY_RUNNING; return 0;
	case KVM_MP_STATE_HALTED: cpu->activity = ACTIVITY_HALTED; return 0;
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_UNINITIALIZED: cpu->activity = ACTIVITY_WAIT_SIPI; return 0;
	default: return -EINVAL;
	}
}

void state_get_events(const struct cpu *cpu, struct kvm_vcpu_events *events)
{
	*events = (struct kvm_vcpu_events){
		.exception = {.injected = cpu->exception_due,
			      .nr = cpu->exception.vector,
			      .has_error_code = cpu->exception.has_error,
			      .error_code = cpu->exception.error},
		.interrupt.shadow = cpu->shadow,
		.nmi = {.pending = cpu->nmi_pending || (cpu->event & EVENT_NMI),
			.masked = cpu->nmi_blocked},
		.sipi_vector = cpu->sipi_vector,
		.smi = {.smm = cpu->smm, .pending = cpu->smi_pending},
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
			 KVM_VCPUEVENT_VALID_SMM,
	};
}

int state_set_events(struct cpu *cpu, const struct kvm_vcpu_events *events)
{
	if (events->exception.injected && events->exception.nr > 31)
		return -EINVAL;
	cpu->exception_due = events->exception.injected;
	cpu->exception.vector = events->exception.nr;
	cpu->exception.has_error = events->exception.has_error_code;
	cpu->exception.error = events->exception.error_code;
	cpu->exception.injected = true;
	cpu->nmi_blocked = events->nmi.masked;
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		cpu->nmi_pending = false;
		__atomic_fetch_and(&cpu->event, ~(u32)EVENT_NMI, __ATOMIC_RELAXED);
		if (events->nmi.pending)
			__atomic_fetch_or(&cpu->event, EVENT_NMI, __ATOMIC_RELAXED);
	}
	if (events->flags & KVM_VCPUEVENT_VALID_SHADOW)
		cpu->shadow = events->interrupt.shadow & (SHADOW_STI | SHADOW_MOV_SS);
	if (events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		cpu->sipi_vector = events->sipi_vector;
	if (events->flags & KVM_VCPUEVENT_VALID_SMM) {
		cpu->smm = events->smi.smm;
		cpu->smi_pending = events->smi.pending;
	}
	cpu_update_mode(cpu);
	return 0;
}

int state_translate(struct cpu *cpu, struct kvm_translation *translation)
{
	struct walk_result result;
	u64 linear = translation->linear_address;

	*translation = (struct kvm_translation){.linear_address = linear};
	if (!walk_linear(cpu->slots, &cpu->walk, linear, WALK_NO_AD | WALK_IMPLICIT, &result)) {
		translation->physical_address = UINT64_MAX;
		return 0;
	}
	translation->physical_address = result.gpa;
	translation->valid = translation->writeable = 1;
	return 0;
}
