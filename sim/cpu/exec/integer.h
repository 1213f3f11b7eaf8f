/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one body to its handlers. A body is an inlined function of values and a constant operand
 * size in bytes; it returns the result and the lazy flags, and commits nothing. The macros here
 * make of it the handlers for every width, register and addressing form, with and without flags.
 */
#ifndef LOCKSTEP_SIM_CPU_EXEC_INTEGER_H
#define LOCKSTEP_SIM_CPU_EXEC_INTEGER_H

#include "sim/cpu/fault.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"

/* What an arithmetic body returns. */
struct outcome {
	u64 value;
	u64 flag_result, flag_aux;
};

ALWAYS_INLINE u64 truncate_to(u64 value, unsigned int size)
{
	switch (size) {
	case 1:
		return (u8)value;
	case 2:
		return (u16)value;
	case 4:
		return (u32)value;
	default:
		return value;
	}
}

ALWAYS_INLINE u64 sign_extend(u64 value, unsigned int size)
{
	switch (size) {
	case 1:
		return (u64)(s64)(s8)value;
	case 2:
		return (u64)(s64)(s16)value;
	case 4:
		return (u64)(s64)(s32)value;
	default:
		return value;
	}
}

ALWAYS_INLINE u64 reg_read(const struct cpu *cpu, u8 offset, unsigned int size)
{
	switch (size) {
	case 1:
		return REG8(cpu, offset);
	case 2:
		return REG16(cpu, offset);
	case 4:
		return REG32(cpu, offset);
	default:
		return REG64(cpu, offset);
	}
}

/* 32-bit results clear the upper half, 8- and 16-bit ones keep the rest (SDM 1:3.4.1.1). */
ALWAYS_INLINE void reg_write(struct cpu *cpu, u8 offset, u64 value, unsigned int size)
{
	switch (size) {
	case 1:
		REG8(cpu, offset) = value;
		break;
	case 2:
		REG16(cpu, offset) = value;
		break;
	case 4:
		REG64(cpu, offset) = (u32)value;
		break;
	default:
		REG64(cpu, offset) = value;
		break;
	}
}

/* Atomic on the host; @expected is what the operand held. */
ALWAYS_INLINE bool host_compare_exchange(void *host, u64 expected, u64 desired, unsigned int size)
{
#define CASE(type)                                                                                 \
	{                                                                                          \
		type was = expected;                                                               \
		return __atomic_compare_exchange_n((type *)host, &was, (type)desired, false,       \
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);            \
	}
	switch (size) {
	case 1:
		CASE(u8)
	case 2:
		CASE(u16)
	case 4:
		CASE(u32)
	default:
		CASE(u64)
	}
#undef CASE
}

ALWAYS_INLINE void outcome_flags(struct cpu *cpu, const struct outcome out, bool quiet)
{
	if (quiet)
		return;
	cpu->flag_result = out.flag_result;
	cpu->flag_aux = out.flag_aux;
}

/* Lazy flags of an addition or subtraction from its vector of carries (or borrows). */
ALWAYS_INLINE struct outcome outcome_carries(u64 value, u64 carries, unsigned int size)
{
	struct outcome out = {.value = truncate_to(value, size),
			      .flag_result = sign_extend(value, size)};

	if (size == 8)
		out.flag_aux = carries & AUX_KEEP;
	else
		out.flag_aux = carries << (64 - 8 * size) | (carries & AUX_AF);
	return out;
}

ALWAYS_INLINE struct outcome outcome_add(u64 a, u64 b, unsigned int carry, unsigned int size)
{
	u64 sum = a + b + carry;

	return outcome_carries(sum, (a & b) | ((a | b) & ~sum), size);
}

ALWAYS_INLINE struct outcome outcome_subtract(u64 a, u64 b, unsigned int borrow, unsigned int size)
{
	u64 difference = a - b - borrow;

	return outcome_carries(difference, (~a & b) | ((~a | b) & difference), size);
}

/* INC and DEC keep CF, and with it the meaning of the CF ^ OF bit. @overflow has OF at the
 * operand's top bit, @carries AF at bit 3. */
ALWAYS_INLINE struct outcome outcome_keep_carry(const struct cpu *cpu, u64 value, u64 overflow,
						u64 carries, unsigned int size)
{
	u64 carry = (u64)((s64)cpu->flag_aux >> 1); /* CF in both places */
	u64 top = (overflow << (64 - 8 * size)) >> 1;

	return (struct outcome){truncate_to(value, size), sign_extend(value, size),
				((carry ^ top) & (AUX_CF | AUX_PO)) | (carries & AUX_AF)};
}

