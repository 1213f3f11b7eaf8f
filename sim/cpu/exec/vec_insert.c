/* SPDX-License-Identifier: Apache-2.0 */
/* Single elements between vectors and general registers or memory. */
#include "sim/cpu/exec/vec_form.h"

/* PINSRB, PINSRW, PINSRD, PINSRQ */
#define INSERT(name, member, mask, size, W)                                                        \
	static HANDLER(exec_##name##_##W##_reg)                                                    \
	{                                                                                          \
		u64 value = REG64(cpu, op->rm);                                                    \
		vec_write_##W(cpu, op->reg, vec_read_16(cpu, VEC_FIRST_##W(op)));                  \
		cpu->vec[op->reg].member[op->imm & (mask)] = value;                                \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_##W##_any)                                                    \
	{                                                                                          \
		u64 linear = vec_linear(cpu, op, size, false, VEC_UNALIGNED);                      \
		u64 value = mem_load(cpu, op, linear, size);                                       \
		vec_write_##W(cpu, op->reg, vec_read_16(cpu, VEC_FIRST_##W(op)));                  \
		cpu->vec[op->reg].member[op->imm & (mask)] = value;                                \
		NEXT;                                                                              \
	}
#define INSERT_FAMILY(name, member, mask, size)                                                    \
	INSERT(name, member, mask, size, 0)                                                        \
	INSERT(name, member, mask, size, 1)                                                        \
	const struct family family_##name = {.fn = {VEC_ROW_2(name, 0), VEC_ROW_2(name, 1)}};
INSERT_FAMILY(pinsrb, b, 15, 1)
INSERT_FAMILY(pinsrw, w, 7, 2)
INSERT_FAMILY(pinsrd, d, 3, 4)
INSERT_FAMILY(pinsrq, q, 1, 8)

/* PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: zero-extended to the whole general register. */
#define EXTRACT_FAMILY(name, member, mask, size)                                                   \
	static HANDLER(exec_##name##_reg)                                                          \
	{                                                                                          \
		REG64(cpu, op->rm) = cpu->vec[op->reg].member[op->imm & (mask)];                   \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_##name##_any)                                                          \
	{                                                                                          \
		u64 linear = vec_linear(cpu, op, size, true, VEC_UNALIGNED);                       \
		mem_store(cpu, op, linear, cpu->vec[op->reg].member[op->imm & (mask)], size);      \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_##name = {                                                      \
		.fn = {{[KIND_REG] = exec_##name##_reg, [KIND_ANY] = exec_##name##_any},           \
		       {[KIND_REG] = exec_##name##_reg, [KIND_ANY] = exec_##name##_any}}};
EXTRACT_FAMILY(pextrb, b, 15, 1)
EXTRACT_FAMILY(pextrw, w, 7, 2)
EXTRACT_FAMILY(pextrd, d, 3, 4)
EXTRACT_FAMILY(pextrq, q, 1, 8)

/* PEXTRW's older encoding has its operands the other way round. */
static HANDLER(exec_pextrw_gpr)
{
	REG64(cpu, op->reg) = cpu->vec[op->rm].w[op->imm & 7];
	NEXT;
}
const struct family family_pextrw_gpr = {
	.fn = {{[KIND_REG] = exec_pextrw_gpr}, {[KIND_REG] = exec_pextrw_gpr}}};

/* INSERTPS: an element of b (memory: the only one) into a place of a, then zeros by a mask. */
VEC_INLINE v16_u64 insertps_value(v16_u64 a, u32 element, u8 imm)
{
	v16_u32 r = (v16_u32)a;

	r[imm >> 4 & 3] = element;
	for (unsigned int i = 0; i < 4; i++)
		if (imm >> i & 1)
			r[i] = 0;
	return (v16_u64)r;
}

#define VEC_FORM_INSERTPS(name, W, N, suffix, kind, S)                                             \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		u32 element = ((const u32 *)from)[(kind) == KIND_REG ? (u8)op->imm >> 6 : 0];      \
		v16_u64 a = vec_read_16(cpu, VEC_FIRST_##W(op));                                   \
		vec_write_##W(cpu, op->reg, insertps_value(a, element, (u8)op->imm));              \
		NEXT;                                                                              \
	}
VEC_FAMILY_128(VEC_FORM_INSERTPS, insertps, ss)

/* MMX: PINSRW, PEXTRW */
static HANDLER(exec_mmx_pinsrw_reg)
{
	unsigned int shift = 16 * (op->imm & 3);
	u64 old;

	fpu_wait(cpu, op);
	fpu_enter_mmx(cpu);
	old = mmx_read(cpu, op->reg) & ~(UINT64_C(0xffff) << shift);
	mmx_write(cpu, op->reg, old | (u64)(u16)REG64(cpu, op->rm) << shift);
	NEXT;
}

static HANDLER(exec_mmx_pinsrw_any)
{
	unsigned int shift = 16 * (op->imm & 3);
	u64 linear, value, old;

	fpu_wait(cpu, op);
	linear = vec_linear(cpu, op, 2, false, VEC_UNALIGNED);
	value = mem_load(cpu, op, linear, 2);
	fpu_enter_mmx(cpu);
	old = mmx_read(cpu, op->reg) & ~(UINT64_C(0xffff) << shift);
	mmx_write(cpu, op->reg, old | value << shift);
	NEXT;
}
const struct family family_mmx_pinsrw = {
	.fn = {{[KIND_REG] = exec_mmx_pinsrw_reg, [KIND_ANY] = exec_mmx_pinsrw_any}}};

static HANDLER(exec_mmx_pextrw)
{
	fpu_wait(cpu, op);
	fpu_enter_mmx(cpu);
	REG64(cpu, op->reg) = (u16)(mmx_read(cpu, op->rm) >> 16 * (op->imm & 3));
	NEXT;
}
const struct family family_mmx_pextrw = {.fn = {{[KIND_REG] = exec_mmx_pextrw}}};
