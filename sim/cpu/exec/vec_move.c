/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of whole vectors and of their low elements. */
#include "sim/cpu/exec/vec_form.h"

/* MOVUPS, MOVUPD, MOVDQU, LDDQU; MOVAPS, MOVAPD, MOVDQA, MOVNTDQA. */
VEC_BODY1(movu, u64, b)
VEC_BODY1(mova, u64, b)
VEC_HOT(VEC_FORM_B, movu, u)
VEC_HOT(VEC_FORM_B, mova, a)
VEC_HOT(VEC_FORM_STORE, movu_store, u)
VEC_HOT(VEC_FORM_STORE, mova_store, a) /* MOVNTPS, MOVNTPD, MOVNTDQ too */

/* MOVQ xmm, xmm/m64: zero above 63. */
#define movq_16(b, imm) ((v16_u64){(b)[0]})
VEC_HOT_128(VEC_FORM_B, movq, sd)

/* MOVQ xmm/m64, xmm: the register form zeroes too. */
#define FORM_MOVQ_STORE_REG(W)                                                                     \
	static HANDLER(exec_movq_to_reg_##W)                                                       \
	{                                                                                          \
		vec_write_##W(cpu, op->rm, (v16_u64){cpu->vec[op->reg].q[0]});                     \
		NEXT;                                                                              \
	}
FORM_MOVQ_STORE_REG(0)
FORM_MOVQ_STORE_REG(1)

/* Stores of the low 8 or 4 bytes; of the high 8 (MOVHPS). */
#define STORE_PART(name, suffix, kind, part, size)                                                 \
	static HANDLER(exec_##name##_##suffix)                                                     \
	{                                                                                          \
		if ((kind) == KIND_ANY) {                                                          \
			u64 linear = vec_linear(cpu, op, size, true, VEC_UNALIGNED);               \
			mem_store(cpu, op, linear, cpu->vec[op->reg].part, size);                  \
		} else {                                                                           \
			void *to = vec_fast_pointer(cpu, op, kind, size, true, VEC_UNALIGNED);     \
			if (unlikely(!to))                                                         \
				CONTINUE_IN(exec_##name##_any);                                    \
			__builtin_memcpy(to, &cpu->vec[op->reg].part, size);                       \
		}                                                                                  \
		NEXT;                                                                              \
	}
#define STORE_PARTS(name, part, size)                                                              \
	STORE_PART(name, any, KIND_ANY, part, size)                                                \
	STORE_PART(name, base, KIND_BASE, part, size)                                              \
	STORE_PART(name, index, KIND_INDEX, part, size)
STORE_PARTS(store_d, d[0], 4)
STORE_PARTS(store_q, q[0], 8)
STORE_PARTS(store_high, q[1], 8)

#define STORE_ROW(name)                                                                            \
	[KIND_BASE] = exec_##name##_base, [KIND_INDEX] = exec_##name##_index,                      \
	[KIND_ANY] = exec_##name##_any

const struct family family_movq_store = {
	.fn = {{[KIND_REG] = exec_movq_to_reg_0, STORE_ROW(store_q)},
	       {[KIND_REG] = exec_movq_to_reg_1, STORE_ROW(store_q)}}};
/* MOVLPS, MOVLPD and MOVHPS, MOVHPD to memory. */
const struct family family_movlps_store = {.fn = {{STORE_ROW(store_q)}, {STORE_ROW(store_q)}}};
const struct family family_movhps_store = {
	.fn = {{STORE_ROW(store_high)}, {STORE_ROW(store_high)}}};

/* MOVSS, MOVSD: from memory zero above, between registers the rest is the first source's. */
#define movss_load_16(b, imm) (b)
#define movsd_load_16(b, imm) (b)
VEC_KINDS_3(VEC_FORM_B, movss_load, 0, 16, ss)
VEC_KINDS_3(VEC_FORM_B, movss_load, 1, 16, ss)
VEC_KINDS_3(VEC_FORM_B, movsd_load, 0, 16, sd)
VEC_KINDS_3(VEC_FORM_B, movsd_load, 1, 16, sd)

#define MERGE_LOW(name, member)                                                                    \
	static HANDLER(exec_##name##_merge_0)                                                      \
	{                                                                                          \
		cpu->vec[op->reg].member[0] = cpu->vec[op->rm].member[0];                          \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_merge_1)                                                      \
	{                                                                                          \
		__typeof__(cpu->vec[0].member[0]) low = cpu->vec[op->rm].member[0];                \
		vec_write_1(cpu, op->reg, vec_read_16(cpu, op->vvvv));                             \
		cpu->vec[op->reg].member[0] = low;                                                 \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_merge_back_0)                                                 \
	{                                                                                          \
		cpu->vec[op->rm].member[0] = cpu->vec[op->reg].member[0];                          \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_merge_back_1)                                                 \
	{                                                                                          \
		__typeof__(cpu->vec[0].member[0]) low = cpu->vec[op->reg].member[0];               \
		vec_write_1(cpu, op->rm, vec_read_16(cpu, op->vvvv));                              \
		cpu->vec[op->rm].member[0] = low;                                                  \
		NEXT;                                                                              \
	}
MERGE_LOW(movss, d)
MERGE_LOW(movsd, q)

#define LOAD_ROW(name, W)                                                                          \
	[KIND_REG] = exec_##name##_merge_##W, [KIND_BASE] = exec_##name##_load_##W##_base,         \
	[KIND_INDEX] = exec_##name##_load_##W##_index, [KIND_ANY] = exec_##name##_load_##W##_any
const struct family family_movss = {
	.fn = {{LOAD_ROW(movss, 0)}, {LOAD_ROW(movss, 1)}, {LOAD_ROW(movss, 1)}}};
const struct family family_movsd = {
	.fn = {{LOAD_ROW(movsd, 0)}, {LOAD_ROW(movsd, 1)}, {LOAD_ROW(movsd, 1)}}};
const struct family family_movss_store = {
	.fn = {{[KIND_REG] = exec_movss_merge_back_0, STORE_ROW(store_d)},
	       {[KIND_REG] = exec_movss_merge_back_1, STORE_ROW(store_d)},
	       {[KIND_REG] = exec_movss_merge_back_1, STORE_ROW(store_d)}}};
const struct family family_movsd_store = {
	.fn = {{[KIND_REG] = exec_movsd_merge_back_0, STORE_ROW(store_q)},
	       {[KIND_REG] = exec_movsd_merge_back_1, STORE_ROW(store_q)},
	       {[KIND_REG] = exec_movsd_merge_back_1, STORE_ROW(store_q)}}};

/* Halves. The register form of MOVLPS's opcode is MOVHLPS, of MOVHPS's MOVLHPS. */
#define movlps_16(a, b, imm)  ((v16_u64){(b)[0], (a)[1]})
#define movhps_16(a, b, imm)  ((v16_u64){(a)[0], (b)[0]})
#define movhlps_16(a, b, imm) ((v16_u64){(b)[1], (a)[1]})
VEC_HOT_128(VEC_FORM_AB, movlps, sd)
VEC_HOT_128(VEC_FORM_AB, movhps, sd)
VEC_FAMILY_128(VEC_FORM_AB, movhlps, sd)

/* MOVD, MOVQ between vector and general registers or memory. */
#define MOV_FROM_GPR(name, W, REG)                                                                 \
	static HANDLER(exec_##name##_##W##_reg)                                                    \
	{                                                                                          \
		vec_write_##W(cpu, op->reg, (v16_u64){REG(cpu, op->rm)});                          \
		NEXT;                                                                              \
	}
MOV_FROM_GPR(movd, 0, REG32)
MOV_FROM_GPR(movd, 1, REG32)
MOV_FROM_GPR(movq_gpr, 0, REG64)
MOV_FROM_GPR(movq_gpr, 1, REG64)
const struct family family_movd = {.fn = {{[KIND_REG] = exec_movd_0_reg,
					   [KIND_BASE] = exec_movss_load_0_base,
					   [KIND_INDEX] = exec_movss_load_0_index,
					   [KIND_ANY] = exec_movss_load_0_any},
					  {[KIND_REG] = exec_movd_1_reg,
					   [KIND_BASE] = exec_movss_load_1_base,
					   [KIND_INDEX] = exec_movss_load_1_index,
					   [KIND_ANY] = exec_movss_load_1_any}}};
const struct family family_movq_gpr = {.fn = {{[KIND_REG] = exec_movq_gpr_0_reg,
					       [KIND_BASE] = exec_movsd_load_0_base,
					       [KIND_INDEX] = exec_movsd_load_0_index,
					       [KIND_ANY] = exec_movsd_load_0_any},
					      {[KIND_REG] = exec_movq_gpr_1_reg,
					       [KIND_BASE] = exec_movsd_load_1_base,
					       [KIND_INDEX] = exec_movsd_load_1_index,
					       [KIND_ANY] = exec_movsd_load_1_any}}};

static HANDLER(exec_movd_to_gpr)
{
	REG64(cpu, op->rm) = cpu->vec[op->reg].d[0];
	NEXT;
}

static HANDLER(exec_movq_to_gpr)
{
	REG64(cpu, op->rm) = cpu->vec[op->reg].q[0];
	NEXT;
}

const struct family family_movd_store = {
	.fn = {{[KIND_REG] = exec_movd_to_gpr, STORE_ROW(store_d)},
	       {[KIND_REG] = exec_movd_to_gpr, STORE_ROW(store_d)}}};
const struct family family_movq_gpr_store = {
	.fn = {{[KIND_REG] = exec_movq_to_gpr, STORE_ROW(store_q)},
	       {[KIND_REG] = exec_movq_to_gpr, STORE_ROW(store_q)}}};

/* MOVNTI: a plain store here, memory being coherent. */
#define MOVNTI(suffix, REG, size)                                                                  \
	static HANDLER(exec_movnti_##suffix)                                                       \
	{                                                                                          \
		u64 linear = vec_linear(cpu, op, size, true, VEC_UNALIGNED);                       \
		mem_store(cpu, op, linear, REG(cpu, op->reg), size);                               \
		NEXT;                                                                              \
	}
MOVNTI(d, REG32, 4)
MOVNTI(q, REG64, 8)
const struct family family_movnti = {
	.fn = {[2] = {[KIND_ANY] = exec_movnti_d}, [3] = {[KIND_ANY] = exec_movnti_q}}};