ALWAYS_INLINE struct outcome outcome_increment(const struct cpu *cpu, u64 a, unsigned int size)
{
	u64 value = a + 1;

	return outcome_keep_carry(cpu, value, ~a & value, a & ~value, size);
}

ALWAYS_INLINE struct outcome outcome_decrement(const struct cpu *cpu, u64 a, unsigned int size)
{
	u64 value = a - 1;

	return outcome_keep_carry(cpu, value, a & ~value, ~a & value, size);
}

/* CF = OF = AF = 0. */
ALWAYS_INLINE struct outcome outcome_logic(u64 value, unsigned int size)
{
	return (struct outcome){truncate_to(value, size), sign_extend(value, size), 0};
}

/* --- handlers of two-operand bodies: body(cpu, a, b, size) --- */

#define BINARY_NAME(body, form, width, kind, tag) body##_##form##_##width##_##kind##tag

#define BINARY_STORE_ANY(body, form, width, size, tag, quiet, source)                              \
	static HANDLER(BINARY_NAME(body, form, width, KIND_ANY, tag))                              \
	{                                                                                          \
		void *host = mem_modify(cpu, op, ea_by_kind(cpu, op, size, true), size);           \
		struct outcome out = body(cpu, host_read(host, size), source, size);               \
		host_write(host, out.value, size);                                                 \
		mem_modify_end(cpu, op, host);                                                     \
		outcome_flags(cpu, out, quiet);                                                    \
		NEXT;                                                                              \
	}

#define BINARY_STORE_FAST(body, form, width, size, kind, tag, quiet, source)                       \
	static HANDLER(BINARY_NAME(body, form, width, kind, tag))                                  \
	{                                                                                          \
		FAST_WRITE(host, kind, size, BINARY_NAME(body, form, width, KIND_ANY, tag));       \
		struct outcome out = body(cpu, host_read(host, size), source, size);               \
		host_write(host, out.value, size);                                                 \
		outcome_flags(cpu, out, quiet);                                                    \
		NEXT;                                                                              \
	}

#define BINARY_READ_BODY(body, size, quiet, a, b, WRITE)                                           \
	struct outcome out = body(cpu, a, b, size);                                                \
	WRITE;                                                                                     \
	outcome_flags(cpu, out, quiet);                                                            \
	NEXT;

#define BINARY_READ_ANY(body, form, width, size, tag, quiet, a, b, WRITE)                          \
	static HANDLER(BINARY_NAME(body, form, width, KIND_ANY, tag))                              \
	{                                                                                          \
		u64 memory = mem_load(cpu, op, ea_any(cpu, op, size, false), size);                \
		BINARY_READ_BODY(body, size, quiet, a, b, WRITE)                                   \
	}

#define BINARY_READ_FAST(body, form, width, size, kind, tag, quiet, a, b, WRITE)                   \
	static HANDLER(BINARY_NAME(body, form, width, kind, tag))                                  \
	{                                                                                          \
		FAST_READ(host, kind, size, BINARY_NAME(body, form, width, KIND_ANY, tag));        \
		u64 memory = host_read(host, size);                                                \
		BINARY_READ_BODY(body, size, quiet, a, b, WRITE)                                   \
	}

/* Every kind of memory operand. */
#define BINARY_STORE_MEM(body, form, width, size, tag, quiet, source)                              \
	BINARY_STORE_ANY(body, form, width, size, tag, quiet, source)                              \
	BINARY_STORE_FAST(body, form, width, size, KIND_BASE, tag, quiet, source)                  \
	BINARY_STORE_FAST(body, form, width, size, KIND_INDEX, tag, quiet, source)

#define BINARY_READ_MEM(body, form, width, size, tag, quiet, a, b, WRITE)                          \
	BINARY_READ_ANY(body, form, width, size, tag, quiet, a, b, WRITE)                          \
	BINARY_READ_FAST(body, form, width, size, KIND_BASE, tag, quiet, a, b, WRITE)              \
	BINARY_READ_FAST(body, form, width, size, KIND_INDEX, tag, quiet, a, b, WRITE)

#define BINARY_REG(body, form, width, size, tag, quiet, a, b, WRITE)                               \
	static HANDLER(BINARY_NAME(body, form, width, KIND_REG, tag))                              \
	{                                                                                          \
		struct outcome out = body(cpu, a, b, size);                                        \
		WRITE;                                                                             \
		outcome_flags(cpu, out, quiet);                                                    \
		NEXT;                                                                              \
	}

