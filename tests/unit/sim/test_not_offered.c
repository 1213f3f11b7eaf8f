/* SPDX-License-Identifier: Apache-2.0 */
/* Each bit that the manuals define is either offered by a CPU model or a row of not_offered.def. */
#include <stdio.h>
#include <string.h>

#include "sim/cpu/model.h"
#include "sim/cpu/not_offered.h"
#include "tests/unit/check.h"

/* All that the SDM's tables of controls and its appendix A define, FRED and TDX included. */
static const struct {
	const char *group;
	u64 defined;
} groups[] = {
	{"BASIC", BIT(48) | BIT(49) | BIT(54) | BIT(55) | BIT(56) | BIT(58)},
	{"PIN", BIT(0) | BIT(3) | BIT(5) | BIT(6) | BIT(7)},
	{"PRIMARY", 0xfbfb9e8c}, /* 2, 3, 7, 9 to 12, 15 to 17, 19 to 25, 27 to 31 */
	{"PRIMARY_CLEAR", BIT(15) | BIT(16)},
	{"SECONDARY", 0xdfffffff}, /* all but 29 */
	{"TERTIARY", 0x13ff},      /* 0 to 9, 12 */
	{"EXIT", 0xfffc9204},      /* 2, 9, 12, 15, 18 to 31 */
	{"EXIT_CLEAR", BIT(2)},
	{"EXIT2", 0xf},
	{"ENTRY", 0x3ffee04}, /* 2, 9 to 11, 13 to 25 */
	{"ENTRY_CLEAR", BIT(2)},
	{"MISC", 0x7000c1e0}, /* 5 to 8, 14, 15, 28 to 30 */
	{"EPT_VPID",
	 UINT64_C(0xf0106f341c1)}, /* 0, 6 to 8, 14, 16, 17, 20 to 23, 25, 26, 32, 40 to 43 */
	{"FUNCTION", BIT(0)},
};

/* SDM 2A CPUID; APM 3 E.3.2, E.3.6, E.4.2, E.4.7, E.4.9. What follows from state or from the number
 * of vCPUs (OSXSAVE, OSPKE, HTT, CmpLegacy) is left out, and what repeats leaf 1. */
struct cpuid_bits {
	u32 leaf, subleaf;
	u8 reg;
	u32 defined;
};
static const struct cpuid_bits registers[] = {
	{0x1, 0, ECX, 0xf7feffff}, /* all but 16 */
	{0x1, 0, EDX, 0xafeffbff}, /* all but 10, 20, 30 */
	{0x7, 0, EBX, 0xffbfffff}, /* all but 22 */
	{0x7, 0, ECX, 0xfbc17fef}, /* all but 15, 17 to 21 (MAWAU, a number), 26 */
	{0x7, 0, EDX, 0xffddef3e}, /* 1 to 5, 8 to 11, 13 to 16, 18 to 20, 22 to 31 */
	{0x7, 1, EAX, 0xccfe1dff}, /* 0 to 8, 10 to 12, 17 to 23, 26, 27, 30, 31 */
	{0x7, 1, EBX, 0x0000000b},
	{0x7, 1, ECX, 0x00000023},
	{0x7, 1, EDX, 0x01eee530}, /* 4, 5, 8, 10, 13 to 15, 17 to 19, 21 to 24 */
	{0x7, 2, EDX, 0x000000ff},
	{0xd, 1, EAX, 0x0000001f},
	{0x80000001, 0, ECX, 0x7de3bffd}, /* 0 to 13, 15 to 17, 21 to 24, 26 to 30 */
	{0x80000001, 0, EDX, 0xee500800}, /* 11, 20, 22, 25 to 27, 29 to 31 */
	{0x80000008, 0, EBX, 0x7fbff35f}, /* 0 to 4, 6, 8, 9, 12 to 21, 23 to 30 */
	{0x8000000a, 0, ECX, 0x00000040},
	{0x8000000a, 0, EDX, 0x7fbfb4ff}, /* 0 to 7, 10, 12, 13, 15 to 21, 23 to 30 */
};

