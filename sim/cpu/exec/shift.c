/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shifts and rotates (SDM 2B SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD/SHRD). Counts are masked to 5
 * or 6 bits; a masked count of 0 changes no flag. OF is defined for a count of 1 only; the formula
 * for 1 is used for all.
 */
#include "sim/cpu/exec/integer.h"
#include "sim/cpu/fuse.h"

ALWAYS_INLINE unsigned int count_mask(u64 count, unsigned int size)
{
	return count & (size == 8 ? 63 : 31);
}

ALWAYS_INLINE struct outcome unchanged(const struct cpu *cpu, u64 value)
{
	return (struct outcome){value, cpu->flag_result, cpu->flag_aux};
}

/* SF, ZF, PF from the value, AF = 0. */
ALWAYS_INLINE struct outcome shifted(u64 value, bool carry, bool overflow, unsigned int size)
{
	return (struct outcome){truncate_to(value, size), sign_extend(value, size),
				(u64)carry << 63 | (u64)(carry ^ overflow) << 62};
}

ALWAYS_INLINE bool top_bit(u64 value, unsigned int size)
{
	return value >> (8 * size - 1) & 1;
}

ALWAYS_INLINE struct outcome shl(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int count = count_mask(b, size), bits = 8 * size;
	u64 value;
	bool carry;

	if (!count)
		return unchanged(cpu, a);
	value = a << count;
	carry = count <= bits && (a >> (bits - count) & 1);
	return shifted(value, carry, carry ^ top_bit(value, size), size);
}

ALWAYS_INLINE struct outcome shr(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int count = count_mask(b, size);

	if (!count)
		return unchanged(cpu, a);
	return shifted(a >> count, a >> (count - 1) & 1, top_bit(a, size), size);
}

ALWAYS_INLINE struct outcome sar(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int count = count_mask(b, size);
	s64 wide = (s64)sign_extend(a, size);

	if (!count)
		return unchanged(cpu, a);
	return shifted((u64)(wide >> count), wide >> (count - 1) & 1, false, size);
}

/* Rotates change CF and OF only. */
ALWAYS_INLINE struct outcome rotated(const struct cpu *cpu, u64 value, bool carry, bool overflow,
				     unsigned int size)
{
	u64 keep = cpu->flag_aux & ~(AUX_CF | AUX_PO);

	return (struct outcome){truncate_to(value, size), cpu->flag_result,
				keep | (u64)carry << 63 | (u64)(carry ^ overflow) << 62};
}

ALWAYS_INLINE struct outcome rol(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int count = count_mask(b, size), bits = 8 * size, n = count & (bits - 1);
	u64 value = n ? a << n | a >> (bits - n) : a;

	if (!count)
		return unchanged(cpu, a);
	return rotated(cpu, value, value & 1, (value & 1) ^ top_bit(value, size), size);
}

ALWAYS_INLINE struct outcome ror(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int count = count_mask(b, size), bits = 8 * size, n = count & (bits - 1);
	u64 value = n ? a >> n | a << (bits - n) : a;
	bool carry = top_bit(value, size);

	if (!count)
		return unchanged(cpu, a);
	return rotated(cpu, value, carry, carry ^ (value >> (bits - 2) & 1), size);
}

/* Through the carry: a rotate of bits + 1 positions. */
ALWAYS_INLINE struct outcome rcl(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int bits = 8 * size, count = count_mask(b, size);
	unsigned int n = size < 4 ? count % (bits + 1) : count;
	bool carry = flag_cf(cpu);
	u64 value = a;

	if (!n) /* also 9 and 17: a whole turn */
		return unchanged(cpu, a);
	value = n == bits ? 0 : a << n;
	value |= (u64)carry << (n - 1);
	if (n > 1)
		value |= a >> (bits + 1 - n);
	carry = a >> (bits - n) & 1;
	return rotated(cpu, value, carry, carry ^ top_bit(value, size), size);
}

ALWAYS_INLINE struct outcome rcr(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	unsigned int bits = 8 * size, count = count_mask(b, size);
	unsigned int n = size < 4 ? count % (bits + 1) : count;
	bool carry = flag_cf(cpu);
	u64 value;

	if (!n)
		return unchanged(cpu, a);
	value = n == bits ? 0 : a >> n;
	value |= (u64)carry << (bits - n);
	if (n > 1)
		value |= a << (bits + 1 - n);
	carry = a >> (n - 1) & 1;
	return rotated(cpu, value, carry, top_bit(value, size) ^ (value >> (bits - 2) & 1), size);
}

