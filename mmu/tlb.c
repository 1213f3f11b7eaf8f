/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mmu/tlb.h"

void tlb_flush_all(struct tlb *tlb)
{
	memset(tlb, (u8)TLB_TAG_INVALID, sizeof(*tlb));
	memset(tlb->writable, 0, sizeof(tlb->writable));
	tlb->epoch = 1;
}

void tlb_flush_upper(struct tlb *tlb)
{
	for (size_t i = 0; i < TLB_DATA_ENTRIES; i++)
		if (tlb->data[i].read_tag >> 63 || tlb->data[i].write_tag >> 63)
			tlb->data[i].read_tag = tlb->data[i].write_tag = TLB_TAG_INVALID;
	for (size_t i = 0; i < TLB_CODE_ENTRIES; i++)
		if (tlb->code[i].tag >> 63)
			tlb->code[i].tag = TLB_TAG_INVALID;
	for (size_t i = 0; i < TLB_SLOW_ENTRIES; i++)
		if (tlb->slow[i].tag >> 63)
			tlb->slow[i].tag = TLB_TAG_INVALID;
}

/* --- the second level --- */

static unsigned int second_set(u64 linear)
{
	u64 page = linear >> PAGE_SHIFT;

	return (page ^ page >> 10) & (TLB_SECOND_SETS - 1);
}

static u64 own_tag(u64 linear, u64 context)
{
	return (linear & ~PAGE_OFFSET_MASK) | context;
}

const struct tlb_second *tlb_second_find(const struct tlb *tlb, u64 linear, u64 context)
{
	const struct tlb_second *set = tlb->second[second_set(linear)];
	u64 shared = tlb_tag(linear, 1, context), own = own_tag(linear, context);

	for (int way = 0; way < TLB_SECOND_WAYS; way++)
		if (set[way].epoch ? set[way].tag == shared && set[way].epoch == tlb->epoch
				   : set[way].tag == own)
			return &set[way];
	return NULL;
}

void tlb_second_fill(struct tlb *tlb, u64 linear, u64 context, u64 gpa, u32 allowed, bool global)
{
	struct tlb_second *set = tlb->second[second_set(linear)];
	bool shared = global && linear >> 63;
	u64 tag = shared ? tlb_tag(linear, 1, context) : own_tag(linear, context);
	u32 epoch = shared ? tlb->epoch : 0;
	int way = 0;

	while (way < TLB_SECOND_WAYS - 1 && (set[way].tag != tag || set[way].epoch != epoch))
		way++;
	memmove(set + 1, set, way * sizeof(*set));
	set[0] = (struct tlb_second){
		.tag = tag, .gpa = gpa & ~PAGE_OFFSET_MASK, .allowed = allowed, .epoch = epoch};
}

/* --- flushes --- */

static bool tag_is_of_page(u64 tag, u64 linear)
{
	return !((tag ^ linear) & ~PAGE_OFFSET_MASK);
}

void tlb_flush_page(struct tlb *tlb, u64 linear)
{
	struct tlb_entry *data = tlb_data_slot(tlb, linear);
	struct tlb_code_entry *code = tlb_code_slot(tlb, linear);
	struct tlb_second *second = tlb->second[second_set(linear)];

	if (tag_is_of_page(data->read_tag, linear) || tag_is_of_page(data->write_tag, linear)) {
		data->read_tag = TLB_TAG_INVALID;
		data->write_tag = TLB_TAG_INVALID;
	}
	if (tag_is_of_page(code->tag, linear))
		code->tag = TLB_TAG_INVALID;
	if (tag_is_of_page(tlb_slow_slot(tlb, linear)->tag, linear))
		tlb_slow_slot(tlb, linear)->tag = TLB_TAG_INVALID;
	for (int way = 0; way < TLB_SECOND_WAYS; way++)
		if (tag_is_of_page(second[way].tag, linear))
			second[way].tag = TLB_TAG_INVALID;
}

static unsigned int writable_bit(u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	return (gfn ^ gfn >> 12) & (TLB_WRITABLE_BITS - 1);
}

void tlb_allow_write(struct tlb *tlb, struct tlb_entry *entry, u64 tag)
{
	unsigned int bit = writable_bit(entry->gpa);

	tlb->writable[bit / 64] |= BIT(bit % 64);
	entry->write_tag = tag;
}

void tlb_protect_gpa(struct tlb *tlb, u64 gpa)
{
	unsigned int bit = writable_bit(gpa);
	bool shared = false; /* the bit stands for a page that keeps its tag, too */

	if (!(tlb->writable[bit / 64] >> (bit % 64) & 1))
		return;
	for (size_t i = 0; i < TLB_DATA_ENTRIES; i++) {
		struct tlb_entry *entry = &tlb->data[i];

		if (entry->write_tag == TLB_TAG_INVALID)
			continue;
		if (!((entry->gpa ^ gpa) & ~PAGE_OFFSET_MASK))
			entry->write_tag = TLB_TAG_INVALID;
		else
			shared |= writable_bit(entry->gpa) == bit;
	}
	if (!shared)
		tlb->writable[bit / 64] &= ~BIT(bit % 64);
}
