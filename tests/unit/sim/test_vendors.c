/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings that Intel's and AMD's processors read differently in 64-bit mode. */
#include "tests/unit/sim/system_rig.h"

#define GDT   0x2000
#define CODE0 8

static const char *const vendors[] = {"intel", "amd"};

static void open(struct cpu_rig *rig, bool amd)
{
	u64 code = UINT64_C(0x00af9b000000ffff);

	rig_open(rig, vendors[amd]);
	rig_mode(rig, MODE_64, 0);
	rig->cpu->reg[REG_RIP] = 0x12348000;
	rig->cpu->reg[REG_RSP] = 0x7000;
	memcpy(rig->memory + GDT + CODE0, &code, sizeof(code));
	rig->cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = 15};
}

/* SDM 2A CALL, JMP, Jcc: the operand size is forced to 64 bits. APM 3 1.2.2: 66 makes it 16, of the
 * displacement, the return address and RIP. */
static void test_near_branches(void)
{
	struct cpu_rig rig;
	struct cpu *cpu;

	for (int amd = 0; amd < 2; amd++) {
		open(&rig, amd);
		cpu = rig.cpu;
		if (amd)
			CHECK_EQUAL(RUN(&rig, 0x66, 0xe8, 0x10, 0x00), NOTHING);
		else
			CHECK_EQUAL(RUN(&rig, 0x66, 0xe8, 0x10, 0x00, 0x00, 0x00), NOTHING);
		CHECK_EQUAL(cpu->reg[REG_RIP], amd ? 0x8014 : 0x12348016);
		CHECK_EQUAL(cpu->reg[REG_RSP], amd ? 0x6ffe : 0x6ff8);
		CHECK_EQUAL(rig.memory[0x6ffe] | rig.memory[0x6fff] << 8, amd ? 0x8004 : 0);
		rig_close(&rig);

		open(&rig, amd);
		CHECK_EQUAL(RUN(&rig, 0x66, 0xeb, 0x10), NOTHING);
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], amd ? 0x8013 : 0x12348013);
		rig_close(&rig);

		open(&rig, amd);
		CHECK_EQUAL(RUN(&rig, 0x66, 0x75, 0x10), NOTHING); /* jnz, ZF = 0 */
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], amd ? 0x8013 : 0x12348013);
		rig_close(&rig);

		open(&rig, amd);
		rig.cpu->reg[REG_RCX] = 2;
		CHECK_EQUAL(RUN(&rig, 0x66, 0xe2, 0x10), NOTHING); /* loop */
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], amd ? 0x8013 : 0x12348013);
		CHECK_EQUAL(rig.cpu->reg[REG_RCX], 1);
		rig_close(&rig);

		open(&rig, amd);
		mem_store_physical(rig.cpu, 0x7000, 0x1234567890ab, 8);
		CHECK_EQUAL(RUN(&rig, 0x66, 0xc3), NOTHING);
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], amd ? 0x90ab : 0x1234567890ab);
		CHECK_EQUAL(rig.cpu->reg[REG_RSP], amd ? 0x7002 : 0x7008);
		rig_close(&rig);

		open(&rig, amd); /* REX.W goes first */
		CHECK_EQUAL(RUN(&rig, 0x66, 0x48, 0xe9, 0x10, 0x00, 0x00, 0x00), NOTHING);
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], 0x12348017);
		rig_close(&rig);
	}
}

/* SDM 2A LFS: m16:64 with REX.W; APM 3 LFS, JMP far, CALL far: the offset has 32 bits at most,
 * while pushes follow REX.W. */
static void test_far_pointers(void)
{
	static const u8 far_pointer[] = {0x00, 0x90, 0x00, 0x00, CODE0, 0, 0, 0, CODE0, 0};
	struct cpu_rig rig;

	for (int amd = 0; amd < 2; amd++) {
		open(&rig, amd);
		mem_store_physical(rig.cpu, DATA, UINT64_C(0x0000000089abcdef), 8);
		CHECK_EQUAL(RUN(&rig, 0x48, 0x0f, 0xb5, 0x07), NOTHING); /* lgs rax, [rdi] */
		CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x89abcdef);
		mem_store_physical(rig.cpu, DATA, UINT64_C(0x1234567889abcdef), 8);
		CHECK_EQUAL(RUN(&rig, 0x48, 0x0f, 0xb5, 0x07), amd ? VECTOR_GP : NOTHING);
		CHECK_EQUAL(rig.cpu->reg[REG_RAX], amd ? 0x89abcdef : 0x1234567889abcdef);

		memcpy(rig.memory + DATA, far_pointer, sizeof(far_pointer));
		CHECK_EQUAL(RUN(&rig, 0x48, 0xff, 0x1f), NOTHING); /* call far [rdi] */
		CHECK_EQUAL(rig.cpu->reg[REG_RIP], amd ? 0x9000 : UINT64_C(0x800009000));
		CHECK_EQUAL(rig.cpu->reg[REG_RSP], 0x6ff0);
		rig_close(&rig);
	}
}

