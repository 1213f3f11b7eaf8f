/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gdb/breakpoints.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/memory.h"

#define INT3      0xcc
#define DR7_FIXED 0x400u

/* --- the list --- */

static int free_slot(const struct gdb_breakpoints *all)
{
	unsigned int used = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (all->breakpoint[i].slot >= 0)
			used |= 1u << all->breakpoint[i].slot;
	}
	for (int slot = 0; slot < GDB_DEBUG_REGISTERS; slot++) {
		if (!(used >> slot & 1))
			return slot;
	}
	return -1;
}

/* SDM 3B:18.2.5. */
static bool watchable(uint64_t address, unsigned int length)
{
	return (length == 1 || length == 2 || length == 4 || length == 8) && address % length == 0;
}

int gdb_breakpoint_add(struct gdb_breakpoints *all, enum gdb_break_kind kind, uint64_t address,
		       unsigned int length, const struct machine_view *view)
{
	struct gdb_breakpoint new = {
		.kind = kind, .address = address, .length = length, .view = *view, .slot = -1};

	if (kind == GDB_WATCH_READ || kind > GDB_WATCH_ACCESS ||
	    (kind >= GDB_WATCH_WRITE && !watchable(address, length)))
		return -EINVAL;
	if (kind != GDB_BREAK_SOFTWARE)
		new.slot = free_slot(all);
	if (all->count == GDB_BREAKPOINTS_MAX || (kind != GDB_BREAK_SOFTWARE && new.slot < 0))
		return -ENOSPC;
	/* Set twice is set once. */
	gdb_breakpoint_remove(all, kind, address, length);
	all->breakpoint[all->count++] = new;
	return 0;
}

bool gdb_breakpoint_remove(struct gdb_breakpoints *all, enum gdb_break_kind kind, uint64_t address,
			   unsigned int length)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct gdb_breakpoint *at = &all->breakpoint[i];

		if (at->kind != kind || at->address != address || at->length != length)
			continue;
		all->breakpoint[i] = all->breakpoint[--all->count];
		return true;
	}
	return false;
}

/* --- in the guest --- */

/* Also where the guest has written over it since. False: there is no memory. */
static bool patch(struct gdb_breakpoint *at, struct machine *machine)
{
	static const uint8_t int3 = INT3;
	uint8_t now;
	uint64_t gpa;

	if (!machine_view_translate(machine, &at->view, at->address, &gpa) ||
	    machine_dma_read(machine, gpa, &now, 1))
		return false;
	if (at->patched && at->gpa == gpa && now == INT3)
		return true;
	at->gpa = gpa;
	at->original = now;
	at->patched = !machine_dma_write(machine, gpa, &int3, 1);
	return at->patched;
}

bool gdb_breakpoints_insert(struct gdb_breakpoints *all, struct machine *machine)
{
	bool changed = false;

	for (size_t i = 0; i < all->count; i++) {
		struct gdb_breakpoint *at = &all->breakpoint[i];
		int slot = at->slot;

		if (at->kind != GDB_BREAK_SOFTWARE)
			continue;
		if (patch(at, machine))
			at->slot = -1;
		else if (slot < 0)
			at->slot = free_slot(all);
		changed |= at->slot != slot;
	}
	return changed;
}

void gdb_breakpoints_lift(struct gdb_breakpoints *all, struct machine *machine)
{
	for (size_t i = 0; i < all->count; i++) {
		struct gdb_breakpoint *at = &all->breakpoint[i];
		uint8_t now;

		if (at->patched && !machine_dma_read(machine, at->gpa, &now, 1) && now == INT3)
			machine_dma_write(machine, at->gpa, &at->original, 1);
		at->patched = false;
	}
}

/* R/W and LEN of DR7 (SDM 3B:18.2.4). */
static unsigned int dr7_field(const struct gdb_breakpoint *at)
{
	static const unsigned int lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

	if (at->kind == GDB_WATCH_WRITE)
		return 1 | lengths[at->length] << 2;
	if (at->kind == GDB_WATCH_ACCESS)
		return 3 | lengths[at->length] << 2;
	return 0;
}

void gdb_breakpoints_fill(const struct gdb_breakpoints *all, bool watchpoints_only,
			  struct kvm_guest_debug *debug)
{
	uint64_t dr7 = DR7_FIXED;

	for (size_t i = 0; i < all->count; i++) {
		const struct gdb_breakpoint *at = &all->breakpoint[i];

		if (watchpoints_only && at->kind < GDB_WATCH_WRITE)
			continue;
		if (at->patched)
			debug->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
		if (at->slot < 0)
			continue;
		debug->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
		debug->arch.debugreg[at->slot] = at->address;
		dr7 |= 2u << 2 * at->slot;
		dr7 |= (uint64_t)dr7_field(at) << (16 + 4 * at->slot);
	}
	debug->arch.debugreg[7] = dr7;
}

/* --- which one it was --- */

const struct gdb_breakpoint *gdb_breakpoint_at(const struct gdb_breakpoints *all,
					       struct machine *machine, unsigned int vcpu,
					       uint64_t address)
{
	const struct machine_view view = {.vcpu = vcpu};
	uint64_t gpa;

	if (!machine_view_translate(machine, &view, address, &gpa))
		return NULL;
	for (size_t i = 0; i < all->count; i++) {
		if (all->breakpoint[i].patched && all->breakpoint[i].gpa == gpa)
			return &all->breakpoint[i];
	}
	return NULL;
}

const struct gdb_breakpoint *gdb_breakpoint_hit(const struct gdb_breakpoints *all, uint64_t dr6)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->breakpoint[i].slot >= 0 && dr6 >> all->breakpoint[i].slot & 1)
			return &all->breakpoint[i];
	}
	return NULL;
}
