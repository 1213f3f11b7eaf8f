/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN's consistency checks: a value on each side of every row's boundary (APM 2:15.5.1, 15.20,
 * 15.21.10, 15.25, 15.29.4). */
#include "tests/unit/check_rules.h"
#include "tests/unit/svm-model/checks_base.h"

#define V(field, value)                                                                            \
	{                                                                                          \
		VMCB_##field + 1, value                                                            \
	}
#define P(input, value)                                                                            \
	{                                                                                          \
		SVM_##input + 1, value                                                             \
	}
#define NESTED     V(NP_CONTROL, 1)
#define CET        V(CR4, 0x800020)
#define PAE_LEGACY V(EFER, 0x1000)
#define VNMI       V(V_INTR, 0x4000000)
#define AVIC       V(V_INTR, 0x80000000), NESTED
#define X2AVIC     V(V_INTR, 0xc0000000), NESTED
/* A rule that one value decides, and one that several do. */
#define ONE(identifier, good, bad)                                                                 \
	{                                                                                          \
		identifier, 0, {good},                                                             \
		{                                                                                  \
			bad                                                                        \
		}                                                                                  \
	}
#define WITH(identifier, more, good, bad)                                                          \
	{                                                                                          \
		identifier, 0, {more, good},                                                       \
		{                                                                                  \
			more, bad                                                                  \
		}                                                                                  \
	}

static const struct rule rules[] = {
	ONE("vmrun-intercepted", V(INTERCEPTS_4, 1), V(INTERCEPTS_4, 0xfffffffe)),
	ONE("asid-not-zero", V(GUEST_ASID, 1), V(GUEST_ASID, 0)),
	ONE("efer-svme", V(EFER, 0x1d00), V(EFER, 0xd00)),
	ONE("efer-reserved", V(EFER, 0x1d01), V(EFER, 0x1d02)),
	ONE("cr0-cache", V(CR0, 0xe0010031), V(CR0, 0xa0010031)),
	ONE("cr0-high", V(CR0, 0x80010031), V(CR0, 0x180010031)),
	ONE("cr3-reserved", V(CR3, 0xfffffffffff0), V(CR3, 0x1000000000000)),
	ONE("cr4-reserved", V(CR4, 0xff), V(CR4, 0x120)),
	ONE("dr6-high", V(DR6, 0xffffffff), V(DR6, 0x100000000)),
	ONE("dr7-high", V(DR7, 0xffffffff), V(DR7, 0x100000000)),
	ONE("long-mode-pae", V(CR4, 0x20), V(CR4, 0)),
	ONE("long-mode-protected", V(CR0, 0x80010031), V(CR0, 0x80010030)),
	ONE("cs-long-or-default", V(CS_ATTRIB, 0x49b), V(CS_ATTRIB, 0x69b)),
	WITH("cet-write-protect", CET, V(CR0, 0x80010031), V(CR0, 0x80000031)),
	ONE("s-cet-reserved", V(S_CET, 3), V(S_CET, 4)),
	{"cet-virtual-8086",
	 0,
	 {CET, V(RFLAGS, 0x20002), P(U_CET, 2)},
	 {CET, V(RFLAGS, 0x20002), P(U_CET, 1)}},
	{"cet-virtual-8086", 0, {CET, P(U_CET, 1)}, {CET, V(RFLAGS, 0x20002), P(U_CET, 3)}},
	WITH("pdptes-reserved", PAE_LEGACY, P(MEMORY_PDPTE0, 0x1e6), P(MEMORY_PDPTE0, 0x21)),
	WITH("pdptes-reserved", PAE_LEGACY, P(MEMORY_PDPTE3, 0x800000000e19),
	     P(MEMORY_PDPTE3, 0x1000000000001)),
	{"pdptes-reserved",
	 0,
	 {PAE_LEGACY, NESTED, P(MEMORY_PDPTE2, 0x7)},
	 {PAE_LEGACY, P(MEMORY_PDPTE1, 0x101)}},
	ONE("iopm-address", V(IOPM_BASE_PA, 0xffffffffd000), V(IOPM_BASE_PA, 0xffffffffe000)),
	ONE("msrpm-address", V(MSRPM_BASE_PA, 0xffffffffdfff), V(MSRPM_BASE_PA, 0xffffffffe000)),
	ONE("inject-type", V(EVENTINJ, 0x80000420), V(EVENTINJ, 0x80000520)),
	ONE("inject-type", V(EVENTINJ, 0x00000520), V(EVENTINJ, 0x80000120)),
	ONE("inject-vector", V(EVENTINJ, 0x80000301), V(EVENTINJ, 0x80000302)),
	ONE("inject-vector", V(EVENTINJ, 0x8000031e), V(EVENTINJ, 0x8000031f)),
	ONE("inject-vector", V(EVENTINJ, 0x80000220), V(EVENTINJ, 0x80000320)),
	{"inject-possible",
	 0,
	 {V(EVENTINJ, 0x80000305), V(CS_ATTRIB, 0x49b)},
	 {V(EVENTINJ, 0x80000305)}},
	WITH("virtual-nmi-intercept", VNMI, V(INTERCEPTS_3, 2), V(INTERCEPTS_3, 1)),
	WITH("nested-host-paging", NESTED, P(HOST_CR0, 0x80000011), P(HOST_CR0, 0x11)),
	WITH("n-cr3-reserved", NESTED, V(N_CR3, 0xfffffffff000), V(N_CR3, 0x1000000000000)),
	WITH("g-pat-types", NESTED, V(G_PAT, 0x07), V(G_PAT, 0x02)),
	{"x2avic-with-avic", 0, {X2AVIC}, {V(V_INTR, 0x40000000)}},
	{"x2avic-with-avic",
	 0,
	 {V(V_INTR, 0x40000000), P(HAS_X2AVIC, 0)},
	 {V(V_INTR, 0x40000000), NESTED}},
	{"avic-nested-paging", 0, {AVIC}, {V(V_INTR, 0x80000000)}},
	{"avic-nested-paging", 0, {V(V_INTR, 0x80000000), P(HAS_AVIC, 0)}, {V(V_INTR, 0xc0000000)}},
	/* Bits 11:0 are reserved and should be zero. */
	{"avic-backing-page",
	 0,
	 {AVIC, V(AVIC_BACKING_PAGE, 0xffffffffffff)},
	 {AVIC, V(AVIC_BACKING_PAGE, 0x1000000000000)}},
	{"avic-backing-page",
	 0,
	 {NESTED, V(AVIC_BACKING_PAGE, 0x1000000000000)},
	 {X2AVIC, V(AVIC_BACKING_PAGE, 0x8000000000000)}},
	{"avic-logical-table",
	 0,
	 {AVIC, V(AVIC_LOGICAL_TABLE, 0xfffffffff000)},
	 {AVIC, V(AVIC_LOGICAL_TABLE, 0x1000000000000)}},
	{"avic-logical-table",
	 0,
	 {X2AVIC, V(AVIC_LOGICAL_TABLE, 0x1000000000000)},
	 {AVIC, V(AVIC_LOGICAL_TABLE, 0x1000000000000), P(HAS_X2AVIC_EXT, 1)}},
	{"avic-physical-table",
	 0,
	 {AVIC, V(AVIC_PHYSICAL_TABLE, 0xfffffffff0ff)},
	 {AVIC, V(AVIC_PHYSICAL_TABLE, 0x10000000000ff)}},
	{"avic-max-index",
	 0,
	 {AVIC, V(AVIC_PHYSICAL_TABLE, 0xfffffffff0ff)},
	 {AVIC, V(AVIC_PHYSICAL_TABLE, 0xfffffffff100)}},
	{"avic-max-index",
	 0,
	 {X2AVIC, V(AVIC_PHYSICAL_TABLE, 0x11ff)},
	 {X2AVIC, V(AVIC_PHYSICAL_TABLE, 0x1200)}},
	{"avic-max-index",
	 0,
	 {X2AVIC, V(AVIC_PHYSICAL_TABLE, 0x1fff), P(HAS_X2AVIC_EXT, 1)},
	 {AVIC, V(AVIC_PHYSICAL_TABLE, 0x1100), P(HAS_X2AVIC_EXT, 1)}},
};

