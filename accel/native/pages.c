/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/native/pages.h"

#include <string.h>

#define PTE_P    UINT64_C(1)
#define PTE_W    UINT64_C(2)
#define PTE_U    UINT64_C(4)
#define PTE_PS   UINT64_C(0x80)
#define PTE_NX   (UINT64_C(1) << 63)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)
#define EFER_NXE UINT64_C(0x800)
#define PAGE     UINT64_C(4096)
#define LEVELS   4

/* What an entry's upper levels allow, and where it leads. */
struct walk {
	uint64_t table;
	bool user, write, execute;
};

static struct walk walk_start(const struct kvm_sregs *sregs)
{
	return (struct walk){sregs->cr3 & PTE_ADDR, true, true, true};
}

/* Of the table that @walk is at. False: not present, or outside of RAM. */
static bool walk_down(const struct shared_memory *memory, const struct kvm_sregs *sregs,
		      struct walk *walk, unsigned int index, uint64_t *entry)
{
	if (!memory->base || walk->table > memory->size - PAGE)
		return false;
	memcpy(entry, memory->base + walk->table + index * 8, sizeof(*entry));
	walk->table = *entry & PTE_ADDR;
	walk->user &= (*entry & PTE_U) != 0;
	walk->write &= (*entry & PTE_W) != 0;
	walk->execute &= !(sregs->efer & EFER_NXE && *entry & PTE_NX);
	return *entry & PTE_P;
}

static uint64_t span(unsigned int level)
{
	return PAGE << 9 * level;
}

static bool is_leaf(unsigned int level, uint64_t entry)
{
	return !level || (level < 3 && entry & PTE_PS);
}

struct native_page native_page_find(const struct shared_memory *memory,
				    const struct kvm_sregs *sregs, uint64_t linear)
{
	struct walk walk = walk_start(sregs);
	uint64_t entry;

	for (unsigned int level = LEVELS; level--;) {
		uint64_t offset = linear & (span(level) - 1);

		if (!walk_down(memory, sregs, &walk, linear / span(level) & 511, &entry))
			break;
		if (is_leaf(level, entry))
			return (struct native_page){(walk.table & ~(span(level) - 1)) | offset,
						    true, walk.user, walk.write, walk.execute};
	}
	return (struct native_page){0};
}

uint8_t *native_page_bytes(const struct shared_memory *memory, const struct kvm_sregs *sregs,
			   uint64_t linear)
{
	struct native_page page = native_page_find(memory, sregs, linear);

	return page.present && page.gpa < memory->size ? memory->base + page.gpa : NULL;
}

/* --- all of them --- */

struct listing {
	const struct shared_memory *memory;
	const struct kvm_sregs *sregs;
	struct native_range *ranges;
	unsigned int count;
	bool full;
};

static bool goes_on(const struct native_range *range, const struct native_range *next)
{
	return range->linear + range->size == next->linear &&
	       range->offset + range->size == next->offset && range->write == next->write &&
	       range->execute == next->execute;
}

static void add(struct listing *listing, struct native_range range)
{
	struct native_range *last = listing->count ? &listing->ranges[listing->count - 1] : NULL;

	if (range.offset >= listing->memory->size)
		return;
	if (range.size > listing->memory->size - range.offset)
		range.size = listing->memory->size - range.offset;
	if (last && goes_on(last, &range))
		last->size += range.size;
	else if (listing->count < NATIVE_RANGES)
		listing->ranges[listing->count++] = range;
	else
		listing->full = true;
}

/* The lower half: the host keeps the other for itself. */
static void list_table(struct listing *listing, const struct walk *walk, unsigned int level,
		       uint64_t linear)
{
	unsigned int entries = level == LEVELS - 1 ? 256 : 512;

	for (unsigned int n = 0; n < entries && !listing->full; n++) {
		struct walk below = *walk;
		uint64_t entry;

		if (!walk_down(listing->memory, listing->sregs, &below, n, &entry) || !below.user)
			continue;
		if (is_leaf(level, entry))
			add(listing,
			    (struct native_range){linear + n * span(level),
						  below.table & ~(span(level) - 1), span(level),
						  below.write, below.execute});
		else
			list_table(listing, &below, level - 1, linear + n * span(level));
	}
}

int native_pages_of_user(const struct shared_memory *memory, const struct kvm_sregs *sregs,
			 struct native_range ranges[NATIVE_RANGES])
{
	struct listing listing = {.memory = memory, .sregs = sregs, .ranges = ranges};
	struct walk walk = walk_start(sregs);

	list_table(&listing, &walk, LEVELS - 1, 0);
	return listing.full ? -E2BIG : (int)listing.count;
}
