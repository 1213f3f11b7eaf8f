/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/piece.h"

#include "sim/cpu/device.h"
#include "sim/cpu/fault.h"
#include "sim/cpu/recorder.h"
#include "sim/cpu/vendor.h"

/* --- the two ends of an access --- */

void piece_store(struct cpu *cpu, const struct piece *piece, const void *from)
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
	mem_code_written(cpu, piece->slot, piece->gpa, piece->size);
}

void piece_read(struct cpu *cpu, const struct piece *piece, void *to)
{
	if (piece->host)
		__builtin_memcpy(to, piece->host, piece->size);
	else if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, to, piece->size,
					 piece->write ? VENDOR_MODIFY : VENDOR_READ);
	else
		device_access(cpu, piece->gpa, to, piece->size, false);
}

static void piece_write(struct cpu *cpu, const struct piece *piece, const void *from)
{
	if (piece_writable(piece))
		piece_store(cpu, piece, from);
	else if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, (void *)from, piece->size, VENDOR_WRITE);
	else
		device_access(cpu, piece->gpa, (void *)from, piece->size, true);
}

/* --- the address --- */

_Noreturn static void raise_noncanonical(struct cpu *cpu, u8 seg)
{
	if (seg == SEG_SS)
		raise_ss(cpu, 0);
	raise_gp(cpu, 0);
}

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
void mem_check_alignment(struct cpu *cpu, u64 linear, unsigned int size)
{
	unsigned int align = alignment_of(size);

	if (align && (linear & (align - 1)) && cpu->cpl == 3 && (cpu->cr0 & CR0_AM) &&
	    (cpu->rflags & FLAG_AC))
		cpu_raise_error(cpu, VECTOR_AC, 0);
}

u64 mem_check_linear(struct cpu *cpu, u64 linear, unsigned int size, u8 seg)
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

/* --- accesses --- */

void piece_probe_apic_access(struct cpu *cpu, const struct piece *piece, unsigned int size)
{
	if (unlikely(cpu_apic_access(cpu, piece->gpa)))
		cpu->vendor->apic_access(cpu, piece->gpa, NULL, size,
					 piece->write ? VENDOR_WRITE : VENDOR_READ);
}

void piece_split(struct cpu *cpu, u64 linear, unsigned int size, unsigned int access,
		 struct piece piece[2])
{
	piece_translate(cpu, linear, size, access, &piece[0]);
	piece[1].size = 0;
	if (unlikely(piece[0].size < size)) {
		u64 next = linear + piece[0].size;

		if (!cpu_long_mode(cpu))
			next = (u32)next;
		piece_translate(cpu, next, size - piece[0].size, access, &piece[1]);
		piece_probe_apic_access(cpu, &piece[0], size);
		piece_probe_apic_access(cpu, &piece[1], size);
	}
}

void piece_note_load(struct cpu *cpu, u64 linear, const struct piece *first, const void *bytes,
		     unsigned int size)
{
	if (recorder_sees(cpu, RECORDER_LOADS) && first->host)
		recorder_load(cpu, linear, first->gpa, bytes, size);
}

void mem_read_checked(struct cpu *cpu, u64 linear, void *to, unsigned int size, unsigned int access)
{
	struct piece piece[2];

	piece_split(cpu, linear, size, access, piece);
	piece_read(cpu, &piece[0], to);
	if (piece[1].size)
		piece_read(cpu, &piece[1], (u8 *)to + piece[0].size);
	piece_note_load(cpu, linear, piece, to, size);
}

void pieces_write(struct cpu *cpu, const struct piece piece[2], const void *from)
{
	piece_write(cpu, &piece[0], from);
	if (piece[1].size)
		piece_write(cpu, &piece[1], (const u8 *)from + piece[0].size);
}

void piece_note_store(struct cpu *cpu, u64 linear, const struct piece *first, const void *from,
		      unsigned int size)
{
	if (recorder_sees(cpu, RECORDER_STORES) && piece_writable(first))
		recorder_store(cpu, linear, first->gpa, from, size);
}

void mem_write_checked(struct cpu *cpu, u64 linear, const void *from, unsigned int size,
		       unsigned int access)
{
	struct piece piece[2];

	piece_split(cpu, linear, size, access | WALK_WRITE, piece);
	pieces_write(cpu, piece, from);
	piece_note_store(cpu, linear, piece, from, size);
}