/* SDM 2B MOVSXD: r/m16 with 66; APM 3 MOVSXD: 32 bits are read. A data breakpoint tells. */
static void test_movsxd(void)
{
	struct cpu_rig rig;

	for (int amd = 0; amd < 2; amd++) {
		open(&rig, amd);
		rig.cpu->dr[0] = DATA + 2;
		rig.cpu->dr[7] = 0x70403; /* two bytes, reads and writes */
		cpu_update_mode(rig.cpu);
		CHECK_EQUAL(RUN(&rig, 0x66, 0x63, 0x07), NOTHING);
		CHECK_EQUAL(rig.cpu->pending_debug, amd);
		rig_close(&rig);
	}
}

/* SDM 2: MOV CR, MOV DR: registers that are not there are #UD at any level, others #GP(0) at 3. */
static void test_missing_registers(void)
{
	struct cpu_rig rig;

	for (int amd = 0; amd < 2; amd++)
		for (unsigned int cpl = 0; cpl <= 3; cpl += 3)
			for (u8 n = 0; n < 16; n++) {
				bool cr = n <= 4 ? n != 1 : n == 8, dr = n < 8;
				u8 rex = n < 8 ? 0x40 : 0x44, modrm = 0xc0 | (n & 7) << 3;
				int there = cpl ? VECTOR_GP : NOTHING;

				open(&rig, amd);
				rig_mode(&rig, MODE_64, cpl);
				CHECK_EQUAL(RUN(&rig, rex, 0x0f, 0x20, modrm),
					    cr ? there : VECTOR_UD);
				CHECK_EQUAL(RUN(&rig, rex, 0x0f, 0x21, modrm),
					    dr ? there : VECTOR_UD);
				rig_close(&rig);
			}
}

/* APM 3 CLZERO: rAX is an offset in DS or the segment of a prefix. SDM 2: UMONITOR. */
static void test_implied_segments(void)
{
	struct cpu_rig rig;

	open(&rig, true);
	SEG_BASE(rig.cpu, SEG_GS) = DATA;
	memset(rig.memory + DATA, 0xff, 128);
	rig.cpu->reg[REG_RAX] = 0x47;
	CHECK_EQUAL(RUN(&rig, 0x65, 0x0f, 0x01, 0xfc), NOTHING);
	CHECK_EQUAL(rig.memory[DATA + 0x3f], 0xff);
	CHECK_EQUAL(rig.memory[DATA + 0x40], 0);
	CHECK_EQUAL(rig.memory[DATA + 0x7f], 0);
	rig_close(&rig);
	open(&rig, false);
	SEG_BASE(rig.cpu, SEG_GS) = BIT(62);
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x0f, 0xae, 0xf0), NOTHING); /* umonitor rax */
	CHECK_EQUAL(RUN(&rig, 0x65, 0xf3, 0x0f, 0xae, 0xf0), VECTOR_GP);
	rig_close(&rig);
}

/* SDM 2D table A-3: 0F 0D with a register is a reserved NOP; APM 3 PREFETCH: #UD. */
static void test_prefetch_register(void)
{
	struct cpu_rig rig;

	for (int amd = 0; amd < 2; amd++) {
		open(&rig, amd);
		CHECK_EQUAL(RUN(&rig, 0x0f, 0x0d, 0xc0), amd ? VECTOR_UD : NOTHING);
		rig_close(&rig);
	}
}

static CU_TestInfo tests[] = {
	{"near branches", test_near_branches},
	{"far pointers", test_far_pointers},
	{"movsxd", test_movsxd},
	{"prefetch of a register", test_prefetch_register},
	{"missing registers", test_missing_registers},
	{"implied segments", test_implied_segments},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.vendors", tests)
