/* SPDX-License-Identifier: Apache-2.0 */
/* Segment registers from and to a VMCB (APM 2:15.5.1, 15.5.2, appendix B). */
#include "sim/cpu/descriptor.h"
#include "sim/svm-model/svm.h"

/*
 * What the processor does not read of the attributes (APM 2:15.5.1, "segment state in the VMCB") it
 * makes up as its own segments have it: CS is a code segment and present whatever they say, so is
 * TR. Of the others a clear P stands for a null selector.
 */
static u32 rights_of(enum segment_index index, u16 attributes)
{
	u32 rights = amd_unpack_rights(attributes);

	switch (index) {
	case SEG_CS:
		return (rights & ~SEG_UNUSABLE) | SEG_P | SEG_S | SEG_TYPE_CODE;
	case SEG_TR:
		return (rights & ~(SEG_UNUSABLE | SEG_S)) | SEG_P;
	default:
		return rights;
	}
}

void svm_unpack_segment(struct segment *segment, u64 *base, enum segment_index index,
			const u64 *fields)
{
	segment->selector = fields[VMCB_SELECTOR];
	segment->limit = fields[VMCB_LIMIT];
	segment->rights = rights_of(index, fields[VMCB_ATTRIB]);
	*base = fields[VMCB_BASE];
}

void svm_pack_segment(const struct segment *segment, u64 base, u64 *fields)
{
	fields[VMCB_SELECTOR] = segment->selector;
	fields[VMCB_LIMIT] = segment->limit;
	fields[VMCB_ATTRIB] = amd_pack_rights(segment->rights);
	fields[VMCB_BASE] = base;
}

void svm_load_segment(struct cpu *cpu, enum segment_index index, const u64 *fields)
{
	svm_unpack_segment(&cpu->seg[index], &SEG_BASE(cpu, index), index, fields);
}

void svm_save_segment(const struct cpu *cpu, enum segment_index index, u64 *fields)
{
	svm_pack_segment(&cpu->seg[index], SEG_BASE(cpu, index), fields);
}

u64 svm_canonical(const struct cpu *cpu, u64 address)
{
	unsigned int shift = cpu_has(cpu, FEATURE_LA57) ? 7 : 16;

	return (u64)((s64)(address << shift) >> shift);
}
