/* SPDX-License-Identifier: Apache-2.0 */
/* x87: results, by the sections of SDM 1:8. */
#include "tests/unit/sim/x87_rig.h"

/* 8.1.5.2, 8.1.5.3: 1/3 in each precision, and rounded each way. */
static void test_precision_rounding(void)
{
	static const struct {
		u16 control, exponent;
		u64 mantissa;
		bool up;
	} rows[] = {
		{0x037f, 0x3ffd, 0xaaaaaaaaaaaaaaab, true},  /* 64 bits, nearest */
		{0x0f7f, 0x3ffd, 0xaaaaaaaaaaaaaaaa, false}, /* towards zero */
		{0x0b7f, 0x3ffd, 0xaaaaaaaaaaaaaaab, true},  /* up */
		{0x077f, 0x3ffd, 0xaaaaaaaaaaaaaaaa, false}, /* down */
		{0x027f, 0x3ffd, 0xaaaaaaaaaaaaa800, false}, /* 53 bits */
		{0x0a7f, 0x3ffd, 0xaaaaaaaaaaaab000, true},
		{0x007f, 0x3ffd, 0xaaaaab0000000000, true}, /* 24 bits */
		{0x0c7f, 0x3ffd, 0xaaaaaa0000000000, false},
	};

	rig_open(&rig);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		X(FNINIT);
		push_double(3);
		X(FLD1);
		fpu_set_control(rig.cpu, rows[i].control);
		CHECK_EQUAL(X(FDIV_ST1), RIG_NOTHING);
		check_st(0, rows[i].exponent, rows[i].mantissa);
		/* 8.1.3.3: C1 tells that the inexact result was rounded up */
		CHECK_EQUAL(FPU.status & (FSW_PE | FSW_C1), FSW_PE | (rows[i].up ? FSW_C1 : 0));
	}
	rig_close(&rig);
}

/* 8.3.2: constants follow RC. Pi has 64 bits of c90fdaa22168c234|c4… */
static void test_constants(void)
{
	rig_open(&rig);
	X(0xd9, 0xeb);
	check_st(0, 0x4000, 0xc90fdaa22168c235);
	fpu_set_control(rig.cpu, 0x0f7f);
	X(0xd9, 0xeb);
	check_st(0, 0x4000, 0xc90fdaa22168c234);
	X(FLD1);
	check_st(0, EXPONENT_ONE, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, 0);
	rig_close(&rig);
}

/* 8.5.1.1: stack faults set IE and SF, C1 tells overflow from underflow; masked, an indefinite is
 * the result. */
static void test_stack_faults(void)
{
	rig_open(&rig);
	CHECK_EQUAL(X(FADD_ST1), RIG_NOTHING);
	CHECK_EQUAL(FPU.status & (FSW_IE | FSW_SF | FSW_C1), FSW_IE | FSW_SF);
	check_st(0, 0xffff, INDEFINITE);
	X(FNINIT);
	for (unsigned int i = 0; i < 8; i++)
		X(FLD1);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, 0);
	X(FLDZ);
	CHECK_EQUAL(FPU.status & (FSW_IE | FSW_SF | FSW_C1), FSW_IE | FSW_SF | FSW_C1);
	check_st(0, 0xffff, INDEFINITE);
	CHECK_EQUAL(fpu_top(rig.cpu), 7);
	/* unmasked: nothing moves */
	X(FNINIT);
	fpu_set_control(rig.cpu, 0x037e);
	CHECK_EQUAL(X(FSTP_M80), RIG_NOTHING);
	CHECK_EQUAL(fpu_top(rig.cpu), 0);
	CHECK_EQUAL(FPU.status, FSW_IE | FSW_SF | FSW_ES | FSW_B);
	CHECK_EQUAL(DATA(u64), 0);
	rig_close(&rig);
}

/* 8.5.4, 8.5.5: unmasked overflow and underflow leave the result with its exponent moved by
 * 24576; 4.9.1.5: unmasked underflow does not need a loss of accuracy. */
