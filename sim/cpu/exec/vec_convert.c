/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between vector elements, and between MMX registers and vectors. */
#include "sim/cpu/exec/vec_float.h"

/* Same number of bytes in and out. */
#define CONVERT(name, S, T)                                                                        \
	FP_BODY1(name, "v" #name)                                                                  \
	VEC_FAMILY(FP_FORM_B, name, S, T, FP_OTHER)
CONVERT(cvtdq2ps, x, none)
CONVERT(cvtps2dq, x, none)
CONVERT(cvttps2dq, x, none)

/* Elements get wider: half a register in (%x1 names the low half of a ymm). */
#define CONVERT_WIDER(name, S)                                                                     \
	FP_BODY1_(name, 16, "v" #name)                                                             \
	VEC_INLINE v32_u64 name##_32(v32_u64 b, u8 imm)                                            \
	{                                                                                          \
		v32_u64 r;                                                                         \
		(void)imm;                                                                         \
		__asm__ volatile("v" #name " %x1, %0" : "=x"(r) : "x"(b));                         \
		return r;                                                                          \
	}                                                                                          \
	VEC_FAMILY(FP_FORM_B, name, S, none, FP_OTHER)
CONVERT_WIDER(cvtdq2pd, h)
CONVERT_WIDER(cvtps2pd, h)

/* Elements get narrower: zero above. */
#define CONVERT_NARROWER(name, T, O)                                                               \
	VEC_INLINE v16_u64 name##_16(v16_u64 b, u8 imm)                                            \
	{                                                                                          \
		v16_u64 r;                                                                         \
		(void)imm;                                                                         \
		__asm__ volatile("v" #name "x %1, %0" : "=x"(r) : "x"(b));                         \
		return r;                                                                          \
	}                                                                                          \
	VEC_INLINE v32_u64 name##_32(v32_u64 b, u8 imm)                                            \
	{                                                                                          \
		v32_u64 r;                                                                         \
		(void)imm;                                                                         \
		__asm__ volatile("v" #name "y %1, %x0" : "=x"(r) : "x"(b));                        \
		return r;                                                                          \
	}                                                                                          \
	VEC_FAMILY(FP_FORM_B, name, x, T, O)
CONVERT_NARROWER(cvtpd2dq, none, FP_OTHER)
CONVERT_NARROWER(cvttpd2dq, none, FP_OTHER)
CONVERT_NARROWER(cvtpd2ps, f32, FP_NARROW)

/* Scalars; the rest is the first source's. */
FP_BODY2_(cvtss2sd, 16, "vcvtss2sd")
FP_BODY2_(cvtsd2ss, 16, "vcvtsd2ss")
VEC_FAMILY_128(FP_FORM_AB, cvtss2sd, ss, none, FP_OTHER)
VEC_FAMILY_128(FP_FORM_AB, cvtsd2ss, sd, ss, FP_NARROW)

/*
 * MMX to vector. Only an MMX source makes it an MMX instruction, which waits for x87 exceptions
 * and resets TOP and tags (SDM 2A: CVTPI2PD; CVTPI2PS does so with memory too, except on AMD).
 */
#define CONVERT_MMX(name, suffix, kind, always, text, merge)                                       \
	static HANDLER(exec_##name##_##suffix)                                                     \
	{                                                                                          \
		bool mmx = (kind) == KIND_REG || ((always) && !cpu->amd);                          \
		u64 source;                                                                        \
		if (mmx)                                                                           \
			fpu_wait(cpu, op);                                                         \
		if ((kind) == KIND_REG)                                                            \
			source = mmx_read(cpu, op->rm);                                            \
		else                                                                               \
			source = mem_load(cpu, op, vec_linear(cpu, op, 8, false, VEC_UNALIGNED),   \
					  8);                                                      \
		v16_u64 b = {source}, a = vec_read_16(cpu, op->reg), r;                            \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile(text " %1, %0" : "=x"(r) : "x"(b));                               \
		u32 flags = fp_end(control);                                                       \
		if (mmx)                                                                           \
			fpu_enter_mmx(cpu);                                                        \
		FP_TAKE(flags, false);                                                             \
		vec_write_0(cpu, op->reg, (merge) ? (v16_u64){r[0], a[1]} : r);                    \
		NEXT;                                                                              \
	}
#define CONVERT_MMX_FAMILY(name, always, text, merge)                                              \
	CONVERT_MMX(name, reg, KIND_REG, always, text, merge)                                      \
	CONVERT_MMX(name, any, KIND_ANY, always, text, merge)                                      \
	const struct family family_##name = {                                                      \
		.fn = {{[KIND_REG] = exec_##name##_reg, [KIND_ANY] = exec_##name##_any}}};
CONVERT_MMX_FAMILY(cvtpi2ps, true, "vcvtdq2ps", true)
CONVERT_MMX_FAMILY(cvtpi2pd, false, "vcvtdq2pd", false)

/* Vector or memory (the doubles aligned) to MMX. */
#define CONVERT_TO_MMX(name, suffix, kind, size, alignment, text)                                  \
	static HANDLER(exec_##name##_##suffix)                                                     \
	{                                                                                          \
		const void *from = &cpu->vec[op->rm];                                              \
		fpu_wait(cpu, op);                                                                 \
		if ((kind) != KIND_REG)                                                            \
			from = vec_source(cpu, op, size, alignment);                               \
		v16_u64 b = vec_fetch_16(from, size), r;                                           \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile(text " %1, %0" : "=x"(r) : "x"(b));                               \
		u32 flags = fp_end(control);                                                       \
		fpu_enter_mmx(cpu);                                                                \
		FP_TAKE(flags, false);                                                             \
		mmx_write(cpu, op->reg, r[0]);                                                     \
		NEXT;                                                                              \
	}
#define CONVERT_TO_MMX_FAMILY(name, size, alignment, text)                                         \
	CONVERT_TO_MMX(name, reg, KIND_REG, size, alignment, text)                                 \
	CONVERT_TO_MMX(name, any, KIND_ANY, size, alignment, text)                                 \
	const struct family family_##name = {                                                      \
		.fn = {{[KIND_REG] = exec_##name##_reg, [KIND_ANY] = exec_##name##_any}}};
CONVERT_TO_MMX_FAMILY(cvtps2pi, 8, VEC_UNALIGNED, "vcvtps2dq")
CONVERT_TO_MMX_FAMILY(cvttps2pi, 8, VEC_UNALIGNED, "vcvttps2dq")
CONVERT_TO_MMX_FAMILY(cvtpd2pi, 16, VEC_ALIGNED, "vcvtpd2dqx")
CONVERT_TO_MMX_FAMILY(cvttpd2pi, 16, VEC_ALIGNED, "vcvttpd2dqx")
