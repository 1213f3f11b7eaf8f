/* SPDX-License-Identifier: Apache-2.0 */
/* A sticky TLB keeps what a walk found: leaves, and tables to go on from (SDM 3A:4.10). */
#include "mmu/sticky.h"
#include "mmu/walk_path.h"

static const struct sticky_entry *known(const struct walk *walk, enum sticky_kind kind, u8 shift)
{
	const struct walk_registers *regs = walk->regs;

	return sticky_find(regs->sticky, regs->space, regs->pcid, kind, walk->linear, shift);
}

/* A write through an entry that is not dirty has to reach the one in memory. */
static bool leaf_serves(const struct walk *walk, const struct sticky_entry *leaf)
{
	return leaf && (!(walk->access & WALK_WRITE) || (leaf->entry & ENTRY_D) ||
			(walk->access & WALK_SHADOW_STACK));
}

static const struct sticky_entry *known_leaf(const struct walk *walk, u8 shift)
{
	const struct sticky_entry *leaf = known(walk, STICKY_LEAF, shift);

	if (!leaf)
		leaf = known(walk, STICKY_GLOBAL, shift);
	return leaf_serves(walk, leaf) ? leaf : NULL;
}

static void take_over(struct walk *walk, const struct sticky_entry *entry, unsigned int level)
{
	walk->cached = true;
	walk->all = entry->all;
	walk->upper = entry->upper;
	walk->any = entry->any;
	walk->step[level] = (struct step){.entry = entry->entry};
}

int walk_find_leaf(struct walk *walk)
{
	for (int i = walk->mode->levels - 1; i >= 0; i--) {
		const struct sticky_entry *leaf = known_leaf(walk, walk->mode->level[i].shift);

		if (!leaf)
			continue;
		take_over(walk, leaf, i);
		walk->first = walk->depth = i + 1; /* nothing is written, or kept again */
		return i;
	}
	return -1;
}

unsigned int walk_find_table(struct walk *walk, u64 *table)
{
	for (int i = walk->mode->levels - 2; i >= 0; i--) {
		const struct sticky_entry *entry =
			known(walk, STICKY_TABLE, walk->mode->level[i].shift);

		if (!entry)
			continue;
		take_over(walk, entry, i);
		*table = entry->entry & walk->mode->address;
		return i + 1;
	}
	return 0;
}

static void keep_entry(const struct walk *walk, unsigned int i, const struct sticky_entry *what)
{
	struct sticky_entry entry = *what;

	entry.space = walk->regs->space;
	entry.pcid = walk->regs->pcid;
	entry.shift = walk->mode->level[i].shift;
	entry.entry = walk->step[i].entry;
	sticky_keep(walk->regs->sticky, walk->linear, &entry);
}

/* Entries are kept once their accessed bit is set (SDM 3A:4.10.2.3, 4.10.3.1). */
void walk_keep(const struct walk *walk)
{
	u64 all = walk->base_all, any = walk->base_any;
	struct sticky_entry what = {.kind = STICKY_TABLE};

	for (unsigned int i = walk->first; i < walk->depth; i++) {
		u64 entry = walk->step[i].entry;

		if (!(entry & ENTRY_A))
			return;
		what.upper = all;
		what.all = all &= entry;
		what.any = any |= entry;
		if (i == walk->depth - 1)
			what.kind = walk->result->global ? STICKY_GLOBAL : STICKY_LEAF;
		keep_entry(walk, i, &what);
	}
}

void walk_forget(const struct walk *walk)
{
	sticky_forget_address(walk->regs->sticky, walk->regs->space, walk->regs->pcid, walk->linear,
			      true, true);
}
