/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point arithmetic: SDM 1:10.4, 1:11.4. */
#include "sim/cpu/exec/vec_float.h"

#define MXCSR_PRE_COMPUTATION (MXCSR_IE | MXCSR_DE | MXCSR_ZE)

/*
 * SDM 1:11.5.2, 1:11.5.3: exceptions known before the computation come first; if one of them is
 * unmasked in any element, none that needs a result is looked at. Unmasked underflow means a tiny
 * result, exact or not; the masked one that the host ran means tiny and inexact.
 */
COLD void fp_take_unmasked(struct cpu *cpu, const struct op *op, u32 flags, bool tiny)
{
	u32 unmasked = ~cpu->mxcsr >> MXCSR_MASK_SHIFT & MXCSR_FLAGS;

	if (flags & unmasked & MXCSR_PRE_COMPUTATION)
		flags &= MXCSR_PRE_COMPUTATION;
	else if (tiny && (unmasked & MXCSR_UE))
		flags |= MXCSR_UE;
	cpu->mxcsr |= flags;
	if (!(flags & unmasked))
		return;
	FAULT_POINT(cpu, op);
	if (!(cpu->cr4 & CR4_OSXMMEXCPT))
		raise_ud(cpu);
	cpu_raise(cpu, VECTOR_XM);
}

#define PACKED(name, T)                                                                            \
	FP_BODY2(name, "v" #name)                                                                  \
	VEC_HOT(FP_FORM_AB, name, x, T)
#define SCALAR(name, S, T)                                                                         \
	FP_BODY2_(name, 16, "v" #name)                                                             \
	VEC_HOT_128(FP_FORM_AB, name, S, T)
#define ARITHMETIC(name)                                                                           \
	PACKED(name##ps, f32)                                                                      \
	PACKED(name##pd, f64)                                                                      \
	SCALAR(name##ss, ss, ss)                                                                   \
	SCALAR(name##sd, sd, sd)

ARITHMETIC(add)
ARITHMETIC(sub)
ARITHMETIC(mul)
ARITHMETIC(div)

/* The second source is the answer for NaNs and for two zeros (SDM 2A: MAXPS). No rounding. */
#define CHOICE(name)                                                                               \
	FP_BODY2(name##ps, "v" #name "ps")                                                         \
	FP_BODY2(name##pd, "v" #name "pd")                                                         \
	FP_BODY2_(name##ss, 16, "v" #name "ss")                                                    \
	FP_BODY2_(name##sd, 16, "v" #name "sd")                                                    \
	VEC_FAMILY(FP_FORM_AB, name##ps, x, none)                                                  \
	VEC_FAMILY(FP_FORM_AB, name##pd, x, none)                                                  \
	VEC_FAMILY_128(FP_FORM_AB, name##ss, ss, none)                                             \
	VEC_FAMILY_128(FP_FORM_AB, name##sd, sd, none)
CHOICE(min)
CHOICE(max)

FP_BODY1(sqrtps, "vsqrtps")
FP_BODY1(sqrtpd, "vsqrtpd")
FP_BODY2_(sqrtss, 16, "vsqrtss")
FP_BODY2_(sqrtsd, 16, "vsqrtsd")
VEC_FAMILY(FP_FORM_B, sqrtps, x, none)
VEC_FAMILY(FP_FORM_B, sqrtpd, x, none)
VEC_FAMILY_128(FP_FORM_AB, sqrtss, ss, none)
VEC_FAMILY_128(FP_FORM_AB, sqrtsd, sd, none)

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
#define SSE3_PAIR(name)                                                                            \
	FP_BODY2(name##ps, "v" #name "ps")                                                         \
	FP_BODY2(name##pd, "v" #name "pd")                                                         \
	VEC_FAMILY(FP_FORM_AB, name##ps, x, f32)                                                   \
	VEC_FAMILY(FP_FORM_AB, name##pd, x, f64)
SSE3_PAIR(addsub)
SSE3_PAIR(hadd)
SSE3_PAIR(hsub)
