/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mmu/tlb.h"

void tlb_flush_all(struct tlb *tlb)
{
	memset(tlb, (u8)TLB_TAG_INVALID, sizeof(*tlb));
}

void tlb_flush_upper(struct tlb *tlb)
{
	for (size_t i = 0; i < TLB_DATA_ENTRIES; i++)
		if (tlb->data[i].read_tag >> 63 || tlb->data[i].write_tag >> 63)
			tlb->data[i].read_tag = tlb->data[i].write_tag = TLB_TAG_INVALID;
	for (size_t i = 0; i < TLB_CODE_ENTRIES; i++)
		if (tlb->code[i].tag >> 63)
			tlb->code[i].tag = TLB_TAG_INVALID;
}

static bool tag_is_of_page(u64 tag, u64 linear)
{
	return !((tag ^ linear) & ~PAGE_OFFSET_MASK);
}

void tlb_flush_page(struct tlb *tlb, u64 linear)
{
	struct tlb_entry *data = tlb_data_slot(tlb, linear);
	struct tlb_code_entry *code = tlb_code_slot(tlb, linear);

	if (tag_is_of_page(data->read_tag, linear) || tag_is_of_page(data->write_tag, linear)) {
		data->read_tag = TLB_TAG_INVALID;
		data->write_tag = TLB_TAG_INVALID;
	}
	if (tag_is_of_page(code->tag, linear))
		code->tag = TLB_TAG_INVALID;
}

void tlb_protect_gpa(struct tlb *tlb, u64 gpa)
{
	bool all = gpa == UINT64_MAX;

	for (size_t i = 0; i < TLB_DATA_ENTRIES; i++) {
		struct tlb_entry *entry = &tlb->data[i];

		if (all || !((entry->gpa ^ gpa) & ~PAGE_OFFSET_MASK))
			entry->write_tag = TLB_TAG_INVALID;
	}
}
