/* SPDX-License-Identifier: Apache-2.0 */
/* PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 2B:4.1). */
#include "sim/cpu/exec/vec_form.h"
#include "sim/cpu/flags.h"

/* The immediate (SDM 2B:4.1.1 to 4.1.5). */
#define STRING_WORDS     0x01
#define STRING_SIGNED    0x02
#define STRING_AGGREGATE 0x0c
#define STRING_POLARITY  0x30
#define STRING_MOST      0x40 /* index of the most significant; or a mask of whole elements */

enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

struct strings {
	s32 a[16], b[16];   /* elements, extended by their signedness */
	unsigned int count; /* 16 bytes or 8 words */
	unsigned int a_valid, b_valid;
};

static s32 string_element(const u8 *from, u8 imm, unsigned int i)
{
	u16 word;

	if (!(imm & STRING_WORDS))
		return imm & STRING_SIGNED ? (s8)from[i] : from[i];
	__builtin_memcpy(&word, from + 2 * i, 2);
	return imm & STRING_SIGNED ? (s16)word : word;
}

/* Elements before the first zero. */
static unsigned int implicit_length(const s32 *elements, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count && elements[i]; i++)
		;
	return i;
}

/* Length registers count by magnitude and saturate (SDM 2B:4.1.3). */
static unsigned int explicit_length(const struct op *op, u64 reg, unsigned int count)
{
	s64 length = op->flags & OP_REX_W ? (s64)reg : (s32)reg;
	u64 magnitude = length < 0 ? 0 - (u64)length : (u64)length;

	return magnitude < count ? magnitude : count;
}

static bool any_equal(const struct strings *s, unsigned int j)
{
	for (unsigned int i = 0; i < s->a_valid; i++)
		if (s->a[i] == s->b[j])
			return true;
	return false;
}

/* A range whose upper end is not valid matches nothing. */
static bool in_ranges(const struct strings *s, unsigned int j)
{
	for (unsigned int i = 0; i + 1 < s->a_valid; i += 2)
		if (s->b[j] >= s->a[i] && s->b[j] <= s->a[i + 1])
			return true;
	return false;
}

/* a as a substring that begins at b[j], as far as b reaches. */
static bool begins_at(const struct strings *s, unsigned int j)
{
	for (unsigned int i = 0; i < s->a_valid && i + j < s->count; i++)
		if (i + j >= s->b_valid || s->a[i] != s->b[i + j])
			return false;
	return true;
}

/* IntRes1, with the overrides for invalid elements of SDM 2B table 4-7. */
static bool string_match(const struct strings *s, unsigned int aggregate, unsigned int j)
{
	bool valid = j < s->b_valid;

	switch (aggregate) {
	case EQUAL_ANY:
		return valid && any_equal(s, j);
	case RANGES:
		return valid && in_ranges(s, j);
	case EQUAL_EACH:
		return (j < s->a_valid) == valid && (!valid || s->a[j] == s->b[j]);
	default:
		return begins_at(s, j);
	}
}

/* IntRes2. */
static u32 string_result(const struct strings *s, u8 imm)
{
	u32 result = 0, all = (1u << s->count) - 1, valid = (1u << s->b_valid) - 1;

	for (unsigned int j = 0; j < s->count; j++)
		result |= (u32)string_match(s, (imm & STRING_AGGREGATE) >> 2, j) << j;
	switch ((imm & STRING_POLARITY) >> 4) {
	case 1:
		return result ^ all;
	case 3:
		return result ^ valid;
	default:
		return result;
	}
}

/* Compares, sets the flags, returns IntRes2. */
static NOINLINE u32 string_compare(struct cpu *cpu, const struct op *op, const u8 *a, const u8 *b,
				   bool implicit)
{
	struct strings s = {.count = op->imm & STRING_WORDS ? 8 : 16};
	u32 result;

	for (unsigned int i = 0; i < s.count; i++) {
		s.a[i] = string_element(a, op->imm, i);
		s.b[i] = string_element(b, op->imm, i);
	}
	if (implicit) {
		s.a_valid = implicit_length(s.a, s.count);
		s.b_valid = implicit_length(s.b, s.count);
	} else {
		s.a_valid = explicit_length(op, cpu->reg[REG_RAX], s.count);
		s.b_valid = explicit_length(op, cpu->reg[REG_RDX], s.count);
	}
	result = string_result(&s, op->imm);
	flags_set_arith(cpu, (result ? FLAG_CF : 0) | (s.b_valid < s.count ? FLAG_ZF : 0) |
				     (s.a_valid < s.count ? FLAG_SF : 0) |
				     (result & 1 ? FLAG_OF : 0));
	return result;
}

static void string_index(struct cpu *cpu, const struct op *op, u32 result)
{
	unsigned int count = op->imm & STRING_WORDS ? 8 : 16;

	if (!result)
		cpu->reg[REG_RCX] = count;
	else if (op->imm & STRING_MOST)
		cpu->reg[REG_RCX] = 31 - (unsigned int)__builtin_clz(result);
	else
		cpu->reg[REG_RCX] = (unsigned int)__builtin_ctz(result);
}

static v16_u64 string_mask(const struct op *op, u32 result)
{
	v16_u8 bytes = {0};

	if (!(op->imm & STRING_MOST))
		return (v16_u64){result};
	for (unsigned int i = 0; i < 16; i++)
		bytes[i] = result >> (op->imm & STRING_WORDS ? i / 2 : i) & 1 ? 0xff : 0;
	return (v16_u64)bytes;
}

#define VEC_FORM_INDEX(name, W, N, suffix, kind, implicit)                                         \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, u)                                                    \
		string_index(cpu, op,                                                              \
			     string_compare(cpu, op, cpu->vec[op->reg].b, from, implicit));        \
		NEXT;                                                                              \
	}
#define VEC_FORM_MASK(name, W, N, suffix, kind, implicit)                                          \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, u)                                                    \
		u32 result = string_compare(cpu, op, cpu->vec[op->reg].b, from, implicit);         \
		vec_write_##W(cpu, 0, string_mask(op, result));                                    \
		NEXT;                                                                              \
	}
VEC_FAMILY_128(VEC_FORM_INDEX, pcmpestri, false)
VEC_FAMILY_128(VEC_FORM_INDEX, pcmpistri, true)
VEC_FAMILY_128(VEC_FORM_MASK, pcmpestrm, false)
VEC_FAMILY_128(VEC_FORM_MASK, pcmpistrm, true)
