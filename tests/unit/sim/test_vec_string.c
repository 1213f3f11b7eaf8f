/* SPDX-License-Identifier: Apache-2.0 */
/* PCMPISTRI, PCMPISTRM, PCMPESTRI, PCMPESTRM: SDM 2B:4.1. */
#include "sim/cpu/flags.h"
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define RCX rig.cpu->reg[REG_RCX]

static u64 arith(void)
{
	return cpu_rflags(rig.cpu) & FLAG_ARITH;
}

/* a is the first operand (xmm1), b the second (xmm2); what follows a short text is zero. */
static void strings(const char *a, const char *b)
{
	memset(&rig.cpu->vec[1], 0, 16);
	memset(&rig.cpu->vec[2], 0, 16);
	memcpy(&rig.cpu->vec[1], a, strnlen(a, 16));
	memcpy(&rig.cpu->vec[2], b, strnlen(b, 16));
}

/* Aggregation "equal any" (4.1.3): elements of b that are in the set a. */
static void test_equal_any(void)
{
	rig_open(&rig);
	strings("aeiou", "hello world");
	cpu_set_rflags(rig.cpu, FLAG_ARITH);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x00); /* pcmpistri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 1);
	/* CF: something found; ZF, SF: b, a end within the register; OF: bit 0; AF, PF: 0 */
	CHECK_EQUAL(arith(), FLAG_CF | FLAG_ZF | FLAG_SF);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x40);
	/* most significant */ /* pcmpistri xmm1, xmm2, 0x40 */
	CHECK_EQUAL(RCX, 7);
	strings("0123456789abcdef", "the 16-byte text");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x00); /* pcmpistri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 2);
	CHECK_EQUAL(arith(), FLAG_CF);
	strings("#", "nothing of that");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x00); /* pcmpistri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 16);
	CHECK_EQUAL(arith(), FLAG_ZF | FLAG_SF);
	rig_close(&rig);
}

/* "Ranges": pairs of bounds, signed or not; an upper bound that is not valid makes none. */
static void test_ranges(void)
{
	rig_open(&rig);
	strings("az09", "HELLO abc 1");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x04); /* pcmpistri xmm1, xmm2, 4 */
	CHECK_EQUAL(RCX, 6);
	strings("az09", "abc1X");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x14);
	/* negated: the first that is not in */ /* pcmpistri xmm1, xmm2, 0x14 */
	CHECK_EQUAL(RCX, 4);
	strings("az09", "Zz");                             /* bounds belong to the range */
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x04); /* pcmpistri xmm1, xmm2, 4 */
	CHECK_EQUAL(RCX, 1);
	strings("az09A", "AA");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x04); /* pcmpistri xmm1, xmm2, 4 */
	CHECK_EQUAL(RCX, 16);
	strings("\x80\x05", "\x06\xff\x7f");               /* -128..5 signed */
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x06); /* pcmpistri xmm1, xmm2, 6 */
	CHECK_EQUAL(RCX, 1);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x04);
	/* 128..5 unsigned: empty */ /* pcmpistri xmm1, xmm2, 4 */
	CHECK_EQUAL(RCX, 16);
	rig_close(&rig);
}

/* Polarity (4.1.4): negation takes what lies behind b's end along, masked negation does not. */
static void test_polarity(void)
{
	rig_open(&rig);
	strings("az", "abc");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x14); /* pcmpistri xmm1, xmm2, 0x14 */
	CHECK_EQUAL(RCX, 3);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x34); /* pcmpistri xmm1, xmm2, 0x34 */
	CHECK_EQUAL(RCX, 16);
	CHECK_EQUAL(arith() & FLAG_CF, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x24);
	/* masked positive is positive */ /* pcmpistri xmm1, xmm2, 0x24 */
	CHECK_EQUAL(RCX, 0);
	CHECK_EQUAL(arith() & FLAG_OF, FLAG_OF);
	rig_close(&rig);
}

/* "Equal each": elements that are both past the end are equal, one alone is not (table 4-7). */
static void test_equal_each(void)
{
	rig_open(&rig);
	strings("hello", "help!");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x18); /* pcmpistri xmm1, xmm2, 0x18 */
	CHECK_EQUAL(RCX, 3);
	strings("hello", "hello");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x18); /* pcmpistri xmm1, xmm2, 0x18 */
	CHECK_EQUAL(RCX, 16);
	CHECK_EQUAL(arith(), FLAG_ZF | FLAG_SF);
	strings("hello", "hello, world");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x18); /* pcmpistri xmm1, xmm2, 0x18 */
	CHECK_EQUAL(RCX, 5);
	rig_close(&rig);
}

