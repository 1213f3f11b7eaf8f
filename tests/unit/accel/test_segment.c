/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor's attributes, each bit at its place (SDM 3A:3.4.5, figure 3-8; 5.2.1 for L). */
#include "accel/segment.h"
#include "tests/unit/check.h"

/* Each field alone; bits that are of base and limit don't count. */
static void test_fields(void)
{
	struct kvm_segment segment = segment_make(8, 0x1000, 0xfff, 0xff0f00ffu);

	CHECK_EQUAL(segment.selector, 8);
	CHECK_EQUAL(segment.base, 0x1000);
	CHECK_EQUAL(segment.limit, 0xfff);
	CHECK_EQUAL(segment.type | segment.s | segment.dpl | segment.present | segment.avl |
			    segment.l | segment.db | segment.g,
		    0);
	CHECK_EQUAL(segment_make(0, 0, 0, 0xbu << 8).type, 0xb);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 12).s, 1);
	CHECK_EQUAL(segment_make(0, 0, 0, 2u << 13).dpl, 2);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 15).present, 1);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 20).avl, 1);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 21).l, 1);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 22).db, 1);
	CHECK_EQUAL(segment_make(0, 0, 0, 1u << 23).g, 1);
}

static CU_TestInfo tests[] = {
	{"fields of a descriptor", test_fields},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/segment", tests)
