/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's page tables: 4-level paging (SDM 3A:4.5). */
#ifndef LOCKSTEP_ACCEL_NATIVE_PAGES_H
#define LOCKSTEP_ACCEL_NATIVE_PAGES_H

#include "accel/native/child.h"
#include "accel/shared_memory.h"

/* What a walk leads to. */
struct native_page {
	uint64_t gpa; /* of the address itself */
	bool present, user, write, execute;
};

struct native_page native_page_find(const struct shared_memory *memory,
				    const struct kvm_sregs *sregs, uint64_t linear);
/* RAM at a linear address, up to the page's end; NULL: not mapped, or no RAM. */
uint8_t *native_page_bytes(const struct shared_memory *memory, const struct kvm_sregs *sregs,
			   uint64_t linear);

#define NATIVE_RANGES 64

/* All that level 3 may access, in order of linear addresses. How many, or -E2BIG. */
int native_pages_of_user(const struct shared_memory *memory, const struct kvm_sregs *sregs,
			 struct native_range ranges[NATIVE_RANGES]);

#endif
