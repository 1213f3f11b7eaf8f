/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions that look at descriptors and at the descriptor-table registers (SDM 2). */
#include "tests/unit/sim/system_rig.h"

#define GDT    0x2000
#define SEL(n) ((n) << 3)

/* Access byte: P, DPL, S, type (SDM 3A:3.4.5, 3A:3.5). */
#define ACCESS(dpl, low5) (0x80 | (dpl) << 5 | (low5))

enum {
	CODE0 = 1,  /* readable, DPL 0 */
	DATA0,      /* writable, DPL 0 */
	CODE3_X,    /* execute only, DPL 3 */
	DATA3_R,    /* read only, DPL 3 */
	CONFORMING, /* conforming, not readable, DPL 0 */
	ABSENT,     /* writable data, DPL 0, P = 0 */
	SYSTEM,     /* + type 0 to 15, DPL 0 */
	COUNT = SYSTEM + 16,
};

static void put(struct cpu_rig *rig, unsigned int n, u8 access, u32 limit, bool granular)
{
	u64 raw = (limit & 0xffff) | (u64)(limit >> 16 & 0xf) << 48 | (u64)access << 40 |
		  (granular ? BIT(55) : 0) | (u64)0x123456 << 16;

	memcpy(rig->memory + GDT + 8 * n, &raw, 8);
}

static void open(struct cpu_rig *rig, enum system_mode mode, unsigned int cpl)
{
	rig_open(rig, "max");
	rig_mode(rig, mode, cpl);
	rig->cpu->gdtr = (struct descriptor_table){.base = GDT, .limit = COUNT * 8 - 1};
	put(rig, CODE0, ACCESS(0, 0x1a), 0xfffff, true);
	put(rig, DATA0, ACCESS(0, 0x12), 0x54321, false);
	put(rig, CODE3_X, ACCESS(3, 0x18), 0xfff, false);
	put(rig, DATA3_R, ACCESS(3, 0x10), 0xfff, false);
	put(rig, CONFORMING, ACCESS(0, 0x1c), 0xfff, false);
	put(rig, ABSENT, ACCESS(0, 0x12) & 0x7f, 0xfff, false);
	put(rig, COUNT, ACCESS(0, 0x12), 0xfff, false); /* good, but beyond the limit */
	for (unsigned int type = 0; type < 16; type++)
		put(rig, SYSTEM + type, ACCESS(0, type), 0x67, false);
}

static bool zf(const struct cpu_rig *rig)
{
	return cpu_rflags(rig->cpu) & FLAG_ZF;
}

enum operation { LAR, LSL, VERR, VERW };

static bool accepts(struct cpu_rig *rig, enum operation operation, u16 selector)
{
	int vector;

	rig->cpu->reg[REG_RCX] = selector;
	switch (operation) {
	case LAR:
		vector = RUN(rig, 0x0f, 0x02, 0xc1);
		break; /* lar eax, ecx */
	case LSL:
		vector = RUN(rig, 0x0f, 0x03, 0xc1);
		break;
	case VERR:
		vector = RUN(rig, 0x0f, 0x00, 0xe1);
		break;
	default:
		vector = RUN(rig, 0x0f, 0x00, 0xe9);
		break;
	}
	CHECK_EQUAL(vector, NOTHING);
	return zf(rig);
}

/* SDM 2: LAR table 3-52, LSL table 3-56: the system types that each accepts. */
static void test_system_types(void)
{
	static const u16 valid[2][2] = {
		/* LAR, LSL outside IA-32e mode: 1 2 3 4 5 9 B C, and 1 2 3 9 B */
		{1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12,
		 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11},
		/* in IA-32e mode: 2 9 B C, and 2 9 B */
		{1 << 2 | 1 << 9 | 1 << 11 | 1 << 12, 1 << 2 | 1 << 9 | 1 << 11},
	};

	for (unsigned int long_mode = 0; long_mode < 2; long_mode++) {
		struct cpu_rig rig;

		open(&rig, long_mode ? MODE_64 : MODE_32, 0);
		for (unsigned int type = 0; type < 16; type++) {
			CHECK_EQUAL(accepts(&rig, LAR, SEL(SYSTEM + type)),
				    valid[long_mode][LAR] >> type & 1);
			CHECK_EQUAL(accepts(&rig, LSL, SEL(SYSTEM + type)),
				    valid[long_mode][LSL] >> type & 1);
			CHECK_EQUAL(accepts(&rig, VERR, SEL(SYSTEM + type)), false);
			CHECK_EQUAL(accepts(&rig, VERW, SEL(SYSTEM + type)), false);
		}
		rig_close(&rig);
	}
}

