/* SPDX-License-Identifier: Apache-2.0 */
/* SIMD floating point: NaNs, MXCSR, exceptions, conversions, FMA, half precision. */
#include "sim/cpu/flags.h"
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define VEC(i) (rig.cpu->vec[i])
#define MXCSR  (rig.cpu->mxcsr)

/* Flags and masks of MXCSR (SDM 1:10.2.3). */
enum { IE = 1, DE = 2, ZE = 4, OE = 8, UE = 16, PE = 32, DAZ = 64 };
#define IM       0x0080u
#define DM       0x0100u
#define ZM       0x0200u
#define OM       0x0400u
#define UM       0x0800u
#define PM       0x1000u
#define DOWN     0x2000u
#define UP       0x4000u
#define TRUNCATE 0x6000u
#define FTZ      0x8000u
#define MASKED   0x1f80u

/* Single-precision patterns. */
#define ONE          0x3f800000u
#define QUIET        0x7fc00001u
#define SIGNAL       0x7f800001u
#define INFINITE     0x7f800000u
#define INDEFINITE   0xffc00000u
#define LARGEST      0x7f7fffffu
#define LEAST_NORMAL 0x00800000u
#define DENORMAL     0x00000001u

static void floats(unsigned int i, u32 d0, u32 d1, u32 d2, u32 d3)
{
	rig.cpu->vec[i] = (union vec){.d = {d0, d1, d2, d3}};
}

static void doubles(unsigned int i, double d0, double d1)
{
	rig.cpu->vec[i] = (union vec){.f64 = {d0, d1}};
}

static u64 arith(void)
{
	return cpu_rflags(rig.cpu) & FLAG_ARITH;
}

/* SDM 1:4.8.3.5, table 4-7: the first source's NaN wins, an SNaN is made quiet and raises invalid;
 * without a NaN an invalid operation gives the indefinite one. */
static void test_nans(void)
{
	rig_open(&rig);
	floats(0, SIGNAL, QUIET, ONE, INFINITE);
	floats(1, QUIET + 4, SIGNAL + 8, SIGNAL + 2, INFINITE | 0x80000000);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0x0f, 0x58, 0xc1); /* addps xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).d[0], SIGNAL | 0x400000);
	CHECK_EQUAL(VEC(0).d[1], QUIET);
	CHECK_EQUAL(VEC(0).d[2], (SIGNAL + 2) | 0x400000);
	CHECK_EQUAL(VEC(0).d[3], INDEFINITE);
	CHECK_EQUAL(MXCSR, MASKED | IE);
	floats(0, QUIET, 0, 0, 0);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xf3, 0x0f, 0x59, 0xc1);
	/* quiet NaNs alone raise nothing */ /* mulss xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).d[0], QUIET);
	CHECK_EQUAL(MXCSR, MASKED);
	floats(0, 0xbf800000, 0, 0, 0);
	RIG_RUN(&rig, 0xf3, 0x0f, 0x51, 0xd0); /* sqrtss xmm2, xmm0 */
	CHECK_EQUAL(VEC(2).d[0], INDEFINITE);
	CHECK_EQUAL(MXCSR, MASKED | IE);
	rig_close(&rig);
}

/* SDM 2B MINPS, MAXPS: for any NaN and for two zeros the second source; a quiet NaN raises invalid.
 */
