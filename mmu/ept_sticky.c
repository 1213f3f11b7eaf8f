/* SPDX-License-Identifier: Apache-2.0 */
/* A sticky TLB keeps guest-physical mappings (SDM 3C:29.4.1). */
#include "mmu/ept.h"
#include "mmu/sticky.h"

/* What is kept for the address at @level. */
static const struct sticky_entry *ept_known(struct ept_walk *walk, enum sticky_kind kind,
					    unsigned int level)
{
	const struct second_stage *stage = walk->stage;
	const struct sticky_entry *entry =
		sticky_find(stage->sticky, stage->space, 0, kind, walk->gpa, ept_shift(level));
	bool cleans = stage->accessed_dirty && (walk->access & WALK_WRITE);

	if (!entry || (kind == STICKY_LEAF && cleans && !(entry->entry & EPT_D)))
		return NULL;
	walk->cached = true;
	walk->all = walk->base_all = entry->all;
	walk->upper = entry->upper;
	return entry;
}

unsigned int ept_find_leaf(struct ept_walk *walk)
{
	for (unsigned int level = 1; level <= 3; level++) {
		const struct sticky_entry *leaf = ept_known(walk, STICKY_LEAF, level);

		if (!leaf)
			continue;
		walk->step[0].entry = leaf->entry;
		walk->step[0].host = NULL;
		walk->depth = 1;
		return level;
	}
	return 0;
}

unsigned int ept_find_table(struct ept_walk *walk, u64 *table)
{
	for (unsigned int level = 2; level <= walk->stage->levels; level++) {
		const struct sticky_entry *entry = ept_known(walk, STICKY_TABLE, level);

		if (!entry)
			continue;
		*table = entry->entry & EPT_ADDRESS;
		return level - 1;
	}
	return walk->stage->levels;
}

/* Entries are kept once their accessed flag is set, where there are such (SDM 3C:29.4.2). */
void ept_keep(const struct ept_walk *walk)
{
	const struct second_stage *stage = walk->stage;
	struct sticky_entry entry = {.space = stage->space, .all = walk->base_all};

	for (unsigned int n = 0; n < walk->depth; n++) {
		entry.entry = walk->step[n].entry;
		if (stage->accessed_dirty && !(entry.entry & EPT_A))
			return;
		entry.upper = entry.all;
		entry.all &= entry.entry;
		entry.shift = ept_shift(walk->top - n);
		entry.kind = n == walk->depth - 1 ? STICKY_LEAF : STICKY_TABLE;
		sticky_keep(stage->sticky, walk->gpa, &entry);
	}
}
