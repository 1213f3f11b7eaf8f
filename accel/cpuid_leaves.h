/* SPDX-License-Identifier: Apache-2.0 */
/* All that a processor's CPUID says, leaf by leaf, as KVM_GET_SUPPORTED_CPUID returns it. */
#ifndef LOCKSTEP_ACCEL_CPUID_LEAVES_H
#define LOCKSTEP_ACCEL_CPUID_LEAVES_H

#include <linux/kvm.h>

#define CPUID_LEAVES_ROOM 256

union cpuid_leaves {
	struct kvm_cpuid2 head;
	__u8 room[sizeof(struct kvm_cpuid2) + CPUID_LEAVES_ROOM * sizeof(struct kvm_cpuid_entry2)];
};

/* Asks for the basic and the extended leaves; @ask fills the registers of an entry whose function
 * and index are given. 0, or what @ask returned, or -E2BIG. */
int cpuid_leaves_read(union cpuid_leaves *leaves,
		      int (*ask)(void *opaque, struct kvm_cpuid_entry2 *entry), void *opaque);
/* KVM_GET_SUPPORTED_CPUID's answer. */
int cpuid_leaves_give(const union cpuid_leaves *leaves, struct kvm_cpuid2 *to);
/* What CPUID returns by these leaves (KVM_SET_CPUID2). SDM 2A CPUID: a leaf above the highest gives
 * the highest basic leaf's; KVM gives zeros. */
struct kvm_cpuid_entry2 cpuid_leaves_find(const struct kvm_cpuid_entry2 *entries, __u32 count,
					  __u32 leaf, __u32 subleaf);

#endif