static void test_min_max(void)
{
	rig_open(&rig);
	floats(0, 0, 0x80000000, QUIET, ONE);
	floats(1, 0x80000000, 0, ONE, SIGNAL);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc5, 0xf8, 0x5d, 0xd1); /* vminps xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x80000000);
	CHECK_EQUAL(VEC(2).d[1], 0);
	CHECK_EQUAL(VEC(2).d[2], ONE);
	CHECK_EQUAL(VEC(2).d[3], SIGNAL); /* as it is, not made quiet */
	CHECK_EQUAL(MXCSR, MASKED | IE);
	RIG_RUN(&rig, 0xc5, 0xf8, 0x5f, 0xd1); /* vmaxps xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x80000000);
	CHECK_EQUAL(VEC(2).d[1], 0);
	rig_close(&rig);
}

/* SDM 1:4.8.4, table 4-8: rounding control, with the flags left sticky. */
static void test_rounding(void)
{
	static const struct {
		u32 control;
		s32 expected[4]; /* of 2.5, -2.5, 3.5, 0.25 */
	} rows[] = {
		{0, {2, -2, 4, 0}},
		{DOWN, {2, -3, 3, 0}},
		{UP, {3, -2, 4, 1}},
		{TRUNCATE, {2, -2, 3, 0}},
	};

	rig_open(&rig);
	rig.cpu->vec[1] = (union vec){.f32 = {2.5f, -2.5f, 3.5f, 0.25f}};
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		MXCSR = MASKED | rows[i].control | DE;
		RIG_RUN(&rig, 0x66, 0x0f, 0x5b, 0xc1); /* cvtps2dq xmm0, xmm1 */
		for (unsigned int j = 0; j < 4; j++)
			CHECK_EQUAL((u32)VEC(0).sd[j], (u32)rows[i].expected[j]);
		CHECK_EQUAL(MXCSR, MASKED | rows[i].control | DE | PE);
		RIG_RUN(&rig, 0xf3, 0x0f, 0x5b, 0xc1); /* cvttps2dq xmm0, xmm1 */
		for (unsigned int j = 0; j < 4; j++)
			CHECK_EQUAL((u32)VEC(0).sd[j], (u32)rows[3].expected[j]);
	}
	/* Does not fit: the integer indefinite, invalid only. */
	rig.cpu->vec[1] = (union vec){.f64 = {2147483648.0, -2147483648.0}};
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xf2, 0x0f, 0xe6, 0xc1); /* cvtpd2dq xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).q[0], 0x8000000080000000);
	CHECK_EQUAL(MXCSR, MASKED | IE);
	RIG_RUN(&rig, 0xf2, 0x48, 0x0f, 0x2d, 0xc1); /* cvtsd2si rax, xmm1 */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0x80000000);
	rig_close(&rig);
}

/* SDM 2B ROUNDSS: the immediate's mode, MXCSR's by bit 2, no precision exception by bit 3. */
static void test_round(void)
{
	rig_open(&rig);
	rig.cpu->vec[1] = (union vec){.f32 = {-1.5f, 7}};
	floats(0, 9, 8, 7, 6);
	MXCSR = MASKED | UP;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x0a, 0xc1, 0x01); /* roundss xmm0, xmm1, 1 */
	CHECK_EQUAL(VEC(0).d[0], 0xc0000000);
	CHECK_EQUAL(VEC(0).d[1], 8);
	CHECK_EQUAL(MXCSR, MASKED | UP | PE);
	MXCSR = MASKED | UP;
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x0a, 0xc1, 0x09); /* roundss xmm0, xmm1, 9 */
	CHECK_EQUAL(VEC(0).d[0], 0xc0000000);
	CHECK_EQUAL(MXCSR, MASKED | UP);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x0a, 0xc1, 0x0c); /* roundss xmm0, xmm1, 12 */
	CHECK_EQUAL(VEC(0).d[0], 0xbf800000);
	rig_close(&rig);
}

/* SDM 1:10.2.3.3, 10.2.3.4: DAZ reads denormals as zeros and keeps DE clear; FTZ writes tiny
 * results as zeros with UE and PE, and only while underflow is masked. */
static void test_denormals(void)
{
	rig_open(&rig);
	floats(0, DENORMAL | 0x80000000, 0, 0, 0);
	floats(1, DENORMAL | 0x80000000, 0, 0, 0);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc5, 0xfa, 0x58, 0xd1); /* vaddss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x80000002);
	CHECK_EQUAL(MXCSR, MASKED | DE); /* exact: masked underflow says nothing */
	MXCSR = MASKED | DAZ;
	RIG_RUN(&rig, 0xc5, 0xfa, 0x58, 0xd1); /* vaddss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x80000000);
	CHECK_EQUAL(MXCSR, MASKED | DAZ);
	floats(0, LEAST_NORMAL | 0x80000000, 0, 0, 0);
	floats(1, 0x3f000000, 0, 0, 0);
	MXCSR = MASKED | FTZ;
	RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 0x80000000);
	CHECK_EQUAL(MXCSR, MASKED | FTZ | UE | PE);
	MXCSR = (MASKED & ~UM) | FTZ;
	floats(2, 5, 0, 0, 0);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1), VECTOR_XM); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], 5);
	CHECK_EQUAL(MXCSR, (MASKED & ~UM) | FTZ | UE); /* tiny, but exact */
	rig_close(&rig);
}

/* SDM 1:11.5.1, 11.5.2: an unmasked exception writes its flag and no result; #UD without
 * CR4.OSXMMEXCPT (3A:2.5). */
