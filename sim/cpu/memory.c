/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inlined accessors leave over: TLB fills, page-crossers, MMIO, pages that hold traces,
 * alignment checks and data breakpoints. All stores end in write_host or device_access.
 */
#include "sim/cpu/memory.h"
#include "sim/cpu/address_space.h"
#include "sim/cpu/code_guard.h"
#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/memory_type.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/wait.h"

/* A piece of an access that lies in one page. */
struct piece {
	u64 gpa;
	u8 *host; /* NULL: MMIO */
	struct slot *slot;
	unsigned int size;
	bool write; /* translated for writing */
};

static unsigned int own_access(const struct cpu *cpu, unsigned int access)
{
	return cpu->cpl == 3 ? access | WALK_USER : access;
}

/* Bits 63:linear_bits-1 all alike (SDM 1:3.3.7.1). */
static bool is_canonical(const struct cpu *cpu, u64 linear)
{
	unsigned int shift = 64 - (cpu->cr4 & CR4_LA57 ? 57 : 48);

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

_Noreturn static void raise_noncanonical(struct cpu *cpu, u8 seg)
{
	if (seg == SEG_SS)
		raise_ss(cpu, 0);
	raise_gp(cpu, 0);
}

/* --- translation --- */

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

static void code_written(struct cpu *cpu, struct slot *slot, u64 gpa, unsigned int size)
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

/* Translates the bytes of [linear, linear + size) that lie in the first page. */
static void piece_translate(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
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

/* --- the two ends of an access --- */

static void write_host(struct cpu *cpu, const struct piece *piece, const void *from)
{
	switch (piece->size) { /* one store where the host has one: other vCPUs may look */
	case 1:
		__atomic_store_n(piece->host, *(u8 *)from, __ATOMIC_RELAXED);
		break;
	case 2:
		*(volatile u16 *)piece->host = *(u16 *)from;
		break;
	case 4:
		*(volatile u32 *)piece->host = *(u32 *)from;
		break;
	case 8:
		*(volatile u64 *)piece->host = *(u64 *)from;
		break;
	default:
		__builtin_memcpy(piece->host, from, piece->size);
	}
	slot_mark_dirty(piece->slot, piece->gpa);
	code_written(cpu, piece->slot, piece->gpa, piece->size);
}

static void piece_read(struct cpu *cpu, const struct piece *piece, void *to)
{
	if (piece->host)
		__builtin_memcpy(to, piece->host, piece->size);
	else if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, to, piece->size,
					 piece->write ? VENDOR_MODIFY : VENDOR_READ);
	else
		device_access(cpu, piece->gpa, to, piece->size, false);
}

static bool piece_writable(const struct piece *piece)
{
	return piece->host && !(piece->slot->flags & KVM_MEM_READONLY);
}

static void piece_write(struct cpu *cpu, const struct piece *piece, const void *from)
{
	if (piece_writable(piece))
		write_host(cpu, piece, from);
	else if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, (void *)from, piece->size, VENDOR_WRITE);
	else
		device_access(cpu, piece->gpa, (void *)from, piece->size, true);
}

/* --- accesses --- */

/* LAM: bits above the linear address width are ignored (SDM 1:3.3.7.1); the two bits that switch
 * it for user and supervisor pointers are CR3's and CR4's. */
static u64 untag(const struct cpu *cpu, u64 linear)
{
	bool supervisor = linear >> 63;
	unsigned int keep;

	if (!cpu_has(cpu, FEATURE_LAM) || !cpu_64bit(cpu))
		return linear;
	if (supervisor) {
		if (!(cpu->cr4 & CR4_LAM_SUP))
			return linear;
		keep = cpu->cr4 & CR4_LA57 ? 56 : 47;
	} else if (cpu->cr3 & CR3_LAM_U57) {
		keep = 56;
	} else if (cpu->cr3 & CR3_LAM_U48) {
		keep = 47;
	} else {
		return linear;
	}
	/* The bits between become copies of bit 63, which bit 56 or 47 has to equal. */
	return supervisor ? linear | (BIT(63) - BIT(keep + 1))
			  : linear & ~(BIT(63) - BIT(keep + 1));
}

/* SDM 3A:6.15 table 6-7; 32-byte operands as AMD's processors have it. Images of any other size are
 * made of pieces that were checked by themselves. */