static const struct {
	const char *group;
	unsigned int bit;
	enum cpu_feature feature;
} controls[] = {
#define CONTROL(group, identifier, bit, name, needs, models)                                       \
	{#group, bit, FEATURE_VMX_##group##_##identifier},
#include "sim/cpu/vmx_controls.def"
#undef CONTROL
};

static void compare(const char *what, u64 defined, u64 offered, u64 rows)
{
	if ((offered | rows) != defined || offered & rows)
		fprintf(stderr, "%s: in neither 0x%llx, in both 0x%llx, not the manual's 0x%llx\n",
			what, (long long)(defined & ~offered & ~rows), (long long)(offered & rows),
			(long long)((offered | rows) & ~defined));
	CHECK_EQUAL(offered | rows, defined);
	CHECK_EQUAL(offered & rows, 0);
}

static bool row_in_group(const struct not_offered_row *row, const char *group)
{
	return row->kind == NOT_OFFERED_CONTROL && !strcmp(row->group, group);
}

static bool row_in_register(const struct not_offered_row *row, const struct cpuid_bits *it)
{
	return row->kind == NOT_OFFERED_CPUID && row->leaf == it->leaf &&
	       row->subleaf == it->subleaf && row->reg == it->reg;
}

static void test_controls(void)
{
	for (unsigned int g = 0; g < ARRAY_SIZE(groups); g++) {
		const char *group = groups[g].group;
		u64 offered = 0, rows = 0;

		for (unsigned int i = 0; i < ARRAY_SIZE(controls); i++)
			if (!strcmp(controls[i].group, group) && model_built(controls[i].feature))
				offered |= BIT(controls[i].bit);
		for (unsigned int i = 0; i < not_offered_row_count; i++)
			if (row_in_group(&not_offered_rows[i], group))
				rows |= BIT(not_offered_rows[i].bit);
		compare(group, groups[g].defined, offered, rows);
	}
}

static u64 offered_in_register(const struct cpuid_bits *it)
{
	u64 bits = 0;

	for (unsigned int f = 0; f < FEATURE_CPUID_COUNT; f++) {
		const struct feature_info *info = &feature_infos[f];

		if (info->leaf == it->leaf && info->subleaf == it->subleaf &&
		    info->reg == it->reg && model_built(f))
			bits |= BIT(info->bit);
	}
	return bits;
}

static void test_cpuid(void)
{
	for (unsigned int r = 0; r < ARRAY_SIZE(registers); r++) {
		const struct cpuid_bits *it = &registers[r];
		u64 rows = 0;
		char what[32];

		for (unsigned int i = 0; i < not_offered_row_count; i++)
			if (row_in_register(&not_offered_rows[i], it))
				rows |= BIT(not_offered_rows[i].bit);
		snprintf(what, sizeof(what), "%x.%u register %u", it->leaf, it->subleaf, it->reg);
		compare(what, it->defined, offered_in_register(it), rows);
	}
}

/* No row stands where the others do not look. */
static void test_places(void)
{
	for (unsigned int i = 0; i < not_offered_row_count; i++) {
		const struct not_offered_row *row = &not_offered_rows[i];
		bool known = row->kind == NOT_OFFERED_OTHER;

		for (unsigned int g = 0; g < ARRAY_SIZE(groups); g++)
			known |= row_in_group(row, groups[g].group);
		for (unsigned int r = 0; r < ARRAY_SIZE(registers); r++)
			known |= row_in_register(row, &registers[r]);
		CHECK_ROW(known, "%s stands where nothing is looked for", row->name);
	}
}

static CU_TestInfo tests[] = {
	{"controls", test_controls},
	{"cpuid", test_cpuid},
	{"places", test_places},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.not_offered", tests)
