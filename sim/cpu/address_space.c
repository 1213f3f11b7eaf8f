/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which TLB context stands for the current address space and privilege. An asid is handed out for
 * every PCID in use in a world and taken away when that PCID is flushed, so that only using up all
 * asids flushes the TLB itself. Dropping more than the architecture asks (global pages with bit 63
 * clear) is always allowed (SDM 3A:4.10.2). A sticky TLB beside it (mmu/sticky.h) is told of what
 * the architecture invalidates, and of nothing else.
 */
#include "sim/cpu/address_space.h"
#include "mmu/sticky.h"
#include "sim/cpu/recorder.h"

static struct world *world(struct cpu *cpu)
{
	return &cpu->space.world[cpu->space.in];
}

/* Addresses with bit 63 set share one context, so they have to be looked for. */
static void drop_upper(struct cpu *cpu)
{
	tlb_flush_upper(&cpu->tlb);
	cpu->space.upper = cpu->space.upper_local = false;
}

/* --- what a world has in the TLB --- */

static void forget_pcids(struct world *world)
{
	if (world->pcids)
		__builtin_memset(world->of_pcid, 0, sizeof(world->of_pcid));
	world->of_pcid[0] = 0;
	world->pcids = false;
}

/* Everything of a world; its next translations are another's. */
static void forget_world(struct world *world)
{
	forget_pcids(world);
	world->epoch = 0;
	world->large_low[0] = world->large_low[1] = UINT64_MAX;
	world->large_high[0] = world->large_high[1] = 0;
}

static void flush_everything(struct cpu *cpu)
{
	tlb_flush_all(&cpu->tlb);
	for (unsigned int n = 0; n < WORLDS; n++) {
		forget_world(&cpu->space.world[n]);
		if (n != cpu->space.in)
			cpu->space.world[n].entered = 0;
	}
	cpu->space.next = 1;
}

/* An asid under which the TLB holds nothing. */
static u16 new_asid(struct cpu *cpu)
{
	if (cpu->space.next == 0 || cpu->space.next == TLB_ASIDS)
		flush_everything(cpu);
	return cpu->space.next++;
}

/* An epoch of which the TLB holds nothing. */
static u32 new_epoch(struct cpu *cpu)
{
	if (++cpu->space.last_epoch == 0) {
		tlb_flush_all(&cpu->tlb);
		for (unsigned int n = 0; n < WORLDS; n++)
			cpu->space.world[n].epoch = 0;
		cpu->space.last_epoch = 1;
	}
	return cpu->space.last_epoch;
}

static u16 current_pcid(const struct cpu *cpu)
{
	return cpu->cr4 & CR4_PCIDE ? cpu->cr3 & 0xfff : 0;
}

/* @asid 0: a new one. */
static void enter_asid(struct cpu *cpu, u16 asid)
{
	u16 pcid = current_pcid(cpu);

	if (!asid)
		asid = new_asid(cpu);
	if (!world(cpu)->epoch)
		world(cpu)->epoch = new_epoch(cpu);
	cpu->tlb.epoch = world(cpu)->epoch;
	world(cpu)->of_pcid[pcid] = asid;
	world(cpu)->pcids |= pcid != 0;
	cpu->space.current = asid;
	cpu->walk.sticky = cpu->space.sticky;
	cpu->walk.tables = cpu->space.tables;
	if (unlikely(cpu->space.sticky))
		cpu->walk.space = sticky_space(cpu->space.sticky, world(cpu)->tag);
	cpu->walk.pcid = pcid;
	address_space_update(cpu);
}

/* As events.def counts them. */
enum {
	FLUSH_ALL,
	FLUSH_NONGLOBAL,
	FLUSH_PCID,
	FLUSH_LINEAR,
	FLUSH_SWITCH,
	FLUSH_SPACES,
	FLUSH_EVERYTHING
};

/* --- sticky --- */

/* Its parameters are those of cpu_flush_*; does nothing without a sticky TLB. */
#define STICKY(cpu, call)                                                                          \
	do {                                                                                       \
		struct sticky *sticky = (cpu)->space.sticky;                                       \
		struct sticky_space *space = (cpu)->walk.space;                                    \
                                                                                                   \
		(void)space;                                                                       \
		if (unlikely(sticky) && space)                                                     \
			call;                                                                      \
	} while (0)

void cpu_paging_changed(struct cpu *cpu, u64 old_cr0, u64 old_cr4)
{
	u64 cr4 = old_cr4 ^ cpu->cr4, set = cr4 & cpu->cr4, cleared = cr4 & old_cr4;
	u64 all_on_amd = cpu->amd ? CR4_PAE | CR4_PSE : 0;

	if (((old_cr0 & ~cpu->cr0) & CR0_PG) || (cr4 & (CR4_PGE | all_on_amd)) ||
	    (cleared & CR4_PCIDE))
		STICKY(cpu, sticky_forget_space(sticky, space, true));
	else if ((cr4 & CR4_PAE) || (set & CR4_SMEP))
		STICKY(cpu, sticky_forget_pcid(sticky, space, current_pcid(cpu)));
}

