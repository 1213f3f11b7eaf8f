/* SPDX-License-Identifier: Apache-2.0 */
/* Memory slots, with the errors of KVM_SET_USER_MEMORY_REGION (Linux, virt/kvm/api.rst 4.35). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/slots.h"

#define FLAGS_KNOWN (KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)
/* KVM's own limit on the pages of one slot: it must fit an int. */
#define PAGES_MAX (BIT(31) - 1)

static struct slot *slot_by_id(struct slots *slots, u32 id)
{
	for (unsigned int i = 0; i < slots->count; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

static size_t dirty_words(const struct slot *slot)
{
	return ((slot->size >> PAGE_SHIFT) + 63) / 64;
}

static bool region_valid(const struct kvm_userspace_memory_region *region)
{
	u64 misaligned = region->guest_phys_addr | region->memory_size | region->userspace_addr;

	/* Bits 31:16 of the number would choose an address space: there is only one. */
	return region->slot < SLOTS_MAX && !(region->flags & ~FLAGS_KNOWN) &&
	       !(misaligned & PAGE_OFFSET_MASK) &&
	       region->guest_phys_addr + region->memory_size >= region->guest_phys_addr &&
	       region->userspace_addr + region->memory_size >= region->userspace_addr &&
	       region->memory_size >> PAGE_SHIFT <= PAGES_MAX;
}

static bool overlaps_another(const struct slots *slots,
			     const struct kvm_userspace_memory_region *region)
{
	for (unsigned int i = 0; i < slots->count; i++) {
		const struct slot *slot = &slots->slot[i];

		if (slot->id != region->slot && region->guest_phys_addr < slot->gpa + slot->size &&
		    slot->gpa < region->guest_phys_addr + region->memory_size)
			return true;
	}
	return false;
}

static void slot_remove(struct slots *slots, struct slot *slot)
{
	unsigned int index = slot - slots->slot;

	slots->count--;
	memmove(slot, slot + 1, (slots->count - index) * sizeof(*slot));
	slots->recent = 0;
}

static void slot_insert(struct slots *slots, const struct slot *new)
{
	unsigned int i = slots->count;

	while (i > 0 && slots->slot[i - 1].gpa > new->gpa) {
		slots->slot[i] = slots->slot[i - 1];
		i--;
	}
	slots->slot[i] = *new;
	slots->count++;
	slots->recent = i;
}

static void slot_free(struct slot *slot)
{
	free(slot->code);
	free(slot->dirty);
}

/* Gives @slot the dirty bitmap that its flags ask for. */
static int slot_set_logging(struct slot *slot)
{
	if (!(slot->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
		free(slot->dirty);
		slot->dirty = NULL;
	} else if (!slot->dirty) {
		slot->dirty = calloc(dirty_words(slot), sizeof(u64));
		if (!slot->dirty)
			return -ENOMEM;
	}
	return 0;
}

static int slot_create(struct slots *slots, const struct kvm_userspace_memory_region *region)
{
	struct slot slot = {
		.id = region->slot,
		.flags = region->flags,
		.gpa = region->guest_phys_addr,
		.size = region->memory_size,
		.host = (u8 *)(uintptr_t)region->userspace_addr,
	};

	if (overlaps_another(slots, region))
		return -EEXIST;
	if (slots->count == SLOTS_MAX)
		return -EINVAL;
	slot.code = calloc(slot.size >> PAGE_SHIFT, sizeof(u64));
	if (!slot.code || slot_set_logging(&slot)) {
		slot_free(&slot);
		return -ENOMEM;
	}
	slot_insert(slots, &slot);
	return 0;
}

/* A live slot can be moved or have its logging switched; its size, host memory and read-only
 * flag are fixed. */
static int slot_change(struct slots *slots, struct slot *slot,
		       const struct kvm_userspace_memory_region *region)
{
	struct slot changed = *slot;
	int ret;

	if (region->memory_size != slot->size || region->userspace_addr != (uintptr_t)slot->host ||
	    ((region->flags ^ slot->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	if (region->guest_phys_addr != slot->gpa && overlaps_another(slots, region))
		return -EEXIST;
	changed.flags = region->flags;
	ret = slot_set_logging(&changed);
	if (ret)
		return ret;
	if (changed.gpa != region->guest_phys_addr)
		memset(changed.code, 0, (slot->size >> PAGE_SHIFT) * sizeof(u64));
	changed.gpa = region->guest_phys_addr;
	slot_remove(slots, slot);
	slot_insert(slots, &changed);
	return 0;
}

int slots_set(struct slots *slots, const struct kvm_userspace_memory_region *region)
{
	struct slot *slot;

	if (!region_valid(region))
		return -EINVAL;
	slot = slot_by_id(slots, region->slot);
	if (region->memory_size && slot)
		return slot_change(slots, slot, region);
	if (region->memory_size)
		return slot_create(slots, region);
	if (!slot)
		return -EINVAL;
	slot_free(slot);
	slot_remove(slots, slot);
	return 0;
}

void slots_free(struct slots *slots)
{
	for (unsigned int i = 0; i < slots->count; i++)
		slot_free(&slots->slot[i]);
	slots->count = 0;
	slots->recent = 0;
}

int slots_get_dirty(struct slots *slots, u32 id, void *bitmap)
{
	struct slot *slot;
	u64 *out = bitmap;

	if (id >= SLOTS_MAX)
		return -EINVAL;
	slot = slot_by_id(slots, id);
	if (!slot || !slot->dirty)
		return -ENOENT;
	for (size_t i = 0; i < dirty_words(slot); i++)
		out[i] = __atomic_exchange_n(&slot->dirty[i], 0, __ATOMIC_ACQ_REL);
	return 0;
}

static bool slot_holds(const struct slot *slot, u64 gpa)
{
	return gpa - slot->gpa < slot->size;
}

/* The hint is shared by all vCPUs of the VM, so it is read and written once each. */
struct slot *slots_find(struct slots *slots, u64 gpa)
{
	unsigned int recent = __atomic_load_n(&slots->recent, __ATOMIC_RELAXED);
	unsigned int low = 0, high = slots->count;

	if (likely(recent < high) && likely(slot_holds(&slots->slot[recent], gpa)))
		return &slots->slot[recent];
	while (low < high) {
		unsigned int middle = (low + high) / 2;
		struct slot *slot = &slots->slot[middle];

		if (slot_holds(slot, gpa)) {
			__atomic_store_n(&slots->recent, middle, __ATOMIC_RELAXED);
			return slot;
		}
		if (gpa < slot->gpa)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool slot_is_dirty(const struct slot *slot, u64 gpa)
{
	u64 page = (gpa - slot->gpa) >> PAGE_SHIFT;

	return !slot->dirty ||
	       __atomic_load_n(&slot->dirty[page / 64], __ATOMIC_RELAXED) & BIT(page % 64);
}

void slot_mark_dirty(struct slot *slot, u64 gpa)
{
	u64 page = (gpa - slot->gpa) >> PAGE_SHIFT;

	if (!slot_is_dirty(slot, gpa))
		__atomic_fetch_or(&slot->dirty[page / 64], BIT(page % 64), __ATOMIC_RELEASE);
}
