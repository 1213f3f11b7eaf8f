/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each VM-entry check on both sides of its boundary, as SDM 3C chapter 27 states it. Bits of
 * controls are the manual's numbers. A further test makes a mutant of each row, always true and
 * always false, and wants these tables to notice.
 */
#include "tests/unit/check_rules.h"
#include "tests/unit/vmx-model/checks_base.h"

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

static const struct check_rules vmx_rules = {&vmx_checks, base_inputs, rules, ARRAY_SIZE(rules)};

static void test_boundaries(void)
{
	check_rules_boundaries(&vmx_rules);
}

static void test_complete(void)
{
	check_rules_complete(&vmx_rules);
}

static void test_mutants(void)
{
	check_rules_mutants(&vmx_rules);
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

static bool agrees(const struct rule_change *changes)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};

	rule_inputs(&vmx_rules, changes, value);
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
