/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLB that forgets nothing by itself (tlb.mode=sticky): what walks found, leaves and the tables
 * on the way to them (paging-structure caches), unbounded, until the architecture says that it is
 * invalidated (SDM 3A:4.10.4, 3C:29.4.3; APM 2:5.5.2, 15.16). Walks look here before they read
 * memory, so a missing invalidation shows. Where what is kept would refuse an access, the walk is
 * made anew from memory instead, as both vendors allow: there are no spurious faults. One per
 * processor.
 */
#ifndef LOCKSTEP_MMU_STICKY_H
#define LOCKSTEP_MMU_STICKY_H

#include "mmu/types.h"

struct sticky;

/* What a VPID with its EPT pointer, an ASID, or a second stage's root tells apart. */
struct sticky_space;

enum sticky_kind {
	STICKY_LEAF,   /* of one PCID */
	STICKY_GLOBAL, /* of all */
	STICKY_TABLE,  /* an entry that leads to a table */
	STICKY_KINDS
};

struct sticky_entry {
	u64 id;   /* of its owner when it was made; 0: nothing is here */
	u64 page; /* of the address that it maps, shifted by `shift` */
	struct sticky_space *space;
	u16 pcid;
	u8 kind, shift;
	u64 entry;           /* as it was read */
	u64 all, upper, any; /* of the entries on the way, as struct walk's */
};

struct sticky *sticky_create(void);
void sticky_destroy(struct sticky *sticky); /* NULL: nothing */
/* The space named @tag; a new one is empty. NULL: no memory, then nothing is kept. */
struct sticky_space *sticky_space(struct sticky *sticky, u64 tag);

/* NULL: not known. Valid until the next sticky_keep. */
const struct sticky_entry *sticky_find(const struct sticky *sticky, struct sticky_space *space,
				       u16 pcid, enum sticky_kind kind, u64 address, u8 shift);
/* @entry's id and page are filled in. */
void sticky_keep(struct sticky *sticky, u64 address, const struct sticky_entry *entry);

/* --- invalidation --- */
void sticky_forget_all(struct sticky *sticky);
/* Of spaces with (tag & @mask) == @tag, never of the host's by a mask; without @global all but
 * global leaves. */
void sticky_forget_spaces(struct sticky *sticky, u64 mask, u64 tag, bool global);
/* Of one space: as above; one PCID, but global leaves; tables of all PCIDs. */
void sticky_forget_space(struct sticky *sticky, struct sticky_space *space, bool global);
void sticky_forget_pcid(struct sticky *sticky, struct sticky_space *space, u16 pcid);
void sticky_forget_tables(struct sticky *sticky, struct sticky_space *space);
void sticky_forget_pcid_tables(struct sticky *sticky, struct sticky_space *space, u16 pcid);
/* Leaves that map @address, and with @tables the tables on the way to it. */
void sticky_forget_address(struct sticky *sticky, struct sticky_space *space, u16 pcid, u64 address,
			   bool global, bool tables);
/* The same for every PCID and for all spaces with (tag & @mask) == @tag. */
void sticky_forget_address_in(struct sticky *sticky, u64 mask, u64 tag, u64 address);

#endif
