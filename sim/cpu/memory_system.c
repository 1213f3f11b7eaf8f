/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses that are no operand: those an instruction makes by itself, the processor's own, and
 * those by a physical address. */
#include "sim/cpu/memory.h"
#include "sim/cpu/piece.h"

/* Pushes and pops that an instruction makes by itself are watched and aligned as its operands are.
 */
static void check_explicit(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access)
{
	if ((access & (WALK_USER | WALK_SHADOW_STACK)) == WALK_USER)
		mem_check_alignment(cpu, linear, size);
}

static void watch_explicit(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
			   bool write)
{
	if (cpu->op && !(access & WALK_IMPLICIT))
		mem_watch(cpu, linear, size, write);
}

u64 mem_load_as(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access)
{
	u64 value = 0;

	linear = mem_check_linear(cpu, linear, size, SEG_DS);
	check_explicit(cpu, linear, size, access);
	mem_read_checked(cpu, linear, &value, size, access);
	watch_explicit(cpu, linear, size, access, false);
	return value;
}

void mem_store_as(struct cpu *cpu, u64 linear, u64 value, unsigned int size, unsigned int access)
{
	linear = mem_check_linear(cpu, linear, size, SEG_DS);
	check_explicit(cpu, linear, size, access);
	mem_write_checked(cpu, linear, &value, size, access);
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
	linear = mem_check_linear(cpu, linear, size, op->seg);
	piece_split(cpu, linear, size, own_access(cpu, access), piece);
	piece_probe_apic_access(cpu, &piece[0], size);
}

bool mem_compare_exchange_system(struct cpu *cpu, u64 linear, u32 expected, u32 desired)
{
	struct piece piece[2];

	linear = mem_check_linear(cpu, linear, 4, SEG_DS);
	piece_split(cpu, linear, 4, WALK_WRITE | WALK_IMPLICIT, piece);
	if (piece[1].size || !piece[0].host || (piece[0].slot->flags & KVM_MEM_READONLY)) {
		mem_write_checked(cpu, linear, &desired, 4, WALK_IMPLICIT);
		return true;
	}
	if (!__atomic_compare_exchange_n((u32 *)piece[0].host, &expected, desired, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	slot_mark_dirty(piece[0].slot, piece[0].gpa);
	mem_code_written(cpu, piece[0].slot, piece[0].gpa, 4);
	piece_note_store(cpu, linear, piece, &desired, 4);
	return true;
}

/* --- physical --- */

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
	piece_store(cpu, &piece, &value);
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
	mem_code_written(cpu, slot, gpa, size);
}
