/* SPDX-License-Identifier: Apache-2.0 */
/* MMX, SSE and AVX integer instructions, their operands and their faults. */
#include "sim/cpu/flags.h"
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define VEC(i) (rig.cpu->vec[i])

static u64 arith(void)
{
	return cpu_rflags(rig.cpu) & FLAG_ARITH;
}

static void fill(unsigned int i, u64 q0, u64 q1, u64 q2, u64 q3)
{
	rig.cpu->vec[i] = (union vec){.q = {q0, q1, q2, q3}};
}

static void check_vec(unsigned int i, u64 q0, u64 q1, u64 q2, u64 q3)
{
	CHECK_EQUAL(VEC(i).q[0], q0);
	CHECK_EQUAL(VEC(i).q[1], q1);
	CHECK_EQUAL(VEC(i).q[2], q2);
	CHECK_EQUAL(VEC(i).q[3], q3);
}

/* SDM 1:14.1.2, 2A:2.3.10.1: legacy SSE keeps bits 255:128, VEX.128 zeroes them, VEX.256 zeroes
 * what is above 255. */
static void test_upper_bits(void)
{
	rig_open(&rig);
	fill(0, 1, 2, 3, 4);
	fill(1, 10, 20, 30, 40);
	RIG_RUN(&rig, 0x66, 0x0f, 0xd4, 0xc1); /* paddq xmm0, xmm1 */
	check_vec(0, 11, 22, 3, 4);
	RIG_RUN(&rig, 0xc5, 0xfd, 0xd4, 0xc1); /* vpaddq ymm0, ymm0, ymm1 */
	check_vec(0, 21, 42, 33, 44);
	VEC(0).q[7] = 5;
	RIG_RUN(&rig, 0xc5, 0xf9, 0xd4, 0xc1); /* vpaddq xmm0, xmm0, xmm1 */
	check_vec(0, 31, 62, 0, 0);
	CHECK_EQUAL(VEC(0).q[7], 0);
	fill(0, 1, 2, 3, 4);
	RIG_RUN(&rig, 0xf3, 0x0f, 0x7e, 0xc1); /* movq xmm0, xmm1 */
	check_vec(0, 10, 0, 3, 4);
	RIG_RUN(&rig, 0xc5, 0xfa, 0x7e, 0xc1); /* vmovq xmm0, xmm1 */
	check_vec(0, 10, 0, 0, 0);
	rig_close(&rig);
}

/* SDM 2A:4 MOVSD: a load zeroes bits 127:64, a move between registers leaves them. */
static void test_scalar_moves(void)
{
	u64 value = 0x1122334455667788;

	rig_open(&rig);
	memset(rig.memory + RIG_DATA, 0xff, 16);
	memcpy(rig.memory + RIG_DATA, &value, 8);
	fill(0, 1, 2, 3, 4);
	fill(1, 10, 20, 30, 40);
	fill(2, 100, 200, 300, 400);
	RIG_RUN(&rig, 0xf2, 0x0f, 0x10, 0xc1); /* movsd xmm0, xmm1 */
	check_vec(0, 10, 2, 3, 4);
	RIG_RUN(&rig, 0xc5, 0xeb, 0x10, 0xc1); /* vmovsd xmm0, xmm2, xmm1 */
	check_vec(0, 10, 200, 0, 0);
	fill(0, 1, 2, 3, 4);
	RIG_RUN(&rig, 0xf2, 0x0f, 0x10, 0x07); /* movsd xmm0, [rdi] */
	check_vec(0, value, 0, 3, 4);
	RIG_RUN(&rig, 0xf3, 0x0f, 0x10, 0x07); /* movss xmm0, [rdi] */
	check_vec(0, 0x55667788, 0, 3, 4);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	RIG_RUN(&rig, 0x66, 0x0f, 0x7e, 0xc0); /* movd eax, xmm0 */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x55667788);
	rig_close(&rig);
}

/* SDM 2A:2.4, tables 2-15 to 2-21: legacy SSE memory operands are aligned, VEX ones need not be,
 * but for the moves that say so, which want their own size. */
