/* SPDX-License-Identifier: Apache-2.0 */
/* Performance counters: registers, RDPMC, and what is counted. Each check names its place in the
 * manuals (SDM volume 3B chapter 20, APM volume 2 chapter 13.2). */
#include "sim/cpu/msr.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/params.h"
#include "tests/unit/sim/system_rig.h"

#define SELECT(event, controls) ((u64)(event) | PMU_SELECT_EN | (controls))
#define BOTH                    (PMU_SELECT_OS | PMU_SELECT_USR)
#define CMASK(n)                ((u64)(n) << 24)
#define CYCLES                  0x003c
#define REFERENCE               0x013c
#define RETIRED                 0x00c0
#define WIDTH_MASK              (BIT(48) - 1)

enum {
	PMC0 = 0xc1,
	A_PMC0 = 0x4c1,
	EVTSEL0 = 0x186,
	FIXED0 = 0x309,
	FIXED_CTRL = 0x38d,
	STATUS = 0x38e,
	GLOBAL = 0x38f,
	OVF_CTRL = 0x390,
	STATUS_SET = 0x391,
	INUSE = 0x392,
};

static bool writes(struct cpu *cpu, u32 number, u64 value)
{
	return msr_write(cpu, number, value, false);
}

static u64 value_of(struct cpu *cpu, u32 number)
{
	u64 value;

	return msr_read(cpu, number, &value, false) ? value : UINT64_C(0xdeadbeefdeadbeef);
}

static void rule(bool ok, const char *what)
{
	CHECK_ROW(ok, "%s", what);
}

/* The rig runs no instructions for this: they are only said to have retired. */
static void retire(struct cpu *cpu, u64 count)
{
	cpu->op = NULL;
	cpu->budget -= count;
	pmu_settle(cpu);
}

static void set_cpl(struct cpu *cpu, unsigned int cpl)
{
	cpu->cpl = cpl;
	cpu_update_mode(cpu);
}

static void start(struct cpu_rig *rig, const char *spec)
{
	rig_open(rig, spec);
	rig_mode(rig, MODE_64, 0);
}

/* --- registers --- */

/* Which values the registers of version 5 take. */
static void test_values(void)
{
	static const struct {
		const char *rule;
		u32 number;
		u64 value;
		bool bad;
	} rows[] = {
		{"20.2.1.1 EVTSEL: all fields but AnyThread", EVTSEL0, 0xffdfffff, false},
		{"20.2.5.1 EVTSEL: AnyThread is gone", EVTSEL0, BIT(21), true},
		{"20.2.1.1 EVTSEL: bit 32", EVTSEL0, BIT(32), true},
		{"20.2.1.1 the eighth", EVTSEL0 + 7, RETIRED, false},
		{"there is no ninth", EVTSEL0 + 8, 0, true},
		{"20.2.2 FIXED_CTR_CTRL: enable and PMI of three", FIXED_CTRL, 0xbbb, false},
		{"20.2.5.1 FIXED_CTR_CTRL: AnyThread is gone", FIXED_CTRL, 4, true},
		{"20.2.2 FIXED_CTR_CTRL: no fourth", FIXED_CTRL, 0x1000, true},
		{"20.2.2 GLOBAL_CTRL: 8 and 3", GLOBAL, 0x7000000ff, false},
		{"20.2.2 GLOBAL_CTRL: bit 8", GLOBAL, BIT(8), true},
		{"20.2.2 GLOBAL_CTRL: bit 35", GLOBAL, BIT(35), true},
		{"20.2.2 GLOBAL_STATUS is read-only", STATUS, 0, true},
		{"20.2.2 FIXED_CTR: 48 bits", FIXED0, WIDTH_MASK, false},
		{"20.2.2 FIXED_CTR: bit 48", FIXED0, BIT(48), true},
		{"20.2.8 A_PMC: 48 bits", A_PMC0 + 7, WIDTH_MASK, false},
		{"20.2.8 A_PMC: bit 48", A_PMC0, BIT(48), true},
		{"18.4.7 DEBUGCTL: freezes", 0x1d9, BIT(11) | BIT(12), false},
		{"4:2.1 PERF_CAPABILITIES is read-only", 0x345, BIT(13), true},
		{"20.2.4.3 GLOBAL_INUSE is read-only", INUSE, 0, true},
	};
	struct cpu_rig rig;

	start(&rig, "intel");
	CHECK_EQUAL(value_of(rig.cpu, GLOBAL), 0xff); /* SDM 3A table 9-1 */
	CHECK_EQUAL(value_of(rig.cpu, 0x345), BIT(13));
	CHECK_EQUAL(value_of(rig.cpu, 0x1a0) & BIT(7), BIT(7));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rule(writes(rig.cpu, rows[i].number, rows[i].value) != rows[i].bad, rows[i].rule);
		if (!rows[i].bad)
			CHECK_EQUAL(value_of(rig.cpu, rows[i].number), rows[i].value);
	}
	rig_close(&rig);
}

