/* SPDX-License-Identifier: Apache-2.0 */
/* Control and debug registers, privilege, time and waiting: one instruction at a time (SDM 2). */
#include "sim/cpu/params.h"
#include "sim/cpu/wait.h"
#include "tests/unit/sim/system_rig.h"

#define CR4_OF(bits) (rig.cpu->cr4 |= (bits), cpu_update_mode(rig.cpu))

/* #GP(0) at CPL 3 for what only CPL 0 may do; #UD for those whose manual says so. */
static void test_cpl(void)
{
	static const struct {
		const char *name;
		int vector;
		u8 count, bytes[5];
	} rows[] = {
		{"rdmsr", VECTOR_GP, 2, {0x0f, 0x32}},
		{"wrmsr", VECTOR_GP, 2, {0x0f, 0x30}},
		{"hlt", VECTOR_GP, 1, {0xf4}},
		{"invd", VECTOR_GP, 2, {0x0f, 0x08}},
		{"wbinvd", VECTOR_GP, 2, {0x0f, 0x09}},
		{"invlpg", VECTOR_GP, 3, {0x0f, 0x01, 0x3f}},
		{"invpcid", VECTOR_GP, 5, {0x66, 0x0f, 0x38, 0x82, 0x07}},
		{"mov from cr0", VECTOR_GP, 3, {0x0f, 0x20, 0xc0}},
		{"mov to cr3", VECTOR_GP, 3, {0x0f, 0x22, 0xd8}},
		{"mov from dr7", VECTOR_GP, 3, {0x0f, 0x21, 0xf8}},
		{"mov to dr0", VECTOR_GP, 3, {0x0f, 0x23, 0xc0}},
		{"clts", VECTOR_GP, 2, {0x0f, 0x06}},
		{"lmsw", VECTOR_GP, 3, {0x0f, 0x01, 0xf0}},
		{"lgdt", VECTOR_GP, 3, {0x0f, 0x01, 0x17}},
		{"lidt", VECTOR_GP, 3, {0x0f, 0x01, 0x1f}},
		{"lldt", VECTOR_GP, 3, {0x0f, 0x00, 0xd0}},
		{"ltr", VECTOR_GP, 3, {0x0f, 0x00, 0xd8}},
		{"swapgs", VECTOR_GP, 3, {0x0f, 0x01, 0xf8}},
		{"rdpmc", VECTOR_GP, 2, {0x0f, 0x33}},
		{"cli", VECTOR_GP, 1, {0xfa}},
		{"sti", VECTOR_GP, 1, {0xfb}},
		{"clac", VECTOR_UD, 3, {0x0f, 0x01, 0xca}},
		{"stac", VECTOR_UD, 3, {0x0f, 0x01, 0xcb}},
		{"monitor", VECTOR_UD, 3, {0x0f, 0x01, 0xc8}},
		{"mwait", VECTOR_UD, 3, {0x0f, 0x01, 0xc9}},
		{"ud2", VECTOR_UD, 2, {0x0f, 0x0b}},
		{"ud1", VECTOR_UD, 3, {0x0f, 0xb9, 0xc0}},
		{"ud0", VECTOR_UD, 3, {0x0f, 0xff, 0xc0}},
		{"lfence", NOTHING, 3, {0x0f, 0xae, 0xe8}},
		{"nop", NOTHING, 4, {0x0f, 0x1f, 0x47, 0x00}},
		{"pause", NOTHING, 2, {0xf3, 0x90}},
		{"clflush", NOTHING, 3, {0x0f, 0xae, 0x3f}},
	};
	struct cpu_rig rig;

	rig_open(&rig, "max");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int vector;

		rig_mode(&rig, MODE_64, 3);
		vector = rig_run(&rig, rows[i].bytes, rows[i].count);
		CHECK_ROW(vector == rows[i].vector, "%s: raised %d", rows[i].name, vector);
	}
	rig_close(&rig);
}

