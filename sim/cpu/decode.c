/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder: SDM 2A:2 (formats), the rows of opcodes.def for everything else. */
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

static u8 fetch8(struct parse *p)
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

static u8 peek8(struct parse *p)
{
	unsigned int at = p->at;
	u8 byte = fetch8(p);

	p->at = at;
	return byte;
}

static u64 fetch(struct parse *p, unsigned int size)
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

static u64 fetch_signed(struct parse *p, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (u64)((s64)(fetch(p, size) << shift) >> shift);
}

static bool code64(const struct parse *p)
{
	return (p->env->mode & MODE_CODE_MASK) == MODE_CODE64;
}

static bool rex_w(const struct parse *p)
{
	return p->rex & 8;
}

/* Legacy prefixes in any order, then REX directly before the opcode (SDM 2A:2.1.1, 2.2.1).
 * Returns the first byte that is neither. */
static u8 parse_prefixes(struct parse *p)
{
	for (;;) {
		u8 byte = fetch8(p);

		if (p->failed_more || p->failed_long)
			return 0;
		switch (byte) {
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			/* Ignored as segments in 64-bit mode; 3E may still mean NOTRACK. */
			p->has_3e |= byte == 0x3e;
			if (!code64(p))
				p->segment = byte >> 3 & 3;
			break;
		case 0x64: p->segment = SEG_FS; break;
		case 0x65: p->segment = SEG_GS; break;
		case 0x66: p->has_66 = true; break;
		case 0x67: p->has_67 = true; break;
		case 0xf0: p->lock = true; break;
		case 0xf2: case 0xf3: p->repeat = byte; break;
		default:
			if (code64(p) && (byte & 0xf0) == 0x40) {
				p->rex = byte;
				p->has_rex = true;
				continue;
			}
			return byte;
		}
		p->rex = 0; /* a REX that is not last is ignored */
		p->has_rex = false;
	}
}

static bool vex_allowed(const struct parse *p)
{
	return !(p->has_66 || p->repeat || p->lock || p->has_rex) &&
	       (p->env->mode & MODE_PROTECTED);
}

/* C4 and C5 are LES and LDS outside 64-bit mode unless the next byte has mod = 3. */
static bool is_vex(struct parse *p, u8 byte)
{
	if (byte != 0xc4 && byte != 0xc5)
		return false;
	return code64(p) || (peek8(p) & 0xc0) == 0xc0;
}

/* SDM 2A:2.3.5. REX bits are stored inverted. */
static bool parse_vex(struct parse *p, u8 byte)
{
	u8 first = fetch8(p), last = first;

	if (!vex_allowed(p))
		return false;
	p->space = 1;
	p->map = 1;
	p->rex = 0x40 | (first & 0x80 ? 0 : 4);
	if (byte == 0xc4) {
		last = fetch8(p);
		p->map = first & 0x1f;
		p->rex |= (first & 0x40 ? 0 : 2) | (first & 0x20 ? 0 : 1) | (last & 0x80 ? 8 : 0);
	}
	if (p->map < 1 || p->map > 3)
		return false;
	p->vex_v = ~last >> 3 & 15;
	p->vex_l = last >> 2 & 1;
	p->vex_prefix = last & 3;
	if (!code64(p)) {
		p->rex &= 0x48; /* X, R, B have to be 1 (mod = 3), B is ignored */
		p->vex_v &= 7;
	}
	p->opcode = fetch8(p);
	return true;
}

static bool parse_opcode(struct parse *p)
{
	u8 byte = parse_prefixes(p);

	if (is_vex(p, byte))
		return parse_vex(p, byte);
	p->opcode = byte;
	if (byte != 0x0f)
		return true;
	p->map = 1;
	p->opcode = fetch8(p);
	if (p->opcode == 0x38 || p->opcode == 0x3a) {
		p->map = p->opcode == 0x38 ? 2 : 3;
		p->opcode = fetch8(p);
	}
	return true;
}

