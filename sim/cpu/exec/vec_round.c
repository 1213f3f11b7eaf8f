/* SPDX-License-Identifier: Apache-2.0 */
/* ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD. */
#include "sim/cpu/exec/vec_float.h"

/* Bits 1:0 the mode, bit 2 MXCSR's instead, bit 3 no precision exception (SDM 2B: ROUNDPS). */
#define MODE1(n, text)                                                                             \
	case n:                                                                                    \
		__asm__ volatile(text " $" #n ", %1, %0" : "=x"(r) : "x"(b));                      \
		break;
#define MODE2(n, text)                                                                             \
	case n:                                                                                    \
		__asm__ volatile(text " $" #n ", %2, %1, %0" : "=x"(r) : "x"(a), "x"(b));          \
		break;
#define MODES(mode, text)                                                                          \
	mode(0, text) mode(1, text) mode(2, text) mode(3, text) mode(4, text) mode(5, text)        \
		mode(6, text) mode(7, text) mode(8, text) mode(9, text) mode(10, text)             \
			mode(11, text) mode(12, text) mode(13, text) mode(14, text) mode(15, text)

#define ROUND_BODY1(name, N)                                                                       \
	static NOINLINE v##N##_u64 name##_##N(v##N##_u64 b, u8 imm)                                \
	{                                                                                          \
		v##N##_u64 r = {0};                                                                \
		switch (imm & 15) {                                                                \
			MODES(MODE1, "v" #name)                                                    \
		}                                                                                  \
		return r;                                                                          \
	}
#define ROUND_BODY2(name)                                                                          \
	static NOINLINE v16_u64 name##_16(v16_u64 a, v16_u64 b, u8 imm)                            \
	{                                                                                          \
		v16_u64 r = {0};                                                                   \
		switch (imm & 15) {                                                                \
			MODES(MODE2, "v" #name)                                                    \
		}                                                                                  \
		return r;                                                                          \
	}
ROUND_BODY1(roundps, 16)
ROUND_BODY1(roundps, 32)
ROUND_BODY1(roundpd, 16)
ROUND_BODY1(roundpd, 32)
ROUND_BODY2(roundss)
ROUND_BODY2(roundsd)
VEC_FAMILY(FP_FORM_B, roundps, x, none, FP_OTHER)
VEC_FAMILY(FP_FORM_B, roundpd, x, none, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, roundss, ss, none, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, roundsd, sd, none, FP_OTHER)
