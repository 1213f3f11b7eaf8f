/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each VM-entry check on both sides of its boundary, as SDM 3C chapter 27 states it. Bits of
 * controls are the manual's numbers. A further test makes a mutant of each row, always true and
 * always false, and wants these tables to notice.
 */
#include "tests/unit/vmx-model/checks_base.h"

struct change {
	u16 input; /* + 1; 0: no more */
	u64 value;
};

#define CHANGES 6

struct rule {
	const char *identifier;
	u8 outcome;
	struct change holds[CHANGES], fails[CHANGES];
};

#define V(field, value)                                                                            \
	{                                                                                          \
		VMCS_##field + 1, value                                                            \
	}
#define I(input, value)                                                                            \
	{                                                                                          \
		INPUT_##input + 1, value                                                           \
	}
/* The only change from the base. */
#define HOLDS(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define FAILS(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define SECONDARY(bits) V(PRIMARY_CONTROLS, PRIMARY | BIT(31)), V(SECONDARY_CONTROLS, bits)
#define TERTIARY(bits)  V(PRIMARY_CONTROLS, PRIMARY | BIT(31) | BIT(17)), V(TERTIARY_CONTROLS, bits)
#define TPR_SHADOW(bits)                                                                           \
	V(PRIMARY_CONTROLS, PRIMARY | BIT(31) | BIT(21)), V(SECONDARY_CONTROLS, bits)
#define ABOVE  BIT(46) /* the first bit beyond the physical-address width */
#define LAST   (BIT(46) - 4096)
#define EPT_WB 0x1e /* write-back, 4 levels */

static const struct rule rules[] = {
#include "tests/unit/vmx-model/rules_controls.h"
#include "tests/unit/vmx-model/rules_guest.h"
#include "tests/unit/vmx-model/rules_host.h"
};

static void set(u64 *value, const struct change *changes)
{
	static u64 base[VMX_INPUT_COUNT];

	if (!base[INPUT_PHYSICAL_BITS])
		base_inputs(base);
	memcpy(value, base, sizeof(base));
	for (unsigned int i = 0; i < CHANGES && changes[i].input; i++)
		value[changes[i].input - 1] = changes[i].value;
}

static bool judged(const struct change *changes, const struct check_row *row,
		   const struct check_mutant *mutant, enum check_verdict wanted)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value, .mutant = mutant};

	set(value, changes);
	return check_judge(&in, row) == wanted;
}

/* How many sides of boundaries come out wrong. */
static unsigned int wrong_sides(const struct check_mutant *mutant)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct check_row *row = check_find(&vmx_checks, rules[i].identifier);

		if (!row)
			continue; /* test_complete tells */
		wrong += !judged(rules[i].holds, row, mutant, CHECK_PASS);
		wrong += !judged(rules[i].fails, row, mutant, CHECK_FAIL);
	}
	return wrong;
}

static void test_boundaries(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct check_row *row = check_find(&vmx_checks, rules[i].identifier);

		if (!row)
			continue;
		CHECK_ROW(judged(rules[i].holds, row, NULL, CHECK_PASS), "%s fails, it should hold",
			  rules[i].identifier);
		CHECK_ROW(judged(rules[i].fails, row, NULL, CHECK_FAIL), "%s holds, it should fail",
			  rules[i].identifier);
		CHECK_ROW(row->outcome == rules[i].outcome, "%s shows as %s", rules[i].identifier,
			  vmx_outcome_name(row->outcome));
	}
}

static bool has_rule(const char *identifier)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].identifier, identifier))
			return true;
	return false;
}

/* Every row has a rule here, and every rule a row. */
static void test_complete(void)
{
	for (unsigned int i = 0; i < vmx_checks.count; i++)
		CHECK_ROW(has_rule(vmx_checks.rows[i].identifier), "no rule tests %s",
			  vmx_checks.rows[i].identifier);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		CHECK_ROW(check_find(&vmx_checks, rules[i].identifier), "no row %s",
			  rules[i].identifier);
}

static void test_mutants(void)
{
	for (unsigned int i = 0; i < vmx_checks.count; i++) {
		struct check_mutant always = {&vmx_checks.rows[i], true};
		struct check_mutant never = {&vmx_checks.rows[i], false};

		CHECK_ROW(wrong_sides(&always), "%s forced true goes unnoticed",
			  vmx_checks.rows[i].identifier);
		CHECK_ROW(wrong_sides(&never), "%s forced false goes unnoticed",
			  vmx_checks.rows[i].identifier);
	}
}

/* The base passes everything, in rising groups. */
static void test_base(void)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};
	const struct check_row *row;

	base_inputs(value);
	row = check_first_failure(&in, 0, VMX_CHECK_END);
	CHECK_ROW(!row, "%s fails", row ? row->identifier : "");
	for (unsigned int i = 1; i < vmx_checks.count; i++)
		CU_ASSERT(vmx_checks.rows[i - 1].group <= vmx_checks.rows[i].group);
}

static bool agrees(const struct change *changes)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};

	set(value, changes);
	return vmx_checks_pass(&in) == !check_first_failure(&in, 0, VMX_CHECK_END);
}

/* The one function of all checks says what the rows say. */
static void test_pass(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		CHECK_ROW(agrees(rules[i].holds) && agrees(rules[i].fails), "around %s",
			  rules[i].identifier);
}

static CU_TestInfo tests[] = {
	{"base", test_base},         {"boundaries", test_boundaries},
	{"complete", test_complete}, {"mutants", test_mutants},
	{"pass", test_pass},         CU_TEST_INFO_NULL,
};
CHECK_MAIN("vmx.checks", tests)