/* SDM 3B:20.2.8: IA32_PMCx takes 32 bits and extends their sign; IA32_A_PMCx is the same counter.
 */
static void test_writes_of_counters(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	CU_ASSERT_TRUE(writes(rig.cpu, PMC0 + 2, UINT64_C(0x1234567880000001)));
	CHECK_EQUAL(value_of(rig.cpu, PMC0 + 2), UINT64_C(0xffff80000001));
	CHECK_EQUAL(value_of(rig.cpu, A_PMC0 + 2), UINT64_C(0xffff80000001));
	CU_ASSERT_TRUE(writes(rig.cpu, A_PMC0 + 2, UINT64_C(0x123480000001)));
	CHECK_EQUAL(value_of(rig.cpu, PMC0 + 2), UINT64_C(0x123480000001));
	/* a restore brings every bit */
	CU_ASSERT_TRUE(msr_write(rig.cpu, PMC0, UINT64_C(0x123480000001), true));
	CHECK_EQUAL(value_of(rig.cpu, PMC0), UINT64_C(0x123480000001));
	rig_close(&rig);
	start(&rig, "intel,-pdcm");
	CU_ASSERT_FALSE(writes(rig.cpu, A_PMC0, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, 0x1d9, BIT(12)));
	rig_close(&rig);
}

/* SDM 3B:20.2.4.2: bits are set and cleared by registers of their own, which read 0. */
static void test_status(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	CU_ASSERT_TRUE(writes(rig.cpu, STATUS_SET, BIT(59) | BIT(34) | BIT(7)));
	CHECK_EQUAL(value_of(rig.cpu, STATUS), BIT(59) | BIT(34) | BIT(7));
	CHECK_EQUAL(value_of(rig.cpu, STATUS_SET), 0);
	CU_ASSERT_FALSE(writes(rig.cpu, STATUS_SET, BIT(63)));
	CU_ASSERT_FALSE(writes(rig.cpu, STATUS_SET, BIT(8)));
	CU_ASSERT_TRUE(writes(rig.cpu, OVF_CTRL, BIT(63) | BIT(59) | BIT(7)));
	CHECK_EQUAL(value_of(rig.cpu, STATUS), BIT(34));
	CU_ASSERT_FALSE(writes(rig.cpu, OVF_CTRL, BIT(35)));
	CHECK_EQUAL(value_of(rig.cpu, OVF_CTRL), 0);
	/* 20.2.4.3 */
	CHECK_EQUAL(value_of(rig.cpu, INUSE), 0);
	writes(rig.cpu, EVTSEL0 + 3, CYCLES);
	writes(rig.cpu, FIXED_CTRL, 0x20);
	CHECK_EQUAL(value_of(rig.cpu, INUSE), BIT(3) | BIT(33));
	writes(rig.cpu, FIXED_CTRL, 0x800);
	CHECK_EQUAL(value_of(rig.cpu, INUSE), BIT(3) | BIT(63));
	rig_close(&rig);
}

