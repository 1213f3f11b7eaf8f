/* SPDX-License-Identifier: Apache-2.0 */
/* MSRs. Each check names its place in the manuals. */
#include "apic/lapic.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/params.h"
#include "tests/unit/sim/cpu_rig.h"

#define CANONICAL_48  UINT64_C(0x0000123456789abc)
#define CANONICAL_57  UINT64_C(0x00aa123456789abc) /* with LA57 only */
#define NON_CANONICAL UINT64_C(0xaaaaaaaaaaaaaaaa)
enum { GOOD, BAD }; /* BAD faults, in the tables below */

static bool writes(struct cpu *cpu, u32 number, u64 value)
{
	return msr_write(cpu, number, value, false);
}

static u64 value_of(struct cpu *cpu, u32 number)
{
	u64 value;

	return msr_read(cpu, number, &value, false) ? value : UINT64_C(0xdeadbeefdeadbeef);
}

static bool exists(struct cpu *cpu, u32 number)
{
	u64 value;

	return msr_read(cpu, number, &value, false);
}

/* The table is searched by halving. */
static void test_order(void)
{
	for (unsigned int i = 1; i < MSR_INDEX_COUNT; i++)
		CU_ASSERT_TRUE(msr_rows[i - 1].number < msr_rows[i].number);
}

/* SDM 2: WRMSR: a reserved bit that is set is #GP(0), and the register keeps its value. */
static void test_reserved_bits(void)
{
	static const char *const specs[] = {"max", "amd", "qemu64"};

	for (size_t s = 0; s < ARRAY_SIZE(specs); s++) {
		struct cpu_rig rig;

		rig_open(&rig, specs[s]);
		for (unsigned int i = 0; i < MSR_INDEX_COUNT; i++) {
			const struct msr_row *row = &msr_rows[i];
			u64 before, after;

			if (!row->reserved || !msr_read(rig.cpu, row->number, &before, false))
				continue;
			for (unsigned int bit = 0; bit < 64; bit++)
				if (row->reserved >> bit & 1)
					CU_ASSERT_FALSE(
						writes(rig.cpu, row->number, before | BIT(bit)));
			CU_ASSERT_TRUE(msr_read(rig.cpu, row->number, &after, false));
			CHECK_EQUAL(after, before);
		}
		rig_close(&rig);
	}
}

/* Values after RESET (SDM 3A table 9-1 and the sections named). */
static void test_reset_values(void)
{
	static const struct {
		u32 number;
		u64 value;
	} rows[] = {
		{0x277, UINT64_C(0x0007040600070406)}, /* PAT, 3A:12.12.4 */
		{0x2ff, 0},                            /* MTRRs off, 3A:12.11.5 */
		{0xfe, 0x508},                         /* 8 ranges, fixed, WC, 3A:12.11.1 */
		{0xc0000080, 0},                       /* EFER */
		{0x174, 0},
		{0x3b, 0},
		{0x3a, 1},
		{0x17a, 0},
		{0x1d9, 0},
		{0x6a0, 0},
		{0xda0, 0},
		{0x6e1, 0},
		{0xe1, 0},
	};
	struct cpu_rig rig;

	rig_open(&rig, "max,-vmx");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_EQUAL(value_of(rig.cpu, rows[i].number), rows[i].value);
	CHECK_EQUAL(value_of(rig.cpu, 0x1a0) & 1, 1); /* fast strings */
	rig_close(&rig);
	rig_open(&rig, "amd");
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010015), BIT(24)); /* HWCR.TscFreqSel */
	rig_close(&rig);
}

/* SDM 3A:9.1.1: INIT leaves most MSRs as they are. */
static void test_init(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "max");
	writes(rig.cpu, 0x277, 0x0606060606060606);
	writes(rig.cpu, 0xc0000082, CANONICAL_48);
	writes(rig.cpu, 0x6a2, 1);
	cpu_reset(rig.cpu, true);
	CHECK_EQUAL(value_of(rig.cpu, 0x277), 0x0606060606060606);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000082), CANONICAL_48);
	CHECK_EQUAL(value_of(rig.cpu, 0x6a2), 0);
	cpu_reset(rig.cpu, false);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000082), 0);
	rig_close(&rig);
}

