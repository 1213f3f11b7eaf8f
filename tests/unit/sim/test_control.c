/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to CR0, CR3, CR4, EFER and XCR0: SDM 3A:2.5, 3A:4, 3A:9.8.5; SDM 2: MOV CR, XSETBV. */
#include "sim/cpu/control.h"
#include "sim/cpu/descriptor.h"
#include "tests/unit/sim/cpu_rig.h"

#define NONE (-1)

enum state { REAL, PROTECTED, LONG_COMPATIBILITY, LONG_64, PAE };

/* Puts the processor into a mode as software finds it, without the checks under test. */
static void enter(struct cpu *cpu, enum state state)
{
	cpu->cr0 = CR0_ET | CR0_NE | (state == REAL ? 0 : CR0_PE);
	cpu->cr3 = 0x1000;
	cpu->cr4 = cpu->efer = 0;
	cpu->seg[SEG_CS].rights &= ~SEG_L;
	if (state == LONG_COMPATIBILITY || state == LONG_64) {
		cpu->cr0 |= CR0_PG | CR0_WP;
		cpu->cr4 = CR4_PAE;
		cpu->efer = EFER_LME | EFER_LMA;
	}
	if (state == LONG_64)
		cpu->seg[SEG_CS].rights |= SEG_L;
	if (state == PAE) {
		cpu->cr0 |= CR0_PG;
		cpu->cr4 = CR4_PAE;
	}
	cpu_update_mode(cpu);
}

struct row {
	const char *rule;
	enum state state;
	char what;      /* '0' CR0, '3' CR3, '4' CR4, 'e' EFER, 'x' XCR0 */
	u64 set, clear; /* against the value it has */
	int vector;
	u64 cr4, efer; /* added to the state before */
};

static u64 *which(struct cpu *cpu, char what)
{
	switch (what) {
	case '0':
		return &cpu->cr0;
	case '3':
		return &cpu->cr3;
	case '4':
		return &cpu->cr4;
	case 'e':
		return &cpu->efer;
	default:
		return &cpu->xcr0;
	}
}

static void write_to(struct cpu *cpu, char what, u64 value)
{
	switch (what) {
	case '0':
		control_write_cr0(cpu, value);
		break;
	case '3':
		control_write_cr3(cpu, value);
		break;
	case '4':
		control_write_cr4(cpu, value);
		break;
	case '8':
		control_write_cr8(cpu, value);
		break;
	case 'e':
		control_write_efer(cpu, value);
		break;
	default:
		control_write_xcr0(cpu, what == 'y', value);
	}
}

/* The vector that the write raises, or NONE. */
static int try_write(struct cpu *cpu, char what, u64 value)
{
	if (setjmp(cpu->unwind))
		return cpu->exception.vector;
	write_to(cpu, what, value);
	return NONE;
}

static void run_rows(const char *spec, const struct row *rows, size_t count)
{
	struct cpu_rig rig;

	rig_open(&rig, spec);
	for (size_t i = 0; i < count; i++) {
		u64 before, value;
		int vector;

		cpu_reset(rig.cpu, false);
		enter(rig.cpu, rows[i].state);
		rig.cpu->cr4 |= rows[i].cr4;
		rig.cpu->efer |= rows[i].efer;
		before = *which(rig.cpu, rows[i].what);
		value = (before | rows[i].set) & ~rows[i].clear;
		vector = try_write(rig.cpu, rows[i].what, value);
		CHECK_ROW(vector == rows[i].vector, "%s: raised %d, expected %d", rows[i].rule,
			  vector, rows[i].vector);
		if (vector != NONE) /* nothing may be committed */
			CHECK_EQUAL(*which(rig.cpu, rows[i].what), before);
	}
	rig_close(&rig);
}

#define RUN(spec, rows) run_rows(spec, rows, ARRAY_SIZE(rows))
#define GP              VECTOR_GP

