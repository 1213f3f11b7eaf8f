/* SPDX-License-Identifier: Apache-2.0 */
/* The TLB's tags: what hits, and what the flushes of SDM 3A:4.10.4 drop. */
#include <stdlib.h>

#include "mmu/tlb.h"
#include "tests/unit/check.h"

static bool reads(struct tlb *tlb, u64 linear, unsigned int size, u64 context)
{
	return tlb_data_slot(tlb, linear)->read_tag == tlb_tag(linear, size, context);
}

static bool writes(struct tlb *tlb, u64 linear, unsigned int size, u64 context)
{
	return tlb_data_slot(tlb, linear)->write_tag == tlb_tag(linear, size, context);
}

static bool fetches(struct tlb *tlb, u64 linear, u64 context)
{
	return tlb_code_slot(tlb, linear)->tag == tlb_tag(linear, 1, context);
}

static void fill(struct tlb *tlb, u64 linear, u64 context, u64 gpa)
{
	*tlb_data_slot(tlb, linear) = (struct tlb_entry){
		.read_tag = tlb_tag(linear, 1, context),
		.gpa = gpa,
	};
	tlb_allow_write(tlb, tlb_data_slot(tlb, linear), tlb_tag(linear, 1, context));
	tlb_code_slot(tlb, linear)->tag = tlb_tag(linear, 1, context);
}

static struct tlb *empty(void)
{
	struct tlb *tlb = malloc(sizeof(*tlb));

	tlb_flush_all(tlb);
	return tlb;
}

/* An access hits only if its last byte lies in the page, too. */
static void test_crossing(void)
{
	u64 context = TLB_CONTEXT(1, TLB_USER), page = 0x7fff12345000;
	struct tlb *tlb = empty();

	fill(tlb, page, context, 0x1000);
	CU_ASSERT_TRUE(reads(tlb, page, 8, context));
	CU_ASSERT_TRUE(reads(tlb, page + 0xff8, 8, context));
	CU_ASSERT_FALSE(reads(tlb, page + 0xff9, 8, context));
	CU_ASSERT_TRUE(reads(tlb, page + 0xfff, 1, context));
	CU_ASSERT_FALSE(reads(tlb, page + 0xfff, 2, context));
	CU_ASSERT_FALSE(reads(tlb, page - 1, 2, context));
	free(tlb);
}

/* A hit wants the address space and the privilege under which the entry was made. */
static void test_contexts(void)
{
	struct tlb *tlb = empty();
	u64 context = TLB_CONTEXT(TLB_ASIDS - 1, TLB_SUPERVISOR);

	fill(tlb, 0x1000, context, 0x1000);
	CU_ASSERT_TRUE(writes(tlb, 0x1ff0, 16, context));
	CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, TLB_CONTEXT(TLB_ASIDS - 1, TLB_SUPERVISOR_AC)));
	CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, TLB_CONTEXT(TLB_ASIDS - 1, TLB_USER)));
	CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, TLB_CONTEXT(TLB_ASIDS - 2, TLB_SUPERVISOR)));
	CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, TLB_CONTEXT_NEVER));
	/* no live context is the reserved one, nor can any tag be TLB_TAG_INVALID */
	CU_ASSERT_TRUE(TLB_CONTEXT(TLB_ASIDS - 1, TLB_PRIVILEGES - 1) < TLB_CONTEXT_NEVER);
	CU_ASSERT_TRUE(TLB_CONTEXT_NEVER < (1 << TLB_CONTEXT_BITS) - 1);
	free(tlb);
}

static void test_empty(void)
{
	struct tlb *tlb = empty();

	for (u64 page = 0; page < 4096; page++) {
		u64 linear = page << PAGE_SHIFT | page << 52;

		CU_ASSERT_FALSE(reads(tlb, linear, 1, TLB_CONTEXT_NEVER));
		CU_ASSERT_FALSE(fetches(tlb, linear, 0));
	}
	CU_ASSERT_FALSE(reads(tlb, UINT64_MAX, 1, TLB_CONTEXT(TLB_ASIDS - 1, 3)));
	free(tlb);
}

/* INVLPG drops one page for data and code, and no other of the same index. */
static void test_flush_page(void)
{
	u64 context = TLB_CONTEXT(5, TLB_SUPERVISOR), linear = 0xffffffff81000000;
	struct tlb *tlb = empty();

	fill(tlb, linear, context, 0x1000);
	fill(tlb, linear + 0x1000, context, 0x2000);
	tlb_flush_page(tlb, linear + TLB_DATA_ENTRIES * PAGE_SIZE_4K);
	CU_ASSERT_TRUE(reads(tlb, linear, 1, context));
	tlb_flush_page(tlb, linear + 0x123);
	CU_ASSERT_FALSE(reads(tlb, linear, 1, context));
	CU_ASSERT_FALSE(writes(tlb, linear, 1, context));
	CU_ASSERT_FALSE(fetches(tlb, linear, context));
	CU_ASSERT_TRUE(reads(tlb, linear + 0x1000, 1, context));
	CU_ASSERT_TRUE(fetches(tlb, linear + 0x1000, context));
	free(tlb);
}

