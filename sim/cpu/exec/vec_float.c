/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point arithmetic: SDM 1:10.4, 1:11.4. */
#include "sim/cpu/exec/vec_float.h"

#define PACKED(name, T, O)                                                                         \
	FP_BODY2(name, "v" #name)                                                                  \
	VEC_HOT(FP_FORM_AB, name, x, T, O)
#define SCALAR(name, S, T, O)                                                                      \
	FP_BODY2_(name, 16, "v" #name)                                                             \
	VEC_HOT_128(FP_FORM_AB, name, S, T, O)
#define ARITHMETIC(name, O)                                                                        \
	PACKED(name##ps, f32, O)                                                                   \
	PACKED(name##pd, f64, O)                                                                   \
	SCALAR(name##ss, ss, ss, O)                                                                \
	SCALAR(name##sd, sd, sd, O)

ARITHMETIC(add, FP_ADD)
ARITHMETIC(sub, FP_SUB)
ARITHMETIC(mul, FP_MUL)
ARITHMETIC(div, FP_DIV)

/* The second source is the answer for NaNs and for two zeros (SDM 2A: MAXPS). No rounding. */
#define CHOICE(name)                                                                               \
	FP_BODY2(name##ps, "v" #name "ps")                                                         \
	FP_BODY2(name##pd, "v" #name "pd")                                                         \
	FP_BODY2_(name##ss, 16, "v" #name "ss")                                                    \
	FP_BODY2_(name##sd, 16, "v" #name "sd")                                                    \
	VEC_FAMILY(FP_FORM_AB, name##ps, x, none, FP_OTHER)                                        \
	VEC_FAMILY(FP_FORM_AB, name##pd, x, none, FP_OTHER)                                        \
	VEC_FAMILY_128(FP_FORM_AB, name##ss, ss, none, FP_OTHER)                                   \
	VEC_FAMILY_128(FP_FORM_AB, name##sd, sd, none, FP_OTHER)
CHOICE(min)
CHOICE(max)

FP_BODY1(sqrtps, "vsqrtps")
FP_BODY1(sqrtpd, "vsqrtpd")
FP_BODY2_(sqrtss, 16, "vsqrtss")
FP_BODY2_(sqrtsd, 16, "vsqrtsd")
VEC_FAMILY(FP_FORM_B, sqrtps, x, none, FP_OTHER)
VEC_FAMILY(FP_FORM_B, sqrtpd, x, none, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, sqrtss, ss, none, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, sqrtsd, sd, none, FP_OTHER)

/* Approximations raise nothing and do not look at MXCSR (SDM 2B: RCPPS); what they give differs
 * between processors. */
FP_BODY1(rcpps, "vrcpps")
FP_BODY1(rsqrtps, "vrsqrtps")
FP_BODY2_(rcpss, 16, "vrcpss")
FP_BODY2_(rsqrtss, 16, "vrsqrtss")
VEC_FAMILY(VEC_FORM_B, rcpps, x)
VEC_FAMILY(VEC_FORM_B, rsqrtps, x)
VEC_FAMILY_128(VEC_FORM_AB, rcpss, ss)
VEC_FAMILY_128(VEC_FORM_AB, rsqrtss, ss)

/* SSE3 */
#define SSE3_PAIR(name, O)                                                                         \
	FP_BODY2(name##ps, "v" #name "ps")                                                         \
	FP_BODY2(name##pd, "v" #name "pd")                                                         \
	VEC_FAMILY(FP_FORM_AB, name##ps, x, f32, O)                                                \
	VEC_FAMILY(FP_FORM_AB, name##pd, x, f64, O)
SSE3_PAIR(addsub, FP_ADDSUB)
SSE3_PAIR(hadd, FP_HADD)
SSE3_PAIR(hsub, FP_HSUB)
