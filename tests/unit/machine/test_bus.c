/* SPDX-License-Identifier: Apache-2.0 */
/* machine/bus.h's rules: sorted regions, no overlap, splitting, all ones where nothing is. */
#include <string.h>

#include "machine/bus.h"
#include "tests/unit/check.h"

struct access {
	uint64_t offset, value;
	unsigned int size;
	bool is_write;
};

struct recorder {
	struct access log[16];
	unsigned int used;
};

static uint64_t recorder_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct recorder *recorder = opaque;
	uint64_t value = 0;

	recorder->log[recorder->used++] = (struct access){offset, 0, size, false};
	for (unsigned int i = 0; i < size; i++) /* byte at offset n reads as 0x10 + n */
		value |= (uint64_t)(0x10 + offset + i) << (8 * i);
	return value;
}

static void recorder_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct recorder *recorder = opaque;

	recorder->log[recorder->used++] = (struct access){offset, value, size, true};
}

static const struct bus_ops wide = {.read = recorder_read, .write = recorder_write};
static const struct bus_ops narrow = {.read = recorder_read, .write = recorder_write, .widest = 1};

static int add(struct bus *bus, const char *name, uint64_t base, uint64_t size,
	       const struct bus_ops *ops, void *opaque)
{
	struct bus_region region = {
		.name = name, .base = base, .size = size, .ops = ops, .opaque = opaque};

	return bus_add(bus, &region, NULL);
}

static void test_overlap(void)
{
	struct bus_region region = {.name = "new", .base = 0x1f, .size = 2, .ops = &wide};
	struct recorder recorder = {0};
	struct ls_error err = {0};
	struct bus bus;

	bus_init(&bus, "port", 0x10000);
	CHECK_EQUAL(add(&bus, "a", 0x20, 0x10, &wide, &recorder), 0);
	CHECK_EQUAL(bus_add(&bus, &region, &err), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "new"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "overlaps a"));
	CHECK_EQUAL(add(&bus, "over the end", 0x2f, 1, &wide, &recorder), -EEXIST);
	CHECK_EQUAL(add(&bus, "around", 0x10, 0x40, &wide, &recorder), -EEXIST);
	CHECK_EQUAL(add(&bus, "below", 0x1f, 1, &wide, &recorder), 0);
	CHECK_EQUAL(add(&bus, "above", 0x30, 1, &wide, &recorder), 0);
	CHECK_EQUAL(add(&bus, "empty", 0x50, 0, &wide, &recorder), -EINVAL);
	CHECK_EQUAL(add(&bus, "beyond", 0xffff, 2, &wide, &recorder), -EINVAL);
	CHECK_EQUAL(add(&bus, "last", 0xffff, 1, &wide, &recorder), 0);
	bus_free(&bus);
}

static void test_find(void)
{
	struct recorder recorder = {0};
	struct bus bus;

	bus_init(&bus, "MMIO", 0);
	for (uint64_t i = 64; i > 0; i--) /* added backwards, found by search */
		CHECK_EQUAL(add(&bus, "r", i * 0x100, 0x80, &wide, &recorder), 0);
	for (uint64_t i = 1; i <= 64; i++) {
		CHECK_EQUAL(bus_find(&bus, i * 0x100)->base, i * 0x100);
		CHECK_EQUAL(bus_find(&bus, i * 0x100 + 0x7f)->base, i * 0x100);
		CU_ASSERT_PTR_NULL(bus_find(&bus, i * 0x100 + 0x80));
	}
	CU_ASSERT_PTR_NULL(bus_find(&bus, 0xff));
	CHECK_EQUAL(add(&bus, "top", UINT64_MAX, 1, &wide, &recorder), 0);
	CHECK_EQUAL(bus_find(&bus, UINT64_MAX)->size, 1);
	CHECK_EQUAL(bus_remove(&bus, 0x200), 0);
	CHECK_EQUAL(bus_remove(&bus, 0x200), -ENOENT);
	CHECK_EQUAL(bus_remove(&bus, 0x101), -ENOENT);
	CU_ASSERT_PTR_NULL(bus_find(&bus, 0x200));
	CHECK_EQUAL(bus_find(&bus, 0x300)->base, 0x300);
	bus_free(&bus);
}

