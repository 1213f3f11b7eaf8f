/* SPDX-License-Identifier: Apache-2.0 */
/* BMI1, BMI2, ADX, LZCNT, TZCNT, POPCNT, MOVBE, CRC32. */
#include "sim/cpu/flags.h"
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define RAX rig.cpu->reg[REG_RAX]
#define RBX rig.cpu->reg[REG_RBX]
#define RCX rig.cpu->reg[REG_RCX]
#define RDX rig.cpu->reg[REG_RDX]

static u64 arith(void)
{
	return cpu_rflags(rig.cpu) & FLAG_ARITH;
}

/* SDM 2A ANDN: NOT first source AND second; CF and OF cleared. */
static void test_andn(void)
{
	rig_open(&rig);
	cpu_set_rflags(rig.cpu, FLAG_CF | FLAG_OF);
	RBX = 0x00ff00ff00ff00ff;
	RCX = 0x8fffffffffffffff;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf2, 0xc1), RIG_NOTHING); /* rax, rbx, rcx */
	CHECK_EQUAL(RAX, 0x8f00ff00ff00ff00);
	CHECK_EQUAL(arith() & (FLAG_CF | FLAG_OF | FLAG_SF | FLAG_ZF), FLAG_SF);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x60, 0xf2, 0xc1), RIG_NOTHING); /* eax, ebx, ecx */
	CHECK_EQUAL(RAX, 0xff00ff00);
	rig_close(&rig);
}

/* SDM 2A BLSI, BLSMSK, BLSR: their results and which way round CF tells of a zero source. */
static void test_lowest_bit(void)
{
	rig_open(&rig);
	RCX = 0x58;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xd9); /* blsi rax, rcx */
	CHECK_EQUAL(RAX, 0x08);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xd1); /* blsmsk */
	CHECK_EQUAL(RAX, 0x0f);
	CHECK_EQUAL(flag_cf(rig.cpu), 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xc9); /* blsr */
	CHECK_EQUAL(RAX, 0x50);
	CHECK_EQUAL(flag_cf(rig.cpu), 0);
	RCX = 0;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xd9);
	CHECK_EQUAL(flag_cf(rig.cpu), 0);
	CHECK_EQUAL(flag_zf(rig.cpu), 1);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xd1);
	CHECK_EQUAL(RAX, UINT64_MAX);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xf8, 0xf3, 0xc9);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	rig_close(&rig);
}

/* SDM 2A BEXTR: start in bits 7:0, length in 15:8; what lies beyond the operand is zero. BZHI: an
 * index past the operand changes nothing and sets CF. */
static void test_bit_fields(void)
{
	rig_open(&rig);
	RCX = 0xfedcba9876543210;
	RBX = 12 << 8 | 20;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf7, 0xc1); /* bextr rax, rcx, rbx */
	CHECK_EQUAL(RAX, 0x765);
	RBX = 40 << 8 | 8;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf7, 0xc1);
	CHECK_EQUAL(RAX, 0xba98765432);
	RBX = 255 << 8 | 60;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf7, 0xc1);
	CHECK_EQUAL(RAX, 0xf);
	RBX = 8 << 8 | 64;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf7, 0xc1);
	CHECK_EQUAL(RAX, 0);
	CHECK_EQUAL(flag_zf(rig.cpu), 1);
	RBX = 0xff0014;                              /* only bits 7:0 count */
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf5, 0xc1); /* bzhi rax, rcx, rbx */
	CHECK_EQUAL(RAX, 0x43210);
	CHECK_EQUAL(flag_cf(rig.cpu), 0);
	RBX = 64;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe0, 0xf5, 0xc1);
	CHECK_EQUAL(RAX, RCX);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	rig_close(&rig);
}

/* SDM 2B PDEP, PEXT: bits spread to, and gathered from, the mask's places. */
static void test_deposit_extract(void)
{
	rig_open(&rig);
	RBX = 0xabcd;                                /* source of both */
	RCX = 0xf000f000f000000f;                    /* mask */
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe3, 0xf5, 0xc1); /* pdep rax, rbx, rcx */
	CHECK_EQUAL(RAX, 0xa000b000c000000d);
	RBX = 0xa123b456c789000d;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe2, 0xf5, 0xc1); /* pext rax, rbx, rcx */
	CHECK_EQUAL(RAX, 0xabcd);
	rig_close(&rig);
}

