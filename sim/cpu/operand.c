/* SPDX-License-Identifier: Apache-2.0 */
/* Segmentation of data accesses (SDM 3A:5.3 to 5.5, 3A:5.7 for 64-bit mode). */
#include "sim/cpu/operand.h"
#include "sim/cpu/fault.h"

_Noreturn static void raise_segment(struct cpu *cpu, u8 seg)
{
	if (seg == SEG_SS)
		raise_ss(cpu, 0);
	raise_gp(cpu, 0);
}

/* Code segments are never writable and perhaps not readable; data perhaps not writable. */
static bool type_allows(const struct segment *segment, bool write)
{
	u32 type = segment->rights & SEG_TYPE;

	if (segment->rights & SEG_UNUSABLE)
		return false;
	if (type & SEG_TYPE_CODE)
		return !write && (type & SEG_TYPE_READABLE);
	return !write || (type & SEG_TYPE_WRITABLE);
}

static bool within_limit(const struct segment *segment, u64 offset, unsigned int size)
{
	u64 last = offset + size - 1;
	bool expand_down = (segment->rights & (SEG_TYPE_CODE | SEG_TYPE_EXPAND_DOWN)) ==
			   SEG_TYPE_EXPAND_DOWN;

	if (!expand_down)
		return last <= segment->limit;
	return offset > segment->limit &&
	       last <= (segment->rights & SEG_DB ? UINT32_MAX : UINT16_MAX);
}

u64 segment_linear(struct cpu *cpu, const struct op *op, u8 seg, u64 offset, unsigned int size,
		   bool write)
{
	const struct segment *segment = &cpu->seg[seg];

	if (cpu_64bit(cpu))
		return seg >= SEG_FS ? SEG_BASE(cpu, seg) + offset : offset;
	cpu->op = op;
	/* Real and virtual-8086 mode keep rights from before; only the limit counts there. */
	if ((cpu->cr0 & CR0_PE) && !cpu_v86(cpu) && !type_allows(segment, write))
		raise_segment(cpu, seg);
	if (!within_limit(segment, offset, size))
		raise_segment(cpu, seg);
	return (u32)(SEG_BASE(cpu, seg) + offset);
}

u64 ea_any(struct cpu *cpu, const struct op *op, unsigned int size, bool write)
{
	return segment_linear(cpu, op, op->seg, ea_offset(cpu, op), size, write);
}