/* SDM 3A:3.3.7.1, 3A:4.5.1: addresses must be canonical for the width of the processor. */
static void test_canonical(void)
{
	static const u32 numbers[] = {
		0x175, 0x176,      0x6a4,      0x6a5,      0x6a6,      0x6a7,
		0x6a8, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102,
	};
	struct cpu_rig wide, narrow;

	rig_open(&wide, "max");
	rig_open(&narrow, "max,-la57");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		CU_ASSERT_FALSE(writes(wide.cpu, numbers[i], NON_CANONICAL & ~UINT64_C(3)));
		CU_ASSERT_TRUE(writes(wide.cpu, numbers[i], CANONICAL_57));
		CHECK_EQUAL(value_of(wide.cpu, numbers[i]), CANONICAL_57);
		CU_ASSERT_FALSE(writes(narrow.cpu, numbers[i], CANONICAL_57));
		CU_ASSERT_TRUE(writes(narrow.cpu, numbers[i], CANONICAL_48));
		CHECK_EQUAL(value_of(narrow.cpu, numbers[i]), CANONICAL_48);
	}
	CHECK_EQUAL(SEG_BASE(narrow.cpu, SEG_FS), CANONICAL_48);
	CHECK_EQUAL(SEG_BASE(narrow.cpu, SEG_GS), CANONICAL_48);
	rig_close(&wide);
	rig_close(&narrow);
}

/* Which values registers with structure take. */
static void test_values(void)
{
	static const struct {
		const char *rule;
		u32 number;
		u64 value;
		bool bad;
	} rows[] = {
		{"3A:12.12.2 PAT: every type", 0x277, 0x0706050401000706, GOOD},
		{"3A:12.12.2 PAT: 2 is reserved", 0x277, 0x0007040600070402, BAD},
		{"3A:12.12.2 PAT: 3 is reserved", 0x277, 0x0307040600070406, BAD},
		{"3A:12.12.2 PAT: bits 7:3", 0x277, 0x000704060007040e, BAD},
		{"3A:12.11.2.1 default type 6, E, FE", 0x2ff, 0xc06, GOOD},
		{"3A:12.11.2.1 default type 2", 0x2ff, 0xc02, BAD},
		{"3A:12.11.2.1 default type 7", 0x2ff, 0x807, BAD},
		{"3A:12.11.2.1 bit 8", 0x2ff, 0x906, BAD},
		{"3A:12.11.2.2 fixed ranges", 0x250, 0x0606050401000606, GOOD},
		{"3A:12.11.2.2 fixed, type 7", 0x26f, 0x0700000000000000, BAD},
		{"3A:12.11.2.3 base", 0x200, 0x3fff80000006, GOOD},
		{"3A:12.11.2.3 base, MAXPHYADDR", 0x200, BIT(46) | 6, BAD},
		{"3A:12.11.2.3 base, type 3", 0x20e, 3, BAD},
		{"3A:12.11.2.3 base, bit 11", 0x202, 0x806, BAD},
		{"3A:12.11.2.3 mask", 0x201, 0x3fff80000800, GOOD},
		{"3A:12.11.2.3 mask, bit 10", 0x201, 0xc00, BAD},
		{"3A:12.11.2.3 mask, MAXPHYADDR", 0x20f, BIT(46) | 0x800, BAD},
		{"1:17.2.1 U_CET: shadow stacks and IBT", 0x6a0, 0x3f, GOOD},
		{"1:17.2.1 U_CET: bits 9:6", 0x6a0, BIT(6), BAD},
		{"1:17.2.1 S_CET: tracker", 0x6a2, BIT(11), GOOD},
		{"1:17.2.1 S_CET: SUPPRESS with the tracker", 0x6a2, BIT(10) | BIT(11), BAD},
		{"1:17.2.1 U_CET: bitmap not canonical", 0x6a0, NON_CANONICAL & ~0xfffull, BAD},
		{"1:17.2.1 PL0_SSP: 4-byte aligned", 0x6a4, 0x1002, BAD},
		{"1:17.2.1 PL3_SSP", 0x6a7, 0x1004, GOOD},
		{"1:13.3 XSS: CET_U, CET_S", 0xda0, 0x1800, GOOD},
		{"1:13.3 XSS: a user component", 0xda0, 4, BAD},
		{"4:2.1 SPEC_CTRL: IBRS STIBP SSBD", 0x48, 7, GOOD},
		{"4:2.1 SPEC_CTRL: bit 3", 0x48, 8, BAD},
		{"4:2.1 SPEC_CTRL: BHI_DIS_S", 0x48, BIT(10), GOOD},
		{"4:2.1 PRED_CMD: IBPB", 0x49, 1, GOOD},
		{"4:2.1 PRED_CMD: bit 1", 0x49, 2, BAD},
		{"3B:17.4.1 DEBUGCTL: BTF", 0x1d9, 2, GOOD},
		{"3B:16.3.2.1 MC0_CTL: all", 0x400, UINT64_MAX, GOOD},
		{"3B:16.3.2.1 MC0_CTL: some", 0x400, NON_CANONICAL, BAD},
		{"3B:16.3.2.2 MC3_STATUS: 0", 0x40d, 0, GOOD},
		{"3B:16.3.2.2 MC3_STATUS: 1", 0x40d, 1, BAD},
		{"3B:16.3.2.3 MC1_ADDR", 0x406, NON_CANONICAL, GOOD},
		{"no bank 4", 0x410, 0, BAD},
		{"3A:2.2.1 EFER: SCE, NXE, LME", 0xc0000080, 0x901, GOOD},
		{"3A:2.2.1 EFER: bit 1", 0xc0000080, 2, BAD},
		{"3A:2.2.1 EFER: SVME without SVM", 0xc0000080, BIT(12), BAD},
		{"3A:12.11.1 MTRRCAP is read-only", 0xfe, 0x508, BAD},
		{"4:2.1 FEATURE_CONTROL is locked", 0x3a, 5, BAD},
		{"4:2.1 UMWAIT_CONTROL: bit 1", 0xe1, 2, BAD},
		{"2: RDPID TSC_AUX: 32 bits", 0xc0000103, 0xffffffff, GOOD},
		{"2: RDPID TSC_AUX: bit 32", 0xc0000103, BIT(32), BAD},
		{"3A:9.11.7.1 BIOS_SIGN_ID: 0", 0x8b, 0, GOOD},
	};
	struct cpu_rig rig;

	rig_open(&rig, "max,-vmx");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(writes(rig.cpu, rows[i].number, rows[i].value) != rows[i].bad, "%s",
			  rows[i].rule);
		/* These two are written for an effect. */
		if (!rows[i].bad && rows[i].number != 0x49 && rows[i].number != 0x8b)
			CHECK_EQUAL(value_of(rig.cpu, rows[i].number), rows[i].value);
	}
	CU_ASSERT_FALSE(exists(rig.cpu, 0x49)); /* write-only */
	rig_close(&rig);
}

