/* SPDX-License-Identifier: Apache-2.0 */
/* State that travels in struct kvm_run (api.rst: KVM_CAP_SYNC_REGS). */
#include "sim/state.h"
#include "sim/vm.h"

int sync_regs_enter(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct kvm_sync_regs *from = &run->s.regs;
	u64 dirty = run->kvm_dirty_regs;

	if ((run->kvm_valid_regs | dirty) & ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_REGS)
		state_set_regs(&vcpu->cpu, &from->regs);
	if (dirty & KVM_SYNC_X86_SREGS && state_set_sregs(&vcpu->cpu, &from->sregs))
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_EVENTS && state_set_events(&vcpu->cpu, &from->events))
		return -EINVAL;
	run->kvm_dirty_regs = 0;
	return 0;
}

void sync_regs_leave(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_sync_regs *to = &run->s.regs;

	if (run->kvm_valid_regs & KVM_SYNC_X86_REGS)
		state_get_regs(&vcpu->cpu, &to->regs);
	if (run->kvm_valid_regs & KVM_SYNC_X86_SREGS)
		state_get_sregs(&vcpu->cpu, &to->sregs);
	if (run->kvm_valid_regs & KVM_SYNC_X86_EVENTS)
		state_get_events(&vcpu->cpu, &to->events);
}