/* Entries that map a page lose their write tag and nothing else. */
static void test_protect(void)
{
	u64 context = TLB_CONTEXT(5, TLB_SUPERVISOR);
	struct tlb *tlb = empty();

	fill(tlb, 0x1000, context, 0xa000);
	fill(tlb, 0x2000, context, 0xb000);
	fill(tlb, 0x3000, context, 0xa000); /* an alias */
	tlb_protect_gpa(tlb, 0xa040);
	CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, context));
	CU_ASSERT_FALSE(writes(tlb, 0x3000, 1, context));
	CU_ASSERT_TRUE(reads(tlb, 0x1000, 1, context));
	CU_ASSERT_TRUE(reads(tlb, 0x3000, 1, context));
	CU_ASSERT_TRUE(writes(tlb, 0x2000, 1, context));
	free(tlb);
}

/* Pages that share a bit of the filter in front of the search keep their own write tags. */
static void test_protect_filter(void)
{
	u64 context = TLB_CONTEXT(5, TLB_SUPERVISOR),
	    other = 0xa000 + ((u64)TLB_WRITABLE_BITS << 24);
	struct tlb *tlb = empty();

	for (u64 n = 0; n < 2 * TLB_WRITABLE_BITS; n++) { /* among them two of one bit */
		fill(tlb, 0x1000, context, 0xa000);
		fill(tlb, 0x2000, context, n << PAGE_SHIFT);
		if (n << PAGE_SHIFT == 0xa000)
			continue;
		tlb_protect_gpa(tlb, 0xa000);
		CU_ASSERT_FALSE(writes(tlb, 0x1000, 1, context));
		CU_ASSERT_TRUE(writes(tlb, 0x2000, 1, context));
		tlb_protect_gpa(tlb, n << PAGE_SHIFT);
		CU_ASSERT_FALSE(writes(tlb, 0x2000, 1, context));
	}
	fill(tlb, 0x1000, context, other);
	tlb_protect_gpa(tlb, 0xa000);
	CU_ASSERT_TRUE(writes(tlb, 0x1000, 1, context));
	free(tlb);
}

static bool known(struct tlb *tlb, u64 linear, u64 context, u64 gpa)
{
	const struct tlb_second *entry = tlb_second_find(tlb, linear, context);

	return entry && entry->gpa == gpa;
}

/* SDM 3A:4.10.2.4: global translations serve every PCID, others their own. Here linear addresses
 * with bit 63 clear are never shared. */
static void test_second_level(void)
{
	u64 one = TLB_CONTEXT(1, TLB_SUPERVISOR), two = TLB_CONTEXT(2, TLB_SUPERVISOR);
	u64 user = TLB_CONTEXT(1, TLB_USER), kernel = 0xffffffff81000000;
	struct tlb *tlb = empty();

	CU_ASSERT_PTR_NULL(tlb_second_find(tlb, kernel, one));
	tlb_second_fill(tlb, kernel + 0x123, one, 0x5123, 1, true);
	tlb_second_fill(tlb, kernel + 0x1000, one, 0x6000, 1, false);
	tlb_second_fill(tlb, 0x400000, one, 0x7000, 1, false);
	CU_ASSERT_TRUE(known(tlb, kernel, two, 0x5000));
	CU_ASSERT_FALSE(known(tlb, kernel, user, 0x5000));
	CU_ASSERT_TRUE(known(tlb, kernel + 0x1fff, one, 0x6000));
	CU_ASSERT_FALSE(known(tlb, kernel + 0x1000, two, 0x6000));
	CU_ASSERT_TRUE(known(tlb, 0x400000, one, 0x7000));
	CU_ASSERT_FALSE(known(tlb, 0x400000, two, 0x7000));

	tlb_second_fill(tlb, 0x400000, one, 0x8000, 1, false); /* found again with other rights */
	CU_ASSERT_TRUE(known(tlb, 0x400000, one, 0x8000));

	tlb_second_fill(tlb, kernel, user, 0x5000, 1, true);
	tlb_flush_page(tlb, kernel + 0x800); /* INVLPG: global ones, every context (SDM 2A) */
	CU_ASSERT_FALSE(known(tlb, kernel, one, 0x5000));
	CU_ASSERT_FALSE(known(tlb, kernel, user, 0x5000));
	CU_ASSERT_TRUE(known(tlb, kernel + 0x1000, one, 0x6000));

	tlb_second_fill(tlb, kernel, one, 0x5000, 1, true);
	tlb->epoch++; /* CR4.PGE toggled: its owner counts */
	CU_ASSERT_FALSE(known(tlb, kernel, one, 0x5000));
	CU_ASSERT_TRUE(known(tlb, kernel + 0x1000, one, 0x6000));
	tlb_flush_all(tlb);
	CU_ASSERT_FALSE(known(tlb, kernel + 0x1000, one, 0x6000));
	free(tlb);
}

static CU_TestInfo tests[] = {
	{"page crossers", test_crossing},
	{"contexts", test_contexts},
	{"empty", test_empty},
	{"flush of a page", test_flush_page},
	{"protection", test_protect},
	{"protection's filter", test_protect_filter},
	{"second level", test_second_level},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("mmu.tlb", tests)
