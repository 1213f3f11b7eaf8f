/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of checks: verdicts, missing inputs, groups, and what a row has read. */
#include <string.h>

#include "sim/cpu/check.h"
#include "tests/unit/check.h"

enum { SIZE, COUNT, LIMIT, INPUTS };

static const char *name(unsigned int input)
{
	static const char *const names[] = {"size", "count", "limit"};

	return names[input];
}

static bool has_count(struct check_inputs *in)
{
	return check_input(in, COUNT);
}

static bool size_even(struct check_inputs *in)
{
	return check_input(in, SIZE) % 2 == 0;
}

static bool fits(struct check_inputs *in)
{
	return check_input(in, SIZE) * check_input(in, COUNT) <= check_input(in, LIMIT);
}

static const struct check_row rows[] = {
	{.identifier = "even", .group = 0, .subject = SIZE, .holds = size_even},
	{.identifier = "fits", .group = 1, .subject = SIZE, .applies = has_count, .holds = fits},
};
static const struct check_table table = {.rows = rows, .count = 2, .input_name = name};

static void test_verdicts(void)
{
	u64 value[INPUTS] = {4, 2, 8};
	struct check_inputs in = {.table = &table, .value = value};

	CU_ASSERT_PTR_NULL(check_first_failure(&in, 0, 2));
	value[LIMIT] = 7;
	CU_ASSERT_PTR_EQUAL(check_first_failure(&in, 0, 2), &rows[1]);
	CU_ASSERT_PTR_NULL(check_first_failure(&in, 0, 1)); /* a group further on */
	value[COUNT] = 0;                                   /* the row applies no longer */
	CHECK_EQUAL(check_judge(&in, &rows[1]), CHECK_PASS);
	value[SIZE] = 3;
	CU_ASSERT_PTR_EQUAL(check_first_failure(&in, 0, 2), &rows[0]);
}

/* A verdict is unknown only if the row asks for what is missing. */
static void test_missing(void)
{
	u64 value[INPUTS] = {4, 0, 0}, known = 1 << SIZE | 1 << COUNT;
	struct check_inputs in = {.table = &table, .value = value, .known = &known};
	char text[80];

	CHECK_EQUAL(check_judge(&in, &rows[0]), CHECK_PASS);
	CHECK_EQUAL(check_judge(&in, &rows[1]), CHECK_PASS);
	value[COUNT] = 2;
	CHECK_EQUAL(check_judge(&in, &rows[1]), CHECK_UNKNOWN);
	CHECK_EQUAL(in.missing, LIMIT);
	check_describe(&in, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "count = 0x2, size = 0x4, limit is missing");
}

static bool fetch_limit(struct check_inputs *in, unsigned int input, u64 *value)
{
	(void)in;
	*value = 100;
	return input == LIMIT;
}

static void test_fetch(void)
{
	u64 value[INPUTS] = {4, 2, 0}, known = 1 << SIZE | 1 << COUNT;
	struct check_inputs in = {
		.table = &table, .value = value, .known = &known, .fetch = fetch_limit};

	CHECK_EQUAL(check_judge(&in, &rows[1]), CHECK_PASS);
	CHECK_EQUAL(value[LIMIT], 100);
}

static void test_mutant(void)
{
	u64 value[INPUTS] = {3, 0, 0};
	struct check_mutant mutant = {&rows[0], true};
	struct check_inputs in = {.table = &table, .value = value, .mutant = &mutant};

	CHECK_EQUAL(check_judge(&in, &rows[0]), CHECK_PASS);
	mutant = (struct check_mutant){&rows[1], false};
	CHECK_EQUAL(check_judge(&in, &rows[0]), CHECK_FAIL);
	CHECK_EQUAL(check_judge(&in, &rows[1]), CHECK_FAIL);
}

static void test_find(void)
{
	CU_ASSERT_PTR_EQUAL(check_find(&table, "fits"), &rows[1]);
	CU_ASSERT_PTR_NULL(check_find(&table, "fit"));
}

static CU_TestInfo tests[] = {
	{"verdicts", test_verdicts}, {"missing", test_missing}, {"fetch", test_fetch},
	{"mutant", test_mutant},     {"find", test_find},       CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.check", tests)