/* SDM 2: MOV CR: CR1, CR5 to CR7 and CR9 up do not exist; the two bits of mod are ignored. */
static void test_mov_cr(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 0);
	rig.cpu->cr2 = 0xfedcba9876543210;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x20, 0xd0), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xfedcba9876543210);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x20, 0x10), NOTHING); /* mod = 0 */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xfedcba9876543210);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x20, 0xc8), VECTOR_UD);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x22, 0xe8), VECTOR_UD);
	CHECK_EQUAL(RUN(&rig, 0x44, 0x0f, 0x20, 0xc8), VECTOR_UD); /* CR9 */
	CHECK_EQUAL(RUN(&rig, 0x44, 0x0f, 0x20, 0xc0), NOTHING);   /* CR8 */
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->cr2 = 0xfedcba9876543210;
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x20, 0xd0), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x76543210);
	rig_close(&rig);
}

/* SDM 3B:18.2.2 DE, 18.2.3 and 18.2.4 fixed bits, SDM 2: MOV DR: bits 63:32; 18.2.4 GD. */
static void test_mov_dr(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xf0), NOTHING); /* dr6 */
	CHECK_EQUAL(rig.cpu->dr[6], 0xffff0ff0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xf8), NOTHING); /* dr7 */
	CHECK_EQUAL(rig.cpu->dr[7], 0x400);
	rig.cpu->reg[REG_RAX] = 0xffffffff;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xe0), NOTHING); /* dr4 is dr6 */
	CHECK_EQUAL(rig.cpu->dr[6], 0xffffefff);
	/* dr5 is dr7: bits 15, 14, 12 and 11 stay 0 (11 is RTM), 10 is 1; without GD */
	rig.cpu->reg[REG_RAX] = 0xffffdfff;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xe8), NOTHING);
	CHECK_EQUAL(rig.cpu->dr[7], 0xffff07ff);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xf8), NOTHING);
	rig.cpu->reg[REG_RAX] = BIT(32);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xf0), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xf8), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x23, 0xd8), NOTHING); /* dr3 takes any address */
	CHECK_EQUAL(rig.cpu->dr[3], BIT(32));
	CHECK_EQUAL(RUN(&rig, 0x44, 0x0f, 0x21, 0xc0), VECTOR_UD); /* dr8 */
	CR4_OF(CR4_DE);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x21, 0xe0), VECTOR_UD);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x21, 0xe8), VECTOR_UD);
	rig.cpu->dr[7] = 0x2400; /* GD */
	rig.cpu->exception.address = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x21, 0xf0), VECTOR_DB);
	CHECK_EQUAL(rig.cpu->exception.address, BIT(13));    /* DR6.BD */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x21, 0xe8), VECTOR_UD); /* #UD goes first */
	rig_close(&rig);
}

/* SDM 2: LMSW, CLTS. */
static void test_status_word(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->reg[REG_RAX] = 0xfffe;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf0), NOTHING); /* PE stays, ET and above untouched */
	CHECK_EQUAL(rig.cpu->cr0, CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x06), NOTHING);
	CHECK_EQUAL(rig.cpu->cr0 & CR0_TS, 0);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf0), NOTHING);
	CHECK_EQUAL(rig.cpu->cr0, CR0_PE | CR0_ET);
	rig_mode(&rig, MODE_REAL, 0);
	rig.cpu->reg[REG_RAX] = 1;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf0), NOTHING);
	CHECK_EQUAL(rig.cpu->cr0 & CR0_PE, CR0_PE);
	rig_close(&rig);
}

/* SDM 2: RDTSC, RDTSCP, RDPRU (APM 3): CR4.TSD. */
static void test_time(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "amd");
	rig_mode(&rig, MODE_64, 3);
	rig.cpu->msr[MSR_TSC_AUX] = 0x1234;
	rig.cpu->msr[MSR_TSC] = 0x500000000;
	rig.cpu->reg[REG_RAX] = rig.cpu->reg[REG_RDX] = UINT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x31), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], (u32)cpu_tsc(rig.cpu));
	CHECK_EQUAL(rig.cpu->reg[REG_RDX], 5);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf9), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0x1234);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x0f, 0xc7, 0xf9), NOTHING); /* rdpid rcx */
	rig.cpu->reg[REG_RCX] = 7;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xfd), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0); /* no such register */
	CR4_OF(CR4_TSD);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x31), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf9), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xfd), VECTOR_GP);
	rig_mode(&rig, MODE_64, 0);
	CR4_OF(CR4_TSD);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x31), NOTHING);
	rig_close(&rig);
}