static bool prefix_fits(const struct parse *p, u8 wanted)
{
	if (p->space == 1)
		return wanted == p->vex_prefix;
	switch (wanted) {
	case PREFIX_NP: return !p->has_66 && !p->repeat;
	case PREFIX_66: return p->has_66 && !p->repeat;
	case PREFIX_F3: return p->repeat == 0xf3;
	case PREFIX_F2: return p->repeat == 0xf2;
	default: return true;
	}
}

static bool feature(const struct parse *p, u16 gate)
{
	return gate == FEATURE_BASE || (p->env->feature[gate / 32] >> (gate % 32) & 1);
}

static void read_modrm(struct parse *p)
{
	if (!p->modrm_read) {
		p->modrm = fetch8(p);
		p->modrm_read = true;
	}
}

/* F3 90 is PAUSE, but F3 41 90 exchanges R8 and RAX (SDM 2B: XCHG, PAUSE). */
static bool pause_with_rex_b(const struct parse *p, const struct opcode_form *form)
{
	return p->space == 0 && p->map == 0 && p->opcode == 0x90 && form->prefix == PREFIX_F3 &&
	       (p->rex & 1);
}

static bool form_fits(struct parse *p, const struct opcode_form *form)
{
	const struct opcode_row *row = &opcode_rows[form->row];

	if (!prefix_fits(p, form->prefix) || pause_with_rex_b(p, form))
		return false;
	if (((row->flags & I64) && code64(p)) || ((row->flags & NOT_AMD) && p->env->amd))
		return false;
	if ((row->flags & O64) && !code64(p))
		return false;
	if ((form->w == 1 && !rex_w(p)) || (form->w == 0 && rex_w(p)))
		return false;
	if (p->space == 1 && form->l != ANY && form->l != p->vex_l)
		return false;
	if (form->modrm) {
		read_modrm(p);
		if (form->mod == MOD_REG && p->modrm < 0xc0)
			return false;
		if (form->mod == MOD_MEM && p->modrm >= 0xc0)
			return false;
		if (form->reg != ANY && form->reg != (p->modrm >> 3 & 7))
			return false;
		if (form->rm != ANY && form->rm != (p->modrm & 7))
			return false;
	}
	return feature(p, row->gate);
}

static const struct opcode_form *find_form(struct parse *p)
{
	struct opcode_span span = opcode_spans[p->space][p->map][p->opcode];
	unsigned int i;

	for (i = 0; i < span.count; i++) {
		const struct opcode_form *form = &opcode_forms[opcode_candidates[span.first + i]];

		if (form_fits(p, form))
			return form;
	}
	return NULL;
}

/* SDM 2A:2.2.1.2, table 3-4 of 1:3.6.1. */
static void find_sizes(struct parse *p, const struct opcode_form *form)
{
	const struct opcode_row *row = &opcode_rows[form->row];
	bool toggled = p->has_66 && form->prefix != PREFIX_66;
	/* Intel's near branches have 64 bits whatever the prefix; AMD's 66 cuts them to 16 bits,
	 * displacement and return address too (SDM 2A CALL, Jcc, JMP; APM 3 1.2.2, table 1-3). */
	bool cut = toggled && p->env->amd && (row->flags & BRANCH);

	switch (p->env->mode & MODE_CODE_MASK) {
	case MODE_CODE64:
		p->address_size = p->has_67 ? OP_ADDRESS_32 : OP_ADDRESS_64;
		if (rex_w(p) || ((row->flags & F64) && !cut))
			p->operand_size = 3;
		else if (toggled)
			p->operand_size = 1;
		else
			p->operand_size = row->flags & D64 ? 3 : 2;
		break;
	case MODE_CODE32:
		p->address_size = p->has_67 ? OP_ADDRESS_16 : OP_ADDRESS_32;
		p->operand_size = toggled ? 1 : 2;
		break;
	default:
		p->address_size = p->has_67 ? OP_ADDRESS_32 : OP_ADDRESS_16;
		p->operand_size = toggled ? 2 : 1;
	}
}

/* --- memory operands --- */