/* SDM 2: LAR, LSL, VERR, VERW: visibility by CPL and RPL, readability and writability. */
static void test_visibility(void)
{
	static const struct {
		u16 selector;
		u8 cpl;
		bool lar, verr, verw;
	} rows[] = {
		{SEL(CODE0), 0, true, true, false},
		{SEL(CODE0) | 3, 0, false, false, false}, /* RPL > DPL */
		{SEL(CODE0), 3, false, false, false},     /* CPL > DPL */
		{SEL(DATA0), 0, true, true, true},
		{SEL(DATA0) | 1, 0, false, false, false},
		{SEL(CODE3_X) | 3, 3, true, false, false},
		{SEL(DATA3_R) | 3, 3, true, true, false},
		{SEL(DATA3_R), 0, true, true, false},
		{SEL(CONFORMING) | 3, 3, true, false, false}, /* conforming: no privilege check */
		{SEL(ABSENT), 0, true, true, true},           /* presence does not matter */
		{0, 0, false, false, false},                  /* null */
		{3, 0, false, false, false},
		{SEL(COUNT), 0, false, false, false},     /* beyond the limit */
		{SEL(DATA0) | 4, 0, false, false, false}, /* no LDT */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpu_rig rig;

		open(&rig, MODE_32, rows[i].cpl);
		rig.cpu->seg[SEG_LDTR].rights = SEG_UNUSABLE;
		CHECK_EQUAL(accepts(&rig, LAR, rows[i].selector), rows[i].lar);
		CHECK_EQUAL(accepts(&rig, LSL, rows[i].selector), rows[i].lar);
		CHECK_EQUAL(accepts(&rig, VERR, rows[i].selector), rows[i].verr);
		CHECK_EQUAL(accepts(&rig, VERW, rows[i].selector), rows[i].verw);
		rig_close(&rig);
	}
}

/* SDM 2: LAR gives the second dword under 00FxFF00H (x undefined); LSL the limit in bytes. */
static void test_results(void)
{
	struct cpu_rig rig;

	open(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	CU_ASSERT_TRUE(accepts(&rig, LAR, SEL(CODE0)));
	CHECK_EQUAL(rig.cpu->reg[REG_RAX] & ~UINT64_C(0xf0000), 0x809a00);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	CU_ASSERT_TRUE(accepts(&rig, LSL, SEL(CODE0)));
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xffffffff); /* granular: 4 GiB */
	CU_ASSERT_TRUE(accepts(&rig, LSL, SEL(DATA0)));
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x54321);
	rig.cpu->reg[REG_RAX] = 0x1122334455667788;
	CU_ASSERT_FALSE(accepts(&rig, LSL, SEL(SYSTEM)));
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x1122334455667788); /* unchanged */
	/* 16-bit operand size: lar ax, cx */
	rig.cpu->reg[REG_RCX] = SEL(DATA0);
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x02, 0xc1), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x1122334455669200);
	/* #UD outside protected mode */
	rig_mode(&rig, MODE_REAL, 0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x02, 0xc1), VECTOR_UD);
	rig_mode(&rig, MODE_V86, 3);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x00, 0xe1), VECTOR_UD);
	rig_close(&rig);
}

/* SDM 2: ARPL. */
static void test_arpl(void)
{
	static const struct {
		u16 to, from, result;
		bool zf;
	} rows[] = {{0x10, 0x1b, 0x13, true},
		    {0x12, 0x11, 0x12, false},
		    {0x11, 0x02, 0x12, true},
		    {0x13, 0x13, 0x13, false}};
	struct cpu_rig rig;

	open(&rig, MODE_32, 3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig.cpu->reg[REG_RAX] = 0xabcd0000 | rows[i].to;
		rig.cpu->reg[REG_RCX] = rows[i].from;
		CHECK_EQUAL(RUN(&rig, 0x63, 0xc8), NOTHING); /* arpl ax, cx */
		CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xabcd0000 | rows[i].result);
		CHECK_EQUAL(zf(&rig), rows[i].zf);
		memcpy(rig.memory + DATA, &rows[i].to, 2);
		CHECK_EQUAL(RUN(&rig, 0x63, 0x0f), NOTHING); /* arpl [edi], cx */
		CHECK_EQUAL(*(u16 *)(rig.memory + DATA), rows[i].result);
		CHECK_EQUAL(zf(&rig), rows[i].zf);
	}
	/* what is not raised is not written */
	rig.cpu->seg[SEG_DS].rights &= ~SEG_TYPE_WRITABLE;
	rig.cpu->reg[REG_RCX] = 3;
	CHECK_EQUAL(RUN(&rig, 0x63, 0x0f), NOTHING);
	rig.memory[DATA] = 0x10;
	CHECK_EQUAL(RUN(&rig, 0x63, 0x0f), VECTOR_GP);
	rig_mode(&rig, MODE_REAL, 0);
	CHECK_EQUAL(RUN(&rig, 0x63, 0xc8), VECTOR_UD);
	rig_close(&rig);
}