static void test_alignment(void)
{
	rig_open(&rig);
	rig.cpu->reg[REG_RDI] = RIG_DATA + 8;
	fill(0, 7, 7, 7, 7);
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0xfc, 0x07), VECTOR_GP); /* paddb xmm0, [rdi] */
	CHECK_EQUAL(rig.cpu->exception.error, 0);
	check_vec(0, 7, 7, 7, 7);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xf9, 0xfc, 0x07),
		    RIG_NOTHING); /* vpaddb xmm0, xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0xf3, 0x0f, 0x6f, 0x07), RIG_NOTHING); /* movdqu xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0x07), VECTOR_GP);   /* movdqa xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xf9, 0x6f, 0x07), VECTOR_GP);   /* vmovdqa xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0x30, 0x07),
		    RIG_NOTHING); /* pmovzxbw xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x63, 0x07, 0x00),
		    RIG_NOTHING); /* pcmpistri xmm0, [rdi], 0 */
	rig.cpu->reg[REG_RDI] = RIG_DATA + 16;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xf9, 0xe7, 0x07), RIG_NOTHING); /* vmovntdq [rdi], xmm0 */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfd, 0xe7, 0x07), VECTOR_GP);   /* vmovntdq [rdi], ymm0 */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfc, 0x11, 0x07), RIG_NOTHING); /* vmovups [rdi], ymm0 */
	rig_close(&rig);
}

/* APM 1:4.2.2, 2:8.2 (#AC): MXCSR.MM lets SSE operands be misaligned, but not those of MOVDQA. */
static void test_misaligned_mode(void)
{
	rig_open(&rig);
	rig.cpu->mxcsr |= 0x20000;
	rig.cpu->reg[REG_RDI] = RIG_DATA + 8;
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0xfc, 0x07), RIG_NOTHING); /* paddb xmm0, [rdi] */
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0x07), VECTOR_GP);   /* movdqa xmm0, [rdi] */
	rig_close(&rig);
}

/* SDM 1:9.3.3 and table 9-1: signed and unsigned saturation. */
static void test_saturation(void)
{
	rig_open(&rig);
	fill(0, 0x7f807f80fffe0110, 0, 0, 0);
	fill(1, 0x01ff80010302ff20, 0, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xd0); /* movdqa xmm2, xmm0 */
	RIG_RUN(&rig, 0x66, 0x0f, 0xec, 0xd1); /* paddsb xmm2, xmm1 */
	CHECK_EQUAL(VEC(2).q[0], 0x7f80ff8102000030);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xd0); /* movdqa xmm2, xmm0 */
	RIG_RUN(&rig, 0x66, 0x0f, 0xdc, 0xd1); /* paddusb xmm2, xmm1 */
	CHECK_EQUAL(VEC(2).q[0], 0x80ffff81ffffff30);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xd0); /* movdqa xmm2, xmm0 */
	RIG_RUN(&rig, 0x66, 0x0f, 0xd8, 0xd1); /* psubusb xmm2, xmm1 */
	CHECK_EQUAL(VEC(2).q[0], 0x7e00007ffcfc0000);
	fill(0, 0x7fff8000ff7f0080, 0, 0, 0);
	fill(1, 0x00ff0100ffff0001, 0, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xd0); /* movdqa xmm2, xmm0 */
	RIG_RUN(&rig, 0x66, 0x0f, 0x63, 0xd1); /* packsswb xmm2, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x7f80807f);
	CHECK_EQUAL(VEC(2).q[1], 0x7f7fff01);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xd0); /* movdqa xmm2, xmm0 */
	RIG_RUN(&rig, 0x66, 0x0f, 0x67, 0xd1); /* packuswb xmm2, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0xff000080);
	CHECK_EQUAL(VEC(2).q[1], 0xffff0001);
	rig_close(&rig);
}

/* SDM 2B PSLLW, PSRAW: a count above the width gives zeros, or the sign; the count is all 64 bits
 * of the register. PSLLDQ: above 15 zeros; each 128-bit lane for itself. */