#define CL_OPERAND          ((u8)cpu->reg[REG_RCX])
#define ONE_OPERAND         1
#define COUNT_OPERAND(size) ((u8)op->imm)

#define SHIFT_I_(width, size, body)                                                                \
	BINARY_TO_RM_WIDTH(body, EI, width, size, , false, (u8)op->imm)                            \
	BINARY_TO_RM_WIDTH(body, EI, width, size, _quiet, true, (u8)op->imm)
#define SHIFT_1_(width, size, body)                                                                \
	BINARY_TO_RM_WIDTH(body, E1, width, size, , false, ONE_OPERAND)                            \
	BINARY_TO_RM_WIDTH(body, E1, width, size, _quiet, true, ONE_OPERAND)
#define SHIFT_CL_(width, size, body) BINARY_TO_RM_WIDTH(body, ECL, width, size, , false, CL_OPERAND)

#define DEFINE_SHIFT(body)                                                                         \
	EACH_WIDTH(SHIFT_I_, body)                                                                 \
	EACH_WIDTH(SHIFT_1_, body)                                                                 \
	EACH_WIDTH(SHIFT_CL_, body)                                                                \
	BINARY_MOVED_WIDTHS(body, EI, COUNT_OPERAND)                                               \
	const struct family family_##body##_EI = {.fn = FAMILY_TABLE(body, EI, ),                  \
						  .quiet = FAMILY_TABLE(body, EI, _quiet),         \
						  .moved = FAMILY_MOVED(body, EI, ),               \
						  .moved_quiet = FAMILY_MOVED(body, EI, _quiet)};  \
	const struct family family_##body##_E1 = {.fn = FAMILY_TABLE(body, E1, ),                  \
						  .quiet = FAMILY_TABLE(body, E1, _quiet)};        \
	const struct family family_##body##_ECL = {.fn = FAMILY_TABLE(body, ECL, )};

DEFINE_SHIFT(shl)
DEFINE_SHIFT(shr)
DEFINE_SHIFT(sar)
DEFINE_SHIFT(rol)
DEFINE_SHIFT(ror)
DEFINE_SHIFT(rcl)
DEFINE_SHIFT(rcr)

/* --- x ^= x << n and its like, of which hashes are made: MOV, shift and the way back as one --- */

extern const struct family family_xor_EG, family_or_EG, family_add_EG;

#define xor_back(a, b, size) outcome_logic((a) ^ (b), size)
#define or_back(a, b, size)  outcome_logic((a) | (b), size)
#define add_back(a, b, size) outcome_add(a, b, 0, size)

