/* SPDX-License-Identifier: Apache-2.0 */
/* Where a linear address is, by tables laid out as the manual has them (SDM 3A:4.3 to 4.5). */
#include <string.h>

#include "accel/qemu/walk.h"
#include "tests/unit/check.h"

#define ROOT 0x10000

static uint8_t bytes[0x200000];
static const struct walk_memory memory = {bytes, sizeof(bytes)};

static void put(uint64_t gpa, uint64_t entry, size_t size)
{
	memcpy(bytes + gpa, &entry, size);
}

static bool leads_to(const struct kvm_sregs *sregs, uint64_t linear, uint64_t wanted)
{
	uint64_t gpa = 0;

	return qemu_walk(&memory, sregs, linear, &gpa) && gpa == wanted;
}

static void test_32(void)
{
	/* PG, PE; PSE */
	struct kvm_sregs sregs = {.cr0 = 0x80000001, .cr4 = 0x10, .cr3 = ROOT};
	uint64_t gpa;

	memset(bytes, 0, sizeof(bytes));
	put(ROOT + 4 * 1, 0x11001, 4);            /* 4 MiB to 8 MiB: a table */
	put(0x11000 + 4 * 2, 0x55001, 4);         /* its third page */
	put(ROOT + 4 * 2, 0xc00081 | 1 << 13, 4); /* PS; bit 32 of the address is bit 13 */
	CU_ASSERT_TRUE(leads_to(&sregs, 0x402abc, 0x55abc));
	CU_ASSERT_TRUE(leads_to(&sregs, 0x8abcde, 0x100cabcde));
	CU_ASSERT_TRUE(!qemu_walk(&memory, &sregs, 0x403000, &gpa));
	sregs.cr0 = 1;
	CU_ASSERT_TRUE(leads_to(&sregs, 0x402abc, 0x402abc));
}

static void test_pae(void)
{
	struct kvm_sregs sregs = {.cr0 = 0x80000001, .cr4 = 0x20, .cr3 = ROOT + 0x20};

	memset(bytes, 0, sizeof(bytes));
	put(ROOT + 0x20 + 8 * 3, 0x11001, 8); /* CR3 is a multiple of 32 */
	put(0x11000 + 8 * 5, 0x1400081, 8);   /* 2 MiB */
	CU_ASSERT_TRUE(leads_to(&sregs, 0xc0a12345, 0x1412345));
}

static void test_long(void)
{
	/* PAE; LME, LMA */
	struct kvm_sregs sregs = {.cr0 = 0x80000001, .cr4 = 0x20, .cr3 = ROOT, .efer = 0x500};

	memset(bytes, 0, sizeof(bytes));
	put(ROOT + 8 * 511, 0x11003, 8);
	put(0x11000 + 8 * 510, 0x40000083, 8); /* 1 GiB */
	put(0x11000 + 8 * 511, 0x12003, 8);
	put(0x12000, 0x13003, 8);
	put(0x13000 + 8 * 1, UINT64_C(0x8000000000077003), 8); /* XD is no part of it */
	CU_ASSERT_TRUE(leads_to(&sregs, UINT64_C(0xffffffff80123456), 0x40123456));
	CU_ASSERT_TRUE(leads_to(&sregs, UINT64_C(0xffffffffc0001abc), 0x77abc));
	sregs.cr4 |= 0x1000; /* LA57 */
	put(ROOT + 8 * 511, 0x14003, 8);
	put(0x14000 + 8 * 511, 0x11003, 8);
	CU_ASSERT_TRUE(leads_to(&sregs, UINT64_C(0xffffffffc0001abc), 0x77abc));
}

static void test_read(void)
{
	struct kvm_sregs sregs = {.cr0 = 0x80000001, .cr4 = 0x10, .cr3 = ROOT};
	uint8_t read[8] = {0};

	memset(bytes, 0, sizeof(bytes));
	put(ROOT, 0x11001, 4);
	put(0x11000 + 4 * 1, 0x33001, 4); /* pages one behind the other, in another order */
	put(0x11000 + 4 * 2, 0x22001, 4);
	put(0x33ffc, 0x44332211, 4);
	put(0x22000, 0x88776655, 4);
	CHECK_EQUAL(qemu_walk_read(&memory, &sregs, 0x1ffc, read, 8), 8);
	CHECK_EQUAL(read[3], 0x44);
	CHECK_EQUAL(read[7], 0x88);
	/* What is behind is not mapped. */
	CHECK_EQUAL(qemu_walk_read(&memory, &sregs, 0x2ffc, read, 8), 4);
}

static CU_TestInfo tests[] = {
	{"32-bit paging", test_32},
	{"PAE paging", test_pae},
	{"4-level and 5-level paging", test_long},
	{"reading across pages", test_read},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/qemu_walk", tests)