static void test_shift_counts(void)
{
	rig_open(&rig);
	fill(0, 0x8000000180000001, 0x7fff7fff7fff7fff, 1, 2);
	RIG_RUN(&rig, 0xc5, 0xf1, 0x71, 0xf0, 0x0f); /* vpsllw xmm1, xmm0, 15 */
	check_vec(1, 0x0000800000008000, 0x8000800080008000, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf1, 0x71, 0xf0, 0x10); /* vpsllw xmm1, xmm0, 16 */
	check_vec(1, 0, 0, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf1, 0x71, 0xe0, 0xc8); /* vpsraw xmm1, xmm0, 200 */
	check_vec(1, 0xffff0000ffff0000, 0, 0, 0);
	fill(2, UINT64_C(0x100000001), 0, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf9, 0xd2, 0xca); /* vpsrld xmm1, xmm0, xmm2 */
	check_vec(1, 0, 0, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf5, 0x73, 0xf8, 0x08); /* vpslldq ymm1, ymm0, 8 */
	check_vec(1, 0, 0x8000000180000001, 0, 1);
	RIG_RUN(&rig, 0xc5, 0xf5, 0x73, 0xf8, 0x10); /* vpslldq ymm1, ymm0, 16 */
	check_vec(1, 0, 0, 0, 0);
	fill(3, UINT64_C(0x2000000001), 63, 64, UINT64_MAX);
	fill(0, 0x8000000080000000, 0x8000000000000000, 1, 1);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x46, 0xcb); /* vpsravd xmm1, xmm0, xmm3 */
	check_vec(1, 0xffffffffc0000000, 0x8000000000000000, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0xfd, 0x45, 0xcb); /* vpsrlvq ymm1, ymm0, ymm3 */
	check_vec(1, 0, 1, 0, 0);
	rig_close(&rig);
}

/* SDM 2B PSHUFB, PALIGNR, PMOVMSKB, PBLENDVB; SDM 2D VPERM2I128. */
static void test_shuffles(void)
{
	rig_open(&rig);
	fill(0, 0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x1716151413121110, 0x1f1e1d1c1b1a1918);
	fill(1, 0x80ff000f1f2f0102, 0x0f0f0f0f0f0f0f0f, 0x0000000000000000, 0x0101010101010101);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x7d, 0x00, 0xd1); /* vpshufb ymm2, ymm0, ymm1 */
	check_vec(2, 0x0000000f0f0f0102, 0x0f0f0f0f0f0f0f0f, 0x1010101010101010,
		  0x1111111111111111);
	fill(3, 0x2726252423222120, 0x2f2e2d2c2b2a2928, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x61, 0x0f, 0xd0, 0x0c); /* vpalignr xmm2, xmm3, xmm0, 12 */
	check_vec(2, 0x232221200f0e0d0c, 0x2b2a292827262524, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x61, 0x0f, 0xd0, 0x1c); /* vpalignr xmm2, xmm3, xmm0, 28 */
	check_vec(2, 0x2f2e2d2c, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x61, 0x0f, 0xd0, 0x20); /* vpalignr xmm2, xmm3, xmm0, 32 */
	check_vec(2, 0, 0, 0, 0);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	RIG_RUN(&rig, 0x66, 0x0f, 0xd7, 0xc1); /* pmovmskb eax, xmm1 */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xc0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x7d, 0x46, 0xd3, 0x83);
	/* zero, then the high half of ymm3 */ /* vperm2i128 ymm2, ymm0, ymm3, 0x83 */
	check_vec(2, 0, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x7d, 0x46, 0xd3, 0x21); /* vperm2i128 ymm2, ymm0, ymm3, 0x21 */
	check_vec(2, 0x1716151413121110, 0x1f1e1d1c1b1a1918, 0x2726252423222120,
		  0x2f2e2d2c2b2a2928);
	RIG_RUN(&rig, 0x66, 0x0f, 0x6f, 0xe0);       /* movdqa xmm4, xmm0 */
	fill(0, 0x8000000000000080, 0x7f, 0, 0);     /* the mask */
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0x10, 0xe3); /* pblendvb xmm4, xmm3, xmm0 */
	check_vec(4, 0x2706050403020120, 0x0f0e0d0c0b0a0908, 0, 0);
	rig_close(&rig);
}