static void test_cr0(void)
{
	static const struct row rows[] = {
		{"2: PG = 1 with PE = 0", REAL, '0', CR0_PG, 0, GP, 0, 0},
		{"2: PE = 1", REAL, '0', CR0_PE, 0, NONE, 0, 0},
		{"2: NW = 1 with CD = 0", PROTECTED, '0', CR0_NW, CR0_CD, GP, 0, 0},
		{"2: NW = 1 with CD = 1", PROTECTED, '0', CR0_NW | CR0_CD, 0, NONE, 0, 0},
		{"2: bit 32", LONG_64, '0', BIT(32), 0, GP, 0, 0},
		{"2.5: reserved bits below 32 are ignored", PROTECTED, '0', BIT(6) | BIT(15), 0,
		 NONE, 0, 0},
		{"9.8.5.1: PG with LME wants PAE", PROTECTED, '0', CR0_PG, 0, GP, 0, EFER_LME},
		{"9.8.5.1: PG with LME and PAE", PROTECTED, '0', CR0_PG, 0, NONE, CR4_PAE,
		 EFER_LME},
		{"9.8.5.4: PG = 0 in 64-bit mode", LONG_64, '0', 0, CR0_PG, GP, 0, 0},
		{"9.8.5.4: PG = 0 in compatibility mode", LONG_COMPATIBILITY, '0', 0, CR0_PG, NONE,
		 0, 0},
		{"2: PG = 0 with PCIDE", LONG_COMPATIBILITY, '0', 0, CR0_PG, GP, CR4_PCIDE, 0},
		{"2: WP = 0 with CET", LONG_64, '0', 0, CR0_WP, GP, CR4_CET, 0},
		{"2: WP = 0 without CET", LONG_64, '0', 0, CR0_WP, NONE, 0, 0},
	};
	RUN("max", rows);
}

/* 9.8.5: LMA follows PG; and CS.L = 1 forbids the way in, on Intel a 16-bit TSS, too (APM 2:14.6.2
 * does not have it). */
static void check_long_mode(const char *model, int with_tss16)
{
	struct cpu_rig rig;

	rig_open(&rig, model);
	enter(rig.cpu, PROTECTED);
	rig.cpu->cr4 = CR4_PAE;
	rig.cpu->efer = EFER_LME;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_PG), NONE);
	CHECK_EQUAL(rig.cpu->efer, EFER_LME | EFER_LMA);
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 & ~CR0_PG), NONE);
	CHECK_EQUAL(rig.cpu->efer, EFER_LME);
	rig.cpu->seg[SEG_CS].rights |= SEG_L;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_PG), GP);
	rig.cpu->seg[SEG_CS].rights &= ~SEG_L;
	rig.cpu->seg[SEG_TR].rights = SEG_P | TYPE_TSS16_BUSY;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_PG), with_tss16);
	CHECK_EQUAL(rig.cpu->efer, with_tss16 == NONE ? EFER_LME | EFER_LMA : EFER_LME);
	/* ET is always 1 (2.5) */
	CHECK_EQUAL(try_write(rig.cpu, '0', CR0_PE), NONE);
	CHECK_EQUAL(rig.cpu->cr0, CR0_PE | CR0_ET);
	rig_close(&rig);
}

static void test_long_mode(void)
{
	check_long_mode("intel", GP);
	check_long_mode("amd", NONE);
}

static void test_cr3(void)
{
	static const struct row rows[] = {
		{"table 4-12: below MAXPHYADDR", LONG_64, '3', BIT(45), 0, NONE, 0, 0},
		{"table 4-12: at MAXPHYADDR", LONG_64, '3', BIT(46), 0, GP, 0, 0},
		{"2: bit 63 without PCIDE", LONG_64, '3', BIT(63), 0, GP, 0, 0},
		{"4.10.4.1: bit 63 with PCIDE", LONG_64, '3', BIT(63), 0, NONE, CR4_PCIDE, 0},
		{"2: bit 60", LONG_64, '3', BIT(60), 0, GP, CR4_PCIDE, 0},
		{"LAM: bits 62:61", LONG_64, '3', BIT(61) | BIT(62), 0, NONE, 0, 0},
		{"4.10.1: PCID bits", LONG_64, '3', 0xfff, 0, NONE, CR4_PCIDE, 0},
	};
	static const struct row no_lam[] = {
		{"bit 61 without LAM", LONG_64, '3', BIT(61), 0, GP, 0, 0},
		{"bit 62 without LAM", LONG_64, '3', BIT(62), 0, GP, 0, 0},
	};
	struct cpu_rig rig;

	RUN("max,+lam", rows);
	RUN("max,-lam", no_lam);
	/* the no-flush bit is not stored (SDM 2: MOV CR) */
	rig_open(&rig, "intel");
	enter(rig.cpu, LONG_64);
	rig.cpu->cr4 |= CR4_PCIDE;
	CHECK_EQUAL(try_write(rig.cpu, '3', BIT(63) | 0x5007), NONE);
	CHECK_EQUAL(rig.cpu->cr3, 0x5007);
	rig_close(&rig);
}

