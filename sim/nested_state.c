/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE: what is the same for VMX and SVM. */
#include "sim/cpu/vendor.h"
#include "sim/state.h"

#define FLAGS_KNOWN                                                                                \
	(KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING |                              \
	 KVM_STATE_NESTED_MTF_PENDING | KVM_STATE_NESTED_GIF_SET)

/* A processor without either has only what one has that does not use it. */
static struct kvm_nested_state none(const struct cpu *cpu)
{
	struct kvm_nested_state state = {.size = sizeof(state)};

	if (cpu->amd) {
		state.format = KVM_STATE_NESTED_FORMAT_SVM;
		state.flags = KVM_STATE_NESTED_GIF_SET;
	} else {
		state.format = KVM_STATE_NESTED_FORMAT_VMX;
		state.hdr.vmx.vmxon_pa = state.hdr.vmx.vmcs12_pa = UINT64_MAX;
	}
	return state;
}

int state_get_nested(struct cpu *cpu, struct kvm_nested_state *to)
{
	const struct kvm_nested_state nothing = none(cpu);
	u32 room = to->size, size = sizeof(*to);

	if (cpu->vendor->get_nested)
		size = cpu->vendor->get_nested(cpu, to, room);
	else if (room >= size)
		*to = nothing;
	if (size <= room)
		return 0;
	to->size = size;
	return -E2BIG;
}

int state_set_nested(struct cpu *cpu, const struct kvm_nested_state *from)
{
	const struct kvm_nested_state nothing = none(cpu);

	if (from->size < sizeof(*from) || (from->flags & ~FLAGS_KNOWN) ||
	    ((from->flags & KVM_STATE_NESTED_RUN_PENDING) &&
	     !(from->flags & KVM_STATE_NESTED_GUEST_MODE)))
		return -EINVAL;
	if (cpu->vendor->set_nested)
		return cpu->vendor->set_nested(cpu, from);
	return from->format == nothing.format && from->flags == nothing.flags &&
			       (cpu->amd || from->hdr.vmx.vmxon_pa == UINT64_MAX)
		       ? 0
		       : -EINVAL;
}