static void test_unmasked(void)
{
	rig_open(&rig);
	floats(0, ONE, ONE, ONE, ONE);
	floats(1, 0, 0x40400000, ONE, ONE); /* 1/0, and 1/3 which is inexact */
	MXCSR = MASKED & ~ZM;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x5e, 0xc1), VECTOR_XM); /* divps xmm0, xmm1 */
	CHECK_EQUAL(rig.cpu->exception.has_error, false);
	CHECK_EQUAL(VEC(0).d[0], ONE);
	CHECK_EQUAL(VEC(0).d[1], ONE);
	/* Known before the computation: the other element's precision is not looked at. */
	CHECK_EQUAL(MXCSR, (MASKED & ~ZM) | ZE);
	MXCSR = MASKED & ~PM;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x5e, 0xc1), VECTOR_XM); /* divps xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, (MASKED & ~PM) | ZE | PE);
	rig.cpu->cr4 &= ~CR4_OSXMMEXCPT;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x5e, 0xc1), VECTOR_UD); /* divps xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).d[0], ONE);
	/* A flag that stands from before raises nothing. */
	MXCSR = (MASKED & ~OM) | OE;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x5e, 0xc1), RIG_NOTHING); /* divps xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).d[0], INFINITE);
	rig_close(&rig);
}

/* SDM 1:4.9.1.4, 4.9.1.5: unmasked, overflow and underflow tell of precision only if the result
 * would not fit with any exponent; masked overflow always does. */
static void test_unmasked_precision(void)
{
	rig_open(&rig);
	floats(0, LARGEST, 0, 0, 0);
	floats(1, 0x40000000, 0, 0, 0); /* 2 */
	floats(3, 0x40400000, 0, 0, 0); /* 3: needs 26 bits */
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).d[0], INFINITE);
	CHECK_EQUAL(MXCSR, MASKED | OE | PE);
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1), VECTOR_XM); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE);
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd3), VECTOR_XM); /* vmulss xmm2, xmm0, xmm3 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE | PE);
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfa, 0x58, 0xd0), VECTOR_XM); /* vaddss xmm2, xmm0, xmm0 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE);
	floats(0, 0x00800001, 0, 0, 0); /* times a half: loses its last bit only as a denormal */
	floats(1, 0x3f000000, 0, 0, 0);
	MXCSR = MASKED & ~UM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1), VECTOR_XM); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, (MASKED & ~UM) | UE);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc5, 0xfa, 0x59, 0xd1); /* vmulss xmm2, xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, MASKED | UE | PE);
	doubles(0, 0x1p1023, 0); /* divided by 2^-2: exact; by 3 * 2^-4: not */
	doubles(1, 0x1p-2, 0);
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xf2, 0x0f, 0x5e, 0xc1), VECTOR_XM); /* divsd xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE);
	doubles(1, 0x3p-4, 0);
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xf2, 0x0f, 0x5e, 0xc1), VECTOR_XM); /* divsd xmm0, xmm1 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE | PE);
	doubles(0, 0x1.8p200, 0); /* to single precision */
	MXCSR = MASKED & ~OM;
	CHECK_EQUAL(RIG_RUN(&rig, 0xf2, 0x0f, 0x5a, 0xc8), VECTOR_XM); /* cvtsd2ss xmm1, xmm0 */
	CHECK_EQUAL(MXCSR, (MASKED & ~OM) | OE);
	rig_close(&rig);
}

/* SDM 2A COMISS, UCOMISS: ZF, PF, CF; only COMISS finds a quiet NaN invalid. No flags on #XM. */
static void test_compare_flags(void)
{
	rig_open(&rig);
	floats(0, ONE, 0, 0, 0);
	floats(1, 0x40000000, 0, 0, 0);
	floats(2, QUIET, 0, 0, 0);
	MXCSR = MASKED;
	cpu_set_rflags(rig.cpu, FLAG_ARITH);
	RIG_RUN(&rig, 0x0f, 0x2f, 0xc1); /* comiss xmm0, xmm1 */
	CHECK_EQUAL(arith(), FLAG_CF);
	RIG_RUN(&rig, 0x0f, 0x2f, 0xc8); /* comiss xmm1, xmm0 */
	CHECK_EQUAL(arith(), 0);
	RIG_RUN(&rig, 0x0f, 0x2f, 0xc0); /* comiss xmm0, xmm0 */
	CHECK_EQUAL(arith(), FLAG_ZF);
	RIG_RUN(&rig, 0x0f, 0x2e, 0xc2); /* ucomiss xmm0, xmm2 */
	CHECK_EQUAL(arith(), FLAG_ZF | FLAG_PF | FLAG_CF);
	CHECK_EQUAL(MXCSR, MASKED);
	RIG_RUN(&rig, 0x0f, 0x2f, 0xc2); /* comiss xmm0, xmm2 */
	CHECK_EQUAL(MXCSR, MASKED | IE);
	MXCSR = MASKED & ~IM;
	cpu_set_rflags(rig.cpu, FLAG_OF);
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x2f, 0xc2), VECTOR_XM); /* comiss xmm0, xmm2 */
	CHECK_EQUAL(arith(), FLAG_OF);
	rig_close(&rig);
}