#define BINARY_LOCKED(body, form, width, size, source)                                             \
	static HANDLER(BINARY_NAME(body, form, width, locked, ))                                   \
	{                                                                                          \
		u64 linear = ea_by_kind(cpu, op, size, true);                                      \
		void *host = mem_modify_locked(cpu, op, linear, size);                             \
		struct outcome out;                                                                \
		u64 old;                                                                           \
		do {                                                                               \
			old = host_read(host, size);                                               \
			out = body(cpu, old, source, size);                                        \
		} while (!host_compare_exchange(host, old, out.value, size));                      \
		mem_modify_end(cpu, op, host);                                                     \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}

#define RM_OPERAND(size)  reg_read(cpu, op->rm, size)
#define REG_OPERAND(size) reg_read(cpu, op->reg, size)
#define IMM_OPERAND(size) truncate_to(op->imm, size)

/* MOV to this instruction's register operand, and behind it the instruction itself, as one of three
 * operands. @op is the MOV. */
#define BINARY_MOVED(body, form, width, size, tag, quiet, source)                                  \
	static HANDLER(BINARY_NAME(body, form, width, moved, tag))                                 \
	{                                                                                          \
		u64 moved = REG_OPERAND(size);                                                     \
		reg_write(cpu, op->rm, moved, size); /* should it be the source, too */            \
		op++;                                                                              \
		struct outcome out = body(cpu, moved, source, size);                               \
		reg_write(cpu, op->rm, out.value, size);                                           \
		outcome_flags(cpu, out, quiet);                                                    \
		NEXT;                                                                              \
	}
#define BINARY_MOVED_WIDTHS(body, form, source)                                                    \
	BINARY_MOVED(body, form, 2, 4, , false, source(4))                                         \
	BINARY_MOVED(body, form, 2, 4, _quiet, true, source(4))                                    \
	BINARY_MOVED(body, form, 3, 8, , false, source(8))                                         \
	BINARY_MOVED(body, form, 3, 8, _quiet, true, source(8))
#define FAMILY_MOVED(body, form, tag)                                                              \
	{                                                                                          \
		[2] = BINARY_NAME(body, form, 2, moved, tag),                                      \
		BINARY_NAME(body, form, 3, moved, tag)                                             \
	}

/* op r/m, source: writes the r/m operand. */
#define BINARY_TO_RM_WIDTH(body, form, width, size, tag, quiet, source)                            \
	BINARY_REG(body, form, width, size, tag, quiet, RM_OPERAND(size), source,                  \
		   reg_write(cpu, op->rm, out.value, size))                                        \
	BINARY_STORE_MEM(body, form, width, size, tag, quiet, source)

/* op reg, r/m: writes the register. */
#define BINARY_TO_REG_WIDTH(body, form, width, size, tag, quiet)                                   \
	BINARY_REG(body, form, width, size, tag, quiet, REG_OPERAND(size), RM_OPERAND(size),       \
		   reg_write(cpu, op->reg, out.value, size))                                       \
	BINARY_READ_MEM(body, form, width, size, tag, quiet, REG_OPERAND(size), memory,            \
			reg_write(cpu, op->reg, out.value, size))

/* Writes nothing but flags: a is one of the operands, b the other. */
#define BINARY_FLAGS_WIDTH(body, form, width, size, tag, quiet, reg_a, reg_b, mem_a, mem_b)        \
	BINARY_REG(body, form, width, size, tag, quiet, reg_a, reg_b, (void)0)                     \
	BINARY_READ_MEM(body, form, width, size, tag, quiet, mem_a, mem_b, (void)0)

#define FAMILY_ROW(body, form, width, tag)                                                         \
	{                                                                                          \
		BINARY_NAME(body, form, width, KIND_REG, tag),                                     \
			BINARY_NAME(body, form, width, KIND_BASE, tag),                            \
			BINARY_NAME(body, form, width, KIND_INDEX, tag),                           \
			BINARY_NAME(body, form, width, KIND_ANY, tag)                              \
	}

#define FAMILY_TABLE(body, form, tag)                                                              \
	{                                                                                          \
		FAMILY_ROW(body, form, 0, tag), FAMILY_ROW(body, form, 1, tag),                    \
			FAMILY_ROW(body, form, 2, tag), FAMILY_ROW(body, form, 3, tag)             \
	}

#define FAMILY_LOCKED(body, form)                                                                  \
	{                                                                                          \
		BINARY_NAME(body, form, 0, locked, ), BINARY_NAME(body, form, 1, locked, ),        \
			BINARY_NAME(body, form, 2, locked, ), BINARY_NAME(body, form, 3, locked, ) \
	}

#define EACH_WIDTH(MACRO, ...)                                                                     \
	MACRO(0, 1, __VA_ARGS__)                                                                   \
	MACRO(1, 2, __VA_ARGS__) MACRO(2, 4, __VA_ARGS__) MACRO(3, 8, __VA_ARGS__)