/* SDM 2B MULX: no flags; the high half wins where both halves go to one register. */
static void test_mulx(void)
{
	rig_open(&rig);
	cpu_set_rflags(rig.cpu, FLAG_ARITH);
	RDX = UINT64_MAX;
	RCX = UINT64_MAX;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe3, 0xf6, 0xc1); /* mulx rax, rbx, rcx */
	CHECK_EQUAL(RAX, UINT64_MAX - 1);
	CHECK_EQUAL(RBX, 1);
	CHECK_EQUAL(arith(), FLAG_ARITH);
	RDX = 1;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe3, 0xf6, 0xc1);
	CHECK_EQUAL(RAX, 0);
	CHECK_EQUAL(RBX, UINT64_MAX);
	RDX = 0x100;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xfb, 0xf6, 0xc1); /* mulx rax, rax, rcx */
	CHECK_EQUAL(RAX, 0xff);
	rig_close(&rig);
}

/* SDM 2B RORX, SARX/SHLX/SHRX: counts are masked, flags kept. */
static void test_shifts(void)
{
	rig_open(&rig);
	cpu_set_rflags(rig.cpu, FLAG_CF | FLAG_ZF);
	RCX = 0x8000000000000001;
	RBX = 64 + 4;
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe1, 0xf7, 0xc1); /* shlx */
	CHECK_EQUAL(RAX, 0x10);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe3, 0xf7, 0xc1); /* shrx */
	CHECK_EQUAL(RAX, 0x0800000000000000);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xe2, 0xf7, 0xc1); /* sarx */
	CHECK_EQUAL(RAX, 0xf800000000000000);
	RCX = 0x80000001;
	RIG_RUN(&rig, 0xc4, 0xe2, 0x62, 0xf7, 0xc1); /* sarx eax, ecx, ebx: count 4 */
	CHECK_EQUAL(RAX, 0xf8000000);
	RBX = 36;
	RIG_RUN(&rig, 0xc4, 0xe2, 0x61, 0xf7, 0xc1); /* shlx eax, ecx, ebx: 5 bits count */
	CHECK_EQUAL(RAX, 0x10);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x7b, 0xf0, 0xc1, 33); /* rorx eax, ecx, 33 */
	CHECK_EQUAL(RAX, 0xc0000000);
	CHECK_EQUAL(arith(), FLAG_CF | FLAG_ZF);
	rig_close(&rig);
}

/* SDM 2A LZCNT, 2B TZCNT: the operand's size for a zero source, with CF; ZF for a zero count.
 * POPCNT: ZF by the source, all others cleared. */
static void test_counts(void)
{
	rig_open(&rig);
	RCX = 0x0010;
	RIG_RUN(&rig, 0xf3, 0x66, 0x0f, 0xbd, 0xc1); /* lzcnt ax, cx */
	CHECK_EQUAL(RAX & 0xffff, 11);
	RIG_RUN(&rig, 0xf3, 0x0f, 0xbd, 0xc1);
	CHECK_EQUAL(RAX, 27);
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0xbc, 0xc1); /* tzcnt rax, rcx */
	CHECK_EQUAL(RAX, 4);
	CHECK_EQUAL(flag_cf(rig.cpu) || flag_zf(rig.cpu), 0);
	RCX = 0;
	RIG_RUN(&rig, 0xf3, 0x0f, 0xbd, 0xc1);
	CHECK_EQUAL(RAX, 32);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0xbc, 0xc1);
	CHECK_EQUAL(RAX, 64);
	CHECK_EQUAL(flag_cf(rig.cpu), 1);
	CHECK_EQUAL(flag_zf(rig.cpu), 0);
	RCX = 1;
	RIG_RUN(&rig, 0xf3, 0x0f, 0xbc, 0xc1);
	CHECK_EQUAL(flag_cf(rig.cpu), 0);
	CHECK_EQUAL(flag_zf(rig.cpu), 1);
	cpu_set_rflags(rig.cpu, FLAG_ARITH);
	RCX = 0xf0f0f0f0f0f0f0f3;
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0xb8, 0xc1); /* popcnt rax, rcx */
	CHECK_EQUAL(RAX, 34);
	CHECK_EQUAL(arith(), 0);
	RCX = 0;
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0xb8, 0xc1);
	CHECK_EQUAL(arith(), FLAG_ZF);
	rig_close(&rig);
}

/* SDM 2A ADCX, ADOX: one carry chain in CF, another in OF, nothing else touched. */
static void test_carry_chains(void)
{
	rig_open(&rig);
	cpu_set_rflags(rig.cpu, FLAG_ARITH & ~FLAG_OF);
	RAX = UINT64_MAX;
	RCX = 0;
	RIG_RUN(&rig, 0x66, 0x48, 0x0f, 0x38, 0xf6, 0xc1); /* adcx rax, rcx */
	CHECK_EQUAL(RAX, 0);
	CHECK_EQUAL(arith(), FLAG_ARITH & ~FLAG_OF);
	RAX = UINT64_MAX;
	RCX = 1;
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0x38, 0xf6, 0xc1); /* adox rax, rcx */
	CHECK_EQUAL(RAX, 0);
	CHECK_EQUAL(arith(), FLAG_ARITH);
	RAX = 5;
	RIG_RUN(&rig, 0xf3, 0x48, 0x0f, 0x38, 0xf6, 0xc1);
	CHECK_EQUAL(RAX, 7);
	CHECK_EQUAL(arith(), FLAG_ARITH & ~FLAG_OF);
	rig_close(&rig);
}

