/* SPDX-License-Identifier: Apache-2.0 */
/* Segment registers: descriptor fetch and the checked loads (SDM 3A:5.5, 5.6, 5.7; APM 2:4.10). */
#include "sim/cpu/control.h"
#include "sim/cpu/descriptor.h"

ALWAYS_INLINE void parse(struct descriptor *descriptor, u64 raw)
{
	u32 limit = (u32)(raw & 0xffff) | (u32)(raw >> 32 & 0xf0000);

	descriptor->raw = raw;
	descriptor->high = 0;
	descriptor->base = (u32)(raw >> 16 & 0xffffff) | (u32)(raw >> 32 & 0xff000000);
	descriptor->rights = (u32)(raw >> 40) & SEG_RIGHTS_DESCRIPTOR;
	descriptor->limit = descriptor->rights & SEG_G ? limit << 12 | 0xfff : limit;
}

void descriptor_parse(struct descriptor *descriptor, u64 raw)
{
	parse(descriptor, raw);
}

/* Linear address of the table entry, or raises. @size: 8, or 16 for both halves. */
ALWAYS_INLINE u64 descriptor_address(struct cpu *cpu, u16 selector, u8 vector, unsigned int size)
{
	u64 base = cpu->gdtr.base;
	u32 limit = cpu->gdtr.limit;

	if (selector & 4) {
		const struct segment *ldt = &cpu->seg[SEG_LDTR];

		if (ldt->rights & SEG_UNUSABLE)
			cpu_raise_error(cpu, vector, selector_error(selector));
		base = SEG_BASE(cpu, SEG_LDTR);
		limit = ldt->limit;
	}
	if ((selector & 0xfff8) + size - 1 > limit)
		cpu_raise_error(cpu, vector, selector_error(selector));
	return base + (selector & 0xfff8);
}

void descriptor_read(struct cpu *cpu, u16 selector, u8 vector, struct descriptor *descriptor)
{
	u64 linear = descriptor_address(cpu, selector, vector, 8);

	parse(descriptor, system_load64(cpu, linear));
}

void descriptor_read_high(struct cpu *cpu, u16 selector, u8 vector, struct descriptor *descriptor)
{
	u64 linear = descriptor_address(cpu, selector, vector, 16);
	u64 high = system_load64(cpu, linear + 8);

	/* The type field of the upper half has to be 0 (SDM 3A:3.5.2, 5.8.3.1). */
	if (high >> 40 & 0x1f)
		cpu_raise_error(cpu, VECTOR_GP, selector_error(selector));
	descriptor->high = (u32)high;
}

void descriptor_mark_accessed(struct cpu *cpu, u16 selector, struct descriptor *descriptor)
{
	u64 linear;
	u32 word = (u32)(descriptor->raw >> 32);

	linear = descriptor_address(cpu, selector, VECTOR_GP, 8) + 4;
	while (!(word & 0x100) && !mem_compare_exchange_system(cpu, linear, word, word | 0x100))
		word = (u32)mem_load_system(cpu, linear, 4);
	descriptor->rights |= SEG_TYPE_ACCESSED;
}

void descriptor_set_busy(struct cpu *cpu, u16 selector, bool busy)
{
	u64 linear = descriptor_address(cpu, selector, VECTOR_GP, 8) + 4;
	u32 word, wanted;

	do {
		word = (u32)mem_load_system(cpu, linear, 4);
		wanted = busy ? word | TYPE_BUSY << 8 : word & ~(TYPE_BUSY << 8);
	} while (!mem_compare_exchange_system(cpu, linear, word, wanted));
}

void segment_commit_null(struct cpu *cpu, enum segment_index seg, u16 selector, unsigned int dpl)
{
	cpu->seg[seg].selector = selector;
	cpu->seg[seg].limit = 0;
	cpu->seg[seg].rights = SEG_UNUSABLE | dpl << SEG_DPL_SHIFT;
	SEG_BASE(cpu, seg) = 0;
}

void segment_commit_flat(struct cpu *cpu, enum segment_index seg, u16 selector, u32 rights)
{
	cpu->seg[seg].selector = selector;
	cpu->seg[seg].limit = UINT32_MAX;
	cpu->seg[seg].rights = rights;
	SEG_BASE(cpu, seg) = 0;
}

void segment_drop_inner(struct cpu *cpu, unsigned int cpl)
{
	static const u8 data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(data); i++) {
		u32 rights = cpu->seg[data[i]].rights;

		if (rights & SEG_UNUSABLE) {
			/* SDM 2B RET: a null selector is cleared, RPL and all. */
			if (selector_null(cpu->seg[data[i]].selector))
				cpu->seg[data[i]].selector = 0;
			continue;
		}
		if (rights_code(rights) && rights_conforming(rights))
			continue;
		if (rights_dpl(rights) < cpl) {
			/* The base stays: 64-bit code goes on with FS's and GS's. */
			cpu->seg[data[i]].selector = 0;
			cpu->seg[data[i]].rights = SEG_UNUSABLE;
		}
	}
}

