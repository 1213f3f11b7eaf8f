/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point runs on the host's units: fp_begin loads the guest's rounding, DAZ and FTZ with
 * every exception masked, the body is one host instruction, fp_end gives the flags it raised and
 * puts the host's MXCSR back (the default value, which a thread has unless it changed it; its
 * sticky flags are left as they are). Instructions are inline assembly, so that no compiler
 * folds, fuses or moves them.
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_VEC_FLOAT_H
#define LOCKSTEP_SIM_CPU_EXEC_VEC_FLOAT_H

#include "sim/cpu/exec/vec_form.h"

/* MXCSR (SDM 1:10.2.3). */
#define MXCSR_IE         0x0001u
#define MXCSR_DE         0x0002u
#define MXCSR_ZE         0x0004u
#define MXCSR_OE         0x0008u
#define MXCSR_UE         0x0010u
#define MXCSR_PE         0x0020u
#define MXCSR_FLAGS      0x003fu
#define MXCSR_DAZ        0x0040u
#define MXCSR_UM         0x0800u
#define MXCSR_MASKS      0x1f80u
#define MXCSR_ROUNDING   0x6000u
#define MXCSR_FTZ        0x8000u
#define MXCSR_DEFAULT    0x1f80u
#define MXCSR_MASK_SHIFT 7

ALWAYS_INLINE void fp_load_mxcsr(u32 value)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

/* The guest's control bits, everything masked. Flush-to-zero only works while underflow is masked
 * (SDM 1:10.2.3.3). */
ALWAYS_INLINE u32 fp_control(const struct cpu *cpu)
{
	u32 control = (cpu->mxcsr & (MXCSR_DAZ | MXCSR_ROUNDING | MXCSR_FTZ)) | MXCSR_MASKS;

	return unlikely(!(cpu->mxcsr & MXCSR_UM)) ? control & ~MXCSR_FTZ : control;
}

/* Returns what was loaded. */
ALWAYS_INLINE u32 fp_begin(const struct cpu *cpu)
{
	u32 control = fp_control(cpu);

	fp_load_mxcsr(control);
	return control;
}

ALWAYS_INLINE u32 fp_end(u32 control)
{
	u32 status;

	__asm__ volatile("stmxcsr %0" : "=m"(status));
	if (unlikely(control != MXCSR_DEFAULT))
		fp_load_mxcsr(MXCSR_DEFAULT);
	return status & MXCSR_FLAGS;
}

/* What an instruction computes for each element, where unmasked overflow or underflow can hit. */
enum fp_operation {
	FP_OTHER,
	FP_ADD,
	FP_SUB,
	FP_ADDSUB, /* even elements subtracted */
	FP_HADD,   /* neighbours of a, then of b, in each 128-bit lane */
	FP_HSUB,
	FP_MUL,
	FP_DIV,
	FP_NARROW, /* double to single; the source is the second */
	FP_HALF,   /* single to half; c has the immediate */
	FP_FMA,    /* a * b + c, signs of a and c already turned */
};

/* The flags of @count elements of @size bytes as they are with overflow or underflow unmasked:
 * precision is lost only if the result would not fit with any exponent (SDM 1:4.9.1.4, 4.9.1.5). */
u32 fp_recount(const struct cpu *cpu, enum fp_operation operation, unsigned int size,
	       unsigned int count, v32_u64 a, v32_u64 b, v32_u64 c);
/* Takes the flags over while some exception is unmasked; raises #XM, or #UD if the system has not
 * said that it handles that. @tiny: the result is denormal. */
void fp_take_unmasked(struct cpu *cpu, const struct op *op, u32 flags, bool tiny);

/* Exceptions in MXCSR's flag positions that are not masked. */
ALWAYS_INLINE u32 fp_unmasked(const struct cpu *cpu)
{
	return ~cpu->mxcsr >> MXCSR_MASK_SHIFT & MXCSR_FLAGS;
}

#define FP_WIDE_16(v) ((v32_u64){(v)[0], (v)[1]})
#define FP_WIDE_32(v) (v)

/* @recount: an fp_recount, for the rare case. */
#define FP_TAKE_EXACT(flags, tiny, recount)                                                        \
	do {                                                                                       \
		if (unlikely(~cpu->mxcsr & MXCSR_MASKS)) {                                         \
			u32 take = (flags);                                                        \
			if ((take & MXCSR_PE) &&                                                   \
			    (take & fp_unmasked(cpu) & (MXCSR_OE | MXCSR_UE)))                     \
				take = (recount);                                                  \
			fp_take_unmasked(cpu, op, take, tiny);                                     \
		} else {                                                                           \
			cpu->mxcsr |= (flags);                                                     \
		}                                                                                  \
	} while (0)
#define FP_TAKE(flags, tiny) FP_TAKE_EXACT(flags, tiny, flags)

