/* SPDX-License-Identifier: Apache-2.0 */
/* What the x87 tests share: instructions by name, and looks at the stack. */
#ifndef LOCKSTEP_TESTS_UNIT_SIM_X87_RIG_H
#define LOCKSTEP_TESTS_UNIT_SIM_X87_RIG_H

#include "sim/cpu/flags.h"
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define FPU          rig.cpu->fpu
#define DATA(type)   (*(type *)(rig.memory + RIG_DATA))
#define X(...)       RIG_RUN(&rig, __VA_ARGS__)
#define FLD1         0xd9, 0xe8
#define FLDZ         0xd9, 0xee
#define FADD_ST1     0xd8, 0xc1
#define FDIV_ST1     0xd8, 0xf1
#define FMUL_ST1     0xd8, 0xc9
#define FWAIT        0x9b
#define FNINIT       0xdb, 0xe3
#define FNCLEX       0xdb, 0xe2
#define FLD_M32      0xd9, 0x07
#define FLD_M64      0xdd, 0x07
#define FLD_M80      0xdb, 0x2f
#define FSTP_M80     0xdb, 0x3f
#define FNSTSW_AX    0xdf, 0xe0
#define FNSTENV      0xd9, 0x37
#define FLDENV       0xd9, 0x27
#define INDEFINITE   0xc000000000000000
#define EXPONENT_ONE 0x3fff

static inline struct fpu_register *st(unsigned int i)
{
	return &FPU.r[(fpu_top(rig.cpu) + i) & 7];
}

static inline void push(u16 sign_exponent, u64 mantissa)
{
	memcpy(&DATA(u8), &mantissa, 8);
	memcpy(&DATA(u8) + 8, &sign_exponent, 2);
	CHECK_EQUAL(X(FLD_M80), RIG_NOTHING);
}

static inline void push_double(double value)
{
	DATA(double) = value;
	CHECK_EQUAL(X(FLD_M64), RIG_NOTHING);
}

static inline void check_st(unsigned int i, u16 sign_exponent, u64 mantissa)
{
	CHECK_EQUAL(st(i)->sign_exponent, sign_exponent);
	CHECK_EQUAL(st(i)->mantissa, mantissa);
}

#endif
