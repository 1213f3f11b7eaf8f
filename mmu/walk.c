/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's page walk (SDM 3A:4, APM 2:5). */
#include "mmu/walk.h"
#include "mmu/control_registers.h"
#include "mmu/second_stage.h"
#include "mmu/sticky.h"

/* Entry bits, the same in every mode (SDM 3A:4.3 to 4.5). */
#define ENTRY_P         BIT(0)
#define ENTRY_RW        BIT(1)
#define ENTRY_US        BIT(2)
#define ENTRY_PWT_PCD   (BIT(3) | BIT(4))
#define ENTRY_A         BIT(5)
#define ENTRY_D         BIT(6)
#define ENTRY_PS        BIT(7) /* PAT in a 4-KiB leaf */
#define ENTRY_G         BIT(8)
#define ENTRY_PAT_BIG   BIT(12) /* PAT in a larger leaf */
#define ENTRY_XD        BIT(63)
#define ENTRY_KEY_SHIFT 59

/* #PF error code (SDM 3A:4.7). */
#define ERROR_P    BIT(0)
#define ERROR_W    BIT(1)
#define ERROR_U    BIT(2)
#define ERROR_RSVD BIT(3)
#define ERROR_I    BIT(4)
#define ERROR_PK   BIT(5)
#define ERROR_SS   BIT(6)

#define LEVELS_MAX 5

/* Bits @low to @high. */
#define BITS(high, low) ((~UINT64_C(0) >> (63 - (high))) & (~UINT64_C(0) << (low)))

enum leaf {
	LEAF_NEVER,    /* PS is reserved */
	LEAF_IF_PSE,   /* PS counts if CR4.PSE = 1, else it is ignored */
	LEAF_BY_PS,    /* PS counts */
	LEAF_IF_GBYTE, /* PS counts where 1-GiB pages exist, else it is reserved */
	LEAF_ALWAYS,   /* the last level: bit 7 is PAT */
};

struct level {
	u8 shift;         /* of the linear address: the size of what an entry maps */
	u8 leaf;          /* enum leaf */
	u64 reserved_big; /* reserved in a leaf here that is not of the last level */
};

struct mode {
	u8 levels;
	u8 entry_size; /* 4 or 8 bytes; decides the number of index bits, too */
	bool pdpte;    /* starts from the PDPTE registers */
	bool keys;     /* protection keys exist: IA32_EFER.LMA = 1 */
	u64 reserved;  /* bits that no entry may have, on top of MAXPHYADDR */
	u64 address;   /* bits of an entry that can be an address */
	struct level level[LEVELS_MAX];
};

enum { MODE_32, MODE_PAE, MODE_4, MODE_5 };

#define LEVEL_PTE                                                                                  \
	{                                                                                          \
		.shift = 12, .leaf = LEAF_ALWAYS                                                   \
	}
#define LEVEL_PDE                                                                                  \
	{                                                                                          \
		.shift = 21, .leaf = LEAF_BY_PS, .reserved_big = BITS(20, 13)                      \
	}
#define LEVEL_PDPTE                                                                                \
	{                                                                                          \
		.shift = 30, .leaf = LEAF_IF_GBYTE, .reserved_big = BITS(29, 13)                   \
	}
#define LEVEL_PML4E                                                                                \
	{                                                                                          \
		.shift = 39, .leaf = LEAF_NEVER                                                    \
	}
#define LEVEL_PML5E                                                                                \
	{                                                                                          \
		.shift = 48, .leaf = LEAF_NEVER                                                    \
	}

static const struct mode modes[] = {
	/* SDM 3A:4.3, tables 4-3 to 4-6. Bits 20:13 of a 4-MiB leaf are address bits 39:32. */
	[MODE_32] = {.levels = 2,
		     .entry_size = 4,
		     .address = BITS(31, 12),
		     .level = {{.shift = 22, .leaf = LEAF_IF_PSE, .reserved_big = BIT(21)},
			       LEVEL_PTE}},
	/* SDM 3A:4.4, tables 4-8 to 4-11. */
	[MODE_PAE] = {.levels = 2,
		      .entry_size = 8,
		      .pdpte = true,
		      .reserved = BITS(62, 52),
		      .address = BITS(51, 12),
		      .level = {LEVEL_PDE, LEVEL_PTE}},
	/* SDM 3A:4.5, tables 4-14 to 4-20. */
	[MODE_4] = {.levels = 4,
		    .entry_size = 8,
		    .keys = true,
		    .address = BITS(51, 12),
		    .level = {LEVEL_PML4E, LEVEL_PDPTE, LEVEL_PDE, LEVEL_PTE}},
	[MODE_5] = {.levels = 5,
		    .entry_size = 8,
		    .keys = true,
		    .address = BITS(51, 12),
		    .level = {LEVEL_PML5E, LEVEL_PML4E, LEVEL_PDPTE, LEVEL_PDE, LEVEL_PTE}},
};