#define BINARY_EG_(width, size, body)                                                              \
	BINARY_TO_RM_WIDTH(body, EG, width, size, , false, REG_OPERAND(size))                      \
	BINARY_TO_RM_WIDTH(body, EG, width, size, _quiet, true, REG_OPERAND(size))                 \
	BINARY_LOCKED(body, EG, width, size, REG_OPERAND(size))
#define BINARY_EI_(width, size, body)                                                              \
	BINARY_TO_RM_WIDTH(body, EI, width, size, , false, IMM_OPERAND(size))                      \
	BINARY_TO_RM_WIDTH(body, EI, width, size, _quiet, true, IMM_OPERAND(size))                 \
	BINARY_LOCKED(body, EI, width, size, IMM_OPERAND(size))
#define BINARY_GE_(width, size, body)                                                              \
	BINARY_TO_REG_WIDTH(body, GE, width, size, , false)                                        \
	BINARY_TO_REG_WIDTH(body, GE, width, size, _quiet, true)

/* families body_EG, body_EI (the accumulator forms too: the decoder leaves rm = 0) and body_GE */
#define DEFINE_BINARY(body)                                                                        \
	EACH_WIDTH(BINARY_EG_, body)                                                               \
	EACH_WIDTH(BINARY_EI_, body)                                                               \
	EACH_WIDTH(BINARY_GE_, body)                                                               \
	BINARY_MOVED_WIDTHS(body, EG, REG_OPERAND)                                                 \
	BINARY_MOVED_WIDTHS(body, EI, IMM_OPERAND)                                                 \
	const struct family family_##body##_EG = {.fn = FAMILY_TABLE(body, EG, ),                  \
						  .quiet = FAMILY_TABLE(body, EG, _quiet),         \
						  .moved = FAMILY_MOVED(body, EG, ),               \
						  .moved_quiet = FAMILY_MOVED(body, EG, _quiet),   \
						  .locked = FAMILY_LOCKED(body, EG)};              \
	const struct family family_##body##_EI = {.fn = FAMILY_TABLE(body, EI, ),                  \
						  .quiet = FAMILY_TABLE(body, EI, _quiet),         \
						  .moved = FAMILY_MOVED(body, EI, ),               \
						  .moved_quiet = FAMILY_MOVED(body, EI, _quiet),   \
						  .locked = FAMILY_LOCKED(body, EI)};              \
	const struct family family_##body##_GE = {.fn = FAMILY_TABLE(body, GE, ),                  \
						  .quiet = FAMILY_TABLE(body, GE, _quiet)};

#define BINARY_FLAGS_EG_(width, size, body)                                                        \
	BINARY_FLAGS_WIDTH(body, EG, width, size, , false, RM_OPERAND(size), REG_OPERAND(size),    \
			   memory, REG_OPERAND(size))
#define BINARY_FLAGS_EI_(width, size, body)                                                        \
	BINARY_FLAGS_WIDTH(body, EI, width, size, , false, RM_OPERAND(size), IMM_OPERAND(size),    \
			   memory, IMM_OPERAND(size))
#define BINARY_FLAGS_GE_(width, size, body)                                                        \
	BINARY_FLAGS_WIDTH(body, GE, width, size, , false, REG_OPERAND(size), RM_OPERAND(size),    \
			   REG_OPERAND(size), memory)

/* CMP, TEST */
#define DEFINE_BINARY_FLAGS(body)                                                                  \
	EACH_WIDTH(BINARY_FLAGS_EG_, body)                                                         \
	EACH_WIDTH(BINARY_FLAGS_EI_, body)                                                         \
	EACH_WIDTH(BINARY_FLAGS_GE_, body)                                                         \
	const struct family family_##body##_EG = {.fn = FAMILY_TABLE(body, EG, )};                 \
	const struct family family_##body##_EI = {.fn = FAMILY_TABLE(body, EI, )};                 \
	const struct family family_##body##_GE = {.fn = FAMILY_TABLE(body, GE, )};

/* --- one operand, read and written: body(cpu, a, size); family body_E --- */
#define BINARY_E_(width, size, body)                                                               \
	BINARY_TO_RM_WIDTH(body, E, width, size, , false, 0)                                       \
	BINARY_TO_RM_WIDTH(body, E, width, size, _quiet, true, 0)                                  \
	BINARY_LOCKED(body, E, width, size, 0)
#define DEFINE_UNARY(body)                                                                         \
	EACH_WIDTH(BINARY_E_, body)                                                                \
	const struct family family_##body##_E = {.fn = FAMILY_TABLE(body, E, ),                    \
						 .quiet = FAMILY_TABLE(body, E, _quiet),           \
						 .locked = FAMILY_LOCKED(body, E)};

#endif