static void test_wrapped_exponents(void)
{
	rig_open(&rig);
	push(0x7ffe, 0x8000000000000000);
	push(0x7ffe, 0x8000000000000000);
	fpu_set_control(rig.cpu, 0x0377);
	X(FMUL_ST1);
	check_st(0, 0x7ffe + 0x7ffe - 0x3fff - 0x6000, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & (FSW_OE | FSW_PE | FSW_ES), FSW_OE | FSW_ES);
	X(FNINIT);
	push(0x0001, 0x8000000000000000);
	push(0x3ffe, 0x8000000000000000);
	X(FMUL_ST1);
	check_st(0, 0x0000, 0x4000000000000000); /* masked and exact: no flag */
	CHECK_EQUAL(FPU.status & FSW_UE, 0);
	X(FNINIT);
	push(0x0001, 0x8000000000000000);
	push(0x3ffe, 0x8000000000000000);
	fpu_set_control(rig.cpu, 0x036f);
	X(FMUL_ST1);
	check_st(0, 0x6000, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & (FSW_UE | FSW_ES), FSW_UE | FSW_ES);
	rig_close(&rig);
}

/* 8.5.4: to memory an unmasked overflow stores nothing and keeps the stack. */
static void test_refused_store(void)
{
	rig_open(&rig);
	push(0x7000, 0x8000000000000000);
	fpu_set_control(rig.cpu, 0x0377);
	DATA(u32) = 0x12345678;
	CHECK_EQUAL(X(0xd9, 0x1f), RIG_NOTHING); /* FSTP m32 */
	CHECK_EQUAL(DATA(u32), 0x12345678);
	CHECK_EQUAL(fpu_top(rig.cpu), 7);
	CHECK_EQUAL(FPU.status & (FSW_OE | FSW_ES), FSW_OE | FSW_ES);
	X(0xdb, 0xe2);
	fpu_set_control(rig.cpu, 0x037f);
	X(0xd9, 0x1f);
	CHECK_EQUAL(DATA(u32), 0x7f800000);
	CHECK_EQUAL(fpu_top(rig.cpu), 0);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_OE | FSW_PE);
	/* 8.5.3: nor does a popping instruction pop */
	X(FNINIT);
	X(FLDZ);
	X(FLDZ);
	fpu_set_control(rig.cpu, 0x037e);
	X(0xde, 0xf9); /* FDIVP */
	CHECK_EQUAL(fpu_top(rig.cpu), 6);
	check_st(1, 0, 0);
	rig_close(&rig);
}

/* 4.8.3.6, 8.5.1.2, 8.5.2: a signalling NaN turns quiet with #I; a denormal raises #D; 8.2.2:
 * unnormals and other unsupported encodings are invalid, pseudo-denormals are not. */
static void test_operand_classes(void)
{
	rig_open(&rig);
	DATA(u32) = 0xff800001;
	X(FLD_M32);
	check_st(0, 0xffff, 0xc000010000000000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_IE);
	X(FNINIT);
	DATA(u32) = 0x00000001;
	X(FLD_M32);
	check_st(0, 0x3fff - 149, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_DE);
	X(FNINIT);
	push(0x3fff, 0x4000000000000000); /* unnormal */
	X(FLD1);
	X(FADD_ST1);
	check_st(0, 0xffff, INDEFINITE);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_IE);
	X(FNINIT);
	push(0x0000, 0x8000000000000000); /* pseudo-denormal: the least normal number */
	push(0x0001, 0x8000000000000000);
	X(FADD_ST1);
	check_st(0, 0x0002, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_DE);
	rig_close(&rig);
}

/* 8.3.6.1 tables 8-6 and 8-7: answers of FCOM in C3, C2, C0 and of FCOMI in ZF, PF, CF; quiet NaNs
 * are invalid to FCOM and not to FUCOM. */
static void test_compare(void)
{
	static const struct {
		double st0, st1;
		u16 codes;
	} rows[] = {
		{2, 1, 0},
		{1, 2, FSW_C0},
		{1, 1, FSW_C3},
		{-0.0, 0.0, FSW_C3},
		{__builtin_nan(""), 1, FSW_C3 | FSW_C2 | FSW_C0},
	};
	const u16 all = FSW_C3 | FSW_C2 | FSW_C0;

	rig_open(&rig);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		u16 invalid = rows[i].codes == all ? FSW_IE : 0;

		X(FNINIT);
		push_double(rows[i].st1);
		push_double(rows[i].st0);
		X(0xdd, 0xe1); /* FUCOM */
		CHECK_EQUAL(FPU.status & (all | FSW_EXCEPTIONS), rows[i].codes);
		X(0xd8, 0xd1); /* FCOM */
		CHECK_EQUAL(FPU.status & (all | FSW_EXCEPTIONS), rows[i].codes | invalid);
		cpu_set_rflags(rig.cpu, FLAG_OF | FLAG_SF | FLAG_AF);
		X(0xdb, 0xf1); /* FCOMI */
		CHECK_EQUAL(flag_cf(rig.cpu), (rows[i].codes & FSW_C0) != 0);
		CHECK_EQUAL(flag_pf(rig.cpu), (rows[i].codes & FSW_C2) != 0);
		CHECK_EQUAL(flag_zf(rig.cpu), (rows[i].codes & FSW_C3) != 0);
		CHECK_EQUAL(cpu_rflags(rig.cpu) & (FLAG_OF | FLAG_SF | FLAG_AF), 0);
		X(0xde, 0xd9); /* FCOMPP */
		CHECK_EQUAL(FPU.status & all, rows[i].codes);
		CHECK_EQUAL(FPU.tag, FPU_TAGS_EMPTY);
	}
	rig_close(&rig);
}