/* params.def: tsc_khz ticks in a million ns, however far time is; 64 bits of it wrap (SDM
 * 3B:17.17). */
static void test_tsc_rate(void)
{
	struct sim_params params;
	struct cpu_rig rig;
	/* the first time whose product with 2,500,000 takes more than 64 bits */
	const u64 edge = UINT64_MAX / 2500000 + 1;

	rig_open(&rig, "intel");
	sim_params_init(&params);
	params.tsc_khz = 2500000;
	rig.cpu->params = &params;
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, 0), 0);
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, 1), 2);
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, 1000001), 2500002);
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, edge - 1), (edge - 1) * 5 / 2);
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, edge), edge * 5 / 2);
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, BIT(62)), 5 * BIT(61));
	rig.cpu->msr[MSR_TSC] = -(5 * BIT(61));
	CHECK_EQUAL(cpu_tsc_at(rig.cpu, BIT(62)), 0);
	rig_close(&rig);
}

/* SDM 2: RDPKRU, WRPKRU, XGETBV, XSETBV. */
static void test_gated_registers(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xee), VECTOR_UD); /* CR4.PKE = 0 */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xef), VECTOR_UD);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd0), VECTOR_UD); /* CR4.OSXSAVE = 0 */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd1), VECTOR_UD);
	CR4_OF(CR4_PKE | CR4_OSXSAVE);
	rig.cpu->reg[REG_RAX] = 0xffffffff12345678;
	rig.cpu->reg[REG_RDX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xef), NOTHING);
	CHECK_EQUAL(rig.cpu->pkru, 0x12345678);
	rig.cpu->reg[REG_RDX] = UINT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xee), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x12345678);
	CHECK_EQUAL(rig.cpu->reg[REG_RDX], 0);
	rig.cpu->reg[REG_RDX] = 1;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xef), VECTOR_GP);
	rig.cpu->reg[REG_RDX] = 0;
	rig.cpu->reg[REG_RCX] = 1;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xef), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xee), VECTOR_GP);
	rig.cpu->reg[REG_RCX] = 2;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd0), VECTOR_GP);
	rig.cpu->reg[REG_RCX] = 0;
	rig.cpu->reg[REG_RAX] = 7;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd1), NOTHING);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd0), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 7);
	rig.cpu->reg[REG_RCX] = 1; /* XCR0 & XINUSE: nothing but x87 and SSE can be in use */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd0), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX] & ~UINT64_C(3), 0);
	rig.cpu->reg[REG_RCX] = 0;
	rig.cpu->reg[REG_RAX] = 5;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xd1), VECTOR_GP);
	rig_close(&rig);
}

/* SDM 2: RDFSBASE, WRFSBASE, SWAPGS. */
static void test_bases(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel,-la57");
	rig_mode(&rig, MODE_64, 3);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x48, 0x0f, 0xae, 0xc0), VECTOR_UD); /* CR4.FSGSBASE = 0 */
	CR4_OF(CR4_FSGSBASE);
	rig.cpu->reg[REG_RAX] = 0xffff888012345678;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x48, 0x0f, 0xae, 0xd0), NOTHING); /* wrfsbase rax */
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x48, 0x0f, 0xae, 0xc1), NOTHING); /* rdfsbase rcx */
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0xffff888012345678);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x0f, 0xae, 0xc1), NOTHING); /* rdfsbase ecx */
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0x12345678);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x0f, 0xae, 0xd8), NOTHING); /* wrgsbase eax */
	CHECK_EQUAL(SEG_BASE(rig.cpu, SEG_GS), 0x12345678);
	rig.cpu->reg[REG_RAX] = 0x0000800000000000;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x48, 0x0f, 0xae, 0xd0), VECTOR_GP);
	rig_mode(&rig, MODE_64, 0);
	SEG_BASE(rig.cpu, SEG_GS) = 1;
	rig.cpu->msr[MSR_KERNEL_GS_BASE] = 2;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf8), NOTHING);
	CHECK_EQUAL(SEG_BASE(rig.cpu, SEG_GS), 2);
	CHECK_EQUAL(rig.cpu->msr[MSR_KERNEL_GS_BASE], 1);
	rig_mode(&rig, MODE_32, 0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xf8), VECTOR_UD); /* 64-bit mode only */
	rig_close(&rig);
}

