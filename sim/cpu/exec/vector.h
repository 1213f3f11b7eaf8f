/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector values and operands. Bodies are written on vectors of 8 bytes (MMX), 16 (SSE, VEX.128)
 * and 32 (VEX.256), passed by value as v8_u64, v16_u64, v32_u64; vec_body.h makes the three from
 * one text, vec_form.h makes handlers and families of them. Widths are named as the rows of
 * struct family: 0 = legacy SSE (bits above 127 kept), 1 = VEX.128 (zeroed above 127), 2 = VEX.256
 * (zeroed above 255), and M = MMX.
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_VECTOR_H
#define LOCKSTEP_SIM_CPU_EXEC_VECTOR_H

#include "sim/cpu/fault.h"
#include "sim/cpu/op.h"
#include "sim/cpu/operand.h"

typedef float f32;
typedef double f64;

/* v<bytes>_<lane>, and *_any: the same without alignment, and free to alias. */
#define VEC_TYPE(bytes, lane) typedef lane v##bytes##_##lane __attribute__((vector_size(bytes)));
#define VEC_TYPES(lane)       VEC_TYPE(8, lane) VEC_TYPE(16, lane) VEC_TYPE(32, lane)
VEC_TYPES(u8)
VEC_TYPES(u16)
VEC_TYPES(u32)
VEC_TYPES(u64)
VEC_TYPES(s8)
VEC_TYPES(s16)
VEC_TYPES(s32)
VEC_TYPES(s64)
VEC_TYPES(f32)
VEC_TYPES(f64)
typedef u64 v8_any __attribute__((vector_size(8), aligned(1), may_alias));
typedef u64 v16_any __attribute__((vector_size(16), aligned(1), may_alias));
typedef u64 v32_any __attribute__((vector_size(32), aligned(1), may_alias));

/* A value seen as lanes; only as aligned as needed, so that a local one costs no frame set-up. */
union lanes {
	u8 b[32];
	u16 w[16];
	u32 d[8];
	u64 q[4];
	s8 sb[32];
	s16 sw[16];
	s32 sd[8];
	s64 sq[4];
	f32 f32[8];
	f64 f64[4];
};

/* --- registers --- */
ALWAYS_INLINE v16_u64 vec_read_16(const struct cpu *cpu, u8 reg)
{
	return *(const v16_any *)&cpu->vec[reg];
}

ALWAYS_INLINE v32_u64 vec_read_32(const struct cpu *cpu, u8 reg)
{
	return *(const v32_any *)&cpu->vec[reg];
}

ALWAYS_INLINE void vec_write_0(struct cpu *cpu, u8 reg, v16_u64 value)
{
	*(v16_any *)&cpu->vec[reg] = value;
}

ALWAYS_INLINE void vec_write_1(struct cpu *cpu, u8 reg, v16_u64 value)
{
	v16_any *to = (v16_any *)&cpu->vec[reg];

	to[0] = value;
	to[1] = to[2] = to[3] = (v16_u64){0};
}

ALWAYS_INLINE void vec_write_2(struct cpu *cpu, u8 reg, v32_u64 value)
{
	v32_any *to = (v32_any *)&cpu->vec[reg];

	to[0] = value;
	to[1] = (v32_u64){0};
}

/* The first source: the destination itself in legacy encodings, else VEX.vvvv. */
#define VEC_FIRST_0(op) ((op)->reg)
#define VEC_FIRST_1(op) ((op)->vvvv)
#define VEC_FIRST_2(op) ((op)->vvvv)

/* --- memory --- */
/* Fills cpu->bounce and returns it. */
const void *vec_load_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size);
/* A legacy SSE operand that is not aligned: #GP(0), unless AMD's MXCSR.MM allows it. */
void vec_misaligned(struct cpu *cpu, const struct op *op);
/* The same for MOVAPS, MOVDQA, MOVNT*, which no mode bit relaxes. */
_Noreturn void vec_misaligned_move(struct cpu *cpu, const struct op *op);

/* How strict a memory operand is about its alignment (SDM 2A:2.4, tables 2-15 to 2-17). */
enum vec_alignment { VEC_UNALIGNED, VEC_ALIGNED, VEC_ALIGNED_MOVE };

/* Address of the memory operand, any kind. */
ALWAYS_INLINE u64 vec_linear(struct cpu *cpu, const struct op *op, unsigned int size, bool write,
			     enum vec_alignment alignment)
{
	u64 linear;

	FAULT_POINT(cpu, op);
	linear = ea_by_kind(cpu, op, size, write);
	if (alignment != VEC_UNALIGNED && unlikely(linear & (size - 1))) {
		if (alignment == VEC_ALIGNED)
			vec_misaligned(cpu, op);
		else
			vec_misaligned_move(cpu, op);
	}
	return linear;
}

/* The bytes of the memory operand. Good until the next memory access. */
ALWAYS_INLINE const void *vec_source(struct cpu *cpu, const struct op *op, unsigned int size,
				     enum vec_alignment alignment)
{
	u64 linear = vec_linear(cpu, op, size, false, alignment);
	const void *host = mem_read_pointer(cpu, linear, size);

	return likely(host) ? host : vec_load_slow(cpu, op, linear, size);
}

/* Fast path only: NULL on a TLB miss or a misaligned operand, for the handler of KIND_ANY. */
ALWAYS_INLINE void *vec_fast_pointer(struct cpu *cpu, const struct op *op, enum op_kind kind,
				     unsigned int size, bool write, enum vec_alignment alignment)
{
	u64 linear = ea_linear(cpu, op, kind, size, write);

	if (alignment != VEC_UNALIGNED && unlikely(linear & (size - 1)))
		return NULL;
	return write ? mem_write_pointer(cpu, linear, size) : mem_read_pointer(cpu, linear, size);
}

/* Its low @size bytes, zero-extended. @size is constant. */
ALWAYS_INLINE v16_u64 vec_fetch_16(const void *from, unsigned int size)
{
	switch (size) {
	case 1:
		return (v16_u64){*(const u8 *)from};
	case 2:
		return (v16_u64){*(const u16 *)from};
	case 4:
		return (v16_u64){*(const u32 *)from};
	case 8:
		return (v16_u64){*(const u64 *)from};
	default:
		return *(const v16_any *)from;
	}
}

ALWAYS_INLINE v32_u64 vec_fetch_32(const void *from, unsigned int size)
{
	v16_u64 low;

	if (size >= 32)
		return *(const v32_any *)from;
	low = vec_fetch_16(from, size);
	return (v32_u64){low[0], low[1]};
}

ALWAYS_INLINE v8_u64 vec_fetch_8(const void *from, unsigned int size)
{
	return (v8_u64){size == 4 ? *(const u32 *)from : *(const u64 *)from};
}

#endif