/* SDM 2A FCOM: on Intel's processors an unmasked #IA withholds the condition codes. */
static void test_compare_unmasked(void)
{
	rig_open(&rig);
	push_double(__builtin_nan(""));
	FPU.status |= FSW_C0;
	fpu_set_control(rig.cpu, 0x037e);
	X(0xd8, 0xd8); /* FCOMP ST(0) */
	CHECK_EQUAL(FPU.status & FSW_CONDITIONS, FSW_C0);
	CHECK_EQUAL(FPU.status & (FSW_IE | FSW_ES), FSW_IE | FSW_ES);
	CHECK_EQUAL(fpu_top(rig.cpu), 7);
	rig_close(&rig);
}

/* SDM 2A FXAM, table 3-36. */
static void test_examine(void)
{
	static const struct {
		u16 sign_exponent;
		u64 mantissa;
		u16 codes;
	} rows[] = {
		{0x3fff, 0x4000000000000000, 0},               /* unsupported */
		{0xffff, 0xc000000000000001, FSW_C0 | FSW_C1}, /* -NaN */
		{0x3fff, 0x8000000000000000, FSW_C2},          /* normal */
		{0x7fff, 0x8000000000000000, FSW_C2 | FSW_C0}, /* infinity */
		{0x8000, 0x0000000000000000, FSW_C3 | FSW_C1}, /* -0 */
		{0x0000, 0x0000000000000001, FSW_C3 | FSW_C2}, /* denormal */
	};

	rig_open(&rig);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		X(FNINIT);
		push(rows[i].sign_exponent, rows[i].mantissa);
		X(0xd9, 0xe5);
		CHECK_EQUAL(FPU.status & FSW_CONDITIONS, rows[i].codes);
	}
	X(FNINIT);
	X(0xd9, 0xe5);
	CHECK_EQUAL(FPU.status & (FSW_C3 | FSW_C2 | FSW_C0), FSW_C3 | FSW_C0); /* empty */
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, 0);
	rig_close(&rig);
}

/* 4.7, 8.3.3: packed decimal. */
static void test_decimal(void)
{
	static const u8 negative[10] = {0x89, 0x67, 0x45, 0x23, 0x01, 0, 0, 0, 0, 0x80};

	rig_open(&rig);
	push_double(-123456789);
	X(0xdf, 0x37); /* FBSTP */
	CU_ASSERT(!memcmp(&DATA(u8), negative, 10));
	X(0xdf, 0x27); /* FBLD */
	X(0xdd, 0x1f); /* FSTP m64 */
	CU_ASSERT(DATA(double) == -123456789.0);
	push_double(1e18); /* nineteen digits */
	X(0xdf, 0x37);
	CHECK_EQUAL(DATA(u64), INDEFINITE);
	CHECK_EQUAL(*(&DATA(u16) + 4), 0xffff);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_IE);
	rig_close(&rig);
}

/* 8.1.4, SDM 2A FIST, FISTTP: rounding, and the integer indefinite. */
static void test_integers(void)
{
	rig_open(&rig);
	push_double(-2.5);
	X(0xdb, 0x17); /* FIST m32 */
	CHECK_EQUAL(DATA(u32), (u32)-2);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_PE);
	fpu_set_control(rig.cpu, 0x077f);
	X(0xdb, 0x17);
	CHECK_EQUAL(DATA(u32), (u32)-3);
	X(0xdf, 0x0f); /* FISTTP m16 */
	CHECK_EQUAL(DATA(u16), (u16)-2);
	push_double(32768);
	X(0xdb, 0xe2);
	X(0xdf, 0x1f); /* FISTP m16 */
	CHECK_EQUAL(DATA(u16), 0x8000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_IE);
	DATA(u64) = 0x7fffffffffffffff;
	X(0xdf, 0x2f); /* FILD m64 */
	check_st(0, 0x403d, 0xfffffffffffffffe);
	X(0xdf, 0x3f); /* FISTP m64 */
	CHECK_EQUAL(DATA(u64), 0x7fffffffffffffff);
	CHECK_EQUAL(FPU.tag, FPU_TAGS_EMPTY);
	rig_close(&rig);
}