/* Size and number of elements that count, by the result's type (see below). */
#define FP_SIZE_f32      4
#define FP_SIZE_f64      8
#define FP_SIZE_ss       4
#define FP_SIZE_sd       8
#define FP_SIZE_none     4
#define FP_COUNT_f32(N)  ((N) / 4)
#define FP_COUNT_f64(N)  ((N) / 8)
#define FP_COUNT_ss(N)   1
#define FP_COUNT_sd(N)   1
#define FP_COUNT_none(N) 0
#define FP_RECOUNT(N, T, operation, a, b, c)                                                       \
	((operation) == FP_OTHER                                                                   \
		 ? flags                                                                           \
		 : fp_recount(cpu, operation, (operation) == FP_NARROW ? 8 : FP_SIZE_##T,          \
			      (operation) == FP_NARROW ? (FP_COUNT_##T(N) + 1) / 2                 \
						       : FP_COUNT_##T(N),                          \
			      FP_WIDE_##N(a), FP_WIDE_##N(b), FP_WIDE_##N(c)))

/* Is an element of the result denormal? By the result's type: whole vectors of f32 and f64, the
 * low element only (ss, sd), results that can't underflow (none). */
#define FP_DENORMAL_D(d) (((d)&0x7f800000u) == 0 && ((d)&0x007fffffu) != 0)
#define FP_DENORMAL_Q(q)                                                                           \
	(((q)&UINT64_C(0x7ff0000000000000)) == 0 && ((q)&UINT64_C(0x000fffffffffffff)) != 0)
#define FP_TINY(N)                                                                                 \
	VEC_INLINE bool fp_tiny_f32_##N(v##N##_u64 r)                                              \
	{                                                                                          \
		bool tiny = false;                                                                 \
		for (unsigned int i = 0; i < (N) / 4; i++)                                         \
			tiny |= FP_DENORMAL_D(((v##N##_u32)r)[i]);                                 \
		return tiny;                                                                       \
	}                                                                                          \
	VEC_INLINE bool fp_tiny_f64_##N(v##N##_u64 r)                                              \
	{                                                                                          \
		bool tiny = false;                                                                 \
		for (unsigned int i = 0; i < (N) / 8; i++)                                         \
			tiny |= FP_DENORMAL_Q(r[i]);                                               \
		return tiny;                                                                       \
	}                                                                                          \
	VEC_INLINE bool fp_tiny_ss_##N(v##N##_u64 r)                                               \
	{                                                                                          \
		return FP_DENORMAL_D(((v##N##_u32)r)[0]);                                          \
	}                                                                                          \
	VEC_INLINE bool fp_tiny_sd_##N(v##N##_u64 r)                                               \
	{                                                                                          \
		return FP_DENORMAL_Q(r[0]);                                                        \
	}                                                                                          \
	VEC_INLINE bool fp_tiny_none_##N(v##N##_u64 r)                                             \
	{                                                                                          \
		(void)r;                                                                           \
		return false;                                                                      \
	}
FP_TINY(8)
FP_TINY(16)
FP_TINY(32)

/* Forms as those of vec_form.h, guarded; T says where the result may be denormal, O which
 * operation is looked at again (enum fp_operation). */
#define FP_FORM_AB(name, W, N, suffix, kind, S, T, O)                                              \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		v##N##_u64 a = vec_read_##N(cpu, VEC_FIRST_##W(op));                               \
		u32 control = fp_begin(cpu);                                                       \
		v##N##_u64 r = name##_##N(a, b, (u8)op->imm);                                      \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE_EXACT(flags, fp_tiny_##T##_##N(r), FP_RECOUNT(N, T, O, a, b, b));          \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}

#define FP_FORM_B(name, W, N, suffix, kind, S, T, O)                                               \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		u32 control = fp_begin(cpu);                                                       \
		v##N##_u64 r = name##_##N(b, (u8)op->imm);                                         \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE_EXACT(flags, fp_tiny_##T##_##N(r), FP_RECOUNT(N, T, O, b, b, b));          \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}

/* Bodies of one host instruction. */
#define FP_BODY2_(name, N, text)                                                                   \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 a, v##N##_u64 b, u8 imm)                       \
	{                                                                                          \
		v##N##_u64 r;                                                                      \
		(void)imm;                                                                         \
		__asm__ volatile(text " %2, %1, %0" : "=x"(r) : "x"(a), "x"(b));                   \
		return r;                                                                          \
	}
#define FP_BODY1_(name, N, text)                                                                   \
	VEC_INLINE v##N##_u64 name##_##N(v##N##_u64 b, u8 imm)                                     \
	{                                                                                          \
		v##N##_u64 r;                                                                      \
		(void)imm;                                                                         \
		__asm__ volatile(text " %1, %0" : "=x"(r) : "x"(b));                               \
		return r;                                                                          \
	}
#define FP_BODY2(name, text) FP_BODY2_(name, 16, text) FP_BODY2_(name, 32, text)
#define FP_BODY1(name, text) FP_BODY1_(name, 16, text) FP_BODY1_(name, 32, text)

#endif