/* SDM 2: INVPCID. */
static void test_invpcid(void)
{
	static const struct {
		u64 type, pcid, linear;
		bool pcide;
		int vector;
	} rows[] = {
		{0, 0, 0x1000, false, NOTHING},
		{0, 1, 0x1000, false, VECTOR_GP}, /* PCID without CR4.PCIDE */
		{1, 1, 0, false, VECTOR_GP},
		{2, 1, 0, false, NOTHING}, /* types 2 and 3 look at no PCID */
		{0, 1, 0x1000, true, NOTHING},
		{1, 0xfff, 0, true, NOTHING},
		{1, 0x1000, 0, true, VECTOR_GP}, /* bits 63:12 */
		{0, 1, 0x0000800000000000, true, VECTOR_GP},
		{1, 1, 0x0000800000000000, true, NOTHING},
		{3, 0, 0, true, NOTHING},
		{4, 0, 0, true, VECTOR_GP},
	};
	struct cpu_rig rig;

	rig_open(&rig, "intel,-la57");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_mode(&rig, MODE_64, 0);
		CR4_OF(rows[i].pcide ? CR4_PCIDE : 0);
		rig.cpu->reg[REG_RAX] = rows[i].type;
		memcpy(rig.memory + DATA, &rows[i].pcid, 16);
		CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x38, 0x82, 0x07), rows[i].vector);
	}
	rig_close(&rig);
}

/* SDM 2: CLI table 3-7, STI table 4-20. */
static void test_interrupt_flag(void)
{
	static const struct {
		enum system_mode mode;
		u8 cpl, iopl;
		u64 cr4, flags;
		int vector;
		u64 sti; /* flags that STI sets and CLI clears */
	} rows[] = {
		{MODE_REAL, 0, 0, 0, 0, NOTHING, FLAG_IF},
		{MODE_32, 0, 0, 0, 0, NOTHING, FLAG_IF},
		{MODE_32, 3, 3, 0, 0, NOTHING, FLAG_IF},
		{MODE_32, 3, 2, 0, 0, VECTOR_GP, 0},
		{MODE_32, 3, 0, CR4_PVI, 0, NOTHING, FLAG_VIF},
		{MODE_32, 3, 0, CR4_PVI, FLAG_VIP, VECTOR_GP, 0},
		{MODE_32, 2, 0, CR4_PVI, 0, VECTOR_GP, 0}, /* PVI is for CPL 3 */
		{MODE_32, 2, 2, 0, 0, NOTHING, FLAG_IF},
		{MODE_V86, 3, 3, 0, 0, NOTHING, FLAG_IF},
		{MODE_V86, 3, 0, 0, 0, VECTOR_GP, 0},
		{MODE_V86, 3, 0, CR4_VME, 0, NOTHING, FLAG_VIF},
		{MODE_V86, 3, 0, CR4_VME, FLAG_VIP, VECTOR_GP, 0},
		{MODE_64, 0, 0, 0, 0, NOTHING, FLAG_IF},
	};
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 both = FLAG_IF | FLAG_VIF;

		rig_mode(&rig, rows[i].mode, rows[i].cpl);
		rig.cpu->rflags |= (u64)rows[i].iopl << 12 | rows[i].flags;
		CR4_OF(rows[i].cr4);
		CHECK_EQUAL(RUN(&rig, 0xfb), rows[i].vector);
		CHECK_EQUAL(rig.cpu->rflags & both, rows[i].sti);
		CHECK_EQUAL(rig.cpu->shadow, rows[i].sti == FLAG_IF ? SHADOW_STI : SHADOW_NONE);
		rig.cpu->shadow = SHADOW_NONE;
		if (rows[i].vector == NOTHING) {
			/* no shadow where IF was set already */
			CHECK_EQUAL(RUN(&rig, 0xfb), NOTHING);
			CHECK_EQUAL(rig.cpu->shadow, SHADOW_NONE);
		}
		rig.cpu->rflags |= both;
		/* VIP does not matter to CLI */
		CHECK_EQUAL(RUN(&rig, 0xfa), rows[i].flags ? NOTHING : rows[i].vector);
		if (rows[i].vector == NOTHING)
			CHECK_EQUAL(rig.cpu->rflags & both, both & ~rows[i].sti);
	}
	rig_close(&rig);
}

