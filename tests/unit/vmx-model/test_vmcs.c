/* SPDX-License-Identifier: Apache-2.0 */
/* VMCS fields: encodings (SDM 3C:25.11.2, 3D appendix B), widths, and places in the region. */
#include <string.h>

#include "sim/cpu/vmcs_existence.h"
#include "sim/vmx-model/vmcs.h"
#include "tests/unit/check.h"

/* A few of appendix B's rows, of each width and type. */
static void test_encodings(void)
{
	static const struct {
		u16 encoding;
		enum vmcs_field field;
	} rows[] = {
		{0x0000, VMCS_VPID},
		{0x0812, VMCS_PML_INDEX},
		{0x0c0c, VMCS_HOST_TR_SELECTOR},
		{0x2000, VMCS_IO_BITMAP_A},
		{0x201a, VMCS_EPTP},
		{0x2034, VMCS_TERTIARY_CONTROLS},
		{0x2044, VMCS_SECONDARY_EXIT_CONTROLS},
		{0x2400, VMCS_GUEST_PHYSICAL_ADDRESS},
		{0x2800, VMCS_VMCS_LINK_POINTER},
		{0x2818, VMCS_GUEST_PKRS},
		{0x2c06, VMCS_HOST_PKRS},
		{0x4000, VMCS_PIN_CONTROLS},
		{0x401e, VMCS_SECONDARY_CONTROLS},
		{0x4024, VMCS_INSTRUCTION_TIMEOUT},
		{0x440e, VMCS_EXIT_INSTRUCTION_INFO},
		{0x4822, VMCS_GUEST_TR_RIGHTS},
		{0x482e, VMCS_PREEMPTION_TIMER},
		{0x4c00, VMCS_HOST_SYSENTER_CS},
		{0x600e, VMCS_CR3_TARGET_3},
		{0x6400, VMCS_EXIT_QUALIFICATION},
		{0x640a, VMCS_GUEST_LINEAR_ADDRESS},
		{0x681e, VMCS_GUEST_RIP},
		{0x682c, VMCS_GUEST_SSP_TABLE},
		{0x6c16, VMCS_HOST_RIP},
		{0x6c1c, VMCS_HOST_SSP_TABLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(vmcs_find(rows[i].encoding) == (int)rows[i].field, "encoding 0x%x",
			  rows[i].encoding);
}

/* Only 64-bit fields have a high half; bits 31:15 and 12 are reserved. */
static void test_no_such_field(void)
{
	static const u64 wrong[] = {0x0001, 0x4001,  0x6001,
				    0x482c, 0x1000,  0x3000,
				    0x8000, 0x10000, UINT64_C(0x100002000),
				    0x2046, 0x4026,  0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK_ROW(vmcs_find(wrong[i]) == -1, "encoding 0x%llx",
			  (unsigned long long)wrong[i]);
	CHECK_EQUAL(vmcs_find(0x2001), VMCS_IO_BITMAP_A);
}

/* VMWRITE to a shorter field ignores the upper bits; a high half takes bits 31:0 of the source. */
static void test_widths(void)
{
	const u64 half = UINT64_C(0x1122334455667788);

	CHECK_EQUAL(vmcs_written(VMCS_VPID, false, 0xffff, 0x123456), 0x3456);
	CHECK_EQUAL(vmcs_written(VMCS_PIN_CONTROLS, false, 0, UINT64_C(0x9876543210)), 0x76543210);
	CHECK_EQUAL(vmcs_written(VMCS_TSC_OFFSET, false, 0, half), half);
	CHECK_EQUAL(vmcs_written(VMCS_TSC_OFFSET, true, half, UINT64_C(0xffffffffaabbccdd)),
		    UINT64_C(0xaabbccdd55667788));
	CHECK_EQUAL(vmcs_written(VMCS_GUEST_RIP, false, 0, UINT64_C(0xffffffff81000000)),
		    UINT64_C(0xffffffff81000000));
}

/* SDM 3D:B, footnotes: a field is there where the processor supports the 1-setting of its control,
 * or of either of two. The numbers are the manual's. */
static void test_existence(void)
{
	static const struct {
		u32 encoding;
		u8 msr, bit; /* of the capability MSR that tells of it, by its number from 480H */
	} rows[] = {
		{0x0000, 11, 32 + 5},  {0x0002, 1, 32 + 7},   {0x0004, 11, 32 + 18},
		{0x0812, 11, 32 + 17}, {0x0810, 11, 32 + 9},  {0x2004, 2, 32 + 28},
		{0x2012, 2, 32 + 21},  {0x201a, 11, 32 + 1},  {0x2026, 11, 32 + 14},
		{0x2032, 11, 32 + 25}, {0x2034, 2, 32 + 17},  {0x2042, 18, 4},
		{0x2024, 17, 0},       {0x2400, 11, 32 + 1},  {0x280a, 11, 32 + 1},
		{0x2804, 4, 32 + 14},  {0x2804, 3, 32 + 18},  {0x2806, 4, 32 + 15},
		{0x2806, 3, 32 + 20},  {0x2c00, 3, 32 + 19},  {0x401c, 2, 32 + 21},
		{0x401e, 2, 32 + 31},  {0x4020, 11, 32 + 10}, {0x482e, 1, 32 + 6},
		{0x6828, 4, 32 + 20},  {0x6c18, 3, 32 + 28},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 capability[VMX_MSR_COUNT] = {0};

		CHECK_ROW(!vmcs_exists(capability, rows[i].encoding), "0x%x without its control",
			  rows[i].encoding);
		capability[rows[i].msr] = BIT(rows[i].bit);
		CHECK_ROW(vmcs_exists(capability, rows[i].encoding), "0x%x with its control",
			  rows[i].encoding);
	}
}

/* SDM 3D:A.9: IA32_VMX_VMCS_ENUM[9:1] is the highest index of a field that exists: 15H of
 * IA32_SYSENTER_CS in any case, 17H of the preemption timer, 19H of the TSC multiplier. */
static void test_highest_index(void)
{
	u64 capability[VMX_MSR_COUNT] = {0};

	CHECK_EQUAL(vmcs_highest_index(capability), 0x15);
	capability[VMX_PINBASED] = BIT(32 + 6);
	CHECK_EQUAL(vmcs_highest_index(capability), 0x17);
	capability[VMX_PROCBASED2] = BIT(32 + 25);
	CHECK_EQUAL(vmcs_highest_index(capability), 0x19);
}

/* Every field has bytes of its own behind the header, and survives the way through a region. */
static void test_region(void)
{
	static u64 value[VMCS_FIELD_COUNT], back[VMCS_FIELD_COUNT];
	static u8 region[VMCS_REGION_SIZE];

	for (unsigned int f = 0; f < VMCS_FIELD_COUNT; f++)
		value[f] = vmcs_written(f, false, 0, UINT64_C(0x0101010101010101) * (f + 1));
	vmcs_store(value, region);
	vmcs_load(back, region);
	CU_ASSERT(!memcmp(value, back, sizeof(value)));
	for (unsigned int i = 0; i < 12; i++)
		CHECK_EQUAL(region[i], 0);
	/* Where KVM's struct vmcs12 has a few of them. */
	CHECK_EQUAL(*(u64 *)(region + 120), value[VMCS_EPTP]);
	CHECK_EQUAL(*(u64 *)(region + 544), value[VMCS_GUEST_RIP]);
	CHECK_EQUAL(*(u32 *)(region + 812), value[VMCS_EXIT_REASON]);
	CHECK_EQUAL(*(u16 *)(region + 994), value[VMCS_HOST_TR_SELECTOR]);
}

static CU_TestInfo tests[] = {
	{"encodings", test_encodings},
	{"no such field", test_no_such_field},
	{"widths", test_widths},
	{"existence", test_existence},
	{"highest index", test_highest_index},
	{"region", test_region},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("vmx.vmcs", tests)