static void test_cr4(void)
{
	static const struct row rows[] = {
		{"2.5: bit 15", PROTECTED, '4', BIT(15), 0, GP, 0, 0},
		{"2.5: bit 31", PROTECTED, '4', BIT(31), 0, GP, 0, 0},
		{"2.5: bit 32", LONG_64, '4', BIT(32), 0, GP, 0, 0},
		{"2: VMXE without VMX", PROTECTED, '4', CR4_VMXE, 0, GP, 0, 0},
		{"2: SMXE without SMX", PROTECTED, '4', CR4_SMXE, 0, GP, 0, 0},
		{"2: PAE = 0 in IA-32e mode", LONG_64, '4', 0, CR4_PAE, GP, 0, 0},
		{"2: LA57 in IA-32e mode", LONG_64, '4', CR4_LA57, 0, GP, 0, 0},
		{"2: LA57 = 0 in IA-32e mode", LONG_64, '4', 0, CR4_LA57, GP, CR4_LA57, 0},
		{"2: LA57 elsewhere", PROTECTED, '4', CR4_LA57, 0, NONE, 0, 0},
		{"4.10.1: PCIDE outside IA-32e mode", PROTECTED, '4', CR4_PCIDE, 0, GP, 0, 0},
		{"4.10.1: PCIDE in IA-32e mode", LONG_64, '4', CR4_PCIDE, 0, NONE, 0, 0},
		{"2: CET with WP", LONG_64, '4', CR4_CET, 0, NONE, 0, 0},
		{"2: CET without WP", PROTECTED, '4', CR4_CET, 0, GP, 0, 0},
		{"SMEP, SMAP, UMIP, PKE, PKS", LONG_64, '4',
		 CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_PKE | CR4_PKS, 0, NONE, 0, 0},
	};
	static const struct row older[] = {
		{"PKE without PKU", LONG_64, '4', CR4_PKE, 0, GP, 0, 0},
		{"FSGSBASE without FSGSBASE", LONG_64, '4', CR4_FSGSBASE, 0, GP, 0, 0},
		{"OSXSAVE without XSAVE", LONG_64, '4', CR4_OSXSAVE, 0, GP, 0, 0},
		{"PCE is always there", LONG_64, '4', CR4_PCE, 0, NONE, 0, 0},
		{"CET without either half", LONG_64, '4', CR4_CET, 0, GP, 0, 0},
	};
	struct cpu_rig rig;

	RUN("max,-vmx", rows);
	RUN("qemu64", older);
	/* 4.10.1: PCIDE = 1 wants PCID 0 */
	rig_open(&rig, "intel");
	enter(rig.cpu, LONG_64);
	rig.cpu->cr3 = 0x1001;
	CHECK_EQUAL(try_write(rig.cpu, '4', rig.cpu->cr4 | CR4_PCIDE), GP);
	rig_close(&rig);
}

