/* SPDX-License-Identifier: Apache-2.0 */
/* From a linear address to a place in memory: by the TLB, its second level, or a walk. */
#include "sim/cpu/address_space.h"
#include "sim/cpu/code_guard.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/piece.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/wait.h"

/* INVLPG of one address in a large page has to drop all its 4 KiB pieces: remember where such
 * pages were used. */
static void note_large_page(struct cpu *cpu, u64 linear, unsigned int shift)
{
	struct world *world = &cpu->space.world[cpu->space.in];
	unsigned int half = linear >> 63;
	u64 low = linear & ~(BIT(shift) - 1), high = low + (BIT(shift) - 1);

	if (low < world->large_low[half])
		world->large_low[half] = low;
	if (high > world->large_high[half])
		world->large_high[half] = high;
}

/* The TLB context that an access is looked up and kept under. Event delivery reaches supervisor
 * structures and stacks while CPL is still 3. */
static u64 context_of(const struct cpu *cpu, unsigned int access)
{
	enum tlb_privilege privilege = TLB_SUPERVISOR;

	if (access & (WALK_SHADOW_STACK | WALK_NO_AD))
		return TLB_CONTEXT_NEVER;
	if (access & WALK_USER)
		privilege = TLB_USER;
	else if (!(access & WALK_IMPLICIT) && (cpu->rflags & FLAG_AC))
		privilege = TLB_SUPERVISOR_AC;
	return (cpu->code_context & ~UINT64_C(3)) | privilege;
}

/* A store into a page from which traces were made, that is monitored, or with tlb.mode=coherent
 * holds tables: if it hits a line of those. */
static void lines_written(struct cpu *cpu, struct slot *slot, u64 gpa, unsigned int size,
			  bool by_walk)
{
	u64 *word = slot_code_word(slot, gpa);
	u64 lines = slot_code_lines(gpa, size);

	/* The store comes before the look: who makes a trace sets its bits and looks at the bytes.
	 */
	if (unlikely(cpu->slots->shared))
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (likely(!(*word & lines)))
		return;
	if (!by_walk || !cpu->space.tables)
		__atomic_fetch_and(word, ~lines, __ATOMIC_RELEASE);
	trace_cache_drop(cpu, gpa, size);
	monitor_written(cpu, gpa);
	cpu->platform->code_page_written(cpu, gpa);
	if (unlikely(cpu->space.tables) && !by_walk)
		cpu_flush_all(cpu);
}

void mem_code_written(struct cpu *cpu, struct slot *slot, u64 gpa, unsigned int size)
{
	lines_written(cpu, slot, gpa, size, false);
}

static bool second_level_allows(const struct tlb_second *known, unsigned int access)
{
	unsigned int wanted = access & (WALK_WRITE | WALK_EXEC);

	return known && (known->allowed & (wanted ? wanted : WALK_ALLOWED_READ));
}

/* Accessed and dirty bits were set, which may be somebody's code, and changes no translation. */
static void note_updates(struct cpu *cpu, const struct walk_updates *updates)
{
	for (unsigned int n = 0; n < updates->count; n++)
		lines_written(cpu, slots_find(cpu->slots, updates->physical[n]),
			      updates->physical[n], 4, true);
}

/* tlb.mode=coherent: stores to what the walk has read have to be seen. True: some would not have
 * been, so that it may have read what has changed since. */
static bool guard_tables(struct cpu *cpu)
{
	const struct walk_tables *tables = cpu->space.tables;
	bool changed = false;

	for (unsigned int n = 0; n < tables->count; n++)
		if (slots_find(cpu->slots, tables->physical[n]))
			changed |= code_guard(cpu, tables->physical[n], 8);
	return changed;
}

static bool walk_tables(struct cpu *cpu, u64 linear, unsigned int access,
			struct walk_result *result)
{
	bool walked;

	do {
		if (unlikely(cpu->walk.steps))
			cpu->walk.steps->count = 0; /* of walks that were nobody's */
		if (unlikely(cpu->space.tables))
			cpu->space.tables->count = 0;
		walked = walk_linear(cpu->slots, &cpu->walk, linear, access, result);
		note_updates(cpu, &result->updates);
	} while (unlikely(cpu->space.tables) && walked && guard_tables(cpu));
	if (unlikely(cpu->walk.steps))
		recorder_walk(cpu, linear, access);
	return walked;
}

_Noreturn static void refuse(struct cpu *cpu, u64 linear, unsigned int access,
			     const struct walk_result *result)
{
	if (result->second.refused)
		cpu->vendor->second_stage_fault(cpu, linear, access, result);
	cpu_raise_page_fault(cpu, linear, result->error_code);
}

/* By the TLB's second level, or by a walk. Raises #PF, or leaves the guest. @context is that of
 * the access. */
static void walk(struct cpu *cpu, u64 linear, unsigned int access, u64 context,
		 struct walk_result *result)
{
	const struct tlb_second *known = NULL;

	if (context != TLB_CONTEXT_NEVER)
		known = tlb_second_find(&cpu->tlb, linear, context);
	if (second_level_allows(known, access)) {
		result->gpa = known->gpa | (linear & PAGE_OFFSET_MASK);
		result->allowed = known->allowed;
		result->global = known->epoch;
	} else {
		cpu->stats.page_walks++;
		if (!walk_tables(cpu, linear, access, result))
			refuse(cpu, linear, access, result);
		if (result->page_shift > PAGE_SHIFT)
			note_large_page(cpu, linear, result->page_shift);
		RECORD(cpu, TLB_FILL, .linear = linear & ~PAGE_OFFSET_MASK,
		       .address = result->gpa & ~PAGE_OFFSET_MASK,
		       .fetch = (access & WALK_EXEC) != 0, .space = cpu_world_tag(cpu));
		if (context != TLB_CONTEXT_NEVER)
			tlb_second_fill(&cpu->tlb, linear, context, result->gpa, result->allowed,
					result->global);
	}
	if (linear >> 63) {
		cpu->space.upper = true;
		cpu->space.upper_local |= !result->global;
	}
}