/* SDM 2: SGDT, LGDT: 6 bytes, or 10 in 64-bit mode; 24 bits of base with 16-bit operands. */
static void test_table_registers(void)
{
	struct cpu_rig rig;
	u8 *at;

	open(&rig, MODE_64, 0);
	at = rig.memory + DATA;
	rig.cpu->gdtr = (struct descriptor_table){.base = 0xffff888012345678, .limit = 0xabcd};
	memset(at, 0x55, 16);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x07), NOTHING); /* sgdt [rdi] */
	CU_ASSERT_EQUAL(memcmp(at, "\xcd\xab\x78\x56\x34\x12\x80\x88\xff\xff\x55", 11), 0);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x1f), NOTHING); /* lidt [rdi] */
	CHECK_EQUAL(rig.cpu->idtr.base, 0xffff888012345678);
	CHECK_EQUAL(rig.cpu->idtr.limit, 0xabcd);
	/* 66 and REX.W do not matter in 64-bit mode */
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x01, 0x17), NOTHING);
	CHECK_EQUAL(rig.cpu->gdtr.base, 0xffff888012345678);
	at[9] = 0x12; /* not canonical, not even for 57 bits */
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x17), VECTOR_GP);
	CHECK_EQUAL(rig.cpu->gdtr.base, 0xffff888012345678);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xc7), VECTOR_UD); /* register form of /0 */

	rig_mode(&rig, MODE_32, 0);
	memcpy(at, "\x11\x22\x78\x56\x34\x12\x99\x99", 8);
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x17), NOTHING);
	CHECK_EQUAL(rig.cpu->gdtr.base, 0x12345678);
	CHECK_EQUAL(rig.cpu->gdtr.limit, 0x2211);
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x01, 0x17), NOTHING);
	CHECK_EQUAL(rig.cpu->gdtr.base, 0x345678);
	memset(at, 0x55, 8);
	rig.cpu->idtr = (struct descriptor_table){.base = 0x12345678, .limit = 0x3ff};
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x01, 0x0f), NOTHING); /* sidt stores all 32 bits */
	CU_ASSERT_EQUAL(memcmp(at, "\xff\x03\x78\x56\x34\x12\x55", 7), 0);
	rig_close(&rig);
}

/* SDM 2: SLDT, STR, SMSW: the operand size in registers, 16 bits in memory. */
static void test_words(void)
{
	struct cpu_rig rig;

	open(&rig, MODE_64, 0);
	rig.cpu->seg[SEG_TR].selector = 0x1234;
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0x0f, 0x00, 0xc8), NOTHING); /* str eax */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x1234);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	CHECK_EQUAL(RUN(&rig, 0x66, 0x0f, 0x00, 0xc8), NOTHING); /* str ax */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xffffffffffff1234);
	memset(rig.memory + DATA, 0x55, 8);
	CHECK_EQUAL(RUN(&rig, 0x48, 0x0f, 0x00, 0x0f), NOTHING); /* rex.w str [rdi] */
	CHECK_EQUAL(*(u64 *)(rig.memory + DATA), 0x5555555555551234);
	rig.cpu->cr0 = 0x80050033;
	CHECK_EQUAL(RUN(&rig, 0x48, 0x0f, 0x01, 0xe0), NOTHING); /* smsw rax */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x80050033);
	rig_close(&rig);
}

/* SDM 3A:2.5, CR4.UMIP. */
static void test_umip(void)
{
	for (unsigned int umip = 0; umip < 2; umip++)
		for (unsigned int cpl = 0; cpl < 4; cpl += 3) {
			int expected = umip && cpl ? VECTOR_GP : NOTHING;
			struct cpu_rig rig;

			open(&rig, MODE_64, cpl);
			rig.cpu->cr4 |= umip ? CR4_UMIP : 0;
			CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x07), expected); /* sgdt */
			CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0x0f), expected); /* sidt */
			CHECK_EQUAL(RUN(&rig, 0x0f, 0x00, 0xc0), expected); /* sldt */
			CHECK_EQUAL(RUN(&rig, 0x0f, 0x00, 0xc8), expected); /* str */
			CHECK_EQUAL(RUN(&rig, 0x0f, 0x01, 0xe0), expected); /* smsw */
			rig_close(&rig);
		}
}

static CU_TestInfo tests[] = {
	{"system types", test_system_types},
	{"visibility", test_visibility},
	{"results", test_results},
	{"arpl", test_arpl},
	{"table registers", test_table_registers},
	{"words", test_words},
	{"umip", test_umip},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.descriptors", tests)
