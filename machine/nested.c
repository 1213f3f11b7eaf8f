/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/nested.h"

#include <stdlib.h>

#include "machine/internal.h"

#define STATE_ROOM (64u << 10)

union nested_buffer {
	struct kvm_nested_state head;
	uint8_t room[STATE_ROOM];
};

/* api.rst 4.114: outside of VMX operation there is no VMXON region; SVM keeps nothing but GIF. */
static bool is_hypervisor(const struct kvm_nested_state *state)
{
	if (state->flags & KVM_STATE_NESTED_GUEST_MODE)
		return true;
	return state->format == KVM_STATE_NESTED_FORMAT_VMX &&
	       state->hdr.vmx.vmxon_pa != UINT64_MAX;
}

int nested_check(struct vcpu *vcpu, struct ls_error *err)
{
	struct machine *machine = vcpu->machine;
	union nested_buffer *state;
	bool busy;

	if (!engine_offers(machine, KVM_CAP_NESTED_STATE))
		return 0;
	state = calloc(1, sizeof(*state));
	if (!state)
		return ls_error_set(err, -ENOMEM, "no memory for the nested state");
	state->head.size = sizeof(*state);
	busy = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_NESTED_STATE, state) >= 0 &&
	       is_hypervisor(&state->head);
	free(state);
	return busy ? ls_error_set(err, -EBUSY,
				   "vCPU %u runs a hypervisor, whose guests' state cannot be saved "
				   "yet; do it before that one starts",
				   vcpu->index)
		    : 0;
}