/* 4.4.1: when the PDPTE registers are loaded, and that bad ones are refused. */
static void test_pdptes(void)
{
	struct cpu_rig rig;
	u64 *table;

	rig_open(&rig, "intel");
	table = (u64 *)(rig.memory + 0x1000);
	enter(rig.cpu, PAE);
	table[0] = 0x5001;
	CHECK_EQUAL(try_write(rig.cpu, '3', 0x1000), NONE);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x5001);
	table[0] = 0x6001;
	CHECK_EQUAL(try_write(rig.cpu, '4', rig.cpu->cr4 | CR4_TSD), NONE);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x5001); /* TSD does not reload */
	CHECK_EQUAL(try_write(rig.cpu, '4', rig.cpu->cr4 | CR4_PGE), NONE);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x6001);
	table[0] = 0x7001;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_CD), NONE);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x7001);
	table[0] = 0x7003; /* bit 1 is reserved */
	CHECK_EQUAL(try_write(rig.cpu, '3', 0x1008), GP);
	CHECK_EQUAL(rig.cpu->cr3, 0x1000);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x7001);
	/* turning paging on */
	enter(rig.cpu, PROTECTED);
	rig.cpu->cr4 = CR4_PAE;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_PG), GP);
	table[0] = 0x8001;
	CHECK_EQUAL(try_write(rig.cpu, '0', rig.cpu->cr0 | CR0_PG), NONE);
	CHECK_EQUAL(rig.cpu->walk.pdpte[0], 0x8001);
	rig_close(&rig);
}

static void test_efer(void)
{
	static const struct row rows[] = {
		{"2.2.1: LME while PG = 1", LONG_64, 'e', 0, EFER_LME, GP, 0, 0},
		{"2.2.1: LME while PG = 0", PROTECTED, 'e', EFER_LME, 0, NONE, 0, 0},
		{"2.2.1: NXE, SCE", LONG_64, 'e', EFER_NXE | EFER_SCE, 0, NONE, 0, 0},
		{"2.2.1: bit 9", PROTECTED, 'e', BIT(9), 0, GP, 0, 0},
		{"2.2.1: SVME on Intel", PROTECTED, 'e', EFER_SVME, 0, GP, 0, 0},
	};
	static const struct row without[] = {
		{"NXE without NX", PROTECTED, 'e', EFER_NXE, 0, GP, 0, 0},
	};
	struct cpu_rig rig;

	RUN("intel", rows);
	RUN("intel,-nx", without);
	/* 2.2.1: LMA is read-only */
	rig_open(&rig, "intel");
	enter(rig.cpu, LONG_64);
	CHECK_EQUAL(try_write(rig.cpu, 'e', EFER_LME), NONE);
	CHECK_EQUAL(rig.cpu->efer, EFER_LME | EFER_LMA);
	enter(rig.cpu, PROTECTED);
	CHECK_EQUAL(try_write(rig.cpu, 'e', EFER_LMA), NONE);
	CHECK_EQUAL(rig.cpu->efer, 0);
	rig_close(&rig);
}

/* SDM 1:13.3, SDM 2: XSETBV. */
static void test_xcr0(void)
{
	static const struct {
		u64 value;
		u32 index;
		int vector;
	} rows[] = {
		{1, 0, NONE},     {3, 0, NONE},         {7, 0, NONE},   {0x207, 0, NONE},
		{0x201, 0, NONE}, {0, 0, GP},           {2, 0, GP},     {5, 0, GP},
		{0xf, 0, GP},     {BIT(63) | 1, 0, GP}, {0x807, 0, GP}, {1, 1, GP},
	};
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int vector;

		rig.cpu->xcr0 = 1;
		vector = try_write(rig.cpu, rows[i].index ? 'y' : 'x', rows[i].value);
		CHECK_EQUAL(vector, rows[i].vector);
		CHECK_EQUAL(rig.cpu->xcr0, vector == NONE ? rows[i].value : 1);
	}
	rig_close(&rig);
}

/* SDM 3A:11.8.6.1: CR8 has four bits. */
static void test_cr8(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	CHECK_EQUAL(try_write(rig.cpu, '8', 15), NONE);
	CHECK_EQUAL(try_write(rig.cpu, '8', 16), GP);
	CHECK_EQUAL(try_write(rig.cpu, '8', BIT(63)), GP);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"cr0", test_cr0},       {"long mode", test_long_mode},
	{"cr3", test_cr3},       {"cr4", test_cr4},
	{"pdptes", test_pdptes}, {"efer", test_efer},
	{"xcr0", test_xcr0},     {"cr8", test_cr8},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.control", tests)