/* SDM 2B PMADDWD (the sum of four 8000H squares wraps), PMULHRSW, PSADBW, MPSADBW, PHMINPOSUW. */
static void test_multiplication(void)
{
	rig_open(&rig);
	fill(0, 0x8000800000020003, 0, 0, 0);
	fill(1, 0x8000800000040005, 0, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf9, 0xf5, 0xd1); /* vpmaddwd xmm2, xmm0, xmm1 */
	check_vec(2, 0x8000000000000017, 0, 0, 0);
	fill(0, 0x8000400000017fff, 0, 0, 0);
	fill(1, 0x8000000140007fff, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x0b, 0xd1); /* vpmulhrsw xmm2, xmm0, xmm1 */
	check_vec(2, 0x8000000100017ffe, 0, 0, 0);
	fill(0, 0xff00000000000102, 5, 0, 0);
	fill(1, 0x00ff000000000201, 3, 0, 0);
	RIG_RUN(&rig, 0xc5, 0xf9, 0xf6, 0xd1); /* vpsadbw xmm2, xmm0, xmm1 */
	check_vec(2, 512, 2, 0, 0);
	fill(0, 0x0706050403020100, 0x0f0e0d0c0b0a0908, 0, 0);
	fill(1, 0, 0x0807060500000000, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x42, 0xd1, 0x07);
	/* a from byte 4, b's last four bytes */ /* vmpsadbw xmm2, xmm0, xmm1, 7 */
	check_vec(2, 0x0008000400000004, 0x001800140010000c, 0, 0);
	fill(0, 0x0005000700030009, 0x0004000800030003, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x41, 0xd0); /* vphminposuw xmm2, xmm0 */
	check_vec(2, 0x00010003, 0, 0, 0);
	rig_close(&rig);
}

/* SDM 2B PTEST: ZF of AND, CF of ANDN, the others cleared. */
static void test_ptest(void)
{
	rig_open(&rig);
	fill(0, 0xf0, 0, 0, 0);
	fill(1, 0x0f, 0, 0, 0);
	cpu_set_rflags(rig.cpu, FLAG_ARITH);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0x17, 0xc1); /* ptest xmm0, xmm1 */
	CHECK_EQUAL(arith(), FLAG_ZF);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0x17, 0xc0); /* ptest xmm0, xmm0 */
	CHECK_EQUAL(arith(), FLAG_CF);
	fill(1, 0x1f, 0, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0x17, 0xc1); /* ptest xmm0, xmm1 */
	CHECK_EQUAL(arith(), 0);
	fill(0, 0, 0, 0, 1);
	fill(1, 0, 0, 0, 1);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x17, 0xc1); /* vptest xmm0, xmm1 */
	CHECK_EQUAL(arith(), FLAG_ZF | FLAG_CF);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x7d, 0x17, 0xc1); /* vptest ymm0, ymm1 */
	CHECK_EQUAL(arith(), FLAG_CF);
	fill(0, 0x80000000ffffffff, 0, 0, 0);
	fill(1, 0x7fffffff80000000, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x0e, 0xc1); /* signs only */ /* vtestps xmm0, xmm1 */
	CHECK_EQUAL(arith(), FLAG_CF);
	rig_close(&rig);
}

