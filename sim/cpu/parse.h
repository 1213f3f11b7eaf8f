/* SPDX-License-Identifier: Apache-2.0 */
/* An instruction being taken apart; between decode.c, decode_opcode.c and decode_operands.c. */
#ifndef LOCKSTEP_SIM_CPU_PARSE_H
#define LOCKSTEP_SIM_CPU_PARSE_H

#include "sim/cpu/decode.h"
#include "sim/cpu/opcode_flags.h"

#define REG_OFFSET(n) ((u8)((n) * sizeof(u64)))

/* One instruction being taken apart. */
struct parse {
	const struct decode_environment *env;
	const u8 *bytes;
	unsigned int available, at;
	bool failed_more; /* a fetch went past the available bytes */
	bool failed_long; /* or past the 15th */

	bool has_66, has_67, has_3e, lock;
	u8 repeat;	/* 0, 0xf2 or 0xf3: the last one counts */
	u8 segment;	/* override, or ANY */
	u8 rex;		/* 0 if none; 0x40 | WRXB. VEX: the same bits */
	bool has_rex;	/* a real REX prefix: SPL…DIL instead of AH…BH */
	u8 space, map, opcode;
	u8 vex_prefix, vex_l, vex_v;
	u8 modrm;
	bool modrm_read;
	u8 operand_size; /* log2: 1, 2 or 3 */
	u8 address_size; /* OP_ADDRESS_* */
};

static inline u8 fetch8(struct parse *p)
{
	if (p->at >= INSTRUCTION_MAX) {
		p->failed_long = true;
		return 0;
	}
	if (p->at >= p->available) {
		p->failed_more = true;
		return 0;
	}
	return p->bytes[p->at++];
}

static inline u8 peek8(struct parse *p)
{
	unsigned int at = p->at;
	u8 byte = fetch8(p);

	p->at = at;
	return byte;
}

static inline u64 fetch(struct parse *p, unsigned int size)
{
	u64 value = 0;
	unsigned int i;

	if (likely(p->at + 8 <= p->available && p->at + size <= INSTRUCTION_MAX)) {
		__builtin_memcpy(&value, p->bytes + p->at, 8);
		p->at += size;
		return size == 8 ? value : value & (BIT(8 * size) - 1);
	}
	for (i = 0; i < size; i++)
		value |= (u64)fetch8(p) << 8 * i;
	return value;
}

static inline u64 fetch_signed(struct parse *p, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (u64)((s64)(fetch(p, size) << shift) >> shift);
}

static inline bool code64(const struct parse *p)
{
	return (p->env->mode & MODE_CODE_MASK) == MODE_CODE64;
}

static inline bool rex_w(const struct parse *p)
{
	return p->rex & 8;
}

/* --- decode_opcode.c --- */

/* Prefixes and opcode. False: there is no such. */
bool parse_opcode(struct parse *p);
/* The row's form that these make, with a ModRM byte if it has one; NULL: none. */
const struct opcode_form *parse_form(struct parse *p);
void parse_sizes(struct parse *p, const struct opcode_form *form);

/* --- decode_operands.c --- */

/* False: there are no such operands. */
bool parse_operands(struct parse *p, struct instruction *out);
void parse_width(const struct parse *p, struct instruction *out);

#endif