/* INVLPG drops all paging-structure caches of the PCID (SDM 3A:4.10.4.1); AMD's, all there are
 * (APM 2:3.1.7, EFER.TCE, which is not offered). */
static void forget_linear(struct cpu *cpu, u16 pcid, u64 linear, bool global)
{
	STICKY(cpu, sticky_forget_address(sticky, space, pcid, linear, global, false));
	if (cpu->amd)
		STICKY(cpu, sticky_forget_tables(sticky, space));
	else
		STICKY(cpu, sticky_forget_pcid_tables(sticky, space, pcid));
}

/* --- flushes --- */

u64 cpu_world_tag(const struct cpu *cpu)
{
	return cpu->space.world[cpu->space.in].tag;
}

static void flush_world(struct cpu *cpu)
{
	forget_world(world(cpu));
	if (cpu->space.upper)
		drop_upper(cpu);
	enter_asid(cpu, 0);
}

void cpu_flush_tlb(struct cpu *cpu)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_ALL, .space = cpu_world_tag(cpu));
	STICKY(cpu, sticky_forget_space(sticky, space, true));
	flush_world(cpu);
}

static void switch_address_space(struct cpu *cpu, bool keep)
{
	if (cpu->space.upper_local)
		drop_upper(cpu);
	enter_asid(cpu, keep ? world(cpu)->of_pcid[current_pcid(cpu)] : 0);
}

void cpu_switch_address_space(struct cpu *cpu, bool keep)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_SWITCH, .pcid = current_pcid(cpu),
	       .space = cpu_world_tag(cpu));
	if (!keep)
		STICKY(cpu, sticky_forget_pcid(sticky, space, current_pcid(cpu)));
	switch_address_space(cpu, keep);
}

void cpu_flush_nonglobal(struct cpu *cpu)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_NONGLOBAL, .space = cpu_world_tag(cpu));
	STICKY(cpu, sticky_forget_space(sticky, space, false));
	forget_pcids(world(cpu));
	switch_address_space(cpu, false);
}

static void drop_pcid(struct cpu *cpu, u16 pcid)
{
	world(cpu)->of_pcid[pcid] = 0;
	if (pcid == current_pcid(cpu))
		switch_address_space(cpu, false);
}

void cpu_flush_pcid(struct cpu *cpu, u16 pcid)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_PCID, .pcid = pcid, .space = cpu_world_tag(cpu));
	STICKY(cpu, sticky_forget_pcid(sticky, space, pcid));
	drop_pcid(cpu, pcid);
}

static bool in_large_page(const struct world *world, u64 linear)
{
	unsigned int half = linear >> 63;

	return linear >= world->large_low[half] && linear <= world->large_high[half];
}

static void flush_linear(struct cpu *cpu, u64 linear)
{
	if (in_large_page(world(cpu), linear))
		flush_world(cpu);
	else
		tlb_flush_page(&cpu->tlb, linear);
}

void cpu_flush_linear(struct cpu *cpu, u64 linear)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_LINEAR, .linear = linear, .space = cpu_world_tag(cpu));
	forget_linear(cpu, current_pcid(cpu), linear, true);
	flush_linear(cpu, linear);
}

/* Only the current PCID's can be dropped by address from the TLB proper. */
void cpu_flush_pcid_linear(struct cpu *cpu, u16 pcid, u64 linear)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_LINEAR, .linear = linear, .pcid = pcid,
	       .space = cpu_world_tag(cpu));
	forget_linear(cpu, pcid, linear, false);
	if (pcid == current_pcid(cpu))
		flush_linear(cpu, linear);
	else
		drop_pcid(cpu, pcid);
}

/* --- worlds --- */

/* Permissions are compared with those of the last time that the world was in. */
static void swap_registers(struct cpu *cpu, struct world *from, const struct world *to)
{
	from->cr0 = cpu->walk.cr0;
	from->cr4 = cpu->walk.cr4;
	from->efer = cpu->walk.efer;
	from->pkru = cpu->walk.pkru;
	from->pkrs = cpu->walk.pkrs;
	cpu->walk.cr0 = to->cr0;
	cpu->walk.cr4 = to->cr4;
	cpu->walk.efer = to->efer;
	cpu->walk.pkru = to->pkru;
	cpu->walk.pkrs = to->pkrs;
}

/* Where @tag is, or may be: never the host's place for a guest. */
static u8 place_of(struct cpu *cpu, u64 tag)
{
	struct world *all = cpu->space.world;
	unsigned int oldest = 1;

	if (tag == WORLD_HOST)
		return 0;
	for (unsigned int n = 1; n < WORLDS; n++) {
		if (all[n].entered && all[n].tag == tag)
			return n;
		if (all[n].entered < all[oldest].entered)
			oldest = n;
	}
	forget_world(&all[oldest]);
	all[oldest].tag = tag;
	return oldest;
}

