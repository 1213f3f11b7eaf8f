/* SPDX-License-Identifier: Apache-2.0 */
#include "mmu/ept.h"
#include "mmu/sticky.h"

/* Exit qualification of EPT violations (SDM 3C:28.2.1, table 28-7). */
#define VIOLATION_READ         BIT(0)
#define VIOLATION_WRITE        BIT(1)
#define VIOLATION_FETCH        BIT(2)
#define VIOLATION_RIGHTS_SHIFT 3
#define VIOLATION_X_USER       BIT(6)
#define VIOLATION_SHADOW_STACK BIT(13)
#define VIOLATION_SSS          BIT(14)

/* Bits whose being all 0 makes an entry not present. */
static u64 ept_presence(const struct second_stage *stage)
{
	return EPT_RWX | (stage->mode_based ? EPT_X_USER : 0);
}

static bool ept_is_leaf(const struct second_stage *stage, unsigned int level, u64 entry)
{
	if (level == 1)
		return true;
	return (entry & EPT_PAGE) && (level == 2 || (level == 3 && stage->gbyte_pages));
}

/* SDM 3C:29.3.3.1. */
static bool ept_misconfigured(const struct second_stage *stage, unsigned int level, u64 entry)
{
	u64 above = stage->physical_bits < 52 ? EPT_ADDRESS & ~(BIT(stage->physical_bits) - 1) : 0;
	unsigned int type = entry >> EPT_TYPE_SHIFT & 7;
	unsigned int shift = PAGE_SHIFT + EPT_LEVEL_BITS * (level - 1);

	if ((entry & EPT_W) && !(entry & EPT_R))
		return true;
	if (!(entry & EPT_R) && !stage->execute_only)
		return true;
	if (entry & above)
		return true;
	if (!ept_is_leaf(stage, level, entry)) /* 7:3 */
		return entry & (BIT(8) - BIT(3));
	if (entry & EPT_ADDRESS & (BIT(shift) - 1))
		return true;
	return !(EPT_TYPES_VALID >> type & 1);
}

/* A supervisor shadow-stack page is readable, marked by its last entry, and writable but for that
 * entry (SDM 3C:29.3.3.2). */
static bool ept_shadow_stack_page(const struct ept_walk *walk)
{
	return (walk->step[walk->depth - 1].entry & EPT_SSS) && (walk->all & EPT_R) &&
	       (walk->upper & EPT_W);
}

static u8 ept_rights(const struct ept_walk *walk)
{
	u64 execute = EPT_X;

	if (walk->stage->mode_based && (walk->access & SECOND_STAGE_USER_PAGE))
		execute = EPT_X_USER;
	return (walk->all & EPT_R ? WALK_ALLOWED_READ : 0) | (walk->all & EPT_W ? WALK_WRITE : 0) |
	       (walk->all & execute ? WALK_EXEC : 0) |
	       (ept_shadow_stack_page(walk) ? WALK_SHADOW_STACK : 0);
}

static bool ept_violation(const struct ept_walk *walk, struct second_stage_result *result)
{
	u32 error = walk->access & WALK_EXEC    ? VIOLATION_FETCH
		    : walk->access & WALK_WRITE ? VIOLATION_WRITE
						: VIOLATION_READ;

	error |= (walk->all & EPT_RWX) << VIOLATION_RIGHTS_SHIFT;
	if (walk->stage->mode_based && (walk->all & EPT_X_USER))
		error |= VIOLATION_X_USER;
	if (walk->access & WALK_SHADOW_STACK)
		error |= VIOLATION_SHADOW_STACK;
	/* Setting accessed and dirty flags reads and writes the guest's tables; of the read the
	 * manual leaves it to the processor to tell. */
	if ((walk->access & SECOND_STAGE_TABLE) && (walk->access & WALK_WRITE))
		error |= VIOLATION_READ;
	result->error = error;
	result->suppressed = walk->depth && (walk->step[walk->depth - 1].entry & EPT_SUPPRESS_VE);
	return false;
}

static void ept_load(struct ept_walk *walk, u64 physical)
{
	struct slot *slot = slots_find(walk->slots, physical);
	unsigned int n = walk->depth++;
	u64 *host = slot ? (u64 *)(slot->host + (physical - slot->gpa)) : NULL;

	walk->step[n].slot = slot;
	walk->step[n].physical = physical;
	walk->step[n].entry = host ? __atomic_load_n(host, __ATOMIC_RELAXED) : UINT64_MAX;
	walk->step[n].host = slot && !(slot->flags & KVM_MEM_READONLY) ? host : NULL;
	if (unlikely(walk->stage->steps))
		walk_note_step(walk->stage->steps, physical, walk->step[n].entry,
			       walk->stage->levels - n);
}

#define LOG_ENTRIES 512

/* An entry of the page-modification log, in which there is room. */
static void ept_log(const struct ept_walk *walk, struct walk_updates *updates)
{
	u64 *index = walk->stage->log_index, at = walk->stage->log + *index * 8;
	struct slot *slot = slots_find(walk->slots, at);

	if (slot && !(slot->flags & KVM_MEM_READONLY)) {
		__atomic_store_n((u64 *)(slot->host + (at - slot->gpa)),
				 walk->gpa & ~PAGE_OFFSET_MASK, __ATOMIC_RELAXED);
		slot_mark_dirty(slot, at);
		walk_note_update(updates, at);
	}
	*index = (*index - 1) & 0xffff;
}

