/* SPDX-License-Identifier: Apache-2.0 */
/* A walk while it is on its way; between walk.c, walk_entry.c and walk_sticky.c. */
#ifndef LOCKSTEP_MMU_WALK_PATH_H
#define LOCKSTEP_MMU_WALK_PATH_H

#include "mmu/paging_mode.h"
#include "mmu/walk.h"

/* One entry on the path, kept to set its accessed bit at the end. */
struct step {
	u8 *host; /* NULL: outside the slots, or in a read-only one */
	struct slot *slot;
	u64 gpa;      /* as the guest has it */
	u64 physical; /* behind the second stage */
	u64 entry;
};

struct walk {
	struct slots *slots;
	const struct walk_registers *regs;
	const struct paging_mode *mode;
	struct walk_result *result;
	u64 linear;
	unsigned int access;
	u64 physical_reserved; /* address bits at and above MAXPHYADDR */
	u64 reserved;          /* in every entry, by mode and registers */
	struct slot *slot;     /* that held the last entry */

	bool cached; /* began with what a sticky TLB holds, which may be old */
	unsigned int first, depth;
	struct step step[LEVELS_MAX]; /* from first up to depth */
	u64 all;                /* AND of the entries: R/W and U/S hold only if set everywhere */
	u64 upper;              /* the same without the leaf */
	u64 any;                /* OR of the entries: XD holds if set anywhere */
	bool sticks;            /* there is a sticky TLB, and the access may use it */
	u64 base_all, base_any; /* of what the first step began with */
};

/* --- walk_entry.c: what entries say --- */

bool entry_is_leaf(const struct walk *walk, const struct paging_level *level, u64 entry);
u64 entry_reserved(const struct walk *walk, const struct paging_level *level, bool leaf);
u64 leaf_address(const struct walk *walk, const struct paging_level *level, u64 leaf);
/* PAT, PCD and PWT: an index into IA32_PAT. */
u8 leaf_memory_type(const struct paging_level *level, u64 leaf);
/* Rights by paging alone, SDM 3A:4.6.1: bits as walk_result.allowed. */
unsigned int walk_rights(const struct walk *walk);
/* What protection keys take away, SDM 3A:4.6.2: data accesses only. */
unsigned int walk_denied_by_key(const struct walk *walk, u64 leaf);
/* SDM 3A:4.6.1, shadow-stack accesses: only pages whose leaf is read-only and dirty below
 * writable entries, of the mode of the access: supervisor pages for supervisor accesses. */
bool walk_shadow_stack_page(const struct walk *walk, u64 leaf);

/* --- walk_sticky.c: a sticky TLB --- */

/* The level of the leaf that is kept; -1: none. */
int walk_find_leaf(struct walk *walk);
/* The level to go on at, behind the lowest table that is kept; 0: at the top. */
unsigned int walk_find_table(struct walk *walk, u64 *table);
/* What the walk has found is kept. */
void walk_keep(const struct walk *walk);
void walk_forget(const struct walk *walk);

#endif
