/* SPDX-License-Identifier: Apache-2.0 */
/* Event delivery through an 8086 vector table: real mode (SDM 3A:20.1.4) and INT n of a
 * virtual-8086 task under VME (SDM 3A:20.3.3). */
#include "sim/cpu/cet.h"
#include "sim/cpu/flags.h"

#define REDIRECTION_BYTES 32

/* FLAGS, CS and IP on the stack, CS:IP from the vector. Raises as ordinary pushes do. */
static u64 enter(struct cpu *cpu, const struct event *event, u32 vector_entry, u64 flags_image,
		 u64 flags_cleared)
{
	struct stack_cursor stack;
	u32 ip = vector_entry & 0xffff;

	stack_open(cpu, &stack);
	stack_reserve(cpu, &stack, 6);
	stack_push(cpu, &stack, flags_image, 2);
	stack_push(cpu, &stack, cpu->seg[SEG_CS].selector, 2);
	stack_push(cpu, &stack, event->return_rip, 2);
	if (ip > cpu->seg[SEG_CS].limit)
		raise_gp(cpu, 0);
	stack_commit(cpu, &stack);
	segment_load_real(cpu, SEG_CS, (u16)(vector_entry >> 16));
	cpu->rflags &= ~flags_cleared;
	cpu_update_mode(cpu);
	return ip;
}

u64 event_deliver_real(struct cpu *cpu, const struct event *event)
{
	u32 entry;

	if (event->vector * 4u + 3 > cpu->idtr.limit)
		raise_gp(cpu, event->vector * 8u + 2);
	entry = (u32)mem_load_system(cpu, cpu->idtr.base + event->vector * 4u, 4);
	return enter(cpu, event, entry, event->rflags, FLAG_IF | FLAG_TF | FLAG_RF | FLAG_AC);
}

/* The interrupt redirection bitmap lies below the I/O permission bitmap. A set bit, or one beyond
 * the TSS, sends the interrupt to the protected-mode handler. */
bool event_redirected(struct cpu *cpu, u8 vector)
{
	const struct segment *tr = &cpu->seg[SEG_TR];
	u64 base = SEG_BASE(cpu, SEG_TR);
	u32 map;

	if (!(cpu->cr4 & CR4_VME) || tr->limit < 103)
		return false;
	map = (u32)mem_load_system(cpu, (u32)(base + TSS32_IO_MAP_BASE), 2);
	map += vector / 8 - REDIRECTION_BYTES; /* wraps if the base is below 32: out of range */
	if (map > tr->limit)
		return false;
	return !(mem_load_system(cpu, (u32)(base + map), 1) >> (vector & 7) & 1);
}

/* SDM 3A:20.3.3, methods 5 and 6: with IOPL < 3 the program's IF is VIF. */
u64 event_deliver_redirected(struct cpu *cpu, const struct event *event)
{
	u32 entry = (u32)mem_load_system(cpu, event->vector * 4u, 4);
	bool iopl3 = (cpu->rflags & FLAG_IOPL) == FLAG_IOPL;
	u64 image = event->rflags;

	if (!iopl3) {
		image = (image & ~FLAG_IF) | FLAG_IOPL;
		image |= cpu->rflags & FLAG_VIF ? FLAG_IF : 0;
	}
	return enter(cpu, event, entry, image, (iopl3 ? FLAG_IF : FLAG_VIF) | FLAG_TF | FLAG_RF);
}