static unsigned int alignment_of(unsigned int size)
{
	switch (size) {
	case 1:
	case 2:
	case 4:
	case 8:
	case 16:
		return size;
	case 10:
		return 8;
	case 32:
		return 16;
	default:
		return 0;
	}
}

/* CR0.AM, RFLAGS.AC and CPL 3 (SDM 3A:6.15, interrupt 17). 16-byte operands with a rule of their
 * own raise #GP in their bodies. */
static void check_alignment(struct cpu *cpu, u64 linear, unsigned int size)
{
	unsigned int align = alignment_of(size);

	if (align && (linear & (align - 1)) && cpu->cpl == 3 && (cpu->cr0 & CR0_AM) &&
	    (cpu->rflags & FLAG_AC))
		cpu_raise_error(cpu, VECTOR_AC, 0);
}

static u64 check_linear(struct cpu *cpu, u64 linear, unsigned int size, u8 seg)
{
	if (cpu_long_mode(cpu)) {
		linear = untag(cpu, linear);
		if (!is_canonical(cpu, linear) || !is_canonical(cpu, linear + size - 1))
			raise_noncanonical(cpu, seg);
	}
	if (!(cpu->efer & EFER_LMA))
		linear = (u32)linear;
	return linear;
}

/* Leaves the guest if an access of that size may not go to the model's page. */
static void probe_apic_access(struct cpu *cpu, const struct piece *piece, unsigned int size)
{
	if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, NULL, size,
					 piece->write ? VENDOR_WRITE : VENDOR_READ);
}

/* Both pages are translated before either is touched. */
static void split(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
		  struct piece piece[2])
{
	piece_translate(cpu, linear, size, access, &piece[0]);
	piece[1].size = 0;
	if (unlikely(piece[0].size < size)) {
		u64 next = linear + piece[0].size;

		if (!cpu_long_mode(cpu))
			next = (u32)next;
		piece_translate(cpu, next, size - piece[0].size, access, &piece[1]);
		probe_apic_access(cpu, &piece[0], size);
		probe_apic_access(cpu, &piece[1], size);
	}
}

static void note_load(struct cpu *cpu, u64 linear, const struct piece *first, const void *bytes,
		      unsigned int size)
{
	if (recorder_sees(cpu, RECORDER_LOADS) && first->host)
		recorder_load(cpu, linear, first->gpa, bytes, size);
}

static void read_checked(struct cpu *cpu, u64 linear, void *to, unsigned int size,
			 unsigned int access)
{
	struct piece piece[2];

	split(cpu, linear, size, access, piece);
	piece_read(cpu, &piece[0], to);
	if (piece[1].size)
		piece_read(cpu, &piece[1], (u8 *)to + piece[0].size);
	note_load(cpu, linear, piece, to, size);
}

static void pieces_write(struct cpu *cpu, const struct piece piece[2], const void *from)
{
	piece_write(cpu, &piece[0], from);
	if (piece[1].size)
		piece_write(cpu, &piece[1], (const u8 *)from + piece[0].size);
}

/* @first: of the one or two pieces. */
static void note_store(struct cpu *cpu, u64 linear, const struct piece *first, const void *from,
		       unsigned int size)
{
	if (recorder_sees(cpu, RECORDER_STORES) && piece_writable(first))
		recorder_store(cpu, linear, first->gpa, from, size);
}

static void write_checked(struct cpu *cpu, u64 linear, const void *from, unsigned int size,
			  unsigned int access)
{
	struct piece piece[2];

	split(cpu, linear, size, access | WALK_WRITE, piece);
	pieces_write(cpu, piece, from);
	note_store(cpu, linear, piece, from, size);
}

static void watch(struct cpu *cpu, u64 linear, unsigned int size, bool write)
{
	if (unlikely(cpu_watches(cpu)) && debug_watches_data(cpu))
		debug_check_data(cpu, linear, size, write);
}