static const struct mode *mode_of(const struct walk_registers *regs)
{
	if (!(regs->cr4 & CR4_PAE))
		return &modes[MODE_32];
	if (!(regs->efer & EFER_LMA))
		return &modes[MODE_PAE];
	return &modes[regs->cr4 & CR4_LA57 ? MODE_5 : MODE_4];
}

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
	const struct mode *mode;
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

static bool entry_is_leaf(const struct walk *walk, const struct level *level, u64 entry)
{
	switch (level->leaf) {
	case LEAF_ALWAYS:
		return true;
	case LEAF_IF_PSE:
		return (entry & ENTRY_PS) && (walk->regs->cr4 & CR4_PSE);
	case LEAF_BY_PS:
		return entry & ENTRY_PS;
	case LEAF_IF_GBYTE:
		return (entry & ENTRY_PS) && walk->regs->gbyte_pages;
	default:
		return false;
	}
}

/* Reserved in a 4-MiB leaf: address bits 39:32 at and above MAXPHYADDR (SDM table 4-4). */
static u64 pse36_reserved(const struct walk_registers *regs)
{
	unsigned int bits = regs->physical_bits < 32 ? 32 : regs->physical_bits;

	return bits >= 40 ? 0 : BITS(20, bits - 19);
}

static u64 reserved_bits(const struct walk *walk, const struct level *level, bool leaf)
{
	u64 reserved = walk->reserved;

	if (leaf) {
		if (level->leaf == LEAF_ALWAYS)
			return reserved;
		if (walk->mode->entry_size == 4)
			reserved |= pse36_reserved(walk->regs);
		return reserved | level->reserved_big;
	}
	if (level->leaf == LEAF_NEVER || level->leaf == LEAF_IF_GBYTE)
		reserved |= ENTRY_PS;
	/* AMD: G must be 0 where no leaf can be, and is ignored in a PDPE or PDE that is none
	 * (APM 2:5.3.3). */
	if (level->leaf == LEAF_NEVER && walk->regs->amd)
		reserved |= ENTRY_G;
	return reserved;
}

/* Rights by paging alone, SDM 3A:4.6.1: bits as walk_result.allowed. */
static unsigned int rights_by_mode(const struct walk *walk)
{
	const struct walk_registers *regs = walk->regs;
	bool user_page = walk->all & ENTRY_US, writable = walk->all & ENTRY_RW;
	bool no_execute = walk->any & ENTRY_XD; /* reserved, hence 0, unless EFER.NXE = 1 */
	unsigned int rights;

	if (walk->access & WALK_USER) {
		if (!user_page)
			return 0;
		return WALK_ALLOWED_READ | (writable ? WALK_WRITE : 0) |
		       (no_execute ? 0 : WALK_EXEC);
	}
	rights = WALK_ALLOWED_READ | WALK_WRITE | WALK_EXEC;
	if (!writable && (regs->cr0 & CR0_WP))
		rights &= ~WALK_WRITE;
	if (no_execute)
		rights &= ~WALK_EXEC;
	if (!user_page)
		return rights;
	if (regs->cr4 & CR4_SMEP)
		rights &= ~WALK_EXEC;
	if ((regs->cr4 & CR4_SMAP) && (!regs->rflags_ac || walk->access & WALK_IMPLICIT))
		rights &= ~(WALK_ALLOWED_READ | WALK_WRITE);
	return rights;
}

/* What protection keys take away, SDM 3A:4.6.2: data accesses only. */
static unsigned int denied_by_key(const struct walk *walk, u64 leaf)
{
	const struct walk_registers *regs = walk->regs;
	bool user_page = walk->all & ENTRY_US;
	unsigned int key, bits;

	if (!walk->mode->keys || !(regs->cr4 & (user_page ? CR4_PKE : CR4_PKS)))
		return 0;
	key = leaf >> ENTRY_KEY_SHIFT & 0xf;
	bits = (user_page ? regs->pkru : regs->pkrs) >> (2 * key) & 3;
	if (bits & 1) /* AD */
		return WALK_ALLOWED_READ | WALK_WRITE;
	/* WD binds the supervisor only while CR0.WP = 1. */
	if ((bits & 2) && ((walk->access & WALK_USER) || (regs->cr0 & CR0_WP)))
		return WALK_WRITE;
	return 0;
}