#define FOLD(shift, back, width, size, tag, quiet)                                                 \
	static HANDLER(shift##_##back##_##width##tag)                                              \
	{                                                                                          \
		u64 a = REG_OPERAND(size), b = shift(cpu, a, (u8)op[1].imm, size).value;           \
		struct outcome out = back##_back(a, b, size);                                      \
		reg_write(cpu, op->rm, b, size);                                                   \
		reg_write(cpu, op->reg, out.value, size);                                          \
		outcome_flags(cpu, out, quiet);                                                    \
		DISPATCH(op + 3);                                                                  \
	}
#define FOLD_WIDTHS(shift, back)                                                                   \
	FOLD(shift, back, 2, 4, , false)                                                           \
	FOLD(shift, back, 2, 4, _quiet, true)                                                      \
	FOLD(shift, back, 3, 8, , false)                                                           \
	FOLD(shift, back, 3, 8, _quiet, true)
#define EACH_FOLD(X) X(shl, xor) X(shl, or) X(shl, add) X(shr, xor) X(shr, or) X(shr, add)
EACH_FOLD(FOLD_WIDTHS)

static const struct {
	const struct family *shift, *back;
	op_handler fn[4], quiet[4];
} folds[] = {
#define FOLD_ROW(shift, back)                                                                      \
	{&family_##shift##_EI,                                                                     \
	 &family_##back##_EG,                                                                      \
	 {[2] = shift##_##back##_2, shift##_##back##_3},                                           \
	 {[2] = shift##_##back##_2_quiet, shift##_##back##_3_quiet}},
	EACH_FOLD(FOLD_ROW)};

/* MOV t, x; the shift of t, whose flags nobody reads; the operation on x with t. */
static bool is_fold(const struct opcode_row *const row[], const struct op *op)
{
	for (unsigned int n = 0; n < 3; n++)
		if (op[n].kind != KIND_REG || op[n].width != op->width)
			return false;
	return op->reg != op->rm && op[1].rm == op->rm && op[2].rm == op->reg &&
	       op[2].reg == op->rm && op[1].fn == row[1]->family->quiet[op->width][KIND_REG];
}

bool fuse_fold(const struct opcode_row *const row[], struct op *op)
{
	unsigned int width = op->width;

	if (width < 2 || !is_fold(row, op))
		return false;
	for (unsigned int n = 0; n < ARRAY_SIZE(folds); n++) {
		if (folds[n].shift != row[1]->family || folds[n].back != row[2]->family)
			continue;
		op->fn = op[2].fn == folds[n].back->quiet[width][KIND_REG] ? folds[n].quiet[width]
									   : folds[n].fn[width];
		return true;
	}
	return false;
}

/* Double shifts. With 16-bit operands and a count above 16 result and flags are undefined; the
 * operands are then taken as a:b:a, as processors do. */
ALWAYS_INLINE struct outcome shld(struct cpu *cpu, u64 a, u64 b, unsigned int n, unsigned int size)
{
	unsigned int count = count_mask(n, size), bits = 8 * size;
	u64 value;
	bool carry;

	if (!count)
		return unchanged(cpu, a);
	if (size == 2 && count > 16) {
		u64 joined = a << 32 | b << 16 | a;

		value = joined >> (32 - count);
		carry = joined >> (48 - count) & 1;
	} else {
		value = count == bits ? b : a << count | b >> (bits - count);
		carry = a >> (bits - count) & 1;
	}
	return shifted(value, carry, top_bit(value, size) ^ top_bit(a, size), size);
}

ALWAYS_INLINE struct outcome shrd(struct cpu *cpu, u64 a, u64 b, unsigned int n, unsigned int size)
{
	unsigned int count = count_mask(n, size), bits = 8 * size;
	u64 value;
	bool carry;

	if (!count)
		return unchanged(cpu, a);
	if (size == 2 && count > 16) {
		u64 joined = a << 32 | b << 16 | a;

		value = joined >> count;
		carry = joined >> (count - 1) & 1;
	} else {
		value = count == bits ? b : a >> count | b << (bits - count);
		carry = a >> (count - 1) & 1;
	}
	return shifted(value, carry, top_bit(value, size) ^ top_bit(a, size), size);
}

#define DOUBLE_REG(body, form, width, size, n)                                                     \
	static HANDLER(BINARY_NAME(body, form, width, KIND_REG, ))                                 \
	{                                                                                          \
		struct outcome out = body(cpu, RM_OPERAND(size), REG_OPERAND(size), n, size);      \
		reg_write(cpu, op->rm, out.value, size);                                           \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}
#define DOUBLE_MEM(body, form, width, size, n)                                                     \
	static HANDLER(BINARY_NAME(body, form, width, KIND_ANY, ))                                 \
	{                                                                                          \
		void *host = mem_modify(cpu, op, ea_by_kind(cpu, op, size, true), size);           \
		struct outcome out = body(cpu, host_read(host, size), REG_OPERAND(size), n, size); \
		host_write(host, out.value, size);                                                 \
		mem_modify_end(cpu, op, host);                                                     \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}
#define DOUBLE_WIDTH(body, width, size)                                                            \
	DOUBLE_REG(body, I, width, size, (u8)op->imm)                                              \
	DOUBLE_MEM(body, I, width, size, (u8)op->imm)                                              \
	DOUBLE_REG(body, CL, width, size, CL_OPERAND)                                              \
	DOUBLE_MEM(body, CL, width, size, CL_OPERAND)
#define DOUBLE_ROW(body, form, width)                                                              \
	{                                                                                          \
		[KIND_REG] = BINARY_NAME(body, form, width, KIND_REG, ), [KIND_ANY] = BINARY_NAME( \
										 body, form,       \
										 width,            \
										 KIND_ANY, )       \
	}
#define DEFINE_DOUBLE(body)                                                                        \
	DOUBLE_WIDTH(body, 1, 2)                                                                   \
	DOUBLE_WIDTH(body, 2, 4)                                                                   \
	DOUBLE_WIDTH(body, 3, 8)                                                                   \
	const struct family family_##body##_I = {.fn = {[1] = DOUBLE_ROW(body, I, 1),              \
							DOUBLE_ROW(body, I, 2),                    \
							DOUBLE_ROW(body, I, 3)}};                  \
	const struct family family_##body##_CL = {.fn = {[1] = DOUBLE_ROW(body, CL, 1),            \
							 DOUBLE_ROW(body, CL, 2),                  \
							 DOUBLE_ROW(body, CL, 3)}};

DEFINE_DOUBLE(shld)
DEFINE_DOUBLE(shrd)