/* A guarded page that was stored to before: nothing is left to check but whose lines are hit. */
static bool known_guarded(struct cpu *cpu, u64 linear, unsigned int size, struct piece *piece)
{
	const struct tlb_slow *slow = tlb_slow_slot(&cpu->tlb, linear);

	if (slow->tag != tlb_tag(linear, size, cpu->data_context) || !slow->slot ||
	    (slow->slot->flags & KVM_MEM_READONLY) || !*slot_code_word(slow->slot, slow->gpa) ||
	    recorder_sees(cpu, RECORDER_STORES))
		return false;
	piece->gpa = slow->gpa | (linear & PAGE_OFFSET_MASK);
	piece->slot = slow->slot;
	piece->host = slow->slot->host + (piece->gpa - slow->slot->gpa);
	piece->size = size;
	piece->write = true;
	return true;
}

static void operand_read(struct cpu *cpu, const struct op *op, u64 linear, void *to,
			 unsigned int size, u8 seg)
{
	cpu->op = op;
	linear = check_linear(cpu, linear, size, seg);
	check_alignment(cpu, linear, size);
	read_checked(cpu, linear, to, size, own_access(cpu, WALK_READ));
	watch(cpu, linear, size, false);
}

static void operand_write(struct cpu *cpu, const struct op *op, u64 linear, const void *from,
			  unsigned int size, u8 seg)
{
	struct piece piece;

	cpu->op = op;
	if (known_guarded(cpu, linear, size, &piece)) {
		write_host(cpu, &piece, from);
		return;
	}
	linear = check_linear(cpu, linear, size, seg);
	check_alignment(cpu, linear, size);
	write_checked(cpu, linear, from, size, own_access(cpu, WALK_WRITE));
	watch(cpu, linear, size, true);
}

u64 mem_load_gpa(struct cpu *cpu, const struct op *op, u64 linear, u8 seg)
{
	struct piece piece;
	u8 byte;

	cpu->op = op;
	linear = check_linear(cpu, linear, 1, seg);
	piece_translate(cpu, linear, 1, own_access(cpu, WALK_READ), &piece);
	piece_read(cpu, &piece, &byte);
	watch(cpu, linear, 1, false);
	return piece.gpa;
}

u64 mem_load_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size, u8 seg)
{
	u64 value = 0;

	operand_read(cpu, op, linear, &value, size, seg);
	return value;
}

void mem_store_slow(struct cpu *cpu, const struct op *op, u64 linear, u64 value, unsigned int size,
		    u8 seg)
{
	operand_write(cpu, op, linear, &value, size, seg);
}

/* A page of a device that was stored to before: there is nothing else to check. */
static bool known_device(struct cpu *cpu, u64 linear, unsigned int size, u64 *gpa)
{
	const struct tlb_slow *slow = tlb_slow_slot(&cpu->tlb, linear);

	*gpa = slow->gpa | (linear & PAGE_OFFSET_MASK);
	return !slow->slot && slow->tag == tlb_tag(linear, size, cpu->data_context);
}

bool mem_store_last(struct cpu *cpu, const struct op *op, u64 linear, u64 value, unsigned int size)
{
	struct piece piece[2];
	bool leave = false;
	u64 gpa;

	cpu->op = op;
	if (known_device(cpu, linear, size, &gpa) &&
	    device_store_last(cpu, gpa, &value, size, &leave))
		return leave;
	if (known_guarded(cpu, linear, size, &piece[0])) {
		write_host(cpu, &piece[0], &value);
		return false;
	}
	linear = check_linear(cpu, linear, size, op->seg);
	check_alignment(cpu, linear, size);
	split(cpu, linear, size, own_access(cpu, WALK_WRITE), piece);
	if (piece[1].size || piece_writable(&piece[0]) ||
	    !device_store_last(cpu, piece[0].gpa, &value, size, &leave))
		pieces_write(cpu, piece, &value);
	note_store(cpu, linear, piece, &value, size);
	watch(cpu, linear, size, true);
	return leave;
}

void mem_load_block_slow(struct cpu *cpu, const struct op *op, u64 linear, void *to,
			 unsigned int size)
{
	operand_read(cpu, op, linear, to, size, op->seg);
}

void mem_store_block_slow(struct cpu *cpu, const struct op *op, u64 linear, const void *from,
			  unsigned int size)
{
	operand_write(cpu, op, linear, from, size, op->seg);
}

u64 mem_load_element(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	u64 value = 0;

	cpu->op = op;
	linear = check_linear(cpu, linear, size, op->seg);
	read_checked(cpu, linear, &value, size, own_access(cpu, WALK_READ));
	watch(cpu, linear, size, false);
	return value;
}