/* "Equal ordered": a as a substring, also one that the end of the register cuts. */
static void test_equal_ordered(void)
{
	rig_open(&rig);
	strings("lo", "hello lo");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x0c); /* pcmpistri xmm1, xmm2, 0x0c */
	CHECK_EQUAL(RCX, 3);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x4c); /* pcmpistri xmm1, xmm2, 0x4c */
	CHECK_EQUAL(RCX, 6);
	strings("lo!", "xxxxxxxxxxxxxxlo");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x0c); /* pcmpistri xmm1, xmm2, 0x0c */
	CHECK_EQUAL(RCX, 14);
	strings("lo!", "xxxxxxxxxxxxxlo");                 /* b itself ends: no match */
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x0c); /* pcmpistri xmm1, xmm2, 0x0c */
	CHECK_EQUAL(RCX, 16);
	strings("", "abc");                                /* nothing is found everywhere */
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x0c); /* pcmpistri xmm1, xmm2, 0x0c */
	CHECK_EQUAL(RCX, 0);
	rig_close(&rig);
}

/* Words: eight elements, in indexes and masks. */
static void test_words(void)
{
	rig_open(&rig);
	rig.cpu->vec[1] = (union vec){.w = {0x1234, 0xff00}};
	rig.cpu->vec[2] = (union vec){.w = {0x3412, 0x00ff, 0x1234, 0xff00, 1}};
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x01); /* pcmpistri xmm1, xmm2, 1 */
	CHECK_EQUAL(RCX, 2);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x41); /* pcmpistri xmm1, xmm2, 0x41 */
	CHECK_EQUAL(RCX, 3);
	rig.cpu->vec[2].w[2] = rig.cpu->vec[2].w[3] = 1;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x01); /* pcmpistri xmm1, xmm2, 1 */
	CHECK_EQUAL(RCX, 8);
	rig_close(&rig);
}

/* PCMPESTRx: lengths by magnitude of EAX and EDX, of RAX and RDX with REX.W, saturated (4.1.3). */
static void test_explicit_length(void)
{
	rig_open(&rig);
	strings("abcd", "xxd\0b");
	rig.cpu->vec[2].b[4] = 'b';
	rig.cpu->reg[REG_RAX] = (u32)-3;
	rig.cpu->reg[REG_RDX] = 1000;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x00);
	/* d does not count, b beyond the zero does */ /* pcmpestri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 4);
	CHECK_EQUAL(arith(), FLAG_CF | FLAG_SF);
	rig.cpu->reg[REG_RDX] = 4;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x00); /* pcmpestri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 16);
	CHECK_EQUAL(arith(), FLAG_ZF | FLAG_SF);
	rig.cpu->reg[REG_RAX] = UINT64_C(0x100000000);
	rig.cpu->reg[REG_RDX] = UINT64_C(0x100000005);
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x48, 0x0f, 0x3a, 0x61, 0xca, 0), RIG_NOTHING);
	CHECK_EQUAL(RCX, 2);
	CHECK_EQUAL(arith(), FLAG_CF);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x00);
	/* EAX = 0 */ /* pcmpestri xmm1, xmm2, 0 */
	CHECK_EQUAL(RCX, 16);
	/* Table 4-7: what is not valid makes no range, and is equal only to what is not valid. */
	strings("azAZ", "HELLO");
	rig.cpu->reg[REG_RAX] = 3;
	rig.cpu->reg[REG_RDX] = 5;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x04); /* pcmpestri xmm1, xmm2, 4 */
	CHECK_EQUAL(RCX, 16);
	strings("same", "same");
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x18); /* pcmpestri xmm1, xmm2, 0x18 */
	CHECK_EQUAL(RCX, 3);
	rig.cpu->reg[REG_RDX] = 3;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x61, 0xca, 0x18); /* pcmpestri xmm1, xmm2, 0x18 */
	CHECK_EQUAL(RCX, 16);
	rig_close(&rig);
}

/* PCMPxSTRM: IntRes2 as bits or as whole elements, to XMM0; VEX zeroes above. */
static void test_masks(void)
{
	rig_open(&rig);
	strings("aeiou", "hello world");
	rig.cpu->vec[0] = (union vec){.q = {1, 2, 3, 4}};
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x62, 0xca, 0x00); /* pcmpistrm xmm1, xmm2, 0 */
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 1 << 1 | 1 << 4 | 1 << 7);
	CHECK_EQUAL(rig.cpu->vec[0].q[1], 0);
	CHECK_EQUAL(rig.cpu->vec[0].q[2], 3);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x62, 0xca, 0x40); /* vpcmpistrm xmm1, xmm2, 0x40 */
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 0xff0000ff0000ff00);
	CHECK_EQUAL(rig.cpu->vec[0].q[1], 0);
	CHECK_EQUAL(rig.cpu->vec[0].q[2], 0);
	rig.cpu->vec[1] = (union vec){.w = {5}};
	rig.cpu->vec[2] = (union vec){.w = {4, 5, 6, 7, 5}};
	rig.cpu->reg[REG_RAX] = 1;
	rig.cpu->reg[REG_RDX] = 8;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x60, 0xca, 0x41); /* pcmpestrm xmm1, xmm2, 0x41 */
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 0x00000000ffff0000);
	CHECK_EQUAL(rig.cpu->vec[0].q[1], 0xffff);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"equal any", test_equal_any},
	{"ranges", test_ranges},
	{"polarity", test_polarity},
	{"equal each", test_equal_each},
	{"equal ordered", test_equal_ordered},
	{"words", test_words},
	{"explicit lengths", test_explicit_length},
	{"masks", test_masks},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("vec_string", tests)