/* SDM 2A CMPPS, tables 3-1 and 3-2: ordered and unordered predicates, which of them find a quiet
 * NaN invalid. */
static void test_compare_masks(void)
{
	static const struct {
		u8 predicate;
		u8 mask; /* elements that hold for (1,2), (2,1), (1,1), (1,QNaN) */
		bool invalid;
	} rows[] = {
		{0, 0x4, false}, {1, 0x1, true},   {2, 0x5, true},  {3, 0x8, false},
		{4, 0xb, false}, {5, 0xe, true},   {6, 0xa, true},  {7, 0x7, false},
		{8, 0xc, false}, {11, 0, false},   {13, 0x6, true}, {15, 0xf, false},
		{16, 0x4, true}, {17, 0x1, false}, {28, 0x3, true}, {31, 0xf, true},
	};

	rig_open(&rig);
	floats(0, ONE, 0x40000000, ONE, ONE);
	floats(1, 0x40000000, ONE, ONE, QUIET);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 code[] = {0xc5, 0xf8, 0xc2, 0xd1,
			     rows[i].predicate}; /* vcmpps xmm2, xmm0, xmm1 */

		MXCSR = MASKED;
		CHECK_EQUAL(rig_run(&rig, code, sizeof(code)), RIG_NOTHING);
		for (unsigned int j = 0; j < 4; j++)
			CHECK_EQUAL(VEC(2).d[j], rows[i].mask >> j & 1 ? 0xffffffff : 0);
		CHECK_EQUAL(MXCSR, rows[i].invalid ? MASKED | IE : MASKED);
	}
	rig_close(&rig);
}

/* SDM 2D VFMADD132SS: one rounding; the order of operands decides which NaN is left. */
static void test_fma(void)
{
	rig_open(&rig);
	/* (1 + 2^-23)(1 - 2^-23) - 1 = -2^-46, lost if the product were rounded. */
	floats(0, 0x3f800001, 0, 0, 0);
	floats(1, 0x3f7ffffe, 0, 0, 0);
	floats(2, ONE, 0, 0, 0);
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0xab, 0xc2); /* vfmsub213ss xmm0, xmm1, xmm2 */
	CHECK_EQUAL(VEC(0).d[0], 0xa8800000);
	CHECK_EQUAL(MXCSR, MASKED);
	floats(0, QUIET, 0, 0, 0);
	floats(1, QUIET + 1, 0, 0, 0);
	floats(2, QUIET + 2, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0xa9, 0xc2);
	/* xmm1 * xmm0 + xmm2 */ /* vfmadd213ss xmm0, xmm1, xmm2 */
	CHECK_EQUAL(VEC(0).d[0], QUIET + 1);
	floats(0, QUIET, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0xb9, 0xc2);
	/* xmm1 * xmm2 + xmm0 */ /* vfmadd231ss xmm0, xmm1, xmm2 */
	CHECK_EQUAL(VEC(0).d[0], QUIET + 1);
	floats(0, QUIET, 0, 0, 0);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0x99, 0xc2);
	/* xmm0 * xmm2 + xmm1 */ /* vfmadd132ss xmm0, xmm1, xmm2 */
	CHECK_EQUAL(VEC(0).d[0], QUIET);
	/* VFMADDSUB subtracts in even elements and adds in odd ones. */
	rig.cpu->vec[0] = (union vec){.f32 = {2, 2, 2, 2}};
	rig.cpu->vec[1] = (union vec){.f32 = {3, 3, 3, 3}};
	rig.cpu->vec[2] = (union vec){.f32 = {1, 1, 1, 1}};
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0xa6, 0xc2); /* vfmaddsub213ps xmm0, xmm1, xmm2 */
	CHECK_EQUAL(VEC(0).f32[0], 5);
	CHECK_EQUAL(VEC(0).f32[1], 7);
	RIG_RUN(&rig, 0xc4, 0xe2, 0x71, 0xbe, 0xd1);
	/* -(3 * 3) - 1 */ /* vfnmsub231ps xmm2, xmm1, xmm1 */
	CHECK_EQUAL(VEC(2).f32[3] == -10, true);
	rig_close(&rig);
}

