/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries that a walk has read say of the page. */
#include "mmu/control_registers.h"
#include "mmu/walk_path.h"

bool entry_is_leaf(const struct walk *walk, const struct paging_level *level, u64 entry)
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

u64 entry_reserved(const struct walk *walk, const struct paging_level *level, bool leaf)
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

u64 leaf_address(const struct walk *walk, const struct paging_level *level, u64 leaf)
{
	u64 offset_mask = BIT(level->shift) - 1;
	u64 page = leaf & walk->mode->address & ~offset_mask;

	if (walk->mode->entry_size == 4 && level->leaf != LEAF_ALWAYS)
		page |= (leaf & BITS(20, 13)) << 19;
	return page | (walk->linear & offset_mask);
}

u8 leaf_memory_type(const struct paging_level *level, u64 leaf)
{
	u64 pat = level->leaf == LEAF_ALWAYS ? ENTRY_PS : ENTRY_PAT_BIG;

	return (leaf & ENTRY_PWT_PCD) >> 3 | (leaf & pat ? 4 : 0);
}

unsigned int walk_rights(const struct walk *walk)
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

unsigned int walk_denied_by_key(const struct walk *walk, u64 leaf)
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

bool walk_shadow_stack_page(const struct walk *walk, u64 leaf)
{
	bool user_page = walk->all & ENTRY_US;

	return user_page == !!(walk->access & WALK_USER) && (walk->upper & ENTRY_RW) &&
	       (leaf & (ENTRY_RW | ENTRY_D)) == ENTRY_D;
}
