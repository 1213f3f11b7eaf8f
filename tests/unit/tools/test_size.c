/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the command line, as docs/lockstep.1 describes SIZE and N. */
#include <errno.h>

#include "tests/unit/check.h"
#include "tools/size.h"

static void sizes_count_in_powers_of_1024(void)
{
	static const struct {
		const char *text;
		uint64_t unit, size;
	} good[] = {
		{"4096", 1, 4096},
		{"0x1000", 1, 4096},
		{"2048", 1 << 20, 2048ull << 20},
		{"64K", 1, 64ull << 10},
		{"512M", 1, 512ull << 20},
		{"512m", 1, 512ull << 20},
		{"4g", 1 << 20, 4ull << 30},
		{"1T", 1, 1ull << 40},
		{"2GiB", 1, 2ull << 30},
		{"2GB", 1, 2ull << 30},
		{"16777215T", 1, 16777215ull << 40},
	};
	uint64_t size;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size = 0;
		CHECK_EQUAL(size_parse(good[i].text, good[i].unit, &size), 0);
		CHECK_EQUAL(size, good[i].size);
	}
}

static void what_is_no_size_is_refused(void)
{
	static const char *const bad[] = {"",    " 1M", "-1",   "+1", "M",    "1X",
					  "1MM", "1 M", "1.5G", "0x", "12iB", "1Kx"};
	uint64_t size;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_ROW(size_parse(bad[i], 1, &size) == -EINVAL, "size_parse takes '%s'", bad[i]);
	}
}

/* 2^64 bytes and more don't fit. */
static void what_overflows_is_refused(void)
{
	uint64_t size;

	CHECK_EQUAL(size_parse("16777216T", 1, &size), -ERANGE);
	CHECK_EQUAL(size_parse("18446744073709551616", 1, &size), -ERANGE);
	CHECK_EQUAL(size_parse("18446744073709551615", 2, &size), -ERANGE);
}

static void counts_are_decimal(void)
{
	uint64_t count;

	CHECK_EQUAL(count_parse("200M", &count), 0);
	CHECK_EQUAL(count, 200000000);
	CHECK_EQUAL(count_parse("3k", &count), 0);
	CHECK_EQUAL(count, 3000);
	CHECK_EQUAL(count_parse("123456", &count), 0);
	CHECK_EQUAL(count, 123456);
	CHECK_EQUAL(count_parse("200MB", &count), -EINVAL);
}

static void numbers_have_a_largest(void)
{
	uint64_t value;

	CHECK_EQUAL(number_parse("0xffff", 0xffff, &value), 0);
	CHECK_EQUAL(value, 0xffff);
	CHECK_EQUAL(number_parse("65536", 0xffff, &value), -ERANGE);
	CHECK_EQUAL(number_parse("1K", 0xffff, &value), -EINVAL);
	CHECK_EQUAL(number_parse("-1", 0xffff, &value), -EINVAL);
}

static CU_TestInfo tests[] = {
	{"sizes count in powers of 1024", sizes_count_in_powers_of_1024},
	{"what is no size is refused", what_is_no_size_is_refused},
	{"what overflows is refused", what_overflows_is_refused},
	{"counts are decimal", counts_are_decimal},
	{"numbers have a largest", numbers_have_a_largest},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: sizes and numbers", tests)