/* SDM 2A FPREM: quotient bits 2, 1, 0 in C0, C3, C1; C2 while the exponents are too far apart. */
static void test_remainder(void)
{
	rig_open(&rig);
	push_double(4);
	push_double(-27);
	X(0xd9, 0xf8);
	CHECK_EQUAL(FPU.status & FSW_CONDITIONS, FSW_C0 | FSW_C3); /* 27 / 4 = 6 */
	X(0xdd, 0x1f);
	CU_ASSERT(DATA(double) == -3.0);
	push_double(-27);
	X(0xd9, 0xf5); /* FPREM1: 27 / 4 to nearest = 7 */
	CHECK_EQUAL(FPU.status & FSW_CONDITIONS, FSW_C0 | FSW_C3 | FSW_C1);
	X(0xdd, 0x1f);
	CU_ASSERT(DATA(double) == 1.0);
	push(0x7000, 0x8000000000000001);
	X(0xd9, 0xf8);
	CHECK_EQUAL(FPU.status & FSW_C2, FSW_C2);
	rig_close(&rig);
}

/* SDM 2A FXTRACT, FSCALE, FSQRT, FRNDINT; FSIN's range (8.3.8). */
static void test_functions(void)
{
	rig_open(&rig);
	push_double(-12);
	X(0xd9, 0xf4); /* FXTRACT */
	check_st(0, 0xbfff, 0xc000000000000000);
	check_st(1, 0x4000, 0xc000000000000000);
	X(0xd9, 0xfd); /* FSCALE */
	check_st(0, 0xc002, 0xc000000000000000);
	X(FNINIT);
	X(FLDZ);
	X(0xd9, 0xf4);
	check_st(0, 0x0000, 0);
	check_st(1, 0xffff, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_ZE);
	X(FNINIT);
	push_double(-1);
	X(0xd9, 0xfa); /* FSQRT */
	check_st(0, 0xffff, INDEFINITE);
	X(FNINIT);
	push(0x403e, 0x8000000000000000); /* 2^63 */
	X(0xd9, 0xfe);
	check_st(0, 0x403e, 0x8000000000000000);
	CHECK_EQUAL(FPU.status & FSW_C2, FSW_C2);
	X(0xd9, 0xfb); /* FSINCOS pushes nothing then */
	CHECK_EQUAL(fpu_top(rig.cpu), 7);
	rig_close(&rig);
}

/* 1:8.1.3.3: flags are sticky, and after FNCLEX only those of what comes then. */
static void test_cleared_flags(void)
{
	rig_open(&rig);
	push_double(0);
	X(FLD1);
	X(FDIV_ST1);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_ZE);
	push_double(3);
	X(FLD1);
	X(FDIV_ST1);
	CHECK_EQUAL(FPU.status & FSW_EXCEPTIONS, FSW_ZE | FSW_PE);
	X(FNCLEX);
	X(FLD1);
	X(FADD_ST1);
	CHECK_EQUAL(FPU.status & (FSW_EXCEPTIONS | FSW_ES), FSW_PE); /* 1 + 1/3 */
	X(FNCLEX);
	fpu_set_control(rig.cpu, FCW_INIT & ~FSW_PE);
	X(FLD1);
	X(FMUL_ST1);
	CHECK_EQUAL(FPU.status & (FSW_EXCEPTIONS | FSW_ES), 0);
	X(FDIV_ST1);
	CHECK_EQUAL(FPU.status & (FSW_EXCEPTIONS | FSW_ES), 0);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"precision and rounding control", test_precision_rounding},
	{"constants", test_constants},
	{"stack faults", test_stack_faults},
	{"unmasked overflow and underflow", test_wrapped_exponents},
	{"refused stores", test_refused_store},
	{"operand classes", test_operand_classes},
	{"FCOM, FUCOM, FCOMI", test_compare},
	{"FCOM unmasked", test_compare_unmasked},
	{"FXAM", test_examine},
	{"FBLD, FBSTP", test_decimal},
	{"FILD, FIST, FISTTP", test_integers},
	{"FPREM, FPREM1", test_remainder},
	{"functions", test_functions},
	{"flags after FNCLEX", test_cleared_flags},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("x87", tests)
