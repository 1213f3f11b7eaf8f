/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs by KVM's calls. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_MSR_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_MSR_H

#include <stdbool.h>

#include <lockstep/engine.h>

union diff_msr_list {
	struct kvm_msr_list head;
	uint8_t room[sizeof(struct kvm_msr_list) + 512 * sizeof(uint32_t)];
};

/* Those that the engine lists. */
void diff_msr_list_read(struct ls_engine *engine, union diff_msr_list *list);
bool diff_msr_listed(const union diff_msr_list *list, uint32_t msr);

/* 0 if the engine cannot read it. */
uint64_t diff_msr_read(struct ls_engine *engine, int vcpu, uint32_t number);
void diff_msr_write(struct ls_engine *engine, int vcpu, uint32_t number, uint64_t value);

#endif
