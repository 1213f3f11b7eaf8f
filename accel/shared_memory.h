/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory that another process shares: one slot from guest-physical 0 on, backed by a file. */
#ifndef LOCKSTEP_ACCEL_SHARED_MEMORY_H
#define LOCKSTEP_ACCEL_SHARED_MEMORY_H

#include <stdint.h>

#include <linux/kvm.h>

struct shared_memory {
	uint8_t *base; /* guest-physical 0; NULL: no slot yet */
	uint8_t *seen; /* as it was at the last look at the dirty log */
	uint64_t size;
	int fd;
};

/* KVM_SET_USER_MEMORY_REGION: what the user has mapped there is replaced by a file, with what is in
 * it. In whole MiB. */
int shared_memory_set(struct shared_memory *memory,
		      const struct kvm_userspace_memory_region *region);
/* KVM_GET_DIRTY_LOG, by comparing. */
int shared_memory_dirty_log(struct shared_memory *memory, const struct kvm_dirty_log *log);
void shared_memory_free(struct shared_memory *memory);

#endif