/* SDM 2: CLAC, STAC; SDM 2: HLT. */
static void test_ac_and_halt(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xcb), NOTHING);
	CHECK_EQUAL(rig.cpu->rflags & FLAG_AC, FLAG_AC);
	CHECK_EQUAL(rig.cpu->walk.rflags_ac, true);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xca), NOTHING);
	CHECK_EQUAL(rig.cpu->rflags & FLAG_AC, 0);
	CHECK_EQUAL(rig.cpu->walk.rflags_ac, false);
	CHECK_EQUAL(RUN(&rig, 0xf4), NOTHING);
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_HALTED);
	rig_close(&rig);
}

/* SDM 2: PAUSE delays, in no more instructions than itself and not beyond a bound of the run. */
static void test_pause(void)
{
	struct cpu_rig rig;
	u64 start, retired;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 3);
	start = cpu_tsc(rig.cpu);
	retired = cpu_retired(rig.cpu);
	rig.cpu->time_bound = INT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x90), NOTHING);
	CU_ASSERT_TRUE(cpu_tsc(rig.cpu) >= start + 40);
	CHECK_EQUAL(cpu_retired(rig.cpu), retired);
	cpu_set_budget(rig.cpu, 3);
	rig.cpu->time_bound = cpu_time(rig.cpu) + 3;
	start = cpu_tsc(rig.cpu);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x90), NOTHING);
	CHECK_EQUAL(rig.cpu->budget, 1); /* PAUSE itself, which the end of a trace counts */
	CHECK_EQUAL(cpu_tsc(rig.cpu), start + 2);
	rig_close(&rig);
}

static bool no_interrupt(struct cpu *cpu)
{
	(void)cpu;
	return false;
}

static u64 asked_until;

static bool note_wait(struct cpu *cpu, u64 until)
{
	(void)cpu;
	asked_until = until;
	return true;
}

static void note_page(struct cpu *cpu, u64 gpa)
{
	(void)cpu, (void)gpa;
}

static const struct cpu_platform waiting_platform = {
	.wait = note_wait,
	.code_page_made = note_page,
	.pic_pending = no_interrupt,
};

/* SDM 2: TPAUSE, UMWAIT, MWAIT: until when they wait; CF tells of the limit of 4:2.1
 * UMWAIT_CONTROL. What ends them is in test_wait.c. */
static void test_waiting(void)
{
	struct cpu_rig rig;
	u64 start;

	rig_open(&rig, "max");
	rig.cpu->platform = &waiting_platform;
	rig_mode(&rig, MODE_64, 3);
	start = cpu_time(rig.cpu);
	rig.cpu->reg[REG_RAX] = start + 5000;
	rig.cpu->reg[REG_RDX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xae, 0xf1), NOTHING); /* tpause ecx */
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_WAITING);
	CHECK_EQUAL(asked_until, start + 5000);
	wait_expire(rig.cpu);
	CU_ASSERT_TRUE(wait_over(rig.cpu));
	CHECK_EQUAL(cpu_rflags(rig.cpu) & FLAG_ARITH, 0);
	rig.cpu->msr[MSR_UMWAIT_CONTROL] = 1000;
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xae, 0xf1), NOTHING);
	CHECK_EQUAL(asked_until, start + 1000);
	wait_expire(rig.cpu);
	CU_ASSERT_TRUE(wait_over(rig.cpu));
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_RUNNING);
	CHECK_EQUAL(cpu_rflags(rig.cpu) & FLAG_ARITH, FLAG_CF);
	/* UMWAIT without UMONITOR does not wait */
	CHECK_EQUAL(RUN(&rig, 0xf2, 0x0f, 0xae, 0xf1), NOTHING);
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_RUNNING);
	CHECK_EQUAL(cpu_rflags(rig.cpu) & FLAG_ARITH, 0);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x0f, 0xae, 0xf7), NOTHING); /* umonitor rdi */
	CHECK_EQUAL(RUN(&rig, 0xf2, 0x0f, 0xae, 0xf1), NOTHING);
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_WAITING);
	CU_ASSERT_FALSE(wait_over(rig.cpu));
	rig_mode(&rig, MODE_64, 3);
	rig.cpu->reg[REG_RCX] = 2;
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xae, 0xf1), VECTOR_GP); /* reserved bits */
	rig.cpu->reg[REG_RCX] = 0;
	CR4_OF(CR4_TSD);
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xae, 0xf1), VECTOR_GP);
	rig_mode(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RAX] = DATA;
	rig.cpu->reg[REG_RCX] = 0;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xc8), NOTHING);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xc9), NOTHING);
	CHECK_EQUAL(rig.cpu->activity, ACTIVITY_WAITING);
	CHECK_EQUAL(asked_until, UINT64_MAX);
	rig.cpu->reg[REG_RCX] = 2;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xc9), VECTOR_GP);
	rig_close(&rig);
}

