/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/nested.h"

#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"

void nested_read(struct vcpu *vcpu, union nested_buffer *state)
{
	struct machine *machine = vcpu->machine;

	state->head.size = sizeof(*state);
	if (!engine_offers(machine, KVM_CAP_NESTED_STATE) ||
	    ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_NESTED_STATE, state) < 0)
		state->head = (struct kvm_nested_state){0};
}

/* api.rst 4.114: outside of VMX operation there is no VMXON region; SVM keeps nothing but GIF. */
static bool is_hypervisor(const struct kvm_nested_state *state)
{
	if (state->format == KVM_STATE_NESTED_FORMAT_VMX)
		return state->hdr.vmx.vmxon_pa != UINT64_MAX;
	return state->flags != KVM_STATE_NESTED_GIF_SET;
}

int nested_write(struct vcpu *vcpu, const union nested_buffer *state, struct ls_error *err)
{
	struct machine *machine = vcpu->machine;
	int ret = -ENOTTY;

	if (!state->head.size)
		return 0;
	if (engine_offers(machine, KVM_CAP_NESTED_STATE))
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_NESTED_STATE, state);
	if (ret >= 0 || !is_hypervisor(&state->head))
		return 0;
	return ls_error_set(err, ret,
			    "vCPU %u runs a hypervisor, which engine %s does not take over: %s",
			    vcpu->index, machine->engine->ops->name, strerror(-ret));
}

void nested_leave(struct vcpu *vcpu)
{
	struct kvm_nested_state state = {.size = sizeof(state)};
	struct machine *machine = vcpu->machine;

	if (!engine_offers(machine, KVM_CAP_NESTED_STATE))
		return;
	/* The vendor decides which of them the engine takes. */
	state.hdr.vmx.vmxon_pa = state.hdr.vmx.vmcs12_pa = UINT64_MAX;
	if (ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_NESTED_STATE, &state) >= 0)
		return;
	state.format = KVM_STATE_NESTED_FORMAT_SVM;
	state.flags = KVM_STATE_NESTED_GIF_SET;
	ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_NESTED_STATE, &state);
}

bool nested_in_guest(struct vcpu *vcpu)
{
	union nested_buffer *state = calloc(1, sizeof(*state));
	bool in_guest;

	if (!state)
		return false;
	nested_read(vcpu, state);
	in_guest = state->head.flags & KVM_STATE_NESTED_GUEST_MODE;
	free(state);
	return in_guest;
}
