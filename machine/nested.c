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

/* NULL: the engine does not tell. To be freed. */
static union nested_buffer *read_state(struct vcpu *vcpu)
{
	union nested_buffer *state;

	if (!engine_offers(vcpu->machine, KVM_CAP_NESTED_STATE))
		return NULL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return NULL;
	state->head.size = sizeof(*state);
	if (ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_NESTED_STATE, state) >= 0)
		return state;
	free(state);
	return NULL;
}

bool nested_in_guest(struct vcpu *vcpu)
{
	union nested_buffer *state = read_state(vcpu);
	bool in_guest = state && (state->head.flags & KVM_STATE_NESTED_GUEST_MODE);

	free(state);
	return in_guest;
}

int nested_check(struct vcpu *vcpu, struct ls_error *err)
{
	union nested_buffer *state = read_state(vcpu);
	bool busy = state && is_hypervisor(&state->head);

	free(state);
	return busy ? ls_error_set(err, -EBUSY,
				   "vCPU %u runs a hypervisor, whose guests' state cannot be saved "
				   "yet; do it before that one starts",
				   vcpu->index)
		    : 0;
}