/* SDM 2: RDRAND: CF = 1, the other flags 0; here the sequence follows from the seed. */
static void test_random(void)
{
	struct sim_params params;
	u64 first[2][4];

	sim_params_init(&params);
	for (unsigned int run = 0; run < 2; run++) {
		struct cpu_rig rig;

		rig_open(&rig, "intel");
		rig_mode(&rig, MODE_64, 3);
		rig.cpu->params = &params;
		for (unsigned int i = 0; i < 4; i++) {
			flags_set_arith(rig.cpu, FLAG_ZF | FLAG_OF | FLAG_PF);
			CHECK_EQUAL(RUN(&rig, 0x48, 0x0f, 0xc7, 0xf0), NOTHING);
			CHECK_EQUAL(cpu_rflags(rig.cpu) & FLAG_ARITH, FLAG_CF);
			first[run][i] = rig.cpu->reg[REG_RAX];
		}
		rig.cpu->reg[REG_RAX] = UINT64_MAX;
		CHECK_EQUAL(RUN(&rig, 0x0f, 0xc7, 0xf8), NOTHING); /* rdseed eax */
		CHECK_EQUAL(rig.cpu->reg[REG_RAX] >> 32, 0);
		rig.cpu->reg[REG_RAX] = UINT64_MAX;
		CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xc7, 0xf0), NOTHING); /* rdrand ax */
		CHECK_EQUAL(rig.cpu->reg[REG_RAX] >> 16, UINT64_MAX >> 16);
		rig_close(&rig);
	}
	CU_ASSERT_EQUAL(memcmp(first[0], first[1], sizeof(first[0])), 0);
	CU_ASSERT_TRUE(first[0][0] != first[0][1] && first[0][1] != first[0][2]);
}

/* APM 3: CLZERO writes the aligned 64 bytes of rAX. SDM 2: CLFLUSH faults as a load. */
static void test_cache_lines(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "max");
	rig_mode(&rig, MODE_64, 3);
	memset(rig.memory + DATA, 0x55, 192);
	rig.cpu->reg[REG_RAX] = DATA + 64 + 17;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xfc), NOTHING);
	for (unsigned int i = 0; i < 192; i++)
		CHECK_EQUAL(rig.memory[DATA + i], i / 64 == 1 ? 0 : 0x55);
	rig.cpu->reg[REG_RDI] = BIT(62);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0xae, 0x3f), VECTOR_GP);       /* clflush [rdi] */
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0xae, 0x37), VECTOR_GP); /* clwb [rdi] */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x18, 0x0f), NOTHING);         /* prefetcht0 never faults */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x1f, 0x07), NOTHING);         /* nor does nop */
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"privilege", test_cpl},
	{"mov cr", test_mov_cr},
	{"mov dr", test_mov_dr},
	{"status word", test_status_word},
	{"time", test_time},
	{"tsc rate", test_tsc_rate},
	{"gated registers", test_gated_registers},
	{"bases", test_bases},
	{"invpcid", test_invpcid},
	{"interrupt flag", test_interrupt_flag},
	{"ac and halt", test_ac_and_halt},
	{"pause", test_pause},
	{"waiting", test_waiting},
	{"random", test_random},
	{"cache lines", test_cache_lines},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.privileged", tests)
