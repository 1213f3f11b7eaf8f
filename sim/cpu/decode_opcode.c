/* SPDX-License-Identifier: Apache-2.0 */
/* From prefixes and opcode to the row (SDM 2A:2.1, 2.2, 2.3). */
#include "sim/cpu/parse.h"

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

bool parse_opcode(struct parse *p)
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

const struct opcode_form *parse_form(struct parse *p)
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
void parse_sizes(struct parse *p, const struct opcode_form *form)
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