/* SDM 2B INSERTPS: element, place, zero mask; 2B PINSRB, PEXTRB. */
static void test_inserts(void)
{
	rig_open(&rig);
	fill(0, 0x0000000200000001, 0x0000000400000003, 9, 9);
	fill(1, 0x0000000600000005, 0x0000000800000007, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x21, 0xc1, 0x98);
	/* element 2 to place 1, place 3 cleared */ /* insertps xmm0, xmm1, 0x98 */
	check_vec(0, 0x0000000700000001, 0x0000000000000003, 9, 9);
	rig.cpu->reg[REG_RAX] = 0xabcdef;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x20, 0xc0, 0x12); /* 18 & 15 */ /* pinsrb xmm0, eax, 18 */
	check_vec(0, 0x0000000700ef0001, 0x0000000000000003, 9, 9);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x14, 0xc1, 0x02); /* pextrb ecx, xmm0, 2 */
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0xef);
	RIG_RUN(&rig, 0xc4, 0xe3, 0xf9, 0x22, 0xd0, 0x01); /* vpinsrq xmm2, xmm0, rax, 1 */
	check_vec(2, 0x0000000700ef0001, 0xabcdef, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x15, 0x07, 0x01); /* pextrw word ptr [rdi], xmm0, 1 */
	CHECK_EQUAL(rig.memory[RIG_DATA], 0xef);
	CHECK_EQUAL(rig.memory[RIG_DATA + 2], 0);
	rig_close(&rig);
}

/* SDM 3A:12.2: MMX instructions set TOP to 0 and all tags to valid, and ones in bits 79:64 of
 * what they write. A pending x87 exception comes first (SDM 3A:12.7). */
static void test_mmx_state(void)
{
	rig_open(&rig);
	rig.cpu->fpu.status = 3 << FSW_TOP_SHIFT;
	rig.cpu->fpu.r[2] = (struct fpu_register){0x0102030405060708, 0x3fff};
	rig.cpu->fpu.r[5] = (struct fpu_register){0x0101010101010101, 0x1234};
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0xfc, 0xd5), RIG_NOTHING); /* paddb mm2, mm5 */
	CHECK_EQUAL(rig.cpu->fpu.r[2].mantissa, 0x0203040506070809);
	CHECK_EQUAL(rig.cpu->fpu.r[2].sign_exponent, 0xffff);
	CHECK_EQUAL(rig.cpu->fpu.r[5].sign_exponent, 0x1234);
	CHECK_EQUAL(rig.cpu->fpu.status, 0);
	CHECK_EQUAL(rig.cpu->fpu.tag, 0);
	memset(rig.memory + RIG_DATA, 0x55, 8);
	RIG_RUN(&rig, 0x0f, 0x6e, 0x37); /* movd mm6, [rdi] */
	CHECK_EQUAL(rig.cpu->fpu.r[6].mantissa, 0x55555555);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	RIG_RUN(&rig, 0x0f, 0x6e, 0xf0); /* movd mm6, eax */
	CHECK_EQUAL(rig.cpu->fpu.r[6].mantissa, 0xffffffff);
	RIG_RUN(&rig, 0x0f, 0x62, 0xf2); /* punpckldq mm6, mm2 */
	CHECK_EQUAL(rig.cpu->fpu.r[6].mantissa, 0x06070809ffffffff);
	rig.cpu->fpu.status = FSW_IE | FSW_ES | FSW_B;
	rig.cpu->fpu.control = FCW_INIT & ~FSW_IE;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0xfc, 0xd5), VECTOR_MF); /* paddb mm2, mm5 */
	CHECK_EQUAL(rig.cpu->fpu.r[2].mantissa, 0x0203040506070809);
	rig_close(&rig);
}