static void set_segment(struct parse *p, struct op *op, u8 standard)
{
	u8 seg = p->segment != ANY ? p->segment : standard;

	/* In 64-bit mode only FS and GS count (SDM 1:3.4.2.1); a default SS still decides
	 * between #SS and #GP. */
	if (code64(p) && seg < SEG_FS)
		seg = standard;
	op->seg = seg;
	op->seg_base = code64(p) && seg < SEG_FS ? REG_OFFSET(REG_ZERO)
						 : REG_OFFSET(REG_SEG_BASE + seg);
}

static void parse_memory16(struct parse *p, struct op *op)
{
	static const struct {
		u8 base, index, seg;
	} forms[8] = {
		{REG_RBX, REG_RSI, SEG_DS}, {REG_RBX, REG_RDI, SEG_DS},
		{REG_RBP, REG_RSI, SEG_SS}, {REG_RBP, REG_RDI, SEG_SS},
		{REG_RSI, REG_ZERO, SEG_DS}, {REG_RDI, REG_ZERO, SEG_DS},
		{REG_RBP, REG_ZERO, SEG_SS}, {REG_RBX, REG_ZERO, SEG_DS},
	};
	u8 mod = p->modrm >> 6, rm = p->modrm & 7;

	if (mod == 0 && rm == 6) {
		op->disp = fetch(p, 2);
		set_segment(p, op, SEG_DS);
		return;
	}
	op->base = REG_OFFSET(forms[rm].base);
	op->index = REG_OFFSET(forms[rm].index);
	if (mod)
		op->disp = (s64)fetch_signed(p, mod);
	set_segment(p, op, forms[rm].seg);
}

static void parse_memory(struct parse *p, struct instruction *out)
{
	struct op *op = out->op;
	u8 mod = p->modrm >> 6, rm = p->modrm & 7;
	u8 base = rm | (p->rex & 1) << 3, index = REG_ZERO, seg = SEG_DS;

	op->base = op->index = REG_OFFSET(REG_ZERO);
	if (p->address_size == OP_ADDRESS_16) {
		parse_memory16(p, op);
		return;
	}
	if (rm == 4) {
		u8 sib = fetch8(p);

		base = (sib & 7) | (p->rex & 1) << 3;
		index = (sib >> 3 & 7) | (p->rex & 2) << 2;
		op->scale = sib >> 6;
		rm = sib & 7;
		if (index == 4)
			index = REG_ZERO;
		if (rm == 5 && mod == 0)
			base = REG_ZERO;
	} else if (rm == 5 && mod == 0) {
		out->rip_relative = code64(p);
		base = code64(p) ? REG_RIP : REG_ZERO;
	}
	op->base = REG_OFFSET(base);
	op->index = REG_OFFSET(index);
	if (base == REG_RSP || base == REG_RBP)
		seg = SEG_SS;
	if (mod == 1)
		op->disp = (s64)fetch_signed(p, 1);
	else if (mod == 2 || base == REG_ZERO || base == REG_RIP)
		op->disp = (s64)fetch_signed(p, 4);
	set_segment(p, op, seg);
}

/* VSIB: the index is a vector register (SDM 2A:2.3.12). Its number goes to op->is4; the byte
 * offset stays REG_ZERO so that the base part resolves as usual. */
static void parse_vsib(struct parse *p, struct op *op, u8 sib)
{
	op->is4 = (sib >> 3 & 7) | (p->rex & 2) << 2;
	op->index = REG_OFFSET(REG_ZERO);
}

static void find_kind(struct parse *p, struct op *op)
{
	if (!code64(p) || p->address_size != OP_ADDRESS_64)
		op->kind = KIND_ANY;
	else if (op->index != REG_OFFSET(REG_ZERO) || op->seg >= SEG_FS)
		op->kind = KIND_INDEX;
	else
		op->kind = KIND_BASE;
}

/* --- registers --- */

static u8 general_register(const struct parse *p, u8 number, bool byte)
{
	if (byte && !p->has_rex && p->space == 0 && number >= 4 && number < 8)
		return REG_OFFSET(number - 4) + 1; /* AH CH DH BH */
	return REG_OFFSET(number);
}

