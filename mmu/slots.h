/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory slots (KVM_SET_USER_MEMORY_REGION): guest-physical to host memory, with what the
 * engine has to remember of each page. Slots change only while no vCPU of the VM runs.
 */
#ifndef LOCKSTEP_MMU_SLOTS_H
#define LOCKSTEP_MMU_SLOTS_H

#include <linux/kvm.h>

#include "mmu/types.h"

#define SLOTS_MAX 512

struct slot {
	u32 id;    /* KVM's slot number (address space 0) */
	u32 flags; /* KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY */
	u64 gpa;   /* first byte, page aligned */
	u64 size;  /* bytes, a multiple of 4 KiB */
	u8 *host;
	/* One word a page, one bit for each 64 bytes from which a trace was decoded. */
	u64 *code;
	u64 *dirty; /* bitmap, one bit a page; NULL without dirty logging */
};

struct slots {
	struct slot slot[SLOTS_MAX]; /* sorted by gpa */
	unsigned int count;
	unsigned int recent; /* index of the last hit; a hint only */
	bool shared;         /* by more than one vCPU */
	/* vCPUs that wait until the others can't write any more to a page that has just got its
	 * first bit in slot->code. Atomic. */
	unsigned int guarding;
};

/* KVM_SET_USER_MEMORY_REGION: create, move, change flags, delete (size 0). -EINVAL, -EEXIST. */
int slots_set(struct slots *slots, const struct kvm_userspace_memory_region *region);
void slots_free(struct slots *slots);
/* KVM_GET_DIRTY_LOG: copies the bitmap out and clears it. -ENOENT. */
int slots_get_dirty(struct slots *slots, u32 id, void *bitmap);

/* The slot that holds @gpa, or NULL (MMIO). */
struct slot *slots_find(struct slots *slots, u64 gpa);

/* Host pointer of @gpa, or NULL. Valid to the end of its 4 KiB page. */
static inline u8 *slots_host(struct slots *slots, u64 gpa)
{
	struct slot *slot = slots_find(slots, gpa);

	return slot ? slot->host + (gpa - slot->gpa) : NULL;
}

ALWAYS_INLINE u64 *slot_code_word(struct slot *slot, u64 gpa)
{
	return &slot->code[(gpa - slot->gpa) >> PAGE_SHIFT];
}

/* The bits of that word for the lines of 64 bytes that [gpa, gpa + size) touches; within one page.
 */
#define CODE_LINE_MASK UINT64_C(63)
ALWAYS_INLINE u64 slot_code_lines(u64 gpa, unsigned int size)
{
	unsigned int first = (gpa & PAGE_OFFSET_MASK) >> 6;
	unsigned int last = ((gpa + size - 1) & PAGE_OFFSET_MASK) >> 6;

	return ~UINT64_C(0) << first & ~UINT64_C(0) >> (63 - last);
}

/* Marks the page dirty if the slot logs it. */
void slot_mark_dirty(struct slot *slot, u64 gpa);
/* A write to the page now needs no mark: nobody logs writes, or it has one. */
bool slot_is_dirty(const struct slot *slot, u64 gpa);

#endif