void mem_store_element(struct cpu *cpu, const struct op *op, u64 linear, u64 value,
		       unsigned int size)
{
	cpu->op = op;
	linear = check_linear(cpu, linear, size, op->seg);
	write_checked(cpu, linear, &value, size, own_access(cpu, WALK_WRITE));
	watch(cpu, linear, size, true);
}

static void note_bounced(struct cpu *cpu, u64 linear, const struct piece *piece)
{
	cpu->bounced.linear = linear;
	cpu->bounced.size = piece->size;
	cpu->bounced.host = piece->host;
	cpu->bounced.gpa = piece->gpa;
	cpu->bounced.slot = piece->slot;
}

/* Nobody else may come between: only without LOCK. */
static bool bounce_guarded(struct cpu *cpu, u64 linear, unsigned int size)
{
	struct piece piece;

	if (!known_guarded(cpu, linear, size, &piece))
		return false;
	piece_read(cpu, &piece, cpu->bounce);
	note_bounced(cpu, linear, &piece);
	return true;
}

#define CACHE_LINE 64

/* A locked access locks the bus if it crosses a line or is not to write-back memory (SDM 3A:8.1.4; APM
 * 2:7.3.3). Those by which the processor sets accessed, dirty and busy bits are not looked at. */
static void check_bus_lock(struct cpu *cpu, u64 linear, unsigned int size)
{
	if ((linear & (CACHE_LINE - 1)) + size <= CACHE_LINE &&
	    memory_is_write_back(cpu, linear, own_access(cpu, WALK_WRITE)))
		return;
	if (!cpu->single) /* what follows has to follow this instruction */
		cpu_abandon(cpu, CPU_EXIT_NONE);
	if (!cpu->io.completed) /* it has been counted before it left for a device */
		cpu->vendor->bus_lock(cpu);
}

void *mem_modify_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	struct piece piece[2];

	cpu->op = op;
	if (!(op->flags & OP_LOCK) && bounce_guarded(cpu, linear, size))
		return cpu->bounce;
	linear = check_linear(cpu, linear, size, op->seg);
	check_alignment(cpu, linear, size);
	split(cpu, linear, size, own_access(cpu, WALK_WRITE), piece);
	watch(cpu, linear, size, true);
	if ((op->flags & OP_LOCK) && unlikely(cpu_watches_locks(cpu)))
		check_bus_lock(cpu, linear, size);
	if (!piece[1].size && piece_writable(&piece[0]) && !recorder_sees(cpu, RECORDER_STORES) &&
	    !*slot_code_word(piece[0].slot, piece[0].gpa)) {
		slot_mark_dirty(piece[0].slot, piece[0].gpa);
		return piece[0].host;
	}
	if ((op->flags & OP_LOCK) && piece_writable(&piece[0]) &&
	    (!piece[1].size || piece_writable(&piece[1])))
		bus_lock(cpu);
	piece_read(cpu, &piece[0], cpu->bounce);
	if (piece[1].size)
		piece_read(cpu, &piece[1], cpu->bounce + piece[0].size);
	note_load(cpu, linear, piece, cpu->bounce, size);
	note_bounced(cpu, linear, &piece[0]);
	cpu->bounced.size = size;
	if (piece[1].size || !piece_writable(&piece[0]))
		cpu->bounced.host = NULL;
	return cpu->bounce;
}

void mem_modify_commit(struct cpu *cpu, const struct op *op)
{
	const struct piece piece = {.gpa = cpu->bounced.gpa,
				    .host = cpu->bounced.host,
				    .slot = cpu->bounced.slot,
				    .size = cpu->bounced.size};

	cpu->op = op;
	if (likely(piece.host)) {
		write_host(cpu, &piece, cpu->bounce);
		note_store(cpu, cpu->bounced.linear, &piece, cpu->bounce, piece.size);
	} else {
		write_checked(cpu, cpu->bounced.linear, cpu->bounce, cpu->bounced.size,
			      own_access(cpu, WALK_WRITE));
	}
	bus_unlock(cpu);
}

/* --- not the operand --- */

/* Pushes and pops that an instruction makes by itself are watched and aligned as its operands are.
 */
static void check_explicit(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access)
{
	if ((access & (WALK_USER | WALK_SHADOW_STACK)) == WALK_USER)
		check_alignment(cpu, linear, size);
}

