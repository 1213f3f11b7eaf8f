/* SPDX-License-Identifier: Apache-2.0 */
/* Memory slots: Linux Documentation/virt/kvm/api.rst 4.35 (KVM_SET_USER_MEMORY_REGION), 4.8. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/slots.h"
#include "tests/unit/check.h"

static u8 memory[8 * 4096] __attribute__((aligned(4096)));

static int set(struct slots *slots, u32 id, u64 gpa, u64 size, u64 offset, u32 flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)memory + offset,
	};

	return slots_set(slots, &region);
}

static void test_create_and_find(void)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	CHECK_EQUAL(set(slots, 7, 0x100000, 0x2000, 0x1000, 0), 0);
	CHECK_EQUAL(set(slots, 3, 0x1000, 0x1000, 0, 0), 0);
	CHECK_EQUAL(set(slots, 9, UINT64_C(0x100000000), 0x1000, 0x4000, 0), 0);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x1000), memory);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x1fff), memory + 0xfff);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x101abc), memory + 0x2abc);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, UINT64_C(0x100000010)), memory + 0x4010);
	CU_ASSERT_PTR_NULL(slots_find(slots, 0));
	CU_ASSERT_PTR_NULL(slots_find(slots, 0x2000));
	CU_ASSERT_PTR_NULL(slots_find(slots, 0x102000));
	CU_ASSERT_PTR_NULL(slots_find(slots, UINT64_MAX));
	CHECK_EQUAL(slots_find(slots, 0x100000)->id, 7);
	slots_free(slots);
	CU_ASSERT_PTR_NULL(slots_find(slots, 0x1000));
	free(slots);
}

static void test_errors(void)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	CHECK_EQUAL(set(slots, 0, 0x800, 0x1000, 0, 0), -EINVAL);     /* gpa not page aligned */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x800, 0, 0), -EINVAL);     /* size */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x1000, 0x10, 0), -EINVAL); /* host address */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x1000, 0, 4), -EINVAL);    /* unknown flag */
	CHECK_EQUAL(set(slots, SLOTS_MAX, 0x1000, 0x1000, 0, 0), -EINVAL);
	CHECK_EQUAL(set(slots, 1 << 16, 0x1000, 0x1000, 0, 0), -EINVAL);     /* address space 1 */
	CHECK_EQUAL(set(slots, 0, ~UINT64_C(0xfff), 0x2000, 0, 0), -EINVAL); /* wraps */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0, 0, 0), -EINVAL);                /* nothing to delete */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x2000, 0, 0), 0);
	CHECK_EQUAL(set(slots, 1, 0x2000, 0x1000, 0x4000, 0), -EEXIST); /* overlaps slot 0 */
	CHECK_EQUAL(set(slots, 1, 0, 0x4000, 0x2000, 0), -EEXIST);
	CHECK_EQUAL(set(slots, 1, 0x3000, 0x1000, 0x4000, 0), 0);       /* adjacent */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x1000, 0, 0), -EINVAL);      /* the size is fixed */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x2000, 0x1000, 0), -EINVAL); /* host memory too */
	CHECK_EQUAL(set(slots, 0, 0x1000, 0x2000, 0, KVM_MEM_READONLY), -EINVAL);
	CHECK_EQUAL(set(slots, 0, 0x2000, 0x2000, 0, 0), -EEXIST); /* moved onto slot 1 */
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x1000), memory);
	slots_free(slots);
	free(slots);
}

static void test_move_and_delete(void)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	CHECK_EQUAL(set(slots, 0, 0x1000, 0x1000, 0, 0), 0);
	CHECK_EQUAL(set(slots, 1, 0x5000, 0x1000, 0x1000, 0), 0);
	*slot_code_word(slots_find(slots, 0x1000), 0x1000) = 1;
	CHECK_EQUAL(set(slots, 0, 0x9000, 0x1000, 0, 0), 0);
	CU_ASSERT_PTR_NULL(slots_find(slots, 0x1000));
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x9000), memory);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x5000), memory + 0x1000);
	/* traces belong to addresses: none can be known of the new ones */
	CHECK_EQUAL(*slot_code_word(slots_find(slots, 0x9000), 0x9000), 0);
	CHECK_EQUAL(set(slots, 1, 0, 0, 0, 0), 0);
	CU_ASSERT_PTR_NULL(slots_find(slots, 0x5000));
	CHECK_EQUAL(slots->count, 1);
	/* a slot may be moved onto a part of its own old place */
	CHECK_EQUAL(set(slots, 2, 0x20000, 0x2000, 0x2000, 0), 0);
	CHECK_EQUAL(set(slots, 2, 0x21000, 0x2000, 0x2000, 0), 0);
	CU_ASSERT_PTR_EQUAL(slots_host(slots, 0x22000), memory + 0x3000);
	CHECK_EQUAL(set(slots, 1, 0x5000, 0x1000, 0x1000, 0), 0);
	slots_free(slots);
	free(slots);
}

static void test_dirty_log(void)
{
	struct slots *slots = calloc(1, sizeof(*slots));
	u64 bitmap[1] = {0};

	CHECK_EQUAL(set(slots, 0, 0x10000, 0x4000, 0, 0), 0);
	CHECK_EQUAL(slots_get_dirty(slots, 0, bitmap), -ENOENT); /* not logged */
	CHECK_EQUAL(slots_get_dirty(slots, 1, bitmap), -ENOENT);
	CHECK_EQUAL(slots_get_dirty(slots, SLOTS_MAX, bitmap), -EINVAL);
	slot_mark_dirty(slots_find(slots, 0x10000), 0x10000); /* must not crash */
	CHECK_EQUAL(set(slots, 0, 0x10000, 0x4000, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	slot_mark_dirty(slots_find(slots, 0x10fff), 0x10fff);
	slot_mark_dirty(slots_find(slots, 0x13000), 0x13000);
	CHECK_EQUAL(slots_get_dirty(slots, 0, bitmap), 0);
	CHECK_EQUAL(bitmap[0], 0x9);
	CHECK_EQUAL(slots_get_dirty(slots, 0, bitmap), 0);
	CHECK_EQUAL(bitmap[0], 0); /* reading clears */
	CHECK_EQUAL(set(slots, 0, 0x10000, 0x4000, 0, 0), 0);
	CHECK_EQUAL(slots_get_dirty(slots, 0, bitmap), -ENOENT);
	slots_free(slots);
	free(slots);
}

/* All slots in use, in falling order of address: each is still found. */
static void test_many(void)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	for (u32 i = 0; i < SLOTS_MAX; i++)
		CHECK_EQUAL(set(slots, i, (u64)(SLOTS_MAX - i) * 0x4000, 0x1000, 0, 0), 0);
	for (u32 i = 0; i < SLOTS_MAX; i++) {
		u64 gpa = (u64)(SLOTS_MAX - i) * 0x4000;

		CHECK_EQUAL(slots_find(slots, gpa + 0xfff)->id, i);
		CU_ASSERT_PTR_NULL(slots_find(slots, gpa + 0x1000));
	}
	slots_free(slots);
	free(slots);
}

static CU_TestInfo tests[] = {
	{"create and find", test_create_and_find},
	{"errors", test_errors},
	{"move and delete", test_move_and_delete},
	{"dirty log", test_dirty_log},
	{"all slots", test_many},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("mmu.slots", tests)
