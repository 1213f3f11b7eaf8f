/* SPDX-License-Identifier: Apache-2.0 */
/* What an instruction works on: ModRM, SIB, displacement, immediates (SDM 2A:2.1.3 to 2.1.5). */
#include "sim/cpu/parse.h"

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

bool parse_operands(struct parse *p, struct instruction *out)
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

/* --- the width --- */

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

void parse_width(const struct parse *p, struct instruction *out)
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
