/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's page walk (SDM 3A:4, APM 2:5). */
#include "mmu/walk.h"
#include "mmu/control_registers.h"
#include "mmu/second_stage.h"
#include "mmu/sticky.h"
#include "mmu/walk_path.h"

/* #PF error code (SDM 3A:4.7). */
#define ERROR_P    BIT(0)
#define ERROR_W    BIT(1)
#define ERROR_U    BIT(2)
#define ERROR_RSVD BIT(3)
#define ERROR_I    BIT(4)
#define ERROR_PK   BIT(5)
#define ERROR_SS   BIT(6)

enum outcome { OUTCOME_DONE, OUTCOME_FAULT, OUTCOME_RETRY };

/* Through the second stage, if there is one. False: it refuses. */
static bool physical_of(struct slots *slots, const struct walk_registers *regs, u64 gpa,
			unsigned int access, struct walk_result *result, u64 *physical, u8 *allowed)
{
	struct second_stage *second = regs->second;
	struct second_stage_result stage;

	if (likely(!second)) {
		*physical = gpa;
		return true;
	}
	second->steps = regs->steps;
	second->tables = regs->tables;
	if (second_stage_translate(slots, second, gpa, access, &result->updates, &stage)) {
		*physical = stage.physical;
		result->second_type = stage.memory_type;
		*allowed &= stage.allowed;
		return true;
	}
	result->second.refused = true;
	result->second.misconfigured = stage.misconfigured;
	result->second.log_full = stage.log_full;
	result->second.apic_access = stage.apic_access;
	result->second.suppressed = stage.suppressed;
	result->second.final = !(access & SECOND_STAGE_TABLE);
	result->second.error = stage.error;
	result->second.gpa = gpa;
	return false;
}

static bool table_physical(struct walk *walk, u64 gpa, unsigned int access, u64 *physical)
{
	u8 allowed = 0;

	return physical_of(walk->slots, walk->regs, gpa, access | SECOND_STAGE_TABLE, walk->result,
			   physical, &allowed);
}

/* The bits of the error code that do not depend on the page (SDM 3A:4.7). */
static u32 error_of_access(const struct walk *walk)
{
	const struct walk_registers *regs = walk->regs;
	bool fetch_shows =
		(regs->cr4 & CR4_SMEP) || ((regs->cr4 & CR4_PAE) && (regs->efer & EFER_NXE));

	return (walk->access & WALK_WRITE ? ERROR_W : 0) |
	       (walk->access & WALK_USER ? ERROR_U : 0) |
	       (walk->access & WALK_EXEC && fetch_shows ? ERROR_I : 0) |
	       (walk->access & WALK_SHADOW_STACK ? ERROR_SS : 0);
}

static enum outcome walk_fault(struct walk *walk, u32 error)
{
	walk->result->error_code = error | error_of_access(walk);
	return OUTCOME_FAULT;
}

/* What no slot holds reads as all ones. The accessed and dirty bits of tables in a read-only
 * slot stay as they are, as in KVM. */
static bool step_load(struct walk *walk, struct step *step, u64 gpa)
{
	struct slot *slot = walk->slot;
	u64 physical;

	if (!table_physical(walk, gpa, WALK_READ, &physical))
		return false;
	if (unlikely(!slot || physical - slot->gpa >= slot->size))
		slot = walk->slot = slots_find(walk->slots, physical);
	step->gpa = gpa;
	step->physical = physical;
	step->slot = slot;
	step->host = NULL;
	step->entry = walk->mode->entry_size == 4 ? UINT32_MAX : UINT64_MAX;
	if (!step->slot)
		return true;
	step->host = step->slot->host + (physical - step->slot->gpa);
	step->entry = walk->mode->entry_size == 4
			      ? __atomic_load_n((u32 *)step->host, __ATOMIC_RELAXED)
			      : __atomic_load_n((u64 *)step->host, __ATOMIC_RELAXED);
	if (step->slot->flags & KVM_MEM_READONLY)
		step->host = NULL;
	return true;
}