static bool ept_logs(const struct ept_walk *walk)
{
	return walk->stage->log_index && (walk->access & WALK_WRITE) &&
	       !(walk->step[walk->depth - 1].entry & EPT_D);
}

/* False: an entry changed under the walk. */
static bool ept_set_accessed_dirty(struct ept_walk *walk, struct walk_updates *updates)
{
	for (unsigned int n = 0; n < walk->depth; n++) {
		u64 expected = walk->step[n].entry, entry = expected | EPT_A;

		if (n == walk->depth - 1 && (walk->access & WALK_WRITE))
			entry |= EPT_D;
		if (entry == expected || !walk->step[n].host)
			continue;
		if (!__atomic_compare_exchange_n(walk->step[n].host, &expected, entry, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return false;
		slot_mark_dirty(walk->step[n].slot, walk->step[n].physical);
		walk_note_update(updates, walk->step[n].physical);
		walk->step[n].entry = entry;
	}
	return true;
}

enum ept_outcome { EPT_DONE, EPT_REFUSED, EPT_RETRY };

static enum ept_outcome ept_finish(struct ept_walk *walk, unsigned int level,
				   struct walk_updates *updates, struct second_stage_result *result)
{
	unsigned int shift = ept_shift(level);
	u64 *leaf = &walk->step[walk->depth - 1].entry, offset = BIT(shift) - 1;
	u8 rights = ept_rights(walk);

	if (!(rights & second_stage_right_needed(walk->stage, walk->access))) {
		ept_violation(walk, result);
		if (walk->stage->supervisor_shadow_stack && (*leaf & EPT_SSS))
			result->error |= VIOLATION_SSS;
		return EPT_REFUSED;
	}
	if (walk->stage->accessed_dirty) {
		bool logs = ept_logs(walk);

		result->log_full = logs && *walk->stage->log_index >= LOG_ENTRIES;
		if (result->log_full)
			return EPT_REFUSED;
		if (!ept_set_accessed_dirty(walk, updates))
			return EPT_RETRY;
		if (logs)
			ept_log(walk, updates);
	}
	if (walk->stage->accessed_dirty && !(*leaf & EPT_D))
		rights &= ~(WALK_WRITE | WALK_SHADOW_STACK);
	result->physical = (*leaf & EPT_ADDRESS & ~offset) | (walk->gpa & offset);
	result->allowed = rights;
	result->memory_type = *leaf >> EPT_TYPE_SHIFT & 0xf;
	return EPT_DONE;
}

static enum ept_outcome ept_walk_once(struct ept_walk *walk, struct walk_updates *updates,
				      struct second_stage_result *result)
{
	unsigned int level = walk->stage->levels;
	u64 table = walk->stage->root;

	walk->all = walk->upper = walk->base_all = EPT_RWX | EPT_X_USER;
	walk->depth = 0;
	walk->cached = false;
	if (unlikely(walk->stage->sticky && !walk->stage->probe)) {
		unsigned int leaf = ept_find_leaf(walk);

		walk->top = 0;
		if (leaf)
			return ept_finish(walk, leaf, updates, result);
		level = ept_find_table(walk, &table);
	}
	walk->top = level;
	for (;; level--) {
		u64 entry;

		ept_load(walk, table + (walk->gpa >> ept_shift(level) & 0x1ff) * 8);
		entry = walk->step[walk->depth - 1].entry;
		walk->upper = walk->all;
		walk->all &= entry;
		if (!(entry & ept_presence(walk->stage))) {
			ept_violation(walk, result);
			return EPT_REFUSED;
		}
		if (unlikely(walk->stage->tables))
			walk_note_table(walk->stage->tables, walk->step[walk->depth - 1].physical);
		if (ept_misconfigured(walk->stage, level, entry)) {
			result->misconfigured = true;
			return EPT_REFUSED;
		}
		if (ept_is_leaf(walk->stage, level, entry))
			return ept_finish(walk, level, updates, result);
		table = entry & EPT_ADDRESS;
	}
}

/* Addresses wider than the tables reach are not present (SDM 3C:29.3.2). */
static bool ept_reaches(const struct second_stage *stage, u64 gpa)
{
	return !(gpa >> (PAGE_SHIFT + EPT_LEVEL_BITS * stage->levels));
}

bool ept_translate(struct slots *slots, const struct second_stage *stage, u64 gpa,
		   unsigned int access, struct walk_updates *updates,
		   struct second_stage_result *result)
{
	struct ept_walk walk;
	enum ept_outcome outcome;

	walk.slots = slots;
	walk.stage = stage;
	walk.gpa = gpa;
	walk.access = access;
	if ((access & SECOND_STAGE_TABLE) && stage->accessed_dirty)
		walk.access |= WALK_WRITE;
	if (!ept_reaches(stage, gpa)) {
		walk.all = 0;
		walk.depth = 0;
		return ept_violation(&walk, result);
	}
	do {
		outcome = ept_walk_once(&walk, updates, result);
		if (unlikely(outcome == EPT_REFUSED && walk.cached)) {
			/* Not by memory as it is: what is kept goes (SDM 3C:29.4.3.1), and again.
			 */
			sticky_forget_address(stage->sticky, stage->space, 0, gpa, false, true);
			result->misconfigured = result->log_full = result->suppressed = false;
			outcome = EPT_RETRY;
		}
	} while (outcome == EPT_RETRY);
	if (unlikely(outcome == EPT_DONE && stage->sticky && !stage->probe && walk.top))
		ept_keep(&walk);
	return outcome == EPT_DONE;
}
