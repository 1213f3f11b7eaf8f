/* SPDX-License-Identifier: Apache-2.0 */
#include "mmu/paging_mode.h"
#include "mmu/control_registers.h"

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

static const struct paging_mode modes[] = {
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

const struct paging_mode *paging_mode_of(const struct walk_registers *regs)
{
	if (!(regs->cr4 & CR4_PAE))
		return &modes[MODE_32];
	if (!(regs->efer & EFER_LMA))
		return &modes[MODE_PAE];
	return &modes[regs->cr4 & CR4_LA57 ? MODE_5 : MODE_4];
}

u64 pdpte_reserved(const struct walk_registers *regs)
{
	u64 above = regs->physical_bits < 52 ? BITS(51, regs->physical_bits) : 0;

	return BITS(2, 1) | BITS(8, 5) | BITS(63, 52) | above;
}