/* @slot holds the page, or is NULL. */
static void fill_data(struct cpu *cpu, u64 linear, unsigned int access, u64 context,
		      const struct walk_result *result, struct slot *slot)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);
	u64 page = linear & ~PAGE_OFFSET_MASK, gpa = result->gpa & ~PAGE_OFFSET_MASK;
	u64 tag = tlb_tag(page, 1, context);

	if (!slot || context == TLB_CONTEXT_NEVER)
		return;
	entry->gpa = gpa;
	entry->addend = (u64)(slot->host + (gpa - slot->gpa)) - page;
	entry->read_tag =
		(result->allowed & WALK_ALLOWED_READ) && !recorder_sees(cpu, RECORDER_LOADS)
			? tag
			: TLB_TAG_INVALID;
	entry->write_tag = TLB_TAG_INVALID;
	if (!(result->allowed & WALK_WRITE) || (slot->flags & KVM_MEM_READONLY) ||
	    *slot_code_word(slot, gpa) || recorder_sees(cpu, RECORDER_STORES) ||
	    (!(access & WALK_WRITE) && !slot_is_dirty(slot, gpa)))
		return;
	/* The access itself may yet fault elsewhere, or be a mere probe; what follows it through
	 * this tag is not seen. */
	slot_mark_dirty(slot, gpa);
	tlb_allow_write(&cpu->tlb, entry, tag);
}

void mem_fill_code(struct cpu *cpu, u64 linear, struct tlb_code_entry *entry)
{
	unsigned int access = own_access(cpu, WALK_EXEC);
	struct walk_result result;

	if (!is_canonical(cpu, linear))
		raise_gp(cpu, 0);
	walk(cpu, linear, access, context_of(cpu, access), &result);
	if (unlikely(cpu_apic_access(cpu, result.gpa)))
		cpu->vendor->apic_access(cpu, result.gpa, NULL, 1, VENDOR_FETCH);
	entry->tag = tlb_tag(linear, 1, cpu->code_context);
	entry->gpa = result.gpa & ~PAGE_OFFSET_MASK;
	entry->host = slots_host(cpu->slots, entry->gpa);
}

/* For stores, before a walk. */
static bool known_slow(struct cpu *cpu, u64 linear, u64 tag, struct piece *piece)
{
	const struct tlb_slow *slow = tlb_slow_slot(&cpu->tlb, linear);

	/* A page whose traces are gone is to get its write tag again. */
	if (slow->tag != tag || (slow->slot && !*slot_code_word(slow->slot, slow->gpa) &&
				 !recorder_sees(cpu, RECORDER_STORES)))
		return false;
	piece->gpa = slow->gpa | (linear & PAGE_OFFSET_MASK);
	piece->slot = slow->slot;
	return true;
}

static void remember_slow(struct cpu *cpu, u64 linear, u64 tag, const struct piece *piece)
{
	if (piece->slot && !*slot_code_word(piece->slot, piece->gpa))
		return; /* it has its write tag */
	*tlb_slow_slot(&cpu->tlb, linear) = (struct tlb_slow){
		.tag = tag, .gpa = piece->gpa & ~PAGE_OFFSET_MASK, .slot = piece->slot};
}

/* NULL: a device, or the model's page of APIC accesses. */
static struct slot *slot_at(struct cpu *cpu, u64 gpa)
{
	return unlikely(cpu_apic_access(cpu, gpa)) ? NULL : slots_find(cpu->slots, gpa);
}

void piece_translate(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
		     struct piece *piece)
{
	unsigned int room = PAGE_SIZE_4K - (linear & PAGE_OFFSET_MASK);
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);
	u64 context = context_of(cpu, access), tag = tlb_tag(linear, 1, context);
	struct walk_result result;

	cpu->stats.tlb_lookups++;
	if ((access & WALK_WRITE ? entry->write_tag : entry->read_tag) == tag) {
		cpu->stats.tlb_hits++;
		piece->gpa = entry->gpa | (linear & PAGE_OFFSET_MASK);
		piece->slot = slot_at(cpu, piece->gpa);
	} else if (!(access & WALK_WRITE) || !known_slow(cpu, linear, tag, piece)) {
		walk(cpu, linear, access, context, &result);
		piece->gpa = result.gpa;
		piece->slot = slot_at(cpu, piece->gpa);
		fill_data(cpu, linear, access, context, &result, piece->slot);
		if ((access & WALK_WRITE) && context != TLB_CONTEXT_NEVER)
			remember_slow(cpu, linear, tag, piece);
	}
	piece->size = size < room ? size : room;
	piece->write = access & WALK_WRITE;
	piece->host = piece->slot ? piece->slot->host + (piece->gpa - piece->slot->gpa) : NULL;
}

u64 mem_translate(struct cpu *cpu, u64 linear, unsigned int access)
{
	struct piece piece;

	piece_translate(cpu, linear, 1, own_access(cpu, access), &piece);
	return piece.gpa;
}
