/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between general registers and the low element. */
#include "sim/cpu/exec/vec_float.h"

/* CVTSI2SS, CVTSI2SD from 32 or 64 bits; the rest is the first source's. */
#define FROM_GENERAL(name, text, W, suffix, kind, bytes, type)                                     \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		type value;                                                                        \
		if ((kind) == KIND_REG)                                                            \
			value = REG64(cpu, op->rm);                                                \
		else                                                                               \
			value = mem_load(cpu, op,                                                  \
					 vec_linear(cpu, op, bytes, false, VEC_UNALIGNED), bytes); \
		v16_u64 a = vec_read_16(cpu, VEC_FIRST_##W(op)), r;                                \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(a), "r"(value));               \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE(flags, false);                                                             \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}
#define FROM_GENERAL_FAMILY(name, text, bytes, type)                                               \
	FROM_GENERAL(name, text, 0, reg, KIND_REG, bytes, type)                                    \
	FROM_GENERAL(name, text, 0, any, KIND_ANY, bytes, type)                                    \
	FROM_GENERAL(name, text, 1, reg, KIND_REG, bytes, type)                                    \
	FROM_GENERAL(name, text, 1, any, KIND_ANY, bytes, type)                                    \
	const struct family family_##name = {                                                      \
		.fn = {VEC_ROW_2(name, 0), VEC_ROW_2(name, 1), VEC_ROW_2(name, 1)}};
FROM_GENERAL_FAMILY(cvtsi2ss, "vcvtsi2ssl", 4, u32)
FROM_GENERAL_FAMILY(cvtsi2sd, "vcvtsi2sdl", 4, u32)
FROM_GENERAL_FAMILY(cvtsi2ss_q, "vcvtsi2ssq", 8, u64)
FROM_GENERAL_FAMILY(cvtsi2sd_q, "vcvtsi2sdq", 8, u64)

/* CVTSS2SI and kin; what does not fit is the most negative number. */
#define FORM_TO_GENERAL(name, W, N, suffix, kind, S, text, type)                                   \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v16_u64 b = vec_fetch_16(from, VEC_MEMORY_SIZE(N, S, kind));                       \
		type value;                                                                        \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile(text " %1, %0" : "=r"(value) : "x"(b));                           \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE(flags, false);                                                             \
		REG64(cpu, op->reg) = value;                                                       \
		NEXT;                                                                              \
	}
VEC_FAMILY_128(FORM_TO_GENERAL, cvtss2si, ss, "vcvtss2si", u32)
VEC_FAMILY_128(FORM_TO_GENERAL, cvtsd2si, sd, "vcvtsd2si", u32)
VEC_FAMILY_128(FORM_TO_GENERAL, cvttss2si, ss, "vcvttss2si", u32)
VEC_FAMILY_128(FORM_TO_GENERAL, cvttsd2si, sd, "vcvttsd2si", u32)
VEC_FAMILY_128(FORM_TO_GENERAL, cvtss2si_q, ss, "vcvtss2si", u64)
VEC_FAMILY_128(FORM_TO_GENERAL, cvtsd2si_q, sd, "vcvtsd2si", u64)
VEC_FAMILY_128(FORM_TO_GENERAL, cvttss2si_q, ss, "vcvttss2si", u64)
VEC_FAMILY_128(FORM_TO_GENERAL, cvttsd2si_q, sd, "vcvttsd2si", u64)
