/* SPDX-License-Identifier: Apache-2.0 */
/* A walk of the EPT paging structures (SDM 3C:29.3); between ept.c and ept_sticky.c. */
#ifndef LOCKSTEP_MMU_EPT_H
#define LOCKSTEP_MMU_EPT_H

#include "mmu/second_stage.h"

/* EPT entries (SDM 3C:29.3.2, tables 29-1 to 29-7). */
#define EPT_R           BIT(0)
#define EPT_W           BIT(1)
#define EPT_X           BIT(2) /* with MBEC: from supervisor-mode linear addresses */
#define EPT_RWX         (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE_SHIFT  3
#define EPT_PAGE        BIT(7)
#define EPT_A           BIT(8)
#define EPT_D           BIT(9)
#define EPT_X_USER      BIT(10)
#define EPT_SSS         BIT(60) /* supervisor shadow stack */
#define EPT_SUPPRESS_VE BIT(63)
#define EPT_LEVEL_BITS  9
#define EPT_ADDRESS     (((UINT64_C(1) << 52) - 1) & ~PAGE_OFFSET_MASK)
#define EPT_TYPES_VALID 0x73u /* UC WC WT WP WB */

struct ept_walk {
	struct slots *slots;
	const struct second_stage *stage;
	u64 gpa;
	unsigned int access;
	u64 all, upper;   /* AND of the entries used so far; of those without the last */
	u64 base_all;     /* of what the first step began with */
	unsigned int top; /* the level that it began at */
	unsigned int depth;
	bool cached; /* began with what a sticky TLB holds, which may be old */
	struct {
		u64 *host; /* NULL: not in a slot that can be written */
		struct slot *slot;
		u64 physical, entry;
	} step[5];
};

/* False: *@result says why not. */
bool ept_translate(struct slots *slots, const struct second_stage *stage, u64 gpa,
		   unsigned int access, struct walk_updates *updates,
		   struct second_stage_result *result);

static inline unsigned int ept_shift(unsigned int level)
{
	return PAGE_SHIFT + EPT_LEVEL_BITS * (level - 1);
}

/* The bit of result.allowed that has to be there; nested paging's, too. */
static inline u8 second_stage_right_needed(const struct second_stage *stage, unsigned int access)
{
	if ((access & WALK_SHADOW_STACK) && !(access & SECOND_STAGE_USER_PAGE) &&
	    stage->supervisor_shadow_stack)
		return WALK_SHADOW_STACK;
	if (access & WALK_EXEC)
		return WALK_EXEC;
	return access & WALK_WRITE ? WALK_WRITE : WALK_ALLOWED_READ;
}

/* --- ept_sticky.c --- */

/* The level of the leaf that is kept; 0: none. */
unsigned int ept_find_leaf(struct ept_walk *walk);
/* The level to go on at, behind the lowest table that is kept. */
unsigned int ept_find_table(struct ept_walk *walk, u64 *table);
void ept_keep(const struct ept_walk *walk);

#endif