/* SDM 2D VCVTPH2PS, VCVTPS2PH: half-precision denormals are exact in single precision, whatever
 * DAZ says; rounding by the immediate; FTZ does not hit the result. */
static void test_half(void)
{
	u16 stored[4];

	rig_open(&rig);
	rig.cpu->vec[1] = (union vec){.w = {0x0001, 0x3c00, 0xfc00, 0x7c01}};
	MXCSR = MASKED | DAZ;
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0x13, 0xc1); /* vcvtph2ps xmm0, xmm1 */
	CHECK_EQUAL(VEC(0).d[0], 0x33800000);        /* 2^-24 */
	CHECK_EQUAL(VEC(0).d[1], ONE);
	CHECK_EQUAL(VEC(0).d[2], 0xff800000);
	CHECK_EQUAL(VEC(0).d[3], 0x7fc02000); /* an SNaN, made quiet */
	CHECK_EQUAL(MXCSR, MASKED | DAZ | IE);
	/* 1 + 2^-11 lies between two; 65520 rounds up to infinity; 2^-25 */
	rig.cpu->vec[1] = (union vec){.f32 = {0x1.002p0f, 65520.0f, 0x1p-25f, 0x1p-24f}};
	MXCSR = MASKED | FTZ;
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x1d, 0x0f, 0x00); /* vcvtps2ph [rdi], xmm1, 0 */
	memcpy(stored, rig.memory + RIG_DATA, 8);
	CHECK_EQUAL(stored[0], 0x3c00);
	CHECK_EQUAL(stored[1], 0x7c00);
	CHECK_EQUAL(stored[2], 0);
	CHECK_EQUAL(stored[3], 1);
	CHECK_EQUAL(MXCSR, MASKED | FTZ | OE | UE | PE);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x1d, 0xc8, 0x02); /* vcvtps2ph xmm0, xmm1, 2 */
	CHECK_EQUAL(VEC(0).q[0], 0x000100017c003c01);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x1d, 0xc8, 0x03); /* vcvtps2ph xmm0, xmm1, 3 */
	CHECK_EQUAL(VEC(0).q[0], 0x000100007bff3c00);
	rig_close(&rig);
}

/* SDM 2A DPPS, HADDPS, ADDSUBPS: which elements meet. */
static void test_sums(void)
{
	rig_open(&rig);
	rig.cpu->vec[0] = (union vec){.f32 = {1, 2, 4, 8}};
	rig.cpu->vec[1] = (union vec){.f32 = {16, 32, 64, 128}};
	MXCSR = MASKED;
	RIG_RUN(&rig, 0xc5, 0xfb, 0x7c, 0xd1); /* vhaddps xmm2, xmm0, xmm1 */
	CHECK_EQUAL(VEC(2).f32[0], 3);
	CHECK_EQUAL(VEC(2).f32[1], 12);
	CHECK_EQUAL(VEC(2).f32[2], 48);
	CHECK_EQUAL(VEC(2).f32[3], 192);
	RIG_RUN(&rig, 0xc5, 0xf3, 0xd0, 0xd0); /* vaddsubps xmm2, xmm1, xmm0 */
	CHECK_EQUAL(VEC(2).f32[0], 15);
	CHECK_EQUAL(VEC(2).f32[1], 34);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x40, 0xd1, 0x52);
	/* elements 0 and 2, to place 1 */ /* vdpps xmm2, xmm0, xmm1, 0x52 */
	CHECK_EQUAL(VEC(2).d[0], 0);
	CHECK_EQUAL(VEC(2).f32[1], 16 + 256);
	CHECK_EQUAL(VEC(2).d[2], 0);
	/* What is not chosen raises nothing. */
	VEC(0).d[1] = SIGNAL;
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x40, 0xd1, 0x5f); /* vdpps xmm2, xmm0, xmm1, 0x5f */
	CHECK_EQUAL(VEC(2).f32[3], 16 + 256);
	CHECK_EQUAL(MXCSR, MASKED);
	rig_close(&rig);
}