void cpu_enter_world(struct cpu *cpu, u64 tag)
{
	u8 to = place_of(cpu, tag);

	cpu->space.world[to].entered = ++cpu->space.entries;
	if (to != cpu->space.in) {
		swap_registers(cpu, world(cpu), &cpu->space.world[to]);
		cpu->space.in = to;
		if (cpu->space.upper)
			drop_upper(cpu);
	}
	switch_address_space(cpu, true);
}

void cpu_flush_linear_in(struct cpu *cpu, u64 mask, u64 tag, u64 linear)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_LINEAR, .linear = linear, .space = tag, .mask = mask);
	STICKY(cpu, sticky_forget_address_in(sticky, mask, tag, linear));
	for (unsigned int n = 0; n < WORLDS; n++) {
		struct world *other = &cpu->space.world[n];

		if (n != cpu->space.in && other->entered && (other->tag & mask) == tag &&
		    in_large_page(other, linear))
			forget_world(other);
	}
	flush_linear(cpu, linear);
}

void cpu_flush_worlds(struct cpu *cpu, u64 mask, u64 tag)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_SPACES, .space = tag, .mask = mask);
	STICKY(cpu, sticky_forget_spaces(sticky, mask, tag, true));
	for (unsigned int n = 1; n < WORLDS; n++) {
		struct world *other = &cpu->space.world[n];

		if (!other->entered || (other->tag & mask) != tag)
			continue;
		if (n == cpu->space.in)
			flush_world(cpu);
		else
			forget_world(other);
	}
}

void cpu_drop_tags(struct cpu *cpu)
{
	flush_everything(cpu);
	flush_world(cpu);
}

void cpu_flush_all(struct cpu *cpu)
{
	RECORD(cpu, TLB_FLUSH, .what = FLUSH_EVERYTHING);
	STICKY(cpu, sticky_forget_all(sticky));
	cpu_drop_tags(cpu);
}

/* --- contexts --- */

/* SMAP looks at RFLAGS.AC for explicit supervisor accesses. */
static enum tlb_privilege privilege(const struct cpu *cpu)
{
	if (cpu->cpl == 3)
		return TLB_USER;
	return (cpu->rflags & FLAG_AC) ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
}

/* Accesses that need more than a translation: alignment checks and data breakpoints. */
static bool accesses_are_checked(const struct cpu *cpu)
{
	bool alignment = cpu->cpl == 3 && (cpu->cr0 & CR0_AM) && (cpu->rflags & FLAG_AC);

	return alignment || cpu_watches(cpu);
}

/* True if a register changed from which permissions in the TLB were computed. */
static bool permissions_changed(const struct cpu *cpu)
{
	const u64 cr4 = CR4_PSE | CR4_PAE | CR4_LA57 | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS |
			CR4_CET | CR4_PGE | CR4_PCIDE;

	return ((cpu->walk.cr0 ^ cpu->cr0) & (CR0_WP | CR0_PG | CR0_PE)) ||
	       ((cpu->walk.cr4 ^ cpu->cr4) & cr4) ||
	       ((cpu->walk.efer ^ cpu->efer) & (EFER_NXE | EFER_LMA)) ||
	       cpu->walk.pkru != cpu->pkru || cpu->walk.pkrs != cpu->msr[MSR_PKRS];
}

static void mirror_registers(struct cpu *cpu)
{
	cpu->walk.cr0 = cpu->cr0;
	cpu->walk.cr3 = cpu->cr3;
	cpu->walk.cr4 = cpu->cr4;
	cpu->walk.efer = cpu->efer;
	cpu->walk.pkru = cpu->pkru;
	cpu->walk.pkrs = cpu->msr[MSR_PKRS];
	cpu->walk.amd = cpu->amd;
	cpu->walk.physical_bits = cpu->physical_bits;
	cpu->walk.gbyte_pages = cpu_has(cpu, FEATURE_PDPE1GB);
}

void address_space_update_privilege(struct cpu *cpu)
{
	cpu->walk.rflags_ac = cpu->rflags & FLAG_AC;
	cpu->code_context = TLB_CONTEXT(cpu->space.current, privilege(cpu));
	cpu->data_context = accesses_are_checked(cpu) ? TLB_CONTEXT_NEVER : cpu->code_context;
	cpu->locked_context = cpu_watches_locks(cpu) ? TLB_CONTEXT_NEVER : cpu->data_context;
}

void address_space_update(struct cpu *cpu)
{
	bool flush = permissions_changed(cpu);

	cpu->canonical_shift = cpu->cr4 & CR4_LA57 ? 7 : 16;
	mirror_registers(cpu);
	if (flush) {
		flush_world(cpu); /* comes back here */
		return;
	}
	address_space_update_privilege(cpu);
}
