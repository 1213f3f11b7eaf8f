/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory as instructions reach it: linear addresses through the TLB. The fast path is
 * inlined; everything else (walks, faults, page-crossers, MMIO, code pages, alignment checks) is
 * in memory.c, memory_system.c and translate.c. Any of these may raise and not return. Accesses are
 * little-endian and, where aligned, atomic as the host's.
 */
#ifndef LOCKSTEP_SIM_CPU_MEMORY_H
#define LOCKSTEP_SIM_CPU_MEMORY_H

#include "sim/cpu/host_value.h"
#include "sim/cpu/op.h"

/* Slow paths: with the privilege of CPL, #SS instead of #GP for a non-canonical address if
 * @seg is SEG_SS. */
u64 mem_load_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size, u8 seg);
void mem_store_slow(struct cpu *cpu, const struct op *op, u64 linear, u64 value, unsigned int size,
		    u8 seg);
void mem_load_block_slow(struct cpu *cpu, const struct op *op, u64 linear, void *to,
			 unsigned int size);
void mem_store_block_slow(struct cpu *cpu, const struct op *op, u64 linear, const void *from,
			  unsigned int size);
/* The store as the last step of an instruction that commits nothing after it: one to the engine's
 * own chips needs no second run alone. True if the trace has to be left behind the instruction
 * (dispatch_leave_behind). */
bool mem_store_last(struct cpu *cpu, const struct op *op, u64 linear, u64 value, unsigned int size);
void *mem_modify_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size);
void mem_modify_commit(struct cpu *cpu, const struct op *op);

/* Elements of gathers and masked moves: no #AC whatever their alignment (SDM 2A:2.4, types 6, 12).
 * No fast path. */
u64 mem_load_element(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size);
void mem_store_element(struct cpu *cpu, const struct op *op, u64 linear, u64 value,
		       unsigned int size);

/* Fills @entry for fetching at @linear; raises #GP(0) or #PF. */
void mem_fill_code(struct cpu *cpu, u64 linear, struct tlb_code_entry *entry);

/* Host pointer for [linear, linear + size) if the TLB says so, else NULL. */
ALWAYS_INLINE void *mem_read_pointer(struct cpu *cpu, u64 linear, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	if (likely(entry->read_tag == tlb_tag(linear, size, cpu->data_context)))
		return tlb_host(entry, linear);
	return NULL;
}

ALWAYS_INLINE void *mem_write_pointer(struct cpu *cpu, u64 linear, unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	if (likely(entry->write_tag == tlb_tag(linear, size, cpu->data_context)))
		return tlb_host(entry, linear);
	return NULL;
}

/* Width-generic forms; @size is a constant where they are inlined. */
ALWAYS_INLINE u64 mem_load(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	void *host = mem_read_pointer(cpu, linear, size);

	if (unlikely(!host))
		return mem_load_slow(cpu, op, linear, size, op->seg);
	return host_read(host, size);
}

ALWAYS_INLINE void mem_store(struct cpu *cpu, const struct op *op, u64 linear, u64 value,
			     unsigned int size)
{
	void *host = mem_write_pointer(cpu, linear, size);

	if (unlikely(!host)) {
		mem_store_slow(cpu, op, linear, value, size, op->seg);
		return;
	}
	host_write(host, value, size);
}

/* Blocks of up to 64 bytes (vectors, x87). @to and @from must not be locals of a handler that
 * ends in NEXT (see op.h): use registers or cpu->bounce. */
ALWAYS_INLINE void mem_load_block(struct cpu *cpu, const struct op *op, u64 linear, void *to,
				  unsigned int size)
{
	void *host = mem_read_pointer(cpu, linear, size);

	if (likely(host))
		__builtin_memcpy(to, host, size);
	else
		mem_load_block_slow(cpu, op, linear, to, size);
}

ALWAYS_INLINE void mem_store_block(struct cpu *cpu, const struct op *op, u64 linear,
				   const void *from, unsigned int size)
{
	void *host = mem_write_pointer(cpu, linear, size);

	if (likely(host))
		__builtin_memcpy(host, from, size);
	else
		mem_store_block_slow(cpu, op, linear, from, size);
}

/* Read-modify-write: a pointer to the operand's bytes, checked for writing. Read and write
 * through it, then call mem_modify_end with the same pointer. */
ALWAYS_INLINE void *mem_modify(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	void *host = mem_write_pointer(cpu, linear, size);

	if (unlikely(!host))
		host = mem_modify_slow(cpu, op, linear, size);
	return host;
}

/* The same of an instruction that may have LOCK. */
ALWAYS_INLINE void *mem_modify_locked(struct cpu *cpu, const struct op *op, u64 linear,
				      unsigned int size)
{
	struct tlb_entry *entry = tlb_data_slot(&cpu->tlb, linear);

	if (likely(entry->write_tag == tlb_tag(linear, size, cpu->locked_context)))
		return tlb_host(entry, linear);
	return mem_modify_slow(cpu, op, linear, size);
}

ALWAYS_INLINE void mem_modify_end(struct cpu *cpu, const struct op *op, void *host)
{
	if (unlikely(host == cpu->bounce))
		mem_modify_commit(cpu, op);
}

/* --- accesses that are not the instruction's own operand --- */
/* Implicit supervisor accesses: descriptor tables, TSS, event frames into inner stacks. */
u64 mem_load_system(struct cpu *cpu, u64 linear, unsigned int size);
void mem_store_system(struct cpu *cpu, u64 linear, u64 value, unsigned int size);
/* With an explicit walk_access privilege (WALK_USER, 0) and shadow-stack bit. */
u64 mem_load_as(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access);
void mem_store_as(struct cpu *cpu, u64 linear, u64 value, unsigned int size, unsigned int access);
/* Raises what an access would raise, touches nothing (PREFETCH excepted: it never raises).
 * @access: WALK_READ or WALK_WRITE; privilege of CPL is added. */
void mem_probe(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size,
	       unsigned int access);
/* Loads a byte of the operand and returns its guest-physical address (MONITOR). */
u64 mem_load_gpa(struct cpu *cpu, const struct op *op, u64 linear, u8 seg);
/* Translates for CPL's privilege and @access; raises #PF. Returns the gpa. */
u64 mem_translate(struct cpu *cpu, u64 linear, unsigned int access);
/* Compare-exchange of an implicit supervisor 32-bit word (descriptor accessed/busy bits). */
bool mem_compare_exchange_system(struct cpu *cpu, u64 linear, u32 expected, u32 desired);

/* Guest-physical access for walks of tables, VMCS, VMCB and the like; all ones outside slots. */
u64 mem_load_physical(struct cpu *cpu, u64 gpa, unsigned int size);
void mem_store_physical(struct cpu *cpu, u64 gpa, u64 value, unsigned int size);
/* The bytes at @gpa, up to the end of its page, to be written in place; NULL where nothing can be.
 * What was written ends with the second call. */
u8 *mem_physical_begin(struct cpu *cpu, u64 gpa);
void mem_physical_end(struct cpu *cpu, u64 gpa, unsigned int size);

#endif
