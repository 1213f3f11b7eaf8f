/* SPDX-License-Identifier: Apache-2.0 */
/* Where a linear address is, by the guest's page tables in the memory that is shared with QEMU. */
#ifndef LOCKSTEP_ACCEL_QEMU_WALK_H
#define LOCKSTEP_ACCEL_QEMU_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct walk_memory {
	const uint8_t *base; /* guest-physical 0 */
	uint64_t size;
};

/* True if it is mapped. Permissions are not looked at, and nothing is marked as accessed. */
bool qemu_walk(const struct walk_memory *memory, const struct kvm_sregs *sregs, uint64_t linear,
	       uint64_t *gpa);
/* As many of @size bytes as are mapped one behind the other, in memory. */
size_t qemu_walk_read(const struct walk_memory *memory, const struct kvm_sregs *sregs,
		      uint64_t linear, void *to, size_t size);

#endif
