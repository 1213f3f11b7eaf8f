/* SPDX-License-Identifier: Apache-2.0 */
/* The paging modes (SDM 3A:4.3 to 4.5): how many levels, and what an entry is at each. */
#ifndef LOCKSTEP_MMU_PAGING_MODE_H
#define LOCKSTEP_MMU_PAGING_MODE_H

#include "mmu/walk.h"

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

struct paging_level {
	u8 shift;         /* of the linear address: the size of what an entry maps */
	u8 leaf;          /* enum leaf */
	u64 reserved_big; /* reserved in a leaf here that is not of the last level */
};

struct paging_mode {
	u8 levels;
	u8 entry_size; /* 4 or 8 bytes; decides the number of index bits, too */
	bool pdpte;    /* starts from the PDPTE registers */
	bool keys;     /* protection keys exist: IA32_EFER.LMA = 1 */
	u64 reserved;  /* bits that no entry may have, on top of MAXPHYADDR */
	u64 address;   /* bits of an entry that can be an address */
	struct paging_level level[LEVELS_MAX];
};

const struct paging_mode *paging_mode_of(const struct walk_registers *regs);
/* SDM 3A:4.4.1, table 4-8: bits 2:1, 8:5 and those from MAXPHYADDR up are reserved. */
u64 pdpte_reserved(const struct walk_registers *regs);

#endif