static void watch_explicit(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
			   bool write)
{
	if (cpu->op && !(access & WALK_IMPLICIT))
		watch(cpu, linear, size, write);
}

u64 mem_load_as(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access)
{
	u64 value = 0;

	linear = check_linear(cpu, linear, size, SEG_DS);
	check_explicit(cpu, linear, size, access);
	read_checked(cpu, linear, &value, size, access);
	watch_explicit(cpu, linear, size, access, false);
	return value;
}

void mem_store_as(struct cpu *cpu, u64 linear, u64 value, unsigned int size, unsigned int access)
{
	linear = check_linear(cpu, linear, size, SEG_DS);
	check_explicit(cpu, linear, size, access);
	write_checked(cpu, linear, &value, size, access);
	watch_explicit(cpu, linear, size, access, true);
}

u64 mem_load_system(struct cpu *cpu, u64 linear, unsigned int size)
{
	return mem_load_as(cpu, linear, size, WALK_IMPLICIT);
}

void mem_store_system(struct cpu *cpu, u64 linear, u64 value, unsigned int size)
{
	mem_store_as(cpu, linear, value, size, WALK_IMPLICIT);
}

void mem_probe(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size,
	       unsigned int access)
{
	struct piece piece[2];

	cpu->op = op;
	linear = check_linear(cpu, linear, size, op->seg);
	split(cpu, linear, size, own_access(cpu, access), piece);
	probe_apic_access(cpu, &piece[0], size);
}

bool mem_compare_exchange_system(struct cpu *cpu, u64 linear, u32 expected, u32 desired)
{
	struct piece piece[2];

	linear = check_linear(cpu, linear, 4, SEG_DS);
	split(cpu, linear, 4, WALK_WRITE | WALK_IMPLICIT, piece);
	if (piece[1].size || !piece[0].host || (piece[0].slot->flags & KVM_MEM_READONLY)) {
		write_checked(cpu, linear, &desired, 4, WALK_IMPLICIT);
		return true;
	}
	if (!__atomic_compare_exchange_n((u32 *)piece[0].host, &expected, desired, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	slot_mark_dirty(piece[0].slot, piece[0].gpa);
	code_written(cpu, piece[0].slot, piece[0].gpa, 4);
	note_store(cpu, linear, piece, &desired, 4);
	return true;
}

/* Nothing keeps addresses of save areas aligned: two pages may be in two slots, or one in none. */
static unsigned int room_in_page(u64 gpa)
{
	return PAGE_SIZE_4K - (gpa & PAGE_OFFSET_MASK);
}

u64 mem_load_physical(struct cpu *cpu, u64 gpa, unsigned int size)
{
	unsigned int room = room_in_page(gpa);
	u64 value = ~UINT64_C(0);
	u8 *host;

	if (size > room)
		return mem_load_physical(cpu, gpa, room) |
		       mem_load_physical(cpu, gpa + room, size - room) << 8 * room;
	host = slots_host(cpu->slots, gpa);
	if (host)
		__builtin_memcpy(&value, host, size);
	return size == 8 ? value : value & (BIT(8 * size) - 1);
}

void mem_store_physical(struct cpu *cpu, u64 gpa, u64 value, unsigned int size)
{
	struct piece piece = {.gpa = gpa, .size = size, .slot = slots_find(cpu->slots, gpa)};
	unsigned int room = room_in_page(gpa);

	if (size > room) {
		mem_store_physical(cpu, gpa, value, room);
		mem_store_physical(cpu, gpa + room, value >> 8 * room, size - room);
		return;
	}
	if (!piece.slot || (piece.slot->flags & KVM_MEM_READONLY))
		return;
	piece.host = piece.slot->host + (gpa - piece.slot->gpa);
	write_host(cpu, &piece, &value);
}

u8 *mem_physical_begin(struct cpu *cpu, u64 gpa)
{
	struct slot *slot = slots_find(cpu->slots, gpa);

	if (!slot || (slot->flags & KVM_MEM_READONLY))
		return NULL;
	return slot->host + (gpa - slot->gpa);
}

void mem_physical_end(struct cpu *cpu, u64 gpa, unsigned int size)
{
	struct slot *slot = slots_find(cpu->slots, gpa);

	slot_mark_dirty(slot, gpa);
	code_written(cpu, slot, gpa, size);
}
