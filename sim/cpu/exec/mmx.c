/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of MMX registers. Their arithmetic is made from the bodies of the vec_*.c files. */
#include "sim/cpu/exec/vector.h"
#include "sim/cpu/fpu.h"

/* MOVD, MOVQ mm, general register or memory; MOVQ mm, mm/m64 */
#define MMX_LOAD(name, reg_value, size)                                                            \
	static HANDLER(exec_mmx_##name##_reg)                                                      \
	{                                                                                          \
		fpu_wait(cpu, op);                                                                 \
		fpu_enter_mmx(cpu);                                                                \
		mmx_write(cpu, op->reg, reg_value);                                                \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_mmx_##name##_any)                                                      \
	{                                                                                          \
		u64 linear, value;                                                                 \
		fpu_wait(cpu, op);                                                                 \
		linear = vec_linear(cpu, op, size, false, VEC_UNALIGNED);                          \
		value = mem_load(cpu, op, linear, size);                                           \
		fpu_enter_mmx(cpu);                                                                \
		mmx_write(cpu, op->reg, value);                                                    \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_mmx_##name = {                                                  \
		.fn = {{[KIND_REG] = exec_mmx_##name##_reg, [KIND_ANY] = exec_mmx_##name##_any}}};
MMX_LOAD(movd, REG32(cpu, op->rm), 4)
MMX_LOAD(movq_gpr, REG64(cpu, op->rm), 8)
MMX_LOAD(movq, mmx_read(cpu, op->rm), 8)

/* And back. MOVNTQ is the memory form of MOVQ's. */
#define MMX_STORE(name, reg_move, size)                                                            \
	static HANDLER(exec_mmx_##name##_reg)                                                      \
	{                                                                                          \
		u64 value;                                                                         \
		fpu_wait(cpu, op);                                                                 \
		fpu_enter_mmx(cpu);                                                                \
		value = mmx_read(cpu, op->reg);                                                    \
		reg_move;                                                                          \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_mmx_##name##_any)                                                      \
	{                                                                                          \
		u64 linear;                                                                        \
		fpu_wait(cpu, op);                                                                 \
		linear = vec_linear(cpu, op, size, true, VEC_UNALIGNED);                           \
		mem_store(cpu, op, linear, mmx_read(cpu, op->reg), size);                          \
		fpu_enter_mmx(cpu);                                                                \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_mmx_##name = {                                                  \
		.fn = {{[KIND_REG] = exec_mmx_##name##_reg, [KIND_ANY] = exec_mmx_##name##_any}}};
MMX_STORE(movd_store, REG64(cpu, op->rm) = (u32)value, 4)
MMX_STORE(movq_gpr_store, REG64(cpu, op->rm) = value, 8)
MMX_STORE(movq_store, mmx_write(cpu, op->rm, value), 8)

/* MOVQ2DQ xmm, mm; MOVDQ2Q mm, xmm */
static HANDLER(exec_movq2dq)
{
	fpu_wait(cpu, op);
	fpu_enter_mmx(cpu);
	vec_write_0(cpu, op->reg, (v16_u64){mmx_read(cpu, op->rm)});
	NEXT;
}

static HANDLER(exec_movdq2q)
{
	fpu_wait(cpu, op);
	fpu_enter_mmx(cpu);
	mmx_write(cpu, op->reg, cpu->vec[op->rm].q[0]);
	NEXT;
}
const struct family family_movq2dq = {.fn = {{[KIND_REG] = exec_movq2dq}}};
const struct family family_movdq2q = {.fn = {{[KIND_REG] = exec_movdq2q}}};
