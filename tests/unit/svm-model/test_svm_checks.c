/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN's consistency checks: a value on each side of every row's boundary (APM 2:15.5.1, 15.20,
 * 15.21.10, 15.25). */
#include <string.h>

#include "sim/svm-model/svm.h"
#include "tests/unit/check.h"

#define V1(a, b)                                                                                   \
	{                                                                                          \
		{                                                                                  \
			VMCB_##a, b                                                                \
		}                                                                                  \
	}
#define NESTED(f, v)                                                                               \
	{                                                                                          \
		{VMCB_NP_CONTROL, 1},                                                              \
		{                                                                                  \
			f, v                                                                       \
		}                                                                                  \
	}

/* A 64-bit guest of a processor with 48 physical bits and shadow stacks; every check passes. */
static void base(u64 *value)
{
	memset(value, 0, SVM_INPUT_COUNT * sizeof(*value));
	value[VMCB_INTERCEPTS_4] = 1;
	value[VMCB_GUEST_ASID] = 1;
	value[VMCB_EFER] = 0x1d00;
	value[VMCB_CR0] = 0x80010031;
	value[VMCB_CR4] = 0x20;
	value[VMCB_CS_ATTRIB] = 0x29b;
	value[VMCB_G_PAT] = UINT64_C(0x0007040600070406);
	value[SVM_PHYSICAL_BITS] = 48;
	value[SVM_CR4_RESERVED] = ~UINT64_C(0x8000ff);
	value[SVM_EFER_RESERVED] = ~UINT64_C(0x1d01);
	value[SVM_HOST_CR0] = 0x80000011;
	value[SVM_HOST_EFER] = 0x1d00;
	value[SVM_HAS_CET] = 1;
}

struct setting {
	u16 input;
	u64 value;
};

static const struct {
	const char *rule;
	struct setting good[2], bad[2];
} rows[] = {
	{"vmrun-intercepted", V1(INTERCEPTS_4, 1), V1(INTERCEPTS_4, 0xfffffffe)},
	{"asid-not-zero", V1(GUEST_ASID, 1), V1(GUEST_ASID, 0)},
	{"efer-svme", V1(EFER, 0x1d00), V1(EFER, 0xd00)},
	{"efer-reserved", V1(EFER, 0x1d01), V1(EFER, 0x1d02)},
	{"cr0-cache", V1(CR0, 0xe0010031), V1(CR0, 0xa0010031)},
	{"cr0-high", V1(CR0, 0x80010031), V1(CR0, 0x180010031)},
	{"cr3-reserved", V1(CR3, 0xfffffffffff0), V1(CR3, 0x1000000000000)},
	{"cr4-reserved", V1(CR4, 0xff), V1(CR4, 0x120)},
	{"dr6-high", V1(DR6, 0xffffffff), V1(DR6, 0x100000000)},
	{"dr7-high", V1(DR7, 0xffffffff), V1(DR7, 0x100000000)},
	{"long-mode-pae", V1(CR4, 0x20), V1(CR4, 0)},
	{"long-mode-protected", V1(CR0, 0x80010031), V1(CR0, 0x80010030)},
	{"cs-long-or-default", V1(CS_ATTRIB, 0x49b), V1(CS_ATTRIB, 0x69b)},
	{"cet-write-protect",
	 {{VMCB_CR4, 0x800020}, {VMCB_CR0, 0x80010031}},
	 {{VMCB_CR4, 0x800020}, {VMCB_CR0, 0x80000031}}},
	{"s-cet-reserved", V1(S_CET, 3), V1(S_CET, 4)},
	{"iopm-address", V1(IOPM_BASE_PA, 0xffffffffd000), V1(IOPM_BASE_PA, 0xffffffffe000)},
	{"msrpm-address", V1(MSRPM_BASE_PA, 0xffffffffdfff), V1(MSRPM_BASE_PA, 0xffffffffe000)},
	{"inject-type", V1(EVENTINJ, 0x80000420), V1(EVENTINJ, 0x80000520)},
	{"inject-type", V1(EVENTINJ, 0x00000520), V1(EVENTINJ, 0x80000120)},
	{"inject-vector", V1(EVENTINJ, 0x80000301), V1(EVENTINJ, 0x80000302)},
	{"inject-vector", V1(EVENTINJ, 0x8000031e), V1(EVENTINJ, 0x8000031f)},
	{"inject-vector", V1(EVENTINJ, 0x80000220), V1(EVENTINJ, 0x80000320)},
	{"virtual-nmi-intercept",
	 {{VMCB_V_INTR, 0x4000000}, {VMCB_INTERCEPTS_3, 2}},
	 {{VMCB_V_INTR, 0x4000000}, {VMCB_INTERCEPTS_3, 1}}},
	{"nested-host-paging", NESTED(SVM_HOST_CR0, 0x80000011), NESTED(SVM_HOST_CR0, 0x11)},
	{"n-cr3-reserved", NESTED(VMCB_N_CR3, 0xfffffffff000), NESTED(VMCB_N_CR3, 0x1000000000000)},
	{"g-pat-types", NESTED(VMCB_G_PAT, 0x07), NESTED(VMCB_G_PAT, 0x02)},
};

/* The rule that @set breaks, alone; NULL: none. */
static const char *broken_by(const struct setting *set)
{
	u64 value[SVM_INPUT_COUNT];
	struct check_inputs in = {.table = &svm_checks, .value = value};
	const struct check_row *row;

	base(value);
	for (unsigned int i = 0; i < 2; i++)
		if (set[i].input || set[i].value)
			value[set[i].input] = set[i].value;
	row = check_first_failure(&in, 0, UINT8_MAX);
	return row ? row->identifier : NULL;
}

static void test_boundaries(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *good = broken_by(rows[i].good), *bad = broken_by(rows[i].bad);

		CHECK_ROW(!good, "%zu: %s fails on the good side of %s", i, good ? good : "",
			  rows[i].rule);
		CHECK_ROW(bad && !strcmp(bad, rows[i].rule), "%zu: %s where %s should fail", i,
			  bad ? bad : "nothing", rows[i].rule);
	}
}

/* Every rule has a row here. */
static void test_complete(void)
{
	for (unsigned int r = 0; r < svm_checks.count; r++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			found |= !strcmp(rows[i].rule, svm_checks.rows[r].identifier);
		CHECK_ROW(found, "%s is not tested", svm_checks.rows[r].identifier);
	}
}

static CU_TestInfo tests[] = {
	{"boundaries", test_boundaries},
	{"complete", test_complete},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("svm-model.svm_checks", tests)
