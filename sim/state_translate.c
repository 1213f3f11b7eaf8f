/* SPDX-License-Identifier: Apache-2.0 */
/* A walk for user space (api.rst: KVM_TRANSLATE). */
#include "sim/state.h"

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
