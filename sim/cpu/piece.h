/* SPDX-License-Identifier: Apache-2.0 */
/* An access in pieces, one for each page that it touches; between the files that make accesses. */
#ifndef LOCKSTEP_SIM_CPU_PIECE_H
#define LOCKSTEP_SIM_CPU_PIECE_H

#include "sim/cpu/memory.h"
#include "sim/cpu/segment.h"

/* A piece of an access that lies in one page. */
struct piece {
	u64 gpa;
	u8 *host; /* NULL: MMIO */
	struct slot *slot;
	unsigned int size;
	bool write; /* translated for writing */
};

static inline unsigned int own_access(const struct cpu *cpu, unsigned int access)
{
	return cpu->cpl == 3 ? access | WALK_USER : access;
}

/* Bits 63:linear_bits-1 all alike (SDM 1:3.3.7.1). */
static inline bool is_canonical(const struct cpu *cpu, u64 linear)
{
	unsigned int shift = 64 - (cpu->cr4 & CR4_LA57 ? 57 : 48);

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

/* translate.c: the bytes of [linear, linear + size) that lie in the first page. Raises #PF, or
 * leaves the guest. */
void piece_translate(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
		     struct piece *piece);
/* A store into a page from which traces were made, that is monitored, or that with
 * tlb.mode=coherent holds tables. */
void mem_code_written(struct cpu *cpu, struct slot *slot, u64 gpa, unsigned int size);

/* --- piece.c --- */

static inline bool piece_writable(const struct piece *piece)
{
	return piece->host && !(piece->slot->flags & KVM_MEM_READONLY);
}

void piece_read(struct cpu *cpu, const struct piece *piece, void *to);
/* To host memory; a guest's store ends here or with a device. */
void piece_store(struct cpu *cpu, const struct piece *piece, const void *from);
/* Both pages are translated before either is touched. */
void piece_split(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
		 struct piece piece[2]);
void pieces_write(struct cpu *cpu, const struct piece piece[2], const void *from);
/* Leaves the guest if an access of that size may not go to the model's page. */
void piece_probe_apic_access(struct cpu *cpu, const struct piece *piece, unsigned int size);
/* For the trace; @first: of the one or two pieces. */
void piece_note_load(struct cpu *cpu, u64 linear, const struct piece *first, const void *bytes,
		     unsigned int size);
void piece_note_store(struct cpu *cpu, u64 linear, const struct piece *first, const void *from,
		      unsigned int size);

/* The linear address as it is translated: without LAM's bits, canonical. Raises #GP or #SS. */
u64 mem_check_linear(struct cpu *cpu, u64 linear, unsigned int size, u8 seg);
void mem_check_alignment(struct cpu *cpu, u64 linear, unsigned int size);
void mem_read_checked(struct cpu *cpu, u64 linear, void *to, unsigned int size,
		      unsigned int access);
void mem_write_checked(struct cpu *cpu, u64 linear, const void *from, unsigned int size,
		       unsigned int access);

/* Data breakpoints. */
static inline void mem_watch(struct cpu *cpu, u64 linear, unsigned int size, bool write)
{
	if (unlikely(cpu_watches(cpu)) && debug_watches_data(cpu))
		debug_check_data(cpu, linear, size, write);
}

#endif
