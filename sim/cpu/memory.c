/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operands, where the inlined accessors leave over: TLB fills, page-crossers, MMIO, pages that hold
 * traces, alignment checks and data breakpoints.
 */
#include "sim/cpu/memory.h"
#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/memory_type.h"
#include "sim/cpu/piece.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/vendor.h"

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
	linear = mem_check_linear(cpu, linear, size, seg);
	mem_check_alignment(cpu, linear, size);
	mem_read_checked(cpu, linear, to, size, own_access(cpu, WALK_READ));
	mem_watch(cpu, linear, size, false);
}

static void operand_write(struct cpu *cpu, const struct op *op, u64 linear, const void *from,
			  unsigned int size, u8 seg)
{
	struct piece piece;

	cpu->op = op;
	if (known_guarded(cpu, linear, size, &piece)) {
		piece_store(cpu, &piece, from);
		return;
	}
	linear = mem_check_linear(cpu, linear, size, seg);
	mem_check_alignment(cpu, linear, size);
	mem_write_checked(cpu, linear, from, size, own_access(cpu, WALK_WRITE));
	mem_watch(cpu, linear, size, true);
}

u64 mem_load_gpa(struct cpu *cpu, const struct op *op, u64 linear, u8 seg)
{
	struct piece piece;
	u8 byte;

	cpu->op = op;
	linear = mem_check_linear(cpu, linear, 1, seg);
	piece_translate(cpu, linear, 1, own_access(cpu, WALK_READ), &piece);
	piece_read(cpu, &piece, &byte);
	mem_watch(cpu, linear, 1, false);
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
		piece_store(cpu, &piece[0], &value);
		return false;
	}
	linear = mem_check_linear(cpu, linear, size, op->seg);
	mem_check_alignment(cpu, linear, size);
	piece_split(cpu, linear, size, own_access(cpu, WALK_WRITE), piece);
	if (piece[1].size || piece_writable(&piece[0]) ||
	    !device_store_last(cpu, piece[0].gpa, &value, size, &leave))
		pieces_write(cpu, piece, &value);
	piece_note_store(cpu, linear, piece, &value, size);
	mem_watch(cpu, linear, size, true);
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
	linear = mem_check_linear(cpu, linear, size, op->seg);
	mem_read_checked(cpu, linear, &value, size, own_access(cpu, WALK_READ));
	mem_watch(cpu, linear, size, false);
	return value;
}

void mem_store_element(struct cpu *cpu, const struct op *op, u64 linear, u64 value,
		       unsigned int size)
{
	cpu->op = op;
	linear = mem_check_linear(cpu, linear, size, op->seg);
	mem_write_checked(cpu, linear, &value, size, own_access(cpu, WALK_WRITE));
	mem_watch(cpu, linear, size, true);
}

/* --- read, modified and written --- */

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

/* A locked access locks the bus if it crosses a line or is not to write-back memory (SDM 3A:8.1.4;
 * APM 2:7.3.3). Those by which the processor sets accessed, dirty and busy bits are not looked at.
 */
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
	linear = mem_check_linear(cpu, linear, size, op->seg);
	mem_check_alignment(cpu, linear, size);
	piece_split(cpu, linear, size, own_access(cpu, WALK_WRITE), piece);
	mem_watch(cpu, linear, size, true);
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
	piece_note_load(cpu, linear, piece, cpu->bounce, size);
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
		piece_store(cpu, &piece, cpu->bounce);
		piece_note_store(cpu, cpu->bounced.linear, &piece, cpu->bounce, piece.size);
	} else {
		mem_write_checked(cpu, cpu->bounced.linear, cpu->bounce, cpu->bounced.size,
				  own_access(cpu, WALK_WRITE));
	}
	bus_unlock(cpu);
}
