/* SPDX-License-Identifier: Apache-2.0 */
/* What a vCPU is doing (api.rst: KVM_GET_MP_STATE, KVM_SET_MP_STATE). */
#include "sim/cpu/segment.h"
#include "sim/state.h"

void state_get_mp(const struct cpu *cpu, struct kvm_mp_state *state)
{
	switch (cpu->activity) {
	case ACTIVITY_HALTED:
		state->mp_state = KVM_MP_STATE_HALTED;
		break;
	case ACTIVITY_WAIT_SIPI:
		state->mp_state = event_is_pending(cpu, EVENT_SIPI) ? KVM_MP_STATE_SIPI_RECEIVED
				  : cpu->init_received              ? KVM_MP_STATE_INIT_RECEIVED
								    : KVM_MP_STATE_UNINITIALIZED;
		break;
	default:
		state->mp_state = KVM_MP_STATE_RUNNABLE;
	}
}

static void wait_for_sipi(struct cpu *cpu, bool after_init, bool arrived)
{
	cpu->activity = ACTIVITY_WAIT_SIPI;
	cpu->init_received = after_init;
	event_set_pending(cpu, EVENT_SIPI, arrived);
}

int state_set_mp(struct cpu *cpu, const struct kvm_mp_state *state)
{
	bool starting = state->mp_state == KVM_MP_STATE_INIT_RECEIVED ||
			state->mp_state == KVM_MP_STATE_SIPI_RECEIVED;

	/* Without a local APIC here the others are user space's; in SMM an INIT is held back. */
	if ((!cpu->lapic && state->mp_state != KVM_MP_STATE_RUNNABLE) ||
	    (starting && (cpu->smm || event_is_pending(cpu, EVENT_SMI))))
		return -EINVAL;
	switch (state->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		cpu->activity = ACTIVITY_RUNNING;
		return 0;
	case KVM_MP_STATE_HALTED:
		cpu->activity = ACTIVITY_HALTED;
		return 0;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		wait_for_sipi(cpu, starting, state->mp_state == KVM_MP_STATE_SIPI_RECEIVED);
		return 0;
	default:
		return -EINVAL;
	}
}