static const struct check_rules svm_rules = {&svm_checks, base_inputs, rules, ARRAY_SIZE(rules)};

static void test_boundaries(void)
{
	check_rules_boundaries(&svm_rules);
}

static void test_complete(void)
{
	check_rules_complete(&svm_rules);
}

static void test_mutants(void)
{
	check_rules_mutants(&svm_rules);
}

/* The first row that fails; NULL: none. */
static const struct check_row *broken(const struct rule_change *changes)
{
	static u64 value[SVM_INPUT_COUNT];
	struct check_inputs in = {.table = &svm_checks, .value = value};

	rule_inputs(&svm_rules, changes, value);
	return check_first_failure(&in, 0, UINT8_MAX);
}

/* What breaks a rule breaks no other. */
static void test_alone(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct check_row *good = broken(rules[i].holds),
				       *bad = broken(rules[i].fails);

		CHECK_ROW(!good, "%zu: %s fails", i, good ? good->identifier : "");
		CHECK_ROW(bad && !strcmp(bad->identifier, rules[i].identifier),
			  "%zu: %s where %s should fail", i, bad ? bad->identifier : "nothing",
			  rules[i].identifier);
	}
}

static CU_TestInfo tests[] = {
	{"boundaries", test_boundaries}, {"complete", test_complete}, {"mutants", test_mutants},
	{"alone", test_alone},           CU_TEST_INFO_NULL,
};
CHECK_MAIN("svm-model.svm_checks", tests)
