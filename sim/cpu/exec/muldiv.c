/* SPDX-License-Identifier: Apache-2.0 */
/* MUL, IMUL, DIV, IDIV (SDM 2A). CF = OF; the other flags are undefined: kept from the low half. */
#include "sim/cpu/exec/integer.h"

static void mul_flags(struct cpu *cpu, u64 low, bool overflow, unsigned int size)
{
	cpu->flag_result = sign_extend(low, size);
	cpu->flag_aux = overflow ? AUX_CF : 0; /* CF = OF = 1: CF ^ OF = 0 */
}

/* AX, or rDX:rAX. */
ALWAYS_INLINE void write_pair(struct cpu *cpu, u64 low, u64 high, unsigned int size)
{
	if (size == 1) {
		REG16(cpu, 0) = (u16)((low & 0xff) | high << 8);
		return;
	}
	reg_write(cpu, REG_RAX * 8, low, size);
	reg_write(cpu, REG_RDX * 8, high, size);
}

ALWAYS_INLINE void mul(struct cpu *cpu, u64 source, unsigned int size)
{
	u128 product = (u128)truncate_to(cpu->reg[REG_RAX], size) * source;
	u64 low = truncate_to((u64)product, size), high = (u64)(product >> 8 * size);

	write_pair(cpu, low, high, size);
	mul_flags(cpu, low, high != 0, size);
}

ALWAYS_INLINE void imul(struct cpu *cpu, u64 source, unsigned int size)
{
	s128 product = (s128)(s64)sign_extend(cpu->reg[REG_RAX], size) *
		       (s64)sign_extend(source, size);
	u64 low = (u64)product;

	write_pair(cpu, low, (u64)(product >> 8 * size), size);
	mul_flags(cpu, low, product != (s64)sign_extend(low, size), size);
}

/* The dividend in AX or rDX:rAX. */
ALWAYS_INLINE u128 dividend(const struct cpu *cpu, unsigned int size)
{
	if (size == 1)
		return (u16)cpu->reg[REG_RAX];
	return (u128)truncate_to(cpu->reg[REG_RDX], size) << 8 * size |
	       truncate_to(cpu->reg[REG_RAX], size);
}

/* #DE if the quotient does not fit. Flags are undefined: unchanged. */
ALWAYS_INLINE void div_(struct cpu *cpu, u64 source, unsigned int size)
{
	u128 value = dividend(cpu, size), quotient;

	if (!source || (u64)(value >> 8 * size) >= source)
		cpu_raise(cpu, VECTOR_DE);
	if (size < 8) { /* 64-bit division is much cheaper */
		quotient = (u64)value / source;
		write_pair(cpu, quotient, (u64)value % source, size);
		return;
	}
	if (!(value >> 64))
		quotient = (u64)value / source;
	else
		quotient = value / source;
	write_pair(cpu, quotient, (u64)value - (u64)quotient * source, size);
}

ALWAYS_INLINE void idiv(struct cpu *cpu, u64 source, unsigned int size)
{
	unsigned int shift = 128 - 16 * size;
	s128 value = (s128)(dividend(cpu, size) << shift) >> shift;
	s128 divisor = (s64)sign_extend(source, size), quotient;

	if (!divisor)
		cpu_raise(cpu, VECTOR_DE);
	/* The most negative dividend by -1 would trap the host; no quotient fits for it. */
	if (divisor == -1)
		quotient = -(u128)value;
	else
		quotient = value / divisor;
	if (quotient != (s64)sign_extend((u64)quotient, size))
		cpu_raise(cpu, VECTOR_DE);
	write_pair(cpu, (u64)quotient, (u64)(value - quotient * divisor), size);
}

#define GROUP_WIDTH(width, size, body)                                                             \
	static HANDLER(body##_##width##_reg)                                                       \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		body(cpu, RM_OPERAND(size), size);                                                 \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(body##_##width##_mem)                                                       \
	{                                                                                          \
		u64 source = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);            \
		FAULT_POINT(cpu, op);                                                              \
		body(cpu, source, size);                                                           \
		NEXT;                                                                              \
	}
#define GROUP_ROW(body, width) {[KIND_REG] = body##_##width##_reg, [KIND_ANY] = body##_##width##_mem}
#define DEFINE_GROUP(body)                                                                         \
	EACH_WIDTH(GROUP_WIDTH, body)                                                              \
	const struct family family_##body = {.fn = {GROUP_ROW(body, 0), GROUP_ROW(body, 1),        \
						    GROUP_ROW(body, 2), GROUP_ROW(body, 3)}};

DEFINE_GROUP(mul)
DEFINE_GROUP(imul)
DEFINE_GROUP(div_)
DEFINE_GROUP(idiv)

/* IMUL with a target register: the product is cut to the operand size. */
ALWAYS_INLINE void imul_to(struct cpu *cpu, u8 target, u64 a, u64 b, unsigned int size)
{
	s64 low;
	bool overflow = __builtin_mul_overflow((s64)sign_extend(a, size), (s64)sign_extend(b, size),
					       &low);

	reg_write(cpu, target, (u64)low, size);
	mul_flags(cpu, (u64)low, overflow || low != (s64)sign_extend((u64)low, size), size);
}

#define IMUL_WIDTH(width, size, unused)                                                            \
	static HANDLER(imul_GE_##width##_reg)                                                      \
	{                                                                                          \
		imul_to(cpu, op->reg, REG_OPERAND(size), RM_OPERAND(size), size);                  \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(imul_GE_##width##_mem)                                                      \
	{                                                                                          \
		u64 source = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);            \
		imul_to(cpu, op->reg, REG_OPERAND(size), source, size);                            \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(imul_GEI_##width##_reg)                                                     \
	{                                                                                          \
		imul_to(cpu, op->reg, RM_OPERAND(size), op->imm, size);                            \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(imul_GEI_##width##_mem)                                                     \
	{                                                                                          \
		u64 source = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);            \
		imul_to(cpu, op->reg, source, op->imm, size);                                      \
		NEXT;                                                                              \
	}
IMUL_WIDTH(1, 2, 0)
IMUL_WIDTH(2, 4, 0)
IMUL_WIDTH(3, 8, 0)

const struct family family_imul_GE = {
	.fn = {[1] = GROUP_ROW(imul_GE, 1), GROUP_ROW(imul_GE, 2), GROUP_ROW(imul_GE, 3)}};
const struct family family_imul_GEI = {
	.fn = {[1] = GROUP_ROW(imul_GEI, 1), GROUP_ROW(imul_GEI, 2), GROUP_ROW(imul_GEI, 3)}};