static u8 modrm_reg(const struct parse *p)
{
	return (p->modrm >> 3 & 7) | (p->rex & 4) << 1;
}

static u8 modrm_rm(const struct parse *p)
{
	return (p->modrm & 7) | (p->rex & 1) << 3;
}

/* --- immediates --- */

static u64 fetch_immediate(struct parse *p, u8 size)
{
	switch (size) {
	case SIZE_B:
	case SIZE_BS: return fetch_signed(p, 1);
	case SIZE_W: return fetch(p, 2);
	case SIZE_D: return fetch_signed(p, 4);
	case SIZE_Q: return fetch(p, 8);
	case SIZE_V: return fetch_signed(p, 1u << p->operand_size);
	default: return fetch_signed(p, p->operand_size == 1 ? 2 : 4);
	}
}

static void parse_far(struct parse *p, struct op *op)
{
	u64 offset = fetch(p, p->operand_size == 1 ? 2 : 4);

	op->imm = offset | fetch(p, 2) << 32; /* selector above the offset */
}

/* Operands stand one behind the other. */
static bool has_operand(const struct opcode_form *form, unsigned int n)
{
	return n < OPERANDS_MAX && form->operand[n].place != PLACE_NONE;
}

static bool is_vector_place(u8 place)
{
	switch (place) {
	case PLACE_VREG: case PLACE_VRM: case PLACE_VRM_REG: case PLACE_VVVVV: case PLACE_VIS4:
	case PLACE_MMX_REG: case PLACE_MMX_RM: case PLACE_MMX_RM_REG:
		return true;
	default:
		return false;
	}
}

/* log2 of a general operand's size, or -1 if it has no say. */
static int general_width(const struct parse *p, const struct opcode_operand *operand)
{
	switch (operand->place) {
	case PLACE_NONE: case PLACE_IMM: case PLACE_REL: case PLACE_FIXED: case PLACE_FAR:
	case PLACE_SREG: case PLACE_CR: case PLACE_DR: case PLACE_STI:
		return -1;
	}
	switch (operand->size) {
	case SIZE_B: return 0;
	case SIZE_W: return 1;
	case SIZE_D: return 2;
	case SIZE_Q: return 3;
	case SIZE_V: return p->operand_size;
	case SIZE_Z: return p->operand_size < 2 ? p->operand_size : 2;
	case SIZE_Y:
		if (p->space == 1)
			return rex_w(p) && code64(p) ? 3 : 2;
		return p->operand_size > 2 ? p->operand_size : 2;
	default: return -1;
	}
}

static void find_width(const struct parse *p, struct instruction *out)
{
	const struct opcode_form *form = out->form;
	int width = -1;
	unsigned int i;

	for (i = 0; has_operand(form, i); i++)
		if (is_vector_place(form->operand[i].place))
			out->vector = true;
	if (out->vector || (out->row->flags & (SSE | AVX))) {
		out->family_width = p->space == 1 ? 1 + p->vex_l : 0;
		out->op->width = out->family_width == 2 ? 5 : 4;
		return;
	}
	for (i = 0; has_operand(form, i) && width < 0; i++)
		width = general_width(p, &form->operand[i]);
	out->op->width = out->family_width = width < 0 ? p->operand_size : width;
}

static bool has_place(const struct opcode_form *form, u8 place)
{
	for (unsigned int i = 0; has_operand(form, i); i++)
		if (form->operand[i].place == place)
			return true;
	return false;
}

