/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/walk.h"

#include <string.h>

#define CR0_PG   (UINT64_C(1) << 31)
#define CR4_PSE  (UINT64_C(1) << 4)
#define CR4_PAE  (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)

#define PTE_P   UINT64_C(1)
#define PTE_PS  UINT64_C(0x80)
#define ADDRESS UINT64_C(0xffffffffff000) /* bits 51:12 */

#define PAGE       UINT64_C(0x1000)
#define ROMS_START UINT64_C(0xa0000) /* there QEMU's PC has something else than the memory */
#define ROMS_END   UINT64_C(0x100000)

static const uint8_t *bytes_at(const struct walk_memory *memory, uint64_t gpa, size_t size)
{
	bool there = gpa < memory->size && memory->size - gpa >= size;

	return there && (gpa >= ROMS_END || gpa + size <= ROMS_START) ? memory->base + gpa : NULL;
}

static uint64_t entry_at(const struct walk_memory *memory, uint64_t gpa, size_t size)
{
	const uint8_t *at = bytes_at(memory, gpa, size);
	uint64_t entry = 0; /* not present */

	if (at)
		memcpy(&entry, at, size);
	return entry;
}

/* 32-bit paging: SDM 3A:4.3. */
static bool walk_32(const struct walk_memory *memory, const struct kvm_sregs *sregs,
		    uint64_t linear, uint64_t *gpa)
{
	uint64_t entry =
		entry_at(memory, (sregs->cr3 & 0xfffff000) + (linear >> 22 & 0x3ff) * 4, 4);

	if (!(entry & PTE_P))
		return false;
	if (entry & PTE_PS && sregs->cr4 & CR4_PSE) {
		*gpa = (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32 | (linear & 0x3fffff);
		return true;
	}
	entry = entry_at(memory, (entry & 0xfffff000) + (linear >> 12 & 0x3ff) * 4, 4);
	*gpa = (entry & 0xfffff000) | (linear & 0xfff);
	return entry & PTE_P;
}

/* PAE paging, 4-level and 5-level paging: SDM 3A:4.4, 4.5. */
static bool walk_64(const struct walk_memory *memory, const struct kvm_sregs *sregs,
		    uint64_t linear, uint64_t *gpa)
{
	bool is_long = sregs->efer & EFER_LMA;
	int levels = !is_long ? 3 : sregs->cr4 & CR4_LA57 ? 5 : 4;
	uint64_t table = is_long ? sregs->cr3 & ADDRESS : sregs->cr3 & 0xffffffe0, entry;

	for (int level = levels; level; level--) {
		unsigned int shift = 3 + 9 * (unsigned int)level;
		uint64_t index = linear >> shift & (level == 3 && !is_long ? 3 : 0x1ff);
		uint64_t within = (UINT64_C(1) << shift) - 1;

		entry = entry_at(memory, table + index * 8, 8);
		if (!(entry & PTE_P))
			return false;
		table = entry & ADDRESS;
		if (level == 1 || (level <= 3 && entry & PTE_PS && (level == 2 || is_long))) {
			*gpa = (table & ~within) | (linear & within);
			return true;
		}
	}
	return false;
}

bool qemu_walk(const struct walk_memory *memory, const struct kvm_sregs *sregs, uint64_t linear,
	       uint64_t *gpa)
{
	if (!(sregs->efer & EFER_LMA))
		linear &= 0xffffffff;
	*gpa = linear;
	if (!(sregs->cr0 & CR0_PG))
		return true;
	return sregs->cr4 & CR4_PAE ? walk_64(memory, sregs, linear, gpa)
				    : walk_32(memory, sregs, linear, gpa);
}

size_t qemu_walk_read(const struct walk_memory *memory, const struct kvm_sregs *sregs,
		      uint64_t linear, void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t left = PAGE - ((linear + done) & (PAGE - 1)),
		       n = size - done < left ? size - done : left;
		const uint8_t *from;
		uint64_t gpa;

		if (!qemu_walk(memory, sregs, linear + done, &gpa))
			break;
		from = bytes_at(memory, gpa, n);
		if (!from)
			break;
		memcpy((uint8_t *)to + done, from, n);
		done += n;
	}
	return done;
}
