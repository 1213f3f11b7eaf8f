/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_ENABLE_CAP on a VM (api.rst, "Capabilities that can be enabled on VMs"). */
#include "sim/vm.h"

int vm_enable_cap(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case KVM_CAP_EXCEPTION_PAYLOAD:
		vm->exception_payload = cap->args[0];
		return 0;
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		vm->triple_fault_event = cap->args[0];
		return 0;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return msr_exits_enable(vm, cap->args[0]);
	default:
		return -EINVAL;
	}
}