/* SDM 2A CPUID leaf 0AH; what user space puts there decides. */
static void adopt_leaf(struct cpu_rig *rig, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	for (unsigned int i = 0; i < rig->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &rig->cpuid->entries[i];

		if (entry->function == 0xa)
			entry->eax = eax, entry->ebx = ebx, entry->ecx = ecx, entry->edx = edx;
	}
	cpuid_adopt(rig->cpu);
	rig_mode(rig, MODE_64, 0);
}

static void test_leaf(void)
{
	struct cpu_rig rig;
	u32 out[4];

	start(&rig, "intel");
	cpuid_query(rig.cpu, 0xa, 0, out);
	CHECK_EQUAL(out[EAX], 0x08300805);
	CHECK_EQUAL(out[EBX], 0xf8);
	CHECK_EQUAL(out[ECX], 7);
	CHECK_EQUAL(out[EDX], 0x8603);
	/* version 2: two counters of 40 bits, one fixed, instructions not available */
	adopt_leaf(&rig, 2 | 2 << 8 | 40 << 16 | 7 << 24, 0x7a, 0, 1 | 40 << 5);
	CHECK_EQUAL(value_of(rig.cpu, GLOBAL), 3);
	CU_ASSERT_FALSE(writes(rig.cpu, EVTSEL0 + 2, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, EVTSEL0, BIT(21)));
	CU_ASSERT_FALSE(writes(rig.cpu, FIXED0 + 1, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, STATUS_SET, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, A_PMC0, BIT(40)));
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH));
	writes(rig.cpu, EVTSEL0 + 1, SELECT(CYCLES, BOTH));
	retire(rig.cpu, 10);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 0);
	CHECK_EQUAL(value_of(rig.cpu, PMC0 + 1), 10);
	/* version 3 brings AnyThread; here a core has one */
	adopt_leaf(&rig, 3 | 2 << 8 | 48 << 16 | 7 << 24, 0, 0, 1 | 48 << 5);
	CU_ASSERT_TRUE(writes(rig.cpu, EVTSEL0, BIT(21)));
	CU_ASSERT_TRUE(writes(rig.cpu, FIXED_CTRL, 7));
	/* version 1: no global and no fixed registers */
	adopt_leaf(&rig, 1 | 2 << 8 | 48 << 16 | 7 << 24, 0, 0, 3);
	CU_ASSERT_FALSE(writes(rig.cpu, GLOBAL, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, FIXED_CTRL, 0));
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 10);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 10);
	rig_close(&rig);
	start(&rig, "intel,-pmu");
	cpuid_query(rig.cpu, 0xa, 0, out);
	CHECK_EQUAL(out[EAX] | out[EBX] | out[ECX] | out[EDX], 0);
	CU_ASSERT_FALSE(writes(rig.cpu, EVTSEL0, 0));
	rig_close(&rig);
}

/* SDM 3A table 9-1: RESET clears the counters, INIT leaves them as they are. */
static void test_reset(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 3);
	cpu_reset(rig.cpu, true);
	retire(rig.cpu, 4);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 7);
	cpu_reset(rig.cpu, false);
	retire(rig.cpu, 4);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 0);
	CHECK_EQUAL(value_of(rig.cpu, EVTSEL0), 0);
	rig_close(&rig);
}

/* --- RDPMC --- */

static int rdpmc(struct cpu_rig *rig, u32 ecx)
{
	rig->cpu->reg[REG_RCX] = ecx;
	return RUN(rig, 0x0f, 0x33);
}