/* Swaps in @entry if nobody else has changed it meanwhile. */
static bool step_store(struct walk *walk, struct step *step, u64 entry)
{
	bool stored;

	if (walk->mode->entry_size == 4) {
		u32 expected = step->entry;

		stored = __atomic_compare_exchange_n((u32 *)step->host, &expected, (u32)entry,
						     false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	} else {
		u64 expected = step->entry;

		stored = __atomic_compare_exchange_n((u64 *)step->host, &expected, entry, false,
						     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
	if (!stored)
		return false;
	slot_mark_dirty(step->slot, step->physical);
	walk_note_update(&walk->result->updates, step->physical);
	return true;
}

static unsigned int right_needed(unsigned int access)
{
	if (access & WALK_EXEC)
		return WALK_EXEC;
	return access & WALK_WRITE ? WALK_WRITE : WALK_ALLOWED_READ;
}

/*
 * SDM 3A:4.8 sets accessed bits in the entries that a translation used, and lets the processor
 * do so early. Here all are set at the end and only if the access is permitted (as KVM's walk
 * does), so a fault leaves the tables as they were. A second stage must allow the write, too.
 */
static enum outcome set_accessed_dirty(struct walk *walk)
{
	u64 physical;

	for (unsigned int i = walk->first; i < walk->depth; i++) {
		struct step *step = &walk->step[i];
		u64 entry = step->entry | ENTRY_A;

		/* A shadow-stack page is dirty by definition; it can't be the reason here. */
		if (i == walk->depth - 1 && (walk->access & WALK_WRITE))
			entry |= ENTRY_D;
		if (likely(entry == step->entry) || !step->host)
			continue;
		if (unlikely(walk->regs->second) &&
		    !table_physical(walk, step->gpa, WALK_WRITE, &physical))
			return OUTCOME_FAULT;
		if (!step_store(walk, step, entry))
			return OUTCOME_RETRY; /* it changed under the walk */
		step->entry = entry;
	}
	return OUTCOME_DONE;
}

/* What the second stage is asked of the address itself. */
static unsigned int final_access(const struct walk *walk)
{
	return (walk->access & (WALK_WRITE | WALK_EXEC | WALK_USER | WALK_SHADOW_STACK)) |
	       (walk->all & ENTRY_US ? SECOND_STAGE_USER_PAGE : 0);
}

static u8 page_of(const struct walk *walk)
{
	return (walk->all & ENTRY_US ? WALK_PAGE_USER : 0) |
	       (walk->all & ENTRY_RW ? WALK_PAGE_WRITABLE : 0) |
	       (walk->any & ENTRY_XD ? WALK_PAGE_NO_EXECUTE : 0);
}

static enum outcome finish(struct walk *walk, const struct paging_level *level)
{
	struct step *last = &walk->step[walk->depth - 1];
	unsigned int rights = walk_rights(walk);
	unsigned int denied = walk_denied_by_key(walk, last->entry);
	unsigned int needed = right_needed(walk->access);
	struct walk_result *result = walk->result;
	bool permitted = walk->access & WALK_SHADOW_STACK
				 ? walk_shadow_stack_page(walk, last->entry)
				 : rights & needed;

	/* PK is told whether or not something else was wrong, too (SDM 3A:4.7). */
	if (!permitted || (denied & needed))
		return walk_fault(walk, ERROR_P | (denied & needed ? ERROR_PK : 0));
	result->allowed = walk->access & WALK_SHADOW_STACK ? 0 : rights & ~denied;
	result->second.page = page_of(walk);
	if (!physical_of(walk->slots, walk->regs, leaf_address(walk, level, last->entry),
			 final_access(walk), result, &result->gpa, &result->allowed))
		return OUTCOME_FAULT;
	if (!(walk->access & WALK_NO_AD)) {
		enum outcome outcome = set_accessed_dirty(walk);

		if (outcome != OUTCOME_DONE)
			return outcome;
	}

	result->page_shift = level->shift;
	result->global = (last->entry & ENTRY_G) && (walk->regs->cr4 & CR4_PGE);
	result->memory_type_bits = leaf_memory_type(level, last->entry);
	/* Where the dirty bit can't be set (read-only tables), every write walks anew. */
	if (!(last->entry & ENTRY_D))
		result->allowed &= ~WALK_WRITE;
	return OUTCOME_DONE;
}

/* PAE under nested paging: the PDPTEs are read from memory at every walk (APM 2:15.25.10). */
static bool nested_pdpte(struct walk *walk, u64 *pdpte)
{
	struct step step;

	if (!step_load(walk, &step, (walk->regs->cr3 & BITS(31, 5)) + (walk->linear >> 30 & 3) * 8))
		return false;
	*pdpte = step.entry;
	return true;
}

/* Where the top table is, and the level to start with. */
static enum outcome find_root(struct walk *walk, u64 *table)
{
	const struct walk_registers *regs = walk->regs;

	if (walk->mode->pdpte) {
		u64 pdpte = regs->pdpte[walk->linear >> 30 & 3];
		bool nested = regs->second && regs->second->kind == SECOND_STAGE_NPT;

		if (unlikely(nested) && !nested_pdpte(walk, &pdpte))
			return OUTCOME_FAULT;
		if (!(pdpte & ENTRY_P))
			return walk_fault(walk, 0);
		if (unlikely(nested) && (pdpte & pdpte_reserved(regs)))
			return walk_fault(walk, ERROR_P | ERROR_RSVD);
		*table = pdpte & BITS(51, 12);
		return OUTCOME_DONE;
	}
	*table = regs->cr3 & walk->mode->address & ~walk->physical_reserved;
	return OUTCOME_DONE;
}

/* --- the walk --- */

static enum outcome walk_once(struct walk *walk)
{
	const struct paging_mode *mode = walk->mode;
	u64 index_mask = mode->entry_size == 4 ? 0x3ff : 0x1ff;
	unsigned int i = 0;
	u64 table;

	walk->all = walk->upper = ENTRY_RW | ENTRY_US;
	walk->any = 0;
	walk->cached = false;
	if (unlikely(walk->sticks)) {
		int leaf = walk_find_leaf(walk);

		if (leaf >= 0)
			return finish(walk, &mode->level[leaf]);
		i = walk_find_table(walk, &table);
	}
	walk->base_all = walk->all;
	walk->base_any = walk->any;
	walk->first = i;
	if (i == 0 && find_root(walk, &table) != OUTCOME_DONE)
		return OUTCOME_FAULT;
	for (; i < mode->levels; i++) {
		const struct paging_level *level = &mode->level[i];
		struct step *step = &walk->step[i];
		bool leaf;

		if (!step_load(walk, step,
			       table + (walk->linear >> level->shift & index_mask) *
					       mode->entry_size))
			return OUTCOME_FAULT;
		if (unlikely(walk->regs->steps))
			walk_note_step(walk->regs->steps, step->gpa, step->entry, mode->levels - i);
		if (!(step->entry & ENTRY_P))
			return walk_fault(walk, 0);
		if (unlikely(walk->regs->tables))
			walk_note_table(walk->regs->tables, step->physical);
		leaf = entry_is_leaf(walk, level, step->entry);
		if (step->entry & entry_reserved(walk, level, leaf))
			return walk_fault(walk, ERROR_P | ERROR_RSVD);
		walk->upper = walk->all;
		walk->all &= step->entry;
		walk->any |= step->entry;
		walk->depth = i + 1;
		if (leaf)
			return finish(walk, level);
		table = step->entry & mode->address;
	}
	__builtin_unreachable(); /* the last level is LEAF_ALWAYS */
}

/* Not an initialiser: that would clear the steps, which are most of it. */
static void walk_begin(struct walk *walk, struct slots *slots, const struct walk_registers *regs)
{
	walk->slots = slots;
	walk->slot = NULL;
	walk->regs = regs;
	walk->mode = paging_mode_of(regs);
	walk->physical_reserved = regs->physical_bits < 52 ? BITS(51, regs->physical_bits) : 0;
	walk->reserved = 0;
	if (walk->mode->entry_size == 8)
		walk->reserved = walk->mode->reserved | walk->physical_reserved |
				 (regs->efer & EFER_NXE ? 0 : ENTRY_XD);
}

bool walk_linear(struct slots *slots, const struct walk_registers *regs, u64 linear,
		 unsigned int access, struct walk_result *result)
{
	enum outcome outcome;
	struct walk walk;

	result->error_code = 0;
	result->updates.count = 0;
	result->second.refused = false;
	if (!(regs->cr0 & CR0_PG)) {
		result->page_shift = PAGE_SHIFT;
		result->global = false;
		result->allowed = WALK_ALLOWED_READ | WALK_WRITE | WALK_EXEC;
		result->memory_type_bits = 0;
		/* All linear addresses count as user-mode addresses then, of pages that are
		 * writable and executable (SDM 3C:28.2.1, table 28-7). */
		result->second.page = WALK_PAGE_USER | WALK_PAGE_WRITABLE;
		return physical_of(slots, regs, (u32)linear,
				   (access & (WALK_WRITE | WALK_EXEC | WALK_USER)) |
					   SECOND_STAGE_USER_PAGE,
				   result, &result->gpa, &result->allowed);
	}
	walk_begin(&walk, slots, regs);
	walk.result = result;
	walk.linear = linear;
	walk.access = access;
	walk.sticks = regs->sticky && regs->space && !(access & WALK_NO_AD);
	do {
		outcome = walk_once(&walk);
		if (unlikely(outcome == OUTCOME_FAULT && walk.cached)) {
			/* Not by memory as it is: what is kept goes (SDM 3A:4.10.4.1), and again.
			 */
			walk_forget(&walk);
			result->error_code = 0;
			result->second.refused = false;
			outcome = OUTCOME_RETRY;
		}
	} while (outcome == OUTCOME_RETRY);
	if (unlikely(outcome == OUTCOME_DONE && walk.sticks && walk.first < walk.depth))
		walk_keep(&walk);
	return outcome == OUTCOME_DONE;
}

bool walk_load_pdptes(struct slots *slots, const struct walk_registers *regs, u64 cr3, u64 pdpte[4],
		      struct walk_result *result)
{
	/* EPT's accessed and dirty flags don't make a write of this read (SDM 3C:29.3.3.2). */
	bool reads = regs->second && regs->second->kind == SECOND_STAGE_EPT;
	u64 loaded[4], table = cr3 & BITS(31, 5), physical;
	u8 allowed = 0;

	result->updates.count = 0;
	result->second.refused = false;
	if (!physical_of(slots, regs, table, reads ? WALK_READ : SECOND_STAGE_TABLE, result,
			 &physical, &allowed))
		return false;
	for (unsigned int i = 0; i < 4; i++) {
		u8 *host = slots_host(slots, physical + 8 * i);

		loaded[i] = host ? __atomic_load_n((u64 *)host, __ATOMIC_RELAXED) : UINT64_MAX;
		if ((loaded[i] & ENTRY_P) && (loaded[i] & pdpte_reserved(regs)))
			return false;
	}
	for (unsigned int i = 0; i < 4; i++)
		pdpte[i] = loaded[i];
	return true;
}