/* SDM 3A:4.6.1, shadow-stack accesses: only pages whose leaf is read-only and dirty below
 * writable entries, of the mode of the access: supervisor pages for supervisor accesses. */
static bool shadow_stack_page(const struct walk *walk, u64 leaf)
{
	bool user_page = walk->all & ENTRY_US;

	return user_page == !!(walk->access & WALK_USER) && (walk->upper & ENTRY_RW) &&
	       (leaf & (ENTRY_RW | ENTRY_D)) == ENTRY_D;
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

static u64 leaf_address(const struct walk *walk, const struct level *level, u64 leaf)
{
	u64 offset_mask = BIT(level->shift) - 1;
	u64 page = leaf & walk->mode->address & ~offset_mask;

	if (walk->mode->entry_size == 4 && level->leaf != LEAF_ALWAYS)
		page |= (leaf & BITS(20, 13)) << 19;
	return page | (walk->linear & offset_mask);
}

static u8 memory_type(const struct level *level, u64 leaf)
{
	u64 pat = level->leaf == LEAF_ALWAYS ? ENTRY_PS : ENTRY_PAT_BIG;

	return (leaf & ENTRY_PWT_PCD) >> 3 | (leaf & pat ? 4 : 0);
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

static enum outcome finish(struct walk *walk, const struct level *level)
{
	struct step *last = &walk->step[walk->depth - 1];
	unsigned int rights = rights_by_mode(walk);
	unsigned int denied = denied_by_key(walk, last->entry);
	unsigned int needed = right_needed(walk->access);
	struct walk_result *result = walk->result;
	bool permitted = walk->access & WALK_SHADOW_STACK ? shadow_stack_page(walk, last->entry)
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
	result->memory_type_bits = memory_type(level, last->entry);
	/* Where the dirty bit can't be set (read-only tables), every write walks anew. */
	if (!(last->entry & ENTRY_D))
		result->allowed &= ~WALK_WRITE;
	return OUTCOME_DONE;
}

/* SDM 3A:4.4.1, table 4-8: bits 2:1, 8:5 and those from MAXPHYADDR up are reserved. */
static u64 pdpte_reserved(const struct walk_registers *regs)
{
	u64 above = regs->physical_bits < 52 ? BITS(51, regs->physical_bits) : 0;

	return BITS(2, 1) | BITS(8, 5) | BITS(63, 52) | above;
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

/* --- a sticky TLB --- */

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

/* The level of the leaf that is kept; -1: none. */
static int find_leaf(struct walk *walk)
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

/* The level to go on at, behind the lowest table that is kept; 0: at the top. */
static unsigned int find_table(struct walk *walk, u64 *table)
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
static void keep(const struct walk *walk)
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

static void forget(const struct walk *walk)
{
	sticky_forget_address(walk->regs->sticky, walk->regs->space, walk->regs->pcid, walk->linear,
			      true, true);
}

/* --- the walk --- */

static enum outcome walk_once(struct walk *walk)
{
	const struct mode *mode = walk->mode;
	u64 index_mask = mode->entry_size == 4 ? 0x3ff : 0x1ff;
	unsigned int i = 0;
	u64 table;

	walk->all = walk->upper = ENTRY_RW | ENTRY_US;
	walk->any = 0;
	walk->cached = false;
	if (unlikely(walk->sticks)) {
		int leaf = find_leaf(walk);

		if (leaf >= 0)
			return finish(walk, &mode->level[leaf]);
		i = find_table(walk, &table);
	}
	walk->base_all = walk->all;
	walk->base_any = walk->any;
	walk->first = i;
	if (i == 0 && find_root(walk, &table) != OUTCOME_DONE)
		return OUTCOME_FAULT;
	for (; i < mode->levels; i++) {
		const struct level *level = &mode->level[i];
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
		if (step->entry & reserved_bits(walk, level, leaf))
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
	walk->mode = mode_of(regs);
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
			forget(&walk);
			result->error_code = 0;
			result->second.refused = false;
			outcome = OUTCOME_RETRY;
		}
	} while (outcome == OUTCOME_RETRY);
	if (unlikely(outcome == OUTCOME_DONE && walk.sticks && walk.first < walk.depth))
		keep(&walk);
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
