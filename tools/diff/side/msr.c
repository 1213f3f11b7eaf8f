/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/msr.h"

#include <string.h>

void diff_msr_list_read(struct ls_engine *engine, union diff_msr_list *list)
{
	memset(list, 0, sizeof(*list));
	list->head.nmsrs = 512;
	if (ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_MSR_INDEX_LIST, list) < 0)
		list->head.nmsrs = 0;
}

bool diff_msr_listed(const union diff_msr_list *list, uint32_t msr)
{
	for (uint32_t i = 0; i < list->head.nmsrs; i++)
		if (list->head.indices[i] == msr)
			return true;
	return false;
}

union msr_one {
	struct kvm_msrs head;
	uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

uint64_t diff_msr_read(struct ls_engine *engine, int vcpu, uint32_t number)
{
	union msr_one one = {.head.nmsrs = 1};

	one.head.entries[0].index = number;
	return ls_ioctl_ptr(engine, vcpu, KVM_GET_MSRS, &one) == 1 ? one.head.entries[0].data : 0;
}

void diff_msr_write(struct ls_engine *engine, int vcpu, uint32_t number, uint64_t value)
{
	union msr_one one = {.head.nmsrs = 1};

	one.head.entries[0] = (struct kvm_msr_entry){.index = number, .data = value};
	ls_ioctl_ptr(engine, vcpu, KVM_SET_MSRS, &one);
}