static void test_unclaimed(void)
{
	struct bus bus;

	bus_init(&bus, "port", 0x10000);
	CHECK_EQUAL(bus_read(&bus, 0x10, 1), 0xff);
	CHECK_EQUAL(bus_read(&bus, 0x10, 2), 0xffff);
	CHECK_EQUAL(bus_read(&bus, 0x10, 4), 0xffffffff);
	CHECK_EQUAL(bus_read(&bus, 0x10, 8), UINT64_MAX);
	bus_write(&bus, 0x10, 4, 0);
	CHECK_EQUAL(bus.unclaimed, 5);
	bus_free(&bus);
}

static void test_split(void)
{
	struct recorder recorder = {0};
	struct bus bus;

	bus_init(&bus, "port", 0);
	add(&bus, "narrow", 0x100, 8, &narrow, &recorder);
	CHECK_EQUAL(bus_read(&bus, 0x102, 4), 0x15141312);
	CHECK_EQUAL(recorder.used, 4);
	CHECK_EQUAL(recorder.log[0].offset, 2);
	CHECK_EQUAL(recorder.log[3].offset, 5);
	recorder.used = 0;
	bus_write(&bus, 0x100, 2, 0xbbaa);
	CHECK_EQUAL(recorder.used, 2);
	CHECK_EQUAL(recorder.log[0].value, 0xaa);
	CHECK_EQUAL(recorder.log[1].value, 0xbb);
	bus_free(&bus);
}

static void test_crossing(void)
{
	struct recorder first = {0}, second = {0};
	struct bus bus;

	bus_init(&bus, "MMIO", 0);
	add(&bus, "first", 0x100, 4, &wide, &first);
	add(&bus, "second", 0x106, 4, &wide, &second);
	/* Two bytes of first, two of nobody, four of second. */
	CHECK_EQUAL(bus_read(&bus, 0x102, 8), 0x13121110ffff1312);
	CHECK_EQUAL(bus.unclaimed, 1);
	CHECK_EQUAL(first.log[0].size, 1);
	CHECK_EQUAL(second.log[0].size, 4);
	first.used = second.used = 0;
	/* The hole in front of a region is not the region's. */
	bus_write(&bus, 0x104, 4, 0x44332211);
	CHECK_EQUAL(first.used, 0);
	CHECK_EQUAL(second.used, 1);
	CHECK_EQUAL(second.log[0].size, 2);
	CHECK_EQUAL(second.log[0].value, 0x4433);
	bus_free(&bus);
}

/* Port 0xcf8: 4-byte accesses are one region's, the byte at 0xcf9 another's. */
static void test_reach(void)
{
	struct recorder address = {0}, reset = {0};
	struct bus_region region = {.name = "address",
				    .base = 0xcf8,
				    .size = 1,
				    .ops = &wide,
				    .opaque = &address,
				    .reach = 4};
	struct bus bus;

	bus_init(&bus, "port", 0x10000);
	CHECK_EQUAL(bus_add(&bus, &region, NULL), 0);
	CHECK_EQUAL(add(&bus, "reset", 0xcf9, 1, &wide, &reset), 0);
	bus_write(&bus, 0xcf8, 4, 0x80001234);
	CHECK_EQUAL(address.used, 1);
	CHECK_EQUAL(address.log[0].size, 4);
	CHECK_EQUAL(address.log[0].value, 0x80001234);
	CHECK_EQUAL(reset.used, 0);
	bus_write(&bus, 0xcf9, 1, 6);
	CHECK_EQUAL(reset.used, 1);
	CHECK_EQUAL(reset.log[0].value, 6);
	bus_free(&bus);
}

static void test_missing_handlers(void)
{
	static const struct bus_ops nothing = {.widest = 4};
	struct bus bus;

	bus_init(&bus, "port", 0);
	add(&bus, "silent", 0x10, 4, &nothing, NULL);
	CHECK_EQUAL(bus_read(&bus, 0x10, 4), 0xffffffff);
	bus_write(&bus, 0x10, 4, 1);
	CHECK_EQUAL(bus.unclaimed, 0); /* claimed, if silent */
	bus_free(&bus);
}

static CU_TestInfo tests[] = {
	{"regions never overlap", test_overlap},
	{"regions are found, removed, and end where they end", test_find},
	{"what nothing claims reads as ones and is counted", test_unclaimed},
	{"wide accesses are split for narrow devices", test_split},
	{"an access across regions goes to each", test_crossing},
	{"a region may reach beyond its end for one size", test_reach},
	{"a region without handlers", test_missing_handlers},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/bus", tests)