/* SDM 2B RDPMC, APM 3 RDPMC. */
static void test_rdpmc(void)
{
	static const struct {
		const char *spec;
		u32 ecx;
		int vector;
	} rows[] = {
		{"intel", 0, NOTHING},
		{"intel", 7, NOTHING},
		{"intel", 8, VECTOR_GP},
		{"intel", 0x40000000, NOTHING},
		{"intel", 0x40000002, NOTHING},
		{"intel", 0x40000003, VECTOR_GP},
		{"intel", 0x20000000, VECTOR_GP}, /* metrics */
		{"intel", 0x80000000, VECTOR_GP}, /* no fast reads */
		{"intel,-pmu", 0, VECTOR_GP},
		{"amd", 5, NOTHING},
		{"amd", 6, VECTOR_GP}, /* north bridge */
		{"amd", 0x40000000, VECTOR_GP},
		{"amd,-perfctr-core,-perfmon-v2", 3, NOTHING},
		{"amd,-perfctr-core,-perfmon-v2", 4, VECTOR_GP},
	};
	struct cpu_rig rig;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(&rig, rows[i].spec);
		rule(rdpmc(&rig, rows[i].ecx) == rows[i].vector, rows[i].spec);
		rig_close(&rig);
	}
	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 3);
	CHECK_EQUAL(rdpmc(&rig, 0), VECTOR_GP);
	rig.cpu->cr4 |= CR4_PCE;
	CHECK_EQUAL(rdpmc(&rig, 0), NOTHING);
	rig_mode(&rig, MODE_V86, 3);
	CHECK_EQUAL(rdpmc(&rig, 0), VECTOR_GP);
	rig_mode(&rig, MODE_REAL, 0);
	CHECK_EQUAL(rdpmc(&rig, 0), NOTHING);
	rig_mode(&rig, MODE_64, 0);
	writes(rig.cpu, A_PMC0 + 1, UINT64_C(0xfedcba987654));
	rig.cpu->reg[REG_RAX] = rig.cpu->reg[REG_RDX] = UINT64_MAX;
	CHECK_EQUAL(rdpmc(&rig, 1), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xba987654);
	CHECK_EQUAL(rig.cpu->reg[REG_RDX], 0xfedc);
	rig_close(&rig);
}

/* --- counting --- */

/* SDM 3B:20.2.1.1: what each setting counts of 100 instructions at CPL 0, then 10 at CPL 3. */
static void test_selects(void)
{
	static const struct {
		const char *rule;
		u64 select, wanted;
	} rows[] = {
		{"instructions, everywhere", SELECT(RETIRED, BOTH), 110},
		{"OS", SELECT(RETIRED, PMU_SELECT_OS), 100},
		{"USR", SELECT(RETIRED, PMU_SELECT_USR), 10},
		{"neither", SELECT(RETIRED, 0), 0},
		{"EN = 0", RETIRED | BOTH, 0},
		{"cycles", SELECT(CYCLES, BOTH), 110},
		{"reference cycles, of a TSC at 2.5 GHz", SELECT(REFERENCE, BOTH), 275},
		{"an unknown event", SELECT(0x00c4, BOTH), 0},
		{"an unknown unit mask", SELECT(0x01c0, BOTH), 0},
		{"CMASK = 1: cycles with an instruction", SELECT(RETIRED, BOTH | CMASK(1)), 110},
		{"CMASK = 2: cycles with two", SELECT(RETIRED, BOTH | CMASK(2)), 0},
		{"INV, CMASK = 2: with fewer than two",
		 SELECT(RETIRED, BOTH | CMASK(2) | PMU_SELECT_INV), 110},
		{"INV, CMASK = 1: with none", SELECT(RETIRED, BOTH | CMASK(1) | PMU_SELECT_INV), 0},
		{"INV without CMASK is ignored", SELECT(RETIRED, BOTH | PMU_SELECT_INV), 110},
		{"EDGE: holds all the time", SELECT(CYCLES, BOTH | PMU_SELECT_EDGE), 0},
		{"EDGE, USR: ways into user mode", SELECT(CYCLES, PMU_SELECT_USR | PMU_SELECT_EDGE),
		 1},
	};
	struct sim_params params;

	sim_params_init(&params);
	params.tsc_khz = 2500000;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpu_rig rig;

		start(&rig, "intel");
		rig.cpu->params = &params;
		writes(rig.cpu, EVTSEL0 + 5, rows[i].select);
		retire(rig.cpu, 100);
		set_cpl(rig.cpu, 3);
		retire(rig.cpu, 10);
		set_cpl(rig.cpu, 0);
		rule(value_of(rig.cpu, PMC0 + 5) == rows[i].wanted, rows[i].rule);
		rig_close(&rig);
	}
}

