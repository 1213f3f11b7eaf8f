/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which TLB contexts stand for which address spaces. A world is what a VPID with its EPT pointer,
 * or an ASID, tells apart: the host's, and those of guests. Within a world PCIDs do. Going from one
 * to another drops nothing, so that translations last across VM entries and exits (SDM 3C:29.4, APM
 * 2:15.16).
 */
#ifndef LOCKSTEP_SIM_CPU_WORLD_H
#define LOCKSTEP_SIM_CPU_WORLD_H

#include "mmu/types.h"

#define WORLDS     8 /* a ninth takes the place of the one that was left longest ago */
#define WORLD_HOST UINT64_C(0)

struct world {
	u64 tag;           /* the model's name for it, WORLD_HOST for the host's */
	u64 entered;       /* when: counts entries; 0: nothing is here */
	u32 epoch;         /* of its global pages in the TLB's second level; 0: none yet */
	bool pcids;        /* of_pcid may hold more than that of PCID 0 */
	u16 of_pcid[4096]; /* TLB asids; 0: none */
	u64 large_low[2], large_high[2]; /* linear ranges of large pages, by bit 63 */
	/* The registers by which its permissions were computed, while another world is in. */
	u64 cr0, cr4, efer;
	u32 pkru, pkrs;
};

struct sticky;
struct walk_tables;

struct address_space {
	struct sticky *sticky;      /* tlb.mode=sticky: mmu/sticky.h; else NULL */
	struct walk_tables *tables; /* tlb.mode=coherent: of the last walk; else NULL */
	u16 current; /* TLB asid */
	u16 next;    /* to be handed out */
	u8 in;       /* the world that the processor is in */
	/* The first level may hold pages with bit 63 set, and such that are not global. */
	bool upper, upper_local;
	u32 last_epoch;
	u64 entries;
	struct world world[WORLDS]; /* the host's is the first */
};

#endif
