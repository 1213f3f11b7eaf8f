/* SPDX-License-Identifier: Apache-2.0 */
/* A walk for user space (api.rst: KVM_TRANSLATE). */
#include "sim/look.h"
#include "sim/state.h"

int state_translate(struct cpu *cpu, struct kvm_translation *translation)
{
	u64 linear = translation->linear_address, gpa;

	*translation = (struct kvm_translation){.linear_address = linear};
	if (!look_translate(cpu, look_level(cpu), true, linear, &gpa)) {
		translation->physical_address = UINT64_MAX;
		return 0;
	}
	translation->physical_address = gpa;
	translation->valid = translation->writeable = 1;
	return 0;
}
