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
	return vmx_checks_pass(&in, false) == !check_first_failure(&in, 0, VMX_CHECK_END);
}

static bool is_type(u16 input, enum vmcs_type type)
{
	return input < VMCS_FIELD_COUNT && ENCODING_TYPE(vmcs_fields[input].encoding) == type;
}

static bool same(const struct check_inputs *a, const u64 *base, u16 input)
{
	return a->value[input] == base[input];
}

/* Controls and host state passed and are as they were; what else a row reads may have changed. */
static bool kept_agrees(const struct rule_change *changes)
{
	static u64 value[VMX_INPUT_COUNT], base[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};

	base_inputs(base);
	rule_inputs(&vmx_rules, changes, value);
	for (u16 input = 0; input < VMX_INPUT_COUNT; input++)
		if ((is_type(input, VMCS_TYPE_CONTROL) || is_type(input, VMCS_TYPE_HOST) ||
		     input >= INPUT_PHYSICAL_BITS) &&
		    input != INPUT_VTPR && !same(&in, base, input))
			return true; /* judged as a whole */
	return vmx_checks_pass(&in, true) == !check_first_failure(&in, 0, VMX_CHECK_END);
}

/* What makes controls and host state be judged although they passed. */
static bool reads_more(const struct rule_change *changes, const struct check_row *row)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};

	rule_inputs(&vmx_rules, changes, value);
	check_judge(&in, row);
	for (unsigned int i = 0; i < in.reads; i++) {
		u16 input = in.read[i];

		if (!is_type(input, VMCS_TYPE_CONTROL) && !is_type(input, VMCS_TYPE_HOST) &&
		    input != INPUT_VTPR && input != INPUT_CPU_LMA && input != VMCS_GUEST_CR0 &&
		    input != INPUT_IN_SMM && input < INPUT_PHYSICAL_BITS)
			return true;
	}
	return false;
}

/* The one function of all checks says what the rows say. */
static void test_pass(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		CHECK_ROW(agrees(rules[i].holds) && agrees(rules[i].fails), "around %s",
			  rules[i].identifier);
}

/* Rows of controls and host state read nothing that could change unnoticed. */
static void test_kept(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct check_row *row = check_find(&vmx_checks, rules[i].identifier);

		CHECK_ROW(kept_agrees(rules[i].holds) && kept_agrees(rules[i].fails), "around %s",
			  rules[i].identifier);
		if (row && (row->group == VMX_CHECK_CONTROLS || row->group == VMX_CHECK_HOST))
			CHECK_ROW(!reads_more(rules[i].holds, row) &&
					  !reads_more(rules[i].fails, row),
				  "%s reads more", rules[i].identifier);
	}
}

static CU_TestInfo tests[] = {
	{"base", test_base},         {"boundaries", test_boundaries},
	{"complete", test_complete}, {"mutants", test_mutants},
	{"pass", test_pass},         {"kept", test_kept},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("vmx.checks", tests)