void segment_load_real(struct cpu *cpu, enum segment_index seg, u16 selector)
{
	struct segment *s = &cpu->seg[seg];

	s->selector = selector;
	SEG_BASE(cpu, seg) = (u64)selector << 4;
	if (cpu_v86(cpu)) {
		/* SDM 3A:20.2: limits and rights are fixed. */
		s->limit = 0xffff;
		s->rights = SEG_P | SEG_S | SEG_DPL | 0x3;
	} else if (seg == SEG_CS) {
		/* Limit and size stay ("unreal" mode); a far transfer makes CS ordinary again. */
		s->rights = SEG_P | SEG_S | 0x3 | (s->rights & (SEG_G | SEG_DB));
	} else if (s->rights & SEG_UNUSABLE) {
		s->rights = SEG_P | SEG_S | 0x3;
		s->limit = 0xffff;
	}
}

static void load_stack_segment(struct cpu *cpu, u16 selector)
{
	struct descriptor ss;

	if (selector_null(selector)) {
		/* Only 64-bit mode below level 3 may run on a null SS. */
		if (!cpu_64bit(cpu) || cpu->cpl == 3 || (selector & 3) != cpu->cpl)
			raise_gp(cpu, 0);
		segment_commit_null(cpu, SEG_SS, selector, cpu->cpl);
		return;
	}
	descriptor_read(cpu, selector, VECTOR_GP, &ss);
	if ((selector & 3) != cpu->cpl || !rights_writable_data(ss.rights) ||
	    rights_dpl(ss.rights) != cpu->cpl)
		raise_gp(cpu, selector_error(selector));
	if (!(ss.rights & SEG_P))
		raise_ss(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, &ss);
	segment_commit(cpu, SEG_SS, selector, &ss);
}

void segment_load_data(struct cpu *cpu, enum segment_index seg, u16 selector, u8 vector)
{
	struct descriptor data;
	unsigned int dpl;

	if (selector_null(selector)) {
		segment_commit_null(cpu, seg, selector, 0);
		return;
	}
	descriptor_read(cpu, selector, vector, &data);
	if (!(data.rights & SEG_S) ||
	    (rights_code(data.rights) && !(data.rights & SEG_TYPE_READABLE)))
		cpu_raise_error(cpu, vector, selector_error(selector));
	dpl = rights_dpl(data.rights);
	if (!(rights_code(data.rights) && rights_conforming(data.rights)) &&
	    ((selector & 3) > dpl || cpu->cpl > dpl))
		cpu_raise_error(cpu, vector, selector_error(selector));
	if (!(data.rights & SEG_P))
		raise_np(cpu, selector_error(selector));
	descriptor_set_accessed(cpu, selector, &data);
	segment_commit(cpu, seg, selector, &data);
}

void segment_load(struct cpu *cpu, enum segment_index seg, u16 selector)
{
	if (cpu_real_mode(cpu) || cpu_v86(cpu))
		segment_load_real(cpu, seg, selector);
	else if (seg == SEG_SS)
		load_stack_segment(cpu, selector);
	else
		segment_load_data(cpu, seg, selector, VECTOR_GP);
}

/* Long mode: the base's upper half, which has to make a canonical address. */
static u64 load_system_base(struct cpu *cpu, u16 selector, struct descriptor *descriptor)
{
	u64 base;

	if (!cpu_long_mode(cpu))
		return descriptor->base;
	descriptor_read_high(cpu, selector, VECTOR_GP, descriptor);
	base = system_base(descriptor);
	if (!base_canonical(cpu, base))
		raise_gp(cpu, selector_error(selector));
	return base;
}

void segment_load_ldtr(struct cpu *cpu, u16 selector)
{
	struct descriptor ldt;
	u64 base;

	if (selector_null(selector)) {
		segment_commit_null(cpu, SEG_LDTR, selector, 0);
		return;
	}
	if (selector & 4)
		raise_gp(cpu, selector_error(selector));
	descriptor_read(cpu, selector, VECTOR_GP, &ldt);
	if ((ldt.rights & (SEG_S | SEG_TYPE)) != TYPE_LDT)
		raise_gp(cpu, selector_error(selector));
	if (!(ldt.rights & SEG_P))
		raise_np(cpu, selector_error(selector));
	base = load_system_base(cpu, selector, &ldt);
	segment_commit(cpu, SEG_LDTR, selector, &ldt);
	SEG_BASE(cpu, SEG_LDTR) = base;
}

void segment_load_tr(struct cpu *cpu, u16 selector)
{
	struct descriptor tss;
	unsigned int type;
	u64 base;

	if (selector_null(selector))
		raise_gp(cpu, 0);
	if (selector & 4)
		raise_gp(cpu, selector_error(selector));
	descriptor_read(cpu, selector, VECTOR_GP, &tss);
	type = tss.rights & (SEG_S | SEG_TYPE);
	if (type != TYPE_TSS32 && (type != TYPE_TSS16 || cpu_long_mode(cpu)))
		raise_gp(cpu, selector_error(selector));
	if (!(tss.rights & SEG_P))
		raise_np(cpu, selector_error(selector));
	base = load_system_base(cpu, selector, &tss);
	descriptor_set_busy(cpu, selector, true);
	tss.rights |= TYPE_BUSY;
	segment_commit(cpu, SEG_TR, selector, &tss);
	SEG_BASE(cpu, SEG_TR) = base;
}