/* Takes one operand's bytes and register numbers in. */
static void parse_operand(struct parse *p, struct instruction *out,
			  const struct opcode_operand *operand, bool *memory, bool *immediate)
{
	struct op *op = out->op;
	bool byte = operand->size == SIZE_B;
	u8 rm = modrm_rm(p);

	switch (operand->place) {
	case PLACE_REG: op->reg = general_register(p, modrm_reg(p), byte); break;
	case PLACE_OPCODE:
		op->rm = general_register(p, (p->opcode & 7) | (p->rex & 1) << 3, byte);
		break;
	case PLACE_VVVV: op->vvvv = REG_OFFSET(p->vex_v); break;
	case PLACE_RM:
	case PLACE_RM_REG:
		if (p->modrm >= 0xc0 || operand->place == PLACE_RM_REG)
			op->rm = general_register(p, rm, byte);
		else
			*memory = true;
		break;
	case PLACE_MEM: *memory = true; break;
	case PLACE_VRM:
	case PLACE_VRM_REG:
	case PLACE_MMX_RM:
	case PLACE_MMX_RM_REG:
		if (p->modrm < 0xc0)
			*memory = true;
		else
			op->rm = operand->place >= PLACE_MMX_RM ? rm & 7 : rm;
		break;
	case PLACE_VREG: op->reg = modrm_reg(p); break;
	case PLACE_CR:
	case PLACE_DR: op->reg = modrm_reg(p); break;
	case PLACE_SREG:
	case PLACE_MMX_REG: op->reg = p->modrm >> 3 & 7; break;
	case PLACE_VVVVV: op->vvvv = p->vex_v; break;
	case PLACE_STI: op->rm = p->modrm & 7; break;
	case PLACE_MOFFS:
		op->base = op->index = REG_OFFSET(REG_ZERO);
		op->disp = (s64)fetch(p, 2u << p->address_size);
		set_segment(p, op, SEG_DS);
		find_kind(p, op);
		break;
	case PLACE_STRING_SOURCE: set_segment(p, op, SEG_DS); break;
	case PLACE_STRING_TARGET: /* ES, which no prefix changes; beside a source that one counts */
		if (!has_place(out->form, PLACE_STRING_SOURCE))
			op->seg = SEG_ES;
		break;
	case PLACE_VIS4: op->is4 = fetch8(p) >> 4 & (code64(p) ? 15 : 7); break;
	case PLACE_REL: op->imm = fetch_immediate(p, operand->size); break;
	case PLACE_FAR: parse_far(p, op); break;
	case PLACE_IMM:
		if (*immediate)
			op->is4 = fetch8(p);
		else
			op->imm = fetch_immediate(p, operand->size);
		*immediate = true;
		break;
	}
}

/* Gathers (SDM 2A:2.3.12) need a SIB byte; the rows' bodies find the index in op->is4. */
static bool uses_vsib(const struct parse *p)
{
	return p->space == 1 && p->map == 2 && p->opcode >= 0x90 && p->opcode <= 0x93;
}

/* CR1, CR5 to CR7, CR9 to CR15 and DR8 to DR15: #UD at any level. */
static bool register_exists(u8 place, u8 number)
{
	if (place == PLACE_CR)
		return 0x11d >> number & 1;
	return place != PLACE_DR || number < 8;
}

/* Behind ModRM, SIB and displacement, whatever the operand order. */
static bool is_immediate_place(u8 place)
{
	return place == PLACE_IMM || place == PLACE_REL || place == PLACE_FAR ||
	       place == PLACE_VIS4;
}

static bool parse_operands(struct parse *p, struct instruction *out)
{
	const struct opcode_form *form = out->form;
	bool memory = false, immediate = false, has_vvvv = false, mod_ignored = false;
	unsigned int i, immediates = 0;

	for (i = 0; has_operand(form, i); i++) {
		u8 place = form->operand[i].place;

		has_vvvv |= place == PLACE_VVVV || place == PLACE_VVVVV;
		mod_ignored |= place == PLACE_CR || place == PLACE_DR; /* SDM 2: MOV CR */
		if (is_immediate_place(place)) {
			immediates |= 1u << i;
			continue;
		}
		parse_operand(p, out, &form->operand[i], &memory, &immediate);
		if (!register_exists(place, out->op->reg))
			return false;
	}
	if (p->space == 1 && !has_vvvv && p->vex_v)
		return false;
	if (form->modrm && p->modrm < 0xc0 && !mod_ignored) {
		if (uses_vsib(p)) {
			u8 sib = p->at < p->available ? p->bytes[p->at] : 0;

			if ((p->modrm & 7) != 4 || p->address_size == OP_ADDRESS_16)
				return false;
			parse_memory(p, out);
			parse_vsib(p, out->op, sib);
		} else {
			parse_memory(p, out);
		}
		find_kind(p, out->op);
	}
	for (; immediates; immediates &= immediates - 1)
		parse_operand(p, out, &form->operand[__builtin_ctz(immediates)], &memory,
			      &immediate);
	return !(p->lock && !((out->row->flags & LOCK) && out->op->kind != KIND_REG));
}