/* SDM 2A:4 MASKMOVDQU, 2D VMASKMOV: nothing is touched, nor faults, where the mask is clear. */
static void test_masked_moves(void)
{
	rig_open(&rig);
	fill(0, 0x1111111122222222, 0x3333333344444444, 5, 6);
	fill(1, 0x8000000000000000, 0x80000000, 0, 0);
	memset(rig.memory + RIG_DATA, 0xee, 32);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0x8e, 0x07),
		    RIG_NOTHING); /* vpmaskmovd [rdi], xmm1, xmm0 */
	CHECK_EQUAL(rig.memory[RIG_DATA], 0xee);
	CHECK_EQUAL(rig.memory[RIG_DATA + 4], 0x11);
	CHECK_EQUAL(rig.memory[RIG_DATA + 8], 0x44);
	CHECK_EQUAL(rig.memory[RIG_DATA + 12], 0xee);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0x8c, 0x17); /* vpmaskmovd xmm2, xmm1, [rdi] */
	check_vec(2, 0x1111111100000000, 0x44444444, 0, 0);
	rig.cpu->reg[REG_RDI] = RIG_DATA + 0x100;
	fill(1, 0x8000000000000080, 0x7f00000000000000, 0, 0);
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0xf7, 0xc1), RIG_NOTHING); /* maskmovdqu xmm0, xmm1 */
	CHECK_EQUAL(rig.memory[RIG_DATA + 0x100], 0x22);
	CHECK_EQUAL(rig.memory[RIG_DATA + 0x101], 0);
	CHECK_EQUAL(rig.memory[RIG_DATA + 0x107], 0x11);
	CHECK_EQUAL(rig.memory[RIG_DATA + 0x10f], 0);
	/* A non-canonical address raises #GP only if some element goes there. */
	rig.cpu->reg[REG_RDI] = UINT64_C(0x800000000000) - 8;
	fill(1, 0, 0x8000000000000000, 0, 0);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0x8c, 0x17),
		    VECTOR_GP); /* vpmaskmovd xmm2, xmm1, [rdi] */
	fill(1, 0, 0, 0, 0);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0x8c, 0x17),
		    RIG_NOTHING); /* vpmaskmovd xmm2, xmm1, [rdi] */
	check_vec(2, 0, 0, 0, 0);
	rig_close(&rig);
}

/* SDM 2D VGATHERDPS / VPGATHERDD: loads where the mask's sign is set, mask zeroed; a fault leaves
 * the elements before it done and out of the mask; equal registers are #UD. */
static void test_gather(void)
{
	rig_open(&rig);
	for (u32 i = 0; i < 16; i++)
		memcpy(rig.memory + RIG_DATA + 4 * i, &(u32){0x1000 + i}, 4);
	fill(0, 0xaaaaaaaaaaaaaaaa, 0xbbbbbbbbbbbbbbbb, 0xcccccccccccccccc, 0xdddddddddddddddd);
	fill(1, UINT64_C(0x0000000500000002), UINT64_C(0x0000000900000001), 0, 0);
	fill(2, UINT64_C(0x00000000ffffffff), UINT64_C(0x8000000080000000), 0, 0);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x69, 0x90, 0x04, 0x8f),
		    RIG_NOTHING); /* vpgatherdd xmm0, [rdi + 4*xmm1], xmm2 */
	check_vec(0, 0xaaaaaaaa00001002, 0x0000100900001001, 0, 0);
	check_vec(2, 0, 0, 0, 0);
	/* The third element is not canonical. */
	fill(0, 1, 2, 3, 4);
	fill(1, 0, 8, UINT64_C(0x800000000000), 16);
	fill(2, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xed, 0x91, 0x04, 0x0f),
		    VECTOR_GP); /* vpgatherqq ymm0, [rdi + ymm1], ymm2 */
	check_vec(0, 0x0000100100001000, 0x0000100300001002, 3, 4);
	check_vec(2, 0, 0, UINT64_MAX, UINT64_MAX);
	VEC(1).q[2] = 0;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xed, 0x91, 0x04, 0x0f),
		    RIG_NOTHING); /* vpgatherqq ymm0, [rdi + ymm1], ymm2 */
	check_vec(0, 0x0000100100001000, 0x0000100300001002, 0x0000100100001000,
		  0x0000100500001004);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xf5, 0x91, 0x04, 0x0f),
		    VECTOR_UD); /* vpgatherqq ymm0, [rdi + ymm1], ymm1 */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xed, 0x91, 0x0c, 0x0f),
		    VECTOR_UD); /* vpgatherqq ymm1, [rdi + ymm1], ymm2 */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0xed, 0x91, 0x14, 0x0f),
		    VECTOR_UD); /* vpgatherqq ymm2, [rdi + ymm1], ymm2 */
	rig_close(&rig);
}