/* Registers of one vendor, and those that come with a feature. */
static void test_presence(void)
{
	static const struct {
		const char *spec;
		u32 number;
		bool there;
	} rows[] = {
		{"intel", 0x1a0, true},
		{"amd", 0x1a0, false},
		{"amd", 0xc0010015, true},
		{"intel", 0xc0010015, false},
		{"amd", 0xc0010010, true},
		{"max", 0xc0010010, false},
		{"intel", 0x3b, true},
		{"intel,-tsc-adjust", 0x3b, false},
		{"intel", 0x48, true},
		{"intel,-spec-ctrl,-stibp,-ssbd,-bhi-ctrl", 0x48, false},
		{"amd", 0x48, true},
		{"qemu64", 0x48, false},
		{"intel", 0x6a0, true},
		{"intel,-shstk,-ibt", 0x6a0, false},
		{"intel,-shstk", 0x6a0, true},
		{"intel,-shstk", 0x6a4, false},
		{"intel", 0x6e1, true},
		{"amd", 0x6e1, false},
		{"intel", 0x10a, true},
		{"amd", 0x10a, false},
		{"intel", 0xc0000103, true},
		{"intel,-rdtscp,-rdpid", 0xc0000103, false},
		{"intel,-rdtscp", 0xc0000103, true},
		{"max,-lm", 0xc0000082, false},
		{"max", 0x12345678, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpu_rig rig;

		rig_open(&rig, rows[i].spec);
		CHECK_ROW(exists(rig.cpu, rows[i].number) == rows[i].there, "%s: MSR %#x",
			  rows[i].spec, rows[i].number);
		rig_close(&rig);
	}
}

/* Linux Documentation/admin-guide/kernel-parameters.txt, kvm.ignore_msrs. */
static void test_ignore_msrs(void)
{
	struct sim_params params;
	struct cpu_rig rig;
	u64 value = 1;

	sim_params_init(&params);
	rig_open(&rig, "intel");
	rig.cpu->params = &params;
	CU_ASSERT_FALSE(msr_read(rig.cpu, 0x12345678, &value, false));
	params.ignore_msrs = 1;
	CU_ASSERT_TRUE(msr_read(rig.cpu, 0x12345678, &value, false));
	CHECK_EQUAL(value, 0);
	CU_ASSERT_TRUE(writes(rig.cpu, 0x12345678, 5));
	CU_ASSERT_FALSE(writes(rig.cpu, 0x277, 2)); /* a known one still checks */
	rig_close(&rig);
}

/* SDM 3B:17.17.3: writes to the TSC move IA32_TSC_ADJUST, and the other way round. */
static void test_tsc(void)
{
	struct cpu_rig rig;
	u64 start;

	rig_open(&rig, "intel");
	start = value_of(rig.cpu, 0x10);
	CU_ASSERT_TRUE(writes(rig.cpu, 0x3b, 1000));
	CHECK_EQUAL(value_of(rig.cpu, 0x10), start + 1000);
	CU_ASSERT_TRUE(writes(rig.cpu, 0x3b, 0));
	CHECK_EQUAL(value_of(rig.cpu, 0x10), start);
	CU_ASSERT_TRUE(writes(rig.cpu, 0x10, start + 77));
	CHECK_EQUAL(value_of(rig.cpu, 0x10), start + 77);
	CHECK_EQUAL(value_of(rig.cpu, 0x3b), 77);
	/* a restore of both, in either order, gives both */
	CU_ASSERT_TRUE(msr_write(rig.cpu, 0x10, 5000, true));
	CU_ASSERT_TRUE(msr_write(rig.cpu, 0x3b, 9, true));
	CHECK_EQUAL(value_of(rig.cpu, 0x10), 5000);
	CHECK_EQUAL(value_of(rig.cpu, 0x3b), 9);
	rig_close(&rig);
}

/* SDM 4:2.1 IA32_MISC_ENABLE: bits 7, 11 and 12 can't be written. APM 2:3.2.10 HWCR. */
static void test_partly_writable(void)
{
	struct cpu_rig rig;
	u64 before;

	rig_open(&rig, "intel");
	before = value_of(rig.cpu, 0x1a0);
	CU_ASSERT_TRUE(writes(rig.cpu, 0x1a0, (before ^ 0x1880) | BIT(34)));
	CHECK_EQUAL(value_of(rig.cpu, 0x1a0), before | BIT(34));
	CU_ASSERT_FALSE(writes(rig.cpu, 0x1a0, before | BIT(1)));
	rig_close(&rig);
	rig_open(&rig, "amd");
	CU_ASSERT_FALSE(writes(rig.cpu, 0x401, 1));
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc0010015, BIT(24) | BIT(18) | BIT(6)));
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010015), BIT(24) | BIT(18));
	CU_ASSERT_TRUE(writes(rig.cpu, 0x401, 1)); /* McStatusWrEn */
	rig_close(&rig);
}