/* #UD and #NM of the state classes (SDM 3A:2.5 table 2-2, 3A:13.1; 2A:2.4 for VEX). */
static enum decode_status check_class(u32 flags, u32 mode)
{
	if ((flags & (MMX | SSE)) && (mode & MODE_EM))
		return DECODE_UD;
	if ((flags & SSE) && !(mode & MODE_OSFXSR))
		return DECODE_UD;
	if ((flags & AVX) && !(mode & MODE_AVX))
		return DECODE_UD;
	if ((flags & X87) && (mode & (MODE_EM | MODE_TS)))
		return DECODE_NM;
	if ((flags & (MMX | SSE | AVX)) && (mode & MODE_TS))
		return DECODE_NM;
	return DECODE_OK;
}

static enum decode_status check_row(const struct opcode_row *row, u32 mode)
{
	enum decode_status status;

	if ((row->flags & PM) && !(mode & MODE_PROTECTED))
		return DECODE_UD;
	status = check_class(row->flags, mode);
	if (status != DECODE_OK)
		return status;
	if ((row->flags & CPL0) && (mode & MODE_CPL_MASK))
		return DECODE_GP;
	return DECODE_OK;
}

static u8 op_flags(const struct parse *p, u32 row_flags)
{
	return p->address_size | (p->lock ? OP_LOCK : 0) | (p->repeat == 0xf3 ? OP_REP : 0) |
	       (p->repeat == 0xf2 ? OP_REPNE : 0) | (rex_w(p) ? OP_REX_W : 0) |
	       (code64(p) ? OP_CODE64 : 0) |
	       ((row_flags & (END | BRANCH)) && p->has_3e ? OP_NOTRACK : 0);
}

static enum decode_status failure(const struct parse *p, enum decode_status otherwise)
{
	/* The length limit is looked at first: it holds even if more bytes can't be had. */
	if (p->failed_long)
		return DECODE_LONG;
	return p->failed_more ? DECODE_MORE : otherwise;
}

enum decode_status decode_instruction(const struct decode_environment *env, const u8 *bytes,
				      unsigned int available, struct instruction *out)
{
	struct parse p = {.env = env, .bytes = bytes, .available = available, .segment = ANY};
	enum decode_status status = DECODE_UD;
	struct op *op = out->op;

	__builtin_memset(op, 0, sizeof(*op));
	__builtin_memset(out, 0, sizeof(*out));
	out->op = op;
	op->seg = SEG_SS;
	op->seg_base = op->base = op->index = REG_OFFSET(REG_ZERO);
	if (parse_opcode(&p) && !p.failed_more && !p.failed_long) {
		out->form = find_form(&p);
		if (out->form && !p.failed_more && !p.failed_long) {
			out->row = &opcode_rows[out->form->row];
			find_sizes(&p, out->form);
			status = parse_operands(&p, out) ? check_row(out->row, env->mode) : DECODE_UD;
		}
	}
	out->op->length = p.at;
	if (p.failed_long || p.failed_more || !out->row)
		return failure(&p, DECODE_UD);
	out->opcode = p.opcode;
	out->op->flags = op_flags(&p, out->row->flags);
	if (out->row->flags & X87) /* x87 instructions remember their opcode: FOP */
		out->op->imm = (p.opcode & 7) << 8 | p.modrm;
	find_width(&p, out);
	return status;
}