/* SDM 3B:20.2.1.1: the edge behind a halt. */
static void test_edge_after_halt(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, EVTSEL0, SELECT(CYCLES, BOTH | PMU_SELECT_EDGE));
	for (unsigned int i = 0; i < 3; i++) {
		rig.cpu->activity = ACTIVITY_HALTED;
		pmu_halted(rig.cpu);
		rig.cpu->activity = ACTIVITY_RUNNING;
		cpu_update_mode(rig.cpu); /* as the delivery that ends it does */
	}
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 3);
	rig_close(&rig);
}

/* SDM 3B:20.2.2, table 20-2: each fixed counter has its event and four bits. */
static void test_fixed(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, FIXED_CTRL, 0x321);
	retire(rig.cpu, 5);
	CHECK_EQUAL(value_of(rig.cpu, FIXED0), 0); /* GLOBAL_CTRL has only the others after RESET */
	writes(rig.cpu, GLOBAL, UINT64_C(0x700000000));
	retire(rig.cpu, 100);
	set_cpl(rig.cpu, 3);
	retire(rig.cpu, 10);
	CHECK_EQUAL(value_of(rig.cpu, FIXED0), 100);
	CHECK_EQUAL(value_of(rig.cpu, FIXED0 + 1), 10);
	CHECK_EQUAL(value_of(rig.cpu, FIXED0 + 2), 110);
	rig_close(&rig);
}

/* The bound of a run lies where an interrupting counter goes through zero, and moves. */
static void test_deadline(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, A_PMC0, WIDTH_MASK - 99);
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH));
	CU_ASSERT_TRUE(pmu_instructions_left(rig.cpu) > BIT(48)); /* no INT */
	CHECK_EQUAL(rig.cpu->budget, 1000000000);
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, PMU_SELECT_OS | PMU_SELECT_INT));
	CHECK_EQUAL(pmu_instructions_left(rig.cpu), 100);
	CHECK_EQUAL(rig.cpu->budget, 100);
	retire(rig.cpu, 40);
	set_cpl(rig.cpu, 3);
	CU_ASSERT_TRUE(pmu_instructions_left(rig.cpu) > BIT(48));
	retire(rig.cpu, 20);
	cpu_set_budget(rig.cpu, 1000);
	set_cpl(rig.cpu, 0);
	CHECK_EQUAL(pmu_instructions_left(rig.cpu), 60);
	CHECK_EQUAL(rig.cpu->budget, 60);
	retire(rig.cpu, 59);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), 0);
	retire(rig.cpu, 1);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), 1);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 0);
	rig_close(&rig);
}

/* SDM 3B:18.4.7: FREEZE_PERFMON_ON_PMI sets CTR_Frz; before version 4 it clears GLOBAL_CTRL. */
static void test_freeze(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, 0x1d9, BIT(11) | BIT(12));
	writes(rig.cpu, A_PMC0, WIDTH_MASK);
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH | PMU_SELECT_INT));
	writes(rig.cpu, EVTSEL0 + 1, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 1);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), BIT(59) | BIT(58) | 1);
	retire(rig.cpu, 10);
	CHECK_EQUAL(value_of(rig.cpu, PMC0 + 1), 1);
	writes(rig.cpu, OVF_CTRL, BIT(59));
	retire(rig.cpu, 10);
	CHECK_EQUAL(value_of(rig.cpu, PMC0 + 1), 11);
	adopt_leaf(&rig, 3 | 2 << 8 | 48 << 16 | 7 << 24, 0, 0, 3 | 48 << 5);
	writes(rig.cpu, 0x1d9, BIT(12));
	writes(rig.cpu, A_PMC0, WIDTH_MASK);
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH | PMU_SELECT_INT));
	retire(rig.cpu, 1);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), 1);
	CHECK_EQUAL(value_of(rig.cpu, GLOBAL), 0);
	rig_close(&rig);
}

