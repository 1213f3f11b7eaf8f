/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers and families from bodies. A form is the shape of an instruction's operands:
 *
 *   VEC_FORM_AB(name, W, N, suffix, kind, S)   V = name_N(first source, W operand, imm)
 *   VEC_FORM_B(…)                              V = name_N(W operand, imm)
 *
 *   VEC_FORM_STORE(…)                          W = V, its low bytes in memory
 *
 * S is the size of the W operand in Intel's letters: x whole, aligned in legacy SSE; u whole,
 * unaligned; a whole, always aligned; h half, f a quarter, e an eighth; dq 16 (aligned in legacy
 * SSE); sd 8, ss 4, w 2, b 1.
 *
 *   VEC_FAMILY(form, name, S)   widths 0, 1, 2; one handler for registers, one for memory
 *   VEC_HOT(form, name, S)      a handler of its own for each kind of address
 *   MMX_FAMILY(form, name, S)   family_mmx_<name>, of name_8
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_VEC_FORM_H
#define LOCKSTEP_SIM_CPU_EXEC_VEC_FORM_H

#include "sim/cpu/exec/vec_body.h"
#include "sim/cpu/fpu.h"

#define VEC_SIZE_x(N)  (N)
#define VEC_SIZE_u(N)  (N)
#define VEC_SIZE_a(N)  (N)
#define VEC_SIZE_h(N)  ((N) / 2)
#define VEC_SIZE_f(N)  ((N) / 4)
#define VEC_SIZE_e(N)  ((N) / 8)
#define VEC_SIZE_dq(N) 16
#define VEC_SIZE_sd(N) 8
#define VEC_SIZE_ss(N) 4
#define VEC_SIZE_w(N)  2
#define VEC_SIZE_b(N)  1

#define VEC_ALIGN_x(W)     VEC_ALIGN_LEGACY_##W
#define VEC_ALIGN_u(W)     VEC_UNALIGNED
#define VEC_ALIGN_a(W)     VEC_ALIGNED_MOVE
#define VEC_ALIGN_h(W)     VEC_UNALIGNED
#define VEC_ALIGN_f(W)     VEC_UNALIGNED
#define VEC_ALIGN_e(W)     VEC_UNALIGNED
#define VEC_ALIGN_dq(W)    VEC_ALIGN_LEGACY_##W
#define VEC_ALIGN_sd(W)    VEC_UNALIGNED
#define VEC_ALIGN_ss(W)    VEC_UNALIGNED
#define VEC_ALIGN_w(W)     VEC_UNALIGNED
#define VEC_ALIGN_b(W)     VEC_UNALIGNED
#define VEC_ALIGN_LEGACY_0 VEC_ALIGNED
#define VEC_ALIGN_LEGACY_1 VEC_UNALIGNED
#define VEC_ALIGN_LEGACY_2 VEC_UNALIGNED

#define VEC_MEMORY_SIZE(N, S, kind) ((kind) == KIND_REG ? (N) : VEC_SIZE_##S(N))