/* IA32_SMBASE is for user space: a guest may read it if IA32_VMX_MISC[15] says so (SDM
 * 3C:32.15.6.4). */
static void test_smbase(void)
{
	struct cpu_rig rig;
	u64 value;

	rig_open(&rig, "intel");
	CU_ASSERT_TRUE(msr_read(rig.cpu, 0x9e, &value, true));
	CHECK_EQUAL(value, 0x30000);
	CU_ASSERT_TRUE(msr_write(rig.cpu, 0x9e, 0x7f000, true));
	CHECK_EQUAL(rig.cpu->smbase, 0x7f000);
	CU_ASSERT_FALSE(msr_read(rig.cpu, 0x9e, &value, false));
	CU_ASSERT_FALSE(msr_write(rig.cpu, 0x9e, 0x30000, false));
	rig_close(&rig);
}

/* KVM_GET_MSR_INDEX_LIST: what is listed can be read and written back. */
static void test_list(void)
{
	u32 numbers[MSR_INDEX_COUNT];
	struct cpu_rig rig;
	unsigned int count;

	rig_open(&rig, "amd");
	count = msr_list(rig.cpu, numbers, MSR_INDEX_COUNT);
	CU_ASSERT_TRUE(count > 50);
	CHECK_EQUAL(msr_list(rig.cpu, numbers, 3), count);
	msr_list(rig.cpu, numbers, MSR_INDEX_COUNT);
	for (unsigned int i = 0; i < count; i++) {
		u64 value;

		/* kept by the local APIC and the SVM model, which this rig has not */
		if (numbers[i] == LAPIC_MSR_BASE ||
		    (numbers[i] >= 0xc0010114 && numbers[i] <= 0xc0010119))
			continue;
		CHECK_ROW(msr_read(rig.cpu, numbers[i], &value, true) &&
				  msr_write(rig.cpu, numbers[i], value, true),
			  "MSR %#x", numbers[i]);
	}
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"SMBASE", test_smbase},
	{"order", test_order},
	{"reserved bits", test_reserved_bits},
	{"reset values", test_reset_values},
	{"init", test_init},
	{"canonical", test_canonical},
	{"values", test_values},
	{"presence", test_presence},
	{"ignore_msrs", test_ignore_msrs},
	{"tsc", test_tsc},
	{"partly writable", test_partly_writable},
	{"list", test_list},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.msr", tests)
