/* SPDX-License-Identifier: Apache-2.0 */
/* User space's say over MSRs (api.rst: KVM_X86_SET_MSR_FILTER, KVM_CAP_X86_USER_SPACE_MSR,
 * KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR). */
#include <stdlib.h>

#include "sim/cpu/msr_policy.h"
#include "sim/vm.h"

#define REASONS_KNOWN                                                                              \
	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER)

/* The older ones stay until the VM goes: a vCPU in another thread may be reading them. */
static void publish(struct vm *vm, struct msr_policy *policy)
{
	unsigned int n;

	policy->older = vm->msr_policy;
	vm->msr_policy = policy;
	for (n = 0; n < vm->vcpus; n++)
		__atomic_store_n(&vm->vcpu[n]->cpu.msr_policy, policy, __ATOMIC_RELEASE);
}

int msr_exits_enable(struct vm *vm, u64 reasons)
{
	struct msr_policy *policy;

	if (reasons & ~(u64)REASONS_KNOWN)
		return -EINVAL;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	if (vm->msr_policy)
		*policy = *vm->msr_policy;
	policy->exits = reasons;
	publish(vm, policy);
	return 0;
}

static int add_range(struct msr_policy *policy, const struct kvm_msr_filter_range *from)
{
	struct msr_range *range = &policy->range[policy->ranges];
	size_t bytes = ((size_t)from->nmsrs + 7) / 8;

	if (!from->nmsrs)
		return 0;
	if (!from->flags || (from->flags & ~(u32)(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)) ||
	    bytes > sizeof(range->allowed))
		return -EINVAL;
	range->flags = from->flags;
	range->base = from->base;
	range->count = from->nmsrs;
	__builtin_memcpy(range->allowed, from->bitmap, bytes);
	policy->ranges++;
	return 0;
}

static int fill(struct msr_policy *policy, const struct kvm_msr_filter *filter)
{
	unsigned int n;

	if (filter->flags & ~(u32)KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	policy->deny = filter->flags & KVM_MSR_FILTER_DEFAULT_DENY;
	for (n = 0; n < KVM_MSR_FILTER_MAX_RANGES; n++)
		if (add_range(policy, &filter->ranges[n]))
			return -EINVAL;
	/* Without ranges filtering is off, which leaves nothing to deny. */
	return policy->deny && !policy->ranges ? -EINVAL : 0;
}

int msr_exits_filter(struct vm *vm, const struct kvm_msr_filter *filter)
{
	struct msr_policy *policy = calloc(1, sizeof(*policy));
	int ret = policy ? fill(policy, filter) : -ENOMEM;

	if (ret) {
		free(policy);
		return ret;
	}
	policy->exits = vm->msr_policy ? vm->msr_policy->exits : 0;
	publish(vm, policy);
	return 0;
}

void msr_exits_free(struct vm *vm)
{
	while (vm->msr_policy) {
		struct msr_policy *older = vm->msr_policy->older;

		free(vm->msr_policy);
		vm->msr_policy = older;
	}
}

void vcpu_show_msr(struct vcpu *vcpu, const struct cpu_io_access *access)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = access->write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	run->msr.reason = access->msr_reason;
	run->msr.index = access->address;
	run->msr.data = access->data;
}