/* Points `from` at the W operand. Off the fast path the handler for KIND_ANY does it all. */
#define VEC_SOURCE(name, W, N, kind, S)                                                            \
	const void *from;                                                                          \
	if ((kind) == KIND_REG) {                                                                  \
		from = &cpu->vec[op->rm];                                                          \
	} else if ((kind) == KIND_ANY) {                                                           \
		from = vec_source(cpu, op, VEC_SIZE_##S(N), VEC_ALIGN_##S(W));                     \
	} else {                                                                                   \
		from = vec_fast_pointer(cpu, op, kind, VEC_SIZE_##S(N), false, VEC_ALIGN_##S(W));  \
		if (unlikely(!from))                                                               \
			CONTINUE_IN(exec_##name##_##W##_any);                                      \
	}

#define VEC_FORM_AB(name, W, N, suffix, kind, S)                                                   \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		v##N##_u64 a = vec_read_##N(cpu, VEC_FIRST_##W(op));                               \
		vec_write_##W(cpu, op->reg, name##_##N(a, b, (u8)op->imm));                        \
		NEXT;                                                                              \
	}

#define VEC_FORM_B(name, W, N, suffix, kind, S)                                                    \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		vec_write_##W(cpu, op->reg, name##_##N(b, (u8)op->imm));                           \
		NEXT;                                                                              \
	}

#define VEC_FORM_STORE(name, W, N, suffix, kind, S)                                                \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		if ((kind) == KIND_REG) {                                                          \
			vec_write_##W(cpu, op->rm, vec_read_##N(cpu, op->reg));                    \
		} else if ((kind) == KIND_ANY) {                                                   \
			u64 linear = vec_linear(cpu, op, VEC_SIZE_##S(N), true, VEC_ALIGN_##S(W)); \
			mem_store_block(cpu, op, linear, &cpu->vec[op->reg], VEC_SIZE_##S(N));     \
		} else {                                                                           \
			void *to = vec_fast_pointer(cpu, op, kind, VEC_SIZE_##S(N), true,          \
						    VEC_ALIGN_##S(W));                             \
			if (unlikely(!to))                                                         \
				CONTINUE_IN(exec_##name##_##W##_any);                              \
			__builtin_memcpy(to, &cpu->vec[op->reg], VEC_SIZE_##S(N));                 \
		}                                                                                  \
		NEXT;                                                                              \
	}

/* MMX: P = name_8(P, Q, imm), P = name_8(Q, imm); S is d or q. */
#define VEC_SIZE_q(N) 8
#define VEC_SIZE_d(N) 4
#define VEC_MMX_SOURCE(kind, S)                                                                    \
	u64 source;                                                                                \
	fpu_wait(cpu, op);                                                                         \
	if ((kind) == KIND_REG) {                                                                  \
		source = mmx_read(cpu, op->rm);                                                    \
	} else {                                                                                   \
		u64 linear = vec_linear(cpu, op, VEC_SIZE_##S(8), false, VEC_UNALIGNED);           \
		source = mem_load(cpu, op, linear, VEC_SIZE_##S(8));                               \
	}                                                                                          \
	fpu_enter_mmx(cpu);

#define VEC_MMX_AB(name, suffix, kind, S)                                                          \
	static HANDLER(exec_mmx_##name##_##suffix)                                                 \
	{                                                                                          \
		VEC_MMX_SOURCE(kind, S)                                                            \
		v8_u64 b = {source}, a = {mmx_read(cpu, op->reg)};                                 \
		mmx_write(cpu, op->reg, name##_8(a, b, (u8)op->imm)[0]);                           \
		NEXT;                                                                              \
	}

#define VEC_MMX_B(name, suffix, kind, S)                                                           \
	static HANDLER(exec_mmx_##name##_##suffix)                                                 \
	{                                                                                          \
		VEC_MMX_SOURCE(kind, S)                                                            \
		v8_u64 b = {source};                                                               \
		mmx_write(cpu, op->reg, name##_8(b, (u8)op->imm)[0]);                              \
		NEXT;                                                                              \
	}

#define MMX_FAMILY(form, name, S)                                                                  \
	form(name, reg, KIND_REG, S) form(name, any, KIND_ANY,                                     \
					  S) const struct family family_mmx_##name = {             \
		.fn = {{[KIND_REG] = exec_mmx_##name##_reg, [KIND_ANY] = exec_mmx_##name##_any}}};

#define VEC_KINDS_2(form, name, W, N, ...)                                                         \
	form(name, W, N, any, KIND_ANY, __VA_ARGS__) form(name, W, N, reg, KIND_REG, __VA_ARGS__)
/* Memory only, and all. */
#define VEC_KINDS_3(form, name, W, N, ...)                                                         \
	form(name, W, N, any, KIND_ANY, __VA_ARGS__)                                               \
		form(name, W, N, base, KIND_BASE, __VA_ARGS__)                                     \
			form(name, W, N, index, KIND_INDEX, __VA_ARGS__)
#define VEC_KINDS_4(form, name, W, N, ...)                                                         \
	VEC_KINDS_3(form, name, W, N, __VA_ARGS__)                                                 \
	form(name, W, N, reg, KIND_REG, __VA_ARGS__)

#define VEC_ROW_2(name, W)                                                                         \
	{                                                                                          \
		[KIND_REG] = exec_##name##_##W##_reg, [KIND_ANY] = exec_##name##_##W##_any         \
	}
#define VEC_ROW_4(name, W)                                                                         \
	{                                                                                          \
		[KIND_REG] = exec_##name##_##W##_reg, [KIND_BASE] = exec_##name##_##W##_base,      \
		[KIND_INDEX] = exec_##name##_##W##_index, [KIND_ANY] = exec_##name##_##W##_any     \
	}

#define VEC_FAMILY(form, name, ...)                                                                \
	VEC_KINDS_2(form, name, 0, 16, __VA_ARGS__)                                                \
	VEC_KINDS_2(form, name, 1, 16, __VA_ARGS__)                                                \
	VEC_KINDS_2(form, name, 2, 32, __VA_ARGS__)                                                \
	const struct family family_##name = {                                                      \
		.fn = {VEC_ROW_2(name, 0), VEC_ROW_2(name, 1), VEC_ROW_2(name, 2)}};

#define VEC_HOT(form, name, ...)                                                                   \
	VEC_KINDS_4(form, name, 0, 16, __VA_ARGS__)                                                \
	VEC_KINDS_4(form, name, 1, 16, __VA_ARGS__)                                                \
	VEC_KINDS_4(form, name, 2, 32, __VA_ARGS__)                                                \
	const struct family family_##name = {                                                      \
		.fn = {VEC_ROW_4(name, 0), VEC_ROW_4(name, 1), VEC_ROW_4(name, 2)}};

/* Instructions that have no 256-bit form; L = 1 is taken where the row lets it be (LIG). */
#define VEC_FAMILY_128(form, name, ...)                                                            \
	VEC_KINDS_2(form, name, 0, 16, __VA_ARGS__)                                                \
	VEC_KINDS_2(form, name, 1, 16, __VA_ARGS__)                                                \
	const struct family family_##name = {                                                      \
		.fn = {VEC_ROW_2(name, 0), VEC_ROW_2(name, 1), VEC_ROW_2(name, 1)}};

#define VEC_HOT_128(form, name, ...)                                                               \
	VEC_KINDS_4(form, name, 0, 16, __VA_ARGS__)                                                \
	VEC_KINDS_4(form, name, 1, 16, __VA_ARGS__)                                                \
	const struct family family_##name = {                                                      \
		.fn = {VEC_ROW_4(name, 0), VEC_ROW_4(name, 1), VEC_ROW_4(name, 1)}};

/* AVX and AVX2 instructions without a legacy form; the second has a 256-bit form only. */
#define VEC_FAMILY_VEX(form, name, ...)                                                            \
	VEC_KINDS_2(form, name, 1, 16, __VA_ARGS__)                                                \
	VEC_KINDS_2(form, name, 2, 32, __VA_ARGS__)                                                \
	const struct family family_##name = {                                                      \
		.fn = {[1] = VEC_ROW_2(name, 1), [2] = VEC_ROW_2(name, 2)}};

#define VEC_FAMILY_256(form, name, ...)                                                            \
	VEC_KINDS_2(form, name, 2, 32, __VA_ARGS__)                                                \
	const struct family family_##name = {.fn = {[2] = VEC_ROW_2(name, 2)}};

#endif
