/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second stage of translation: what a guest takes for physical addresses, to physical ones. By
 * EPT (SDM 3C:29.3) or by nested paging, which walks the host's own format (APM 2:15.25).
 */
#ifndef LOCKSTEP_MMU_SECOND_STAGE_H
#define LOCKSTEP_MMU_SECOND_STAGE_H

#include "mmu/walk.h"

#define SECOND_STAGE_CACHED 256

enum second_stage_kind { SECOND_STAGE_EPT, SECOND_STAGE_NPT };

/* Modifiers of an access, beside walk_access's READ, WRITE, EXEC, USER and SHADOW_STACK. */
#define SECOND_STAGE_TABLE     BIT(16) /* of a guest's paging structure */
#define SECOND_STAGE_USER_PAGE BIT(17) /* from a user-mode linear address */

struct second_stage {
	enum second_stage_kind kind;
	bool probe; /* somebody looks from outside: no accessed or dirty bit is set */

	/* Of the walk that asks, as struct walk_registers'. With tables nothing is remembered. */
	struct walk_steps *steps;
	struct walk_tables *tables;
	/* EPT: what is kept of walks (sticky.h); NULL: nothing but what stands below. NPT: host's. */
	struct sticky *sticky;
	struct sticky_space *space;

	/* EPT */
	u64 root;  /* physical address of the top table */
	u8 levels; /* 4 or 5 */
	u8 physical_bits;
	bool accessed_dirty; /* EPTP bit 6 */
	bool execute_only;   /* entries 100b are supported */
	bool gbyte_pages;
	bool mode_based; /* mode-based execute control: bit 10 is for user-mode addresses */
	bool supervisor_shadow_stack; /* EPTP bit 7 */
	/* Page-modification logging (SDM 3C:29.3.6): where the log is, and the index of its next
	 * entry, which counts down; NULL: none. */
	u64 log;
	u64 *log_index;

	/* The last byte of the page that a guest's paging structures can't be in; 0: none. */
	u64 apic_access_end;

	/* NPT: CR0, CR4 and EFER as the host has them, and nCR3. Its tables are walked as for user
	 * accesses whatever the guest's privilege, unless there is GMET: then U/S says where code at
	 * CPL 0 to 2 may not run, and no more (APM 2:15.25.13). */
	struct walk_registers host;
	bool execute_trap;
	/* The last byte of the guest-physical page whose reads and writes go to another one, if the
	 * tables allow them; 0: none. */
	u64 apic_end, apic_target;

	/* What was found, until second_stage_flush: guest-physical mappings (SDM 3C:29.4.1). */
	struct second_stage_cached {
		u64 gpa; /* page; UINT64_MAX: nothing */
		u64 hpa;
		u8 allowed; /* as walk_result's */
		u8 memory_type;
		u8 user;    /* MODE_BASED: 1 if found for a user-mode linear address; GMET: for CPL 3 */
	} cached[SECOND_STAGE_CACHED];
};

struct second_stage_result {
	u64 physical;
	u8 allowed; /* WALK_ALLOWED_READ, WALK_WRITE, WALK_EXEC: without another walk */
	u8 memory_type; /* EPT: bits 6:3 of the leaf; NPT: the PAT index */

	/* Where it refuses: */
	bool misconfigured; /* EPT misconfiguration */
	bool log_full;      /* no room for a page that would become dirty */
	bool apic_access;   /* a paging structure in the page of apic_access_end */
	bool suppressed;    /* EPT: bit 63 of the entry that refused, no #VE */
	u32 error;          /* NPT: the #PF error code. EPT: exit qualification, bits 6:0, 13, 14 */
};

/* Sets accessed and dirty bits as the format wants. @updates gets the physical addresses of entries
 * that were changed. False: refused. */
bool second_stage_translate(struct slots *slots, struct second_stage *stage, u64 gpa,
			    unsigned int access, struct walk_updates *updates,
			    struct second_stage_result *result);

/* Forgets what was found: another root, INVEPT, a flush of the guest's ASID. */
void second_stage_flush(struct second_stage *stage);

#endif
