/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the guest's MSR accesses are not decided by msrs.def alone: KVM_X86_SET_MSR_FILTER takes
 * some away, KVM_CAP_X86_USER_SPACE_MSR lets user space answer those that would be #GP(0). */
#ifndef LOCKSTEP_SIM_CPU_MSR_POLICY_H
#define LOCKSTEP_SIM_CPU_MSR_POLICY_H

#include "sim/cpu/cpu.h"

struct msr_policy {
	u32 exits; /* KVM_MSR_EXIT_REASON_* that leave for user space */
	bool deny; /* what no range speaks of */
	unsigned int ranges;
	struct msr_range {
		u32 flags, base, count;                     /* flags: KVM_MSR_FILTER_READ, _WRITE */
		u8 allowed[KVM_MSR_FILTER_MAX_BITMAP_SIZE]; /* a bit an MSR */
	} range[KVM_MSR_FILTER_MAX_RANGES];
	struct msr_policy *older;
};

/* RDMSR and WRMSR. False means #GP(0). May abandon the instruction for an answer of user space,
 * which its re-execution finds (struct cpu_io). */
bool msr_guest_read(struct cpu *cpu, u32 number, u64 *value);
bool msr_guest_write(struct cpu *cpu, u32 number, u64 value);

#endif