/* SDM 2A MOVBE: bytes reversed within the operand size; F3 makes it undefined. */
static void test_movbe(void)
{
	rig_open(&rig);
	memcpy(rig.memory + RIG_DATA, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	RAX = UINT64_MAX;
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xf0, 0x07), RIG_NOTHING);
	CHECK_EQUAL(RAX, 0xffffffffffff1122);
	RIG_RUN(&rig, 0x0f, 0x38, 0xf0, 0x07);
	CHECK_EQUAL(RAX, 0x11223344);
	RIG_RUN(&rig, 0x48, 0x0f, 0x38, 0xf0, 0x07);
	CHECK_EQUAL(RAX, 0x1122334455667788);
	RIG_RUN(&rig, 0x0f, 0x38, 0xf1, 0x07);
	CHECK_EQUAL(*(u32 *)(rig.memory + RIG_DATA), 0x88776655);
	CHECK_EQUAL(RIG_RUN(&rig, 0xf3, 0x0f, 0x38, 0xf0, 0x07), VECTOR_UD);
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x38, 0xf0, 0xc1), VECTOR_UD);
	rig_close(&rig);
}

/* The check value of CRC-32C (RFC 3720 B.4 polynomial), by bytes, a word, a doubleword and a
 * quadword; a 32-bit destination is zero-extended. */
static void test_crc32(void)
{
	const char *text = "123456789";

	rig_open(&rig);
	RAX = 0xffffffffffffffff;
	for (unsigned int i = 0; i < 9; i++) {
		RCX = (u8)text[i];
		RIG_RUN(&rig, 0xf2, 0x0f, 0x38, 0xf0, 0xc1); /* crc32 eax, cl */
	}
	CHECK_EQUAL(RAX, ~0xe3069283u);
	RAX = 0xffffffff;
	memcpy(rig.memory + RIG_DATA, text, 9);
	RIG_RUN(&rig, 0xf2, 0x48, 0x0f, 0x38, 0xf1, 0x07); /* crc32 rax, qword [rdi] */
	rig.cpu->reg[REG_RDI] += 8;
	RIG_RUN(&rig, 0xf2, 0x0f, 0x38, 0xf0, 0x07);
	CHECK_EQUAL(RAX, ~0xe3069283u);
	RAX = 0xffffffff;
	memcpy(&RCX, text, 8);
	RIG_RUN(&rig, 0xf2, 0x0f, 0x38, 0xf1, 0xc1); /* crc32 eax, ecx */
	RCX = (u16)('5' | '6' << 8);
	RIG_RUN(&rig, 0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc1); /* crc32 eax, cx */
	RCX = (u16)('7' | '8' << 8);
	RIG_RUN(&rig, 0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc1);
	RCX = '9';
	RIG_RUN(&rig, 0xf2, 0x0f, 0x38, 0xf0, 0xc1);
	CHECK_EQUAL(RAX, ~0xe3069283u);
	rig_close(&rig);
}

/* --- features of one encoding --- */

/* SDM 2A, CMPXCHG8B/CMPXCHG16B: with REX.W it is the latter, #UD on a processor without it. */
static void test_cmpxchg16b_missing(void)
{
	static const u8 wide[] = {0x48, 0x0f, 0xc7, 0x0f}, narrow[] = {0x0f, 0xc7, 0x0f};
	struct rig rig;

	rig_open(&rig);
	CHECK_EQUAL(rig_run(&rig, wide, sizeof(wide)), RIG_NOTHING);
	rig.cpu->feature[FEATURE_CX16 / 32] &= ~(1u << FEATURE_CX16 % 32);
	CHECK_EQUAL(rig_run(&rig, wide, sizeof(wide)), VECTOR_UD);
	CHECK_EQUAL(rig_run(&rig, narrow, sizeof(narrow)), RIG_NOTHING);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"ANDN", test_andn},
	{"BLSI, BLSMSK, BLSR", test_lowest_bit},
	{"BEXTR, BZHI", test_bit_fields},
	{"PDEP, PEXT", test_deposit_extract},
	{"MULX", test_mulx},
	{"RORX, SARX, SHLX, SHRX", test_shifts},
	{"LZCNT, TZCNT, POPCNT", test_counts},
	{"ADCX, ADOX", test_carry_chains},
	{"MOVBE", test_movbe},
	{"CRC32", test_crc32},
	{"CMPXCHG16B", test_cmpxchg16b_missing},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("bmi", tests)