/* SDM 2A CVTSI2SD, CVTSS2SD, CVTPD2PS, CVTPI2PS: widths, and what is kept or zeroed above. */
static void test_conversions(void)
{
	rig_open(&rig);
	MXCSR = MASKED;
	rig.cpu->vec[0] = (union vec){.q = {1, 2, 3, 4}};
	rig.cpu->reg[REG_RAX] = 0x00000001ffffffff;
	RIG_RUN(&rig, 0xf2, 0x0f, 0x2a, 0xc0); /* cvtsi2sd xmm0, eax */
	CHECK_EQUAL(VEC(0).q[0], 0xbff0000000000000);
	CHECK_EQUAL(VEC(0).q[1], 2);
	CHECK_EQUAL(VEC(0).q[3], 4);
	rig.cpu->reg[REG_RAX] = 0x7fffffffffffffff;
	RIG_RUN(&rig, 0xc4, 0xe1, 0xfa, 0x2a, 0xc8); /* vcvtsi2ss xmm1, xmm0, rax */
	CHECK_EQUAL(VEC(1).d[0], 0x5f000000);
	CHECK_EQUAL(VEC(1).q[1], 2);
	CHECK_EQUAL(VEC(1).q[3], 0);
	CHECK_EQUAL(MXCSR, MASKED | PE);
	rig.cpu->vec[2] = (union vec){.f64 = {1, -2, 3, 4}};
	RIG_RUN(&rig, 0xc5, 0xfd, 0x5a, 0xda); /* vcvtpd2ps xmm3, ymm2 */
	CHECK_EQUAL(VEC(3).f32[3], 4);
	CHECK_EQUAL(VEC(3).q[2], 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x5a, 0xda); /* cvtpd2ps xmm3, xmm2 */
	CHECK_EQUAL(VEC(3).q[0], 0xc00000003f800000);
	CHECK_EQUAL(VEC(3).q[1], 0);
	RIG_RUN(&rig, 0xc5, 0xfc, 0x5a, 0xdb); /* vcvtps2pd ymm3, xmm3 */
	CHECK_EQUAL(VEC(3).f64[1] == -2, true);
	rig.cpu->fpu.tag = FPU_TAGS_EMPTY;
	rig.cpu->fpu.r[1].mantissa = 0x0000000500000004;
	floats(4, 1, 2, 3, 4);
	RIG_RUN(&rig, 0x0f, 0x2a, 0xe1); /* cvtpi2ps xmm4, mm1 */
	CHECK_EQUAL(VEC(4).q[0], 0x40a0000040800000);
	CHECK_EQUAL(VEC(4).q[1], 0x0000000400000003);
	CHECK_EQUAL(rig.cpu->fpu.tag, 0);
	rig_close(&rig);
}

/* The host's own MXCSR stays the default one, whatever the guest has loaded. */
static void test_host_mxcsr(void)
{
	u32 host;

	rig_open(&rig);
	MXCSR = MASKED | TRUNCATE | DAZ | FTZ;
	floats(0, ONE, ONE, ONE, ONE);
	floats(1, 0x40400000, 0, DENORMAL, SIGNAL);
	RIG_RUN(&rig, 0x0f, 0x5e, 0xc1); /* divps xmm0, xmm1 */
	__asm__ volatile("stmxcsr %0" : "=m"(host));
	CHECK_EQUAL(host & ~0x3fu, MASKED);
	MXCSR = UP;
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x5e, 0xc1), VECTOR_XM); /* divps xmm0, xmm1 */
	__asm__ volatile("stmxcsr %0" : "=m"(host));
	CHECK_EQUAL(host & ~0x3fu, MASKED);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"NaNs", test_nans},
	{"minimum and maximum", test_min_max},
	{"rounding", test_rounding},
	{"ROUNDSS", test_round},
	{"denormals", test_denormals},
	{"unmasked exceptions", test_unmasked},
	{"precision with unmasked overflow", test_unmasked_precision},
	{"COMISS, UCOMISS", test_compare_flags},
	{"CMPPS", test_compare_masks},
	{"FMA", test_fma},
	{"half precision", test_half},
	{"HADDPS, ADDSUBPS, DPPS", test_sums},
	{"conversions", test_conversions},
	{"the host's MXCSR", test_host_mxcsr},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("vec_float", tests)