/* A counter that overflows unseen still shows it, and status bits are not lost to a clear. */
static void test_overflow_unseen(void)
{
	struct cpu_rig rig;

	start(&rig, "intel");
	writes(rig.cpu, A_PMC0, WIDTH_MASK - 4);
	writes(rig.cpu, EVTSEL0, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 8);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), 1);
	CHECK_EQUAL(value_of(rig.cpu, PMC0), 3);
	writes(rig.cpu, A_PMC0, WIDTH_MASK);
	retire(rig.cpu, 1);
	writes(rig.cpu, OVF_CTRL, 2);
	CHECK_EQUAL(value_of(rig.cpu, STATUS), 1);
	rig_close(&rig);
}

/* --- AMD --- */

/* APM 2:13.2.1: six counters, four of them by two numbers; reserved bits are dropped. */
static void test_amd(void)
{
	struct cpu_rig rig;
	u32 out[4];

	start(&rig, "amd");
	cpuid_query(rig.cpu, 0x80000022, 0, out);
	CHECK_EQUAL(out[EAX], 1);
	CHECK_EQUAL(out[EBX], 6);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000301), 0x3f);
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc0010206, UINT64_MAX & ~PMU_SELECT_EN));
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010003), UINT64_C(0xfff97ffff) & ~PMU_SELECT_EN);
	writes(rig.cpu, 0xc0010206, 0);
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc0010007, UINT64_C(0xffff123456789abc)));
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010207), UINT64_C(0x123456789abc));
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc001020b, 5));
	CU_ASSERT_FALSE(writes(rig.cpu, 0xc001020c, 0));
	writes(rig.cpu, 0xc001020a, SELECT(RETIRED, BOTH));
	writes(rig.cpu, 0xc0010208, SELECT(0x76, PMU_SELECT_USR));
	retire(rig.cpu, 7);
	set_cpl(rig.cpu, 3);
	retire(rig.cpu, 2);
	CHECK_EQUAL(value_of(rig.cpu, 0xc001020b), 14);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010209), 2);
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc0000301, UINT64_MAX & ~BIT(5)));
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000301), 0x1f);
	retire(rig.cpu, 2);
	CHECK_EQUAL(value_of(rig.cpu, 0xc001020b), 14);
	/* overflow status: set, ignored where read-only, cleared */
	writes(rig.cpu, 0xc0010201, WIDTH_MASK);
	writes(rig.cpu, 0xc0010200, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 1);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000300), 1);
	CU_ASSERT_TRUE(writes(rig.cpu, 0xc0000300, 0));
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000300), 1);
	writes(rig.cpu, 0xc0000303, 0x22);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000300), 0x23);
	writes(rig.cpu, 0xc0000302, 0x21);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0000300), 2);
	CU_ASSERT_FALSE(writes(rig.cpu, 0x1d9, BIT(12)));
	rig_close(&rig);
	start(&rig, "qemu64"); /* K7's four, without global registers */
	CU_ASSERT_FALSE(writes(rig.cpu, 0xc0000301, 0));
	CU_ASSERT_FALSE(writes(rig.cpu, 0xc0010200, 0));
	writes(rig.cpu, 0xc0010003, SELECT(RETIRED, BOTH));
	retire(rig.cpu, 9);
	CHECK_EQUAL(value_of(rig.cpu, 0xc0010007), 9);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"values", test_values},   {"writes of counters", test_writes_of_counters},
	{"status", test_status},   {"leaf", test_leaf},
	{"reset", test_reset},     {"rdpmc", test_rdpmc},
	{"selects", test_selects}, {"edge after halt", test_edge_after_halt},
	{"fixed", test_fixed},     {"deadline", test_deadline},
	{"freeze", test_freeze},   {"overflow unseen", test_overflow_unseen},
	{"amd", test_amd},         CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.pmu", tests)