/* APM 4 EXTRQ, INSERTQ: length 0 means 64. */
static void test_sse4a(void)
{
	rig_open(&rig);
	fill(0, 0xfedcba9876543210, 9, 9, 9);
	RIG_RUN(&rig, 0x66, 0x0f, 0x78, 0xc0, 0x0c, 0x08); /* extrq xmm0, 12, 8 */
	CHECK_EQUAL(VEC(0).q[0], 0x432);
	fill(1, 0xabcdef, 0x0808, 0, 0);       /* length 8, index 8 */
	RIG_RUN(&rig, 0xf2, 0x0f, 0x79, 0xc1); /* insertq xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).q[0], 0xef32);
	fill(0, 0xfedcba9876543210, 0, 0, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x78, 0xc0, 0x00, 0x00); /* extrq xmm0, 0, 0 */
	CHECK_EQUAL(VEC(0).q[0], 0xfedcba9876543210);
	rig_close(&rig);
}

/* SDM 2D VZEROUPPER, VZEROALL: eight registers outside 64-bit mode. */
static void test_vzero(void)
{
	rig_open(&rig);
	for (unsigned int i = 0; i < 16; i++)
		fill(i, 1, 2, 3, 4);
	RIG_RUN(&rig, 0xc5, 0xf8, 0x77); /* vzeroupper */
	check_vec(0, 1, 2, 0, 0);
	check_vec(15, 1, 2, 0, 0);
	rig_leave_64bit(&rig, false);
	RIG_RUN(&rig, 0xc5, 0xfc, 0x77); /* vzeroall */
	check_vec(7, 0, 0, 0, 0);
	check_vec(8, 1, 2, 0, 0);
	rig_close(&rig);
}

/* SDM 2A:2.3.5.4, 2C PEXTRQ: outside 64-bit mode VEX.W does not make VMOVD a VMOVQ; legacy movq
 * mm needs REX. VEX is #UD in real mode. */
static void test_other_modes(void)
{
	rig_open(&rig);
	rig_leave_64bit(&rig, false);
	fill(0, 0x1122334455667788, 0, 0, 0);
	rig.cpu->reg[REG_RAX] = 0;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe1, 0xf9, 0x7e, 0xc0), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x55667788);
	/* A segment limit counts all bytes of the operand (SDM 3A:5.3). */
	rig.cpu->seg[SEG_DS].limit = RIG_DATA + 14;
	CHECK_EQUAL(RIG_RUN(&rig, 0xf3, 0x0f, 0x6f, 0x07), VECTOR_GP); /* movdqu xmm0, [edi] */
	rig.cpu->seg[SEG_DS].limit = RIG_DATA + 15;
	CHECK_EQUAL(RIG_RUN(&rig, 0xf3, 0x0f, 0x6f, 0x07), RIG_NOTHING); /* movdqu xmm0, [edi] */
	rig_leave_64bit(&rig, true);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xf9, 0xef, 0xc0), VECTOR_UD); /* vpxor xmm0, xmm0, xmm0 */
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"upper bits", test_upper_bits},
	{"MOVSS, MOVSD, MOVD", test_scalar_moves},
	{"alignment", test_alignment},
	{"misaligned exception mask", test_misaligned_mode},
	{"saturation", test_saturation},
	{"shift counts", test_shift_counts},
	{"shuffles and blends", test_shuffles},
	{"multiplication", test_multiplication},
	{"PTEST, VTESTPS", test_ptest},
	{"inserts and extracts", test_inserts},
	{"MMX and the x87 state", test_mmx_state},
	{"masked moves", test_masked_moves},
	{"gathers", test_gather},
	{"SSE4A", test_sse4a},
	{"VZEROUPPER, VZEROALL", test_vzero},
	{"32-bit and real mode", test_other_modes},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("vector", tests)
