/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's own page walk, for every paging mode (SDM 3A:4, APM 2:5): none, 32-bit, PAE,
 * 4-level, 5-level. Reads entries from the slots, sets accessed and dirty bits atomically, and
 * tells either the translation with the rights that hold for the asking privilege, or the
 * page-fault error code.
 */
#ifndef LOCKSTEP_MMU_WALK_H
#define LOCKSTEP_MMU_WALK_H

#include "mmu/slots.h"
#include "mmu/types.h"

/* What is asked. One of READ, WRITE, EXEC, with the modifiers. */
enum walk_access {
	WALK_READ = 0,
	WALK_WRITE = 1 << 0,
	WALK_EXEC = 1 << 1,
	WALK_USER = 1 << 2,         /* user-mode access: CPL 3 and not implicit supervisor */
	WALK_IMPLICIT = 1 << 3,     /* implicit supervisor access: SMAP ignores EFLAGS.AC */
	WALK_SHADOW_STACK = 1 << 4, /* CET shadow-stack access (SDM 3A:4.6.1) */
	WALK_NO_AD = 1 << 5,        /* probe: set no accessed or dirty bit (KVM_TRANSLATE) */
};

struct second_stage;
struct sticky;
struct sticky_space;

/* The entries that a walk has read, for whoever watches. */
#define WALK_STEPS                                                                                 \
	64 /* more than there are in one, with retries that lost against another writer */
struct walk_steps {
	u8 count;
	bool second;    /* those to come are the second stage's, */
	u64 translated; /* of this guest-physical address */
	struct walk_step {
		u64 address, entry; /* as the guest has them, or the host */
		u64 translated;
		u8 level; /* 1: a page table */
		bool second;
	} step[WALK_STEPS];
};

static inline void walk_note_step(struct walk_steps *steps, u64 address, u64 entry,
				  unsigned int level)
{
	if (steps->count < WALK_STEPS)
		steps->step[steps->count++] = (struct walk_step){.address = address,
								 .entry = entry,
								 .level = (u8)level,
								 .second = steps->second,
								 .translated = steps->translated};
}

/* The steps to come are of the second stage's walk for @gpa; they end with the next. */
static inline void walk_steps_second(struct walk_steps *steps, u64 gpa)
{
	steps->second = true;
	steps->translated = gpa;
}

static inline void walk_steps_first(struct walk_steps *steps)
{
	steps->second = false;
	steps->translated = 0;
}

/* Where a walk has read entries that are present: memory whose writing may change translations. */
struct walk_tables {
	u8 count;
	u64 physical[WALK_STEPS];
};

static inline void walk_note_table(struct walk_tables *tables, u64 physical)
{
	if (tables->count < WALK_STEPS)
		tables->physical[tables->count++] = physical;
}

/* The registers that a walk depends on; kept up to date by the owner. */
struct walk_registers {
	struct second_stage *second; /* every physical address goes through it; NULL: none */
	struct walk_steps *steps;    /* NULL: nobody watches */
	struct walk_tables *tables;  /* NULL: it does not matter where entries were read */
	/* What is kept of walks (sticky.h), and whose translations these are; NULL: nothing. */
	struct sticky *sticky;
	struct sticky_space *space;
	u16 pcid;
	u64 cr0, cr3, cr4, efer;
	u64 pdpte[4]; /* PAE: the PDPTE registers (SDM 3A:4.4.1) */
	u32 pkru, pkrs;
	bool rflags_ac;
	bool amd;         /* where the vendors' walks differ, say so at the place */
	u8 physical_bits; /* MAXPHYADDR: bits at and above are reserved in entries */
	bool gbyte_pages; /* CPUID 80000001H:EDX[26]; else PDPTE.PS is reserved */
};

#define WALK_UPDATES 40 /* more than there are entries in a walk with a second stage */

/* The entries whose accessed or dirty bit a walk set, which may also be somebody's code. */
struct walk_updates {
	u8 count;
	u64 physical[WALK_UPDATES];
};

static inline void walk_note_update(struct walk_updates *updates, u64 physical)
{
	if (updates->count < WALK_UPDATES)
		updates->physical[updates->count++] = physical;
}

struct walk_result {
	u64 gpa;       /* of the byte asked for, behind the second stage if there is one */
	u8 page_shift; /* 12, 21, 22 or 30; 12 without paging */
	bool global;
	/* What the same privilege may do with this page without another walk: bits WALK_WRITE
	 * (only if the dirty bit is set), WALK_EXEC, and READ in bit 7. */
	u8 allowed;
	u8 memory_type_bits; /* PAT, PCD, PWT of the leaf: the PAT index */
	u8 second_type;      /* with a second stage: its memory_type of the address itself */
	u32 error_code;      /* when the walk faults: P, W, U, RSVD, I, PK, SS bits of #PF */
	struct walk_updates updates;
	/* When it was the second stage that refused. */
	struct {
		bool refused;
		/* and error, as struct second_stage_result's */
		bool misconfigured, log_full, suppressed, apic_access;
		bool final; /* the address asked for; else one of a paging structure */
		u8 page;    /* if final, what the guest's own entries say: WALK_PAGE_* */
		u32 error;
		u64 gpa; /* what the guest takes for physical */
	} second;
};
#define WALK_ALLOWED_READ    0x80
#define WALK_PAGE_USER       BIT(0)
#define WALK_PAGE_WRITABLE   BIT(1)
#define WALK_PAGE_NO_EXECUTE BIT(2)

/* Returns true for a translation, false for a page fault (result->error_code), or if the second
 * stage refused (result->second). */
bool walk_linear(struct slots *slots, const struct walk_registers *regs, u64 linear,
		 unsigned int access, struct walk_result *result);

/* PAE: loads the four PDPTEs from @cr3. False if a present one has reserved bits (#GP), or the
 * second stage refused to have them read (@result->second). */
bool walk_load_pdptes(struct slots *slots, const struct walk_registers *regs, u64 cr3, u64 pdpte[4],
		      struct walk_result *result);

#endif
