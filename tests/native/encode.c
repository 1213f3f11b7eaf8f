/* SPDX-License-Identifier: Apache-2.0 */
/* From a parsed row to bytes: the reverse of sim/cpu/decode.c. SDM 2A:2. */
#include <string.h>

#include "tests/native/native.h"

struct writer {
	const struct opcode_form *form;
	const struct variant *variant;
	struct rng *rng;
	struct encoding *out;
	u8 reg, rm, vvvv; /* four bits each */
	bool needs_modrm, has_vvvv, has_moffs;
	u8 rex_x, rex_b;
	u8 modrm, sib, disp_size;
	bool has_sib;
	bool w;
	bool address_prefix;
};

static bool sized(const struct opcode_form *form)
{
	const u32 flags = opcode_rows[form->row].flags;
	unsigned int i;

	if (form->space == 1)
		return false;
	for (i = 0; i < OPERANDS_MAX; i++) {
		const struct opcode_operand *operand = &form->operand[i];

		switch (operand->size) {
		case SIZE_V:
		case SIZE_Z:
		case SIZE_Y:
		case SIZE_BS:
		case SIZE_A:
			return true;
		}
	}
	if (form->operand[0].place == PLACE_MEM && (flags & X87) && form->prefix == PREFIX_ANY &&
	    form->operand[0].size == SIZE_NONE)
		return true; /* FNSAVE and its kin: 16- and 32-bit images */
	return form->operand[0].place == PLACE_NONE && (flags & (D64 | F64 | I64)) &&
	       form->prefix == PREFIX_ANY;
}

/* 1: register only, 2: memory only, 3: both, 0: no ModRM or all fixed. */
static unsigned int rm_kinds(const struct opcode_form *form)
{
	unsigned int i, kinds = 1;

	if (!form->modrm || (form->reg != ANY && form->rm != ANY))
		return 1;
	for (i = 0; i < OPERANDS_MAX; i++) {
		switch (form->operand[i].place) {
		case PLACE_RM:
		case PLACE_VRM:
		case PLACE_MMX_RM:
			kinds = 3;
			break;
		case PLACE_MEM:
			return 2;
		case PLACE_RM_REG:
		case PLACE_VRM_REG:
		case PLACE_MMX_RM_REG:
		case PLACE_STI:
			return 1;
		}
	}
	if (form->mod == MOD_MEM)
		return 2;
	return form->mod == MOD_REG ? 1 : kinds;
}

unsigned int encode_variants(const struct opcode_form *form, unsigned int bits,
			     struct variant variants[12])
{
	const u32 flags = opcode_rows[form->row].flags;
	unsigned int count = 0, kinds = rm_kinds(form), width, memory;

	if ((flags & I64 && bits == 64) || (flags & O64 && bits != 64) ||
	    (form->w == 1 && bits != 64 && form->space == 0))
		return 0;
	for (width = 1; width <= 3; width++) {
		if (!sized(form) && width != 1)
			break;
		if (width == 3 && (bits != 64 || form->w == 0))
			break;
		for (memory = 0; memory < 2; memory++) {
			if (!(kinds >> memory & 1))
				continue;
			variants[count++] = (struct variant){.bits = (u8)bits,
							     .width = sized(form) ? (u8)width : 0,
							     .memory = memory};
			if (memory && (flags & LOCK)) {
				variants[count] = variants[count - 1];
				variants[count++].lock = true;
			}
		}
	}
	return count;
}

static void put(struct writer *w, u8 byte)
{
	if (w->out->length < INSTRUCTION_MAX)
		w->out->bytes[w->out->length] = byte;
	w->out->length++;
}

static void put_value(struct writer *w, u64 value, unsigned int size)
{
	while (size--) {
		put(w, (u8)value);
		value >>= 8;
	}
}

static bool uses_vsib(const struct opcode_form *form)
{
	return form->space == 1 && form->map == 2 && form->opcode >= 0x90 && form->opcode <= 0x93;
}

/* A displacement of a size that ModRM can express. */
static void choose_disp(struct writer *w, u8 *mod)
{
	struct encoding *e = w->out;

	*mod = (u8)rng_below(w->rng, 3);
	if (*mod == 1)
		e->disp = (s8)rng_next(w->rng);
	else if (*mod == 2)
		e->disp = rng_chance(w->rng, 4) ? (s32)rng_next(w->rng)
						: (s32)rng_below(w->rng, 4096) - 2048;
}

static void choose_memory16(struct writer *w)
{
	static const s8 bases[8][2] = {{3, 6},  {3, 7},  {5, 6},  {5, 7},
				       {6, -1}, {7, -1}, {5, -1}, {3, -1}};
	struct encoding *e = w->out;
	u8 mod;

	choose_disp(w, &mod);
	w->rm = (u8)rng_below(w->rng, 8);
	e->base = bases[w->rm][0];
	e->index = bases[w->rm][1];
	w->disp_size = mod == 2 ? 2 : mod;
	if (mod == 2)
		e->disp = (s16)e->disp;
	if (mod == 0 && w->rm == 6) {
		e->base = -1;
		e->absolute = true;
		w->disp_size = 2;
		e->disp = (s64)(native_data(16) + e->offset);
	}
	w->modrm = (u8)(mod << 6 | w->rm);
}

bool encoding_takes_components(const struct encoding *e)
{
	return !strncmp(e->row->mnemonic, "xsave", 5) || !strncmp(e->row->mnemonic, "xrstor", 6);
}

/* EAX and EDX are not addresses where they name components: generate chooses those. */
static int address_register(const struct writer *w, unsigned int registers)
{
	int reg = (int)rng_below(w->rng, registers);

	return encoding_takes_components(w->out) && (reg == 0 || reg == 2) ? reg + 1 : reg;
}

/* Base, index, scale, displacement; some forms without a base, some RIP-relative. */
static void choose_memory(struct writer *w)
{
	struct encoding *e = w->out;
	unsigned int regs = w->variant->bits == 64 ? 16 : 8;
	bool vsib = uses_vsib(w->form);
	u8 mod;

	e->memory = true;
	e->base = e->index = -1;
	e->offset = 64 + rng_below(w->rng, 1024) * (rng_chance(w->rng, 4) ? 1 : 2) / 16 * 16;
	if (rng_chance(w->rng, 4))
		e->offset += w->out->row->gate == FEATURE_SHA ? 0 : rng_below(w->rng, 16);
	if (vsib ? w->variant->bits == 16 : w->variant->bits != 32 && rng_chance(w->rng, 8))
		w->address_prefix = true;
	if ((w->variant->bits == 16) != w->address_prefix && w->variant->bits != 64) {
		choose_memory16(w);
		return;
	}
	e->address32 = w->variant->bits != 64 || w->address_prefix;
	if (!vsib && rng_chance(w->rng, 10)) { /* disp32: RIP-relative in 64-bit code */
		w->modrm = 5;
		w->disp_size = 4;
		e->rip_relative = w->variant->bits == 64;
		e->absolute = !e->rip_relative;
		return;
	}
	choose_disp(w, &mod);
	e->base = address_register(w, regs);
	if (e->base == w->reg && !encoding_takes_components(e) && !rng_chance(w->rng, 16))
		e->base = (e->base + 1) & (int)(regs - 1);
	if (e->base == 4) /* RSP is to stay in DATA: see aim */
		e->disp = (s8)e->disp;
	w->disp_size = mod == 2 ? 4 : mod;
	w->rex_b = (u8)(e->base >> 3);
	if (!vsib && (e->base & 7) != 4 && !rng_chance(w->rng, 2)) {
		if ((e->base & 7) == 5 && mod == 0) {
			mod = 1;
			w->disp_size = 1;
		}
		w->modrm = (u8)(mod << 6 | (e->base & 7));
		return;
	}
	w->has_sib = true;
	e->vsib = vsib;
	e->scale = (u8)rng_below(w->rng, 4);
	e->index = address_register(w, regs);
	if (!vsib && (e->index == e->base || e->index == 4)) {
		e->index = -1;
		w->sib = (u8)(e->scale << 6 | 4 << 3 | (e->base & 7));
	} else {
		w->sib = (u8)(e->scale << 6 | (e->index & 7) << 3 | (e->base & 7));
		w->rex_x = (u8)(e->index >> 3);
	}
	if ((e->base & 7) == 5 && mod == 0) { /* no base: index * scale + disp32 */
		if (vsib) {
			mod = 1;
			w->disp_size = 1;
		} else {
			e->base = -1;
			w->disp_size = 4;
			e->disp = 0;
			if (e->index < 0)
				e->absolute = true;
		}
	}
	w->modrm = (u8)(mod << 6 | 4);
}

static void choose_registers(struct writer *w)
{
	const struct opcode_form *form = w->form;
	unsigned int regs = w->variant->bits == 64 ? 16 : 8, i;

	w->reg = (u8)rng_below(w->rng, regs);
	w->rm = (u8)rng_below(w->rng, regs);
	w->vvvv = (u8)rng_below(w->rng, regs);
	if (form->reg != ANY)
		w->reg = form->reg;
	if (form->rm != ANY)
		w->rm = form->rm;
	for (i = 0; i < OPERANDS_MAX; i++) {
		u8 place = form->operand[i].place;

		w->has_vvvv |= place == PLACE_VVVV || place == PLACE_VVVVV;
		w->has_moffs |= place == PLACE_MOFFS;
		if (place == PLACE_MMX_REG)
			w->reg &= 7;
	}
	w->out->reg = w->reg;
	w->out->rm = w->rm;
	if (w->variant->memory)
		choose_memory(w);
	else
		w->modrm = (u8)(0xc0 | (w->rm & 7));
	w->modrm |= (u8)((w->reg & 7) << 3);
	if (!w->variant->memory)
		w->rex_b = w->rm >> 3;
}

static void put_vex(struct writer *w)
{
	const struct opcode_form *form = w->form;
	u8 r = w->reg >> 3, l = form->l == ANY ? (u8)rng_below(w->rng, 2) : form->l;
	u8 vvvv = w->has_vvvv ? w->vvvv : 0;
	u8 last = (u8)((~vvvv & 15) << 3 | l << 2 | (form->prefix == ANY ? 0 : form->prefix));

	if (form->map == 1 && !w->w && !w->rex_x && !w->rex_b && rng_chance(w->rng, 2)) {
		put(w, 0xc5);
		put(w, (u8)((r ? 0 : 0x80) | last));
		return;
	}
	put(w, 0xc4);
	put(w, (u8)((r ? 0 : 0x80) | (w->rex_x ? 0 : 0x40) | (w->rex_b ? 0 : 0x20) | form->map));
	put(w, (u8)(w->w << 7 | last));
}

static void put_legacy(struct writer *w)
{
	static const u8 mandatory[] = {[PREFIX_66] = 0x66, [PREFIX_F3] = 0xf3, [PREFIX_F2] = 0xf2};
	static const u8 escapes[4][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
	const struct opcode_form *form = w->form;
	bool operand16 = w->variant->width == 1;
	u8 rex = (u8)(w->w << 3 | w->reg >> 3 << 2 | w->rex_x << 1 | w->rex_b);
	unsigned int i;

	if (w->variant->bits == 16 ? w->variant->width == 2 : operand16)
		put(w, 0x66);
	if (form->prefix != PREFIX_ANY && form->prefix != PREFIX_NP)
		put(w, mandatory[form->prefix]);
	if (w->out->repeat)
		put(w, rng_chance(w->rng, 2) ? 0xf3 : 0xf2);
	if (w->variant->bits == 64 && (rex || rng_chance(w->rng, 4)))
		put(w, 0x40 | rex);
	for (i = 0; i < 2 && escapes[form->map][i]; i++)
		put(w, escapes[form->map][i]);
}

static u64 choose_immediate(struct writer *w)
{
	static const u64 interesting[] = {
		0,  1,  2,  7,   8,   15,  16,           17,         31,         32,
		33, 63, 64, 127, 128, 255, ~UINT64_C(0), 0x7fffffff, 0x80000000, 0x8000};

	if (rng_chance(w->rng, 2))
		return interesting[rng_below(w->rng, ARRAY_SIZE(interesting))];
	return rng_next(w->rng);
}

/* Branch targets inside the code page, not inside the instruction. */
static u64 choose_relative(struct writer *w)
{
	s64 disp = rng_chance(w->rng, 2) ? (s64)rng_below(w->rng, 100)
					 : -20 - (s64)rng_below(w->rng, 100);

	return (u64)disp;
}

static void put_immediates(struct writer *w)
{
	const struct opcode_form *form = w->form;
	unsigned int width = w->variant->width        ? w->variant->width
			     : w->variant->bits == 16 ? 1
						      : 2,
		     i;
	bool address16 = (w->variant->bits == 16) != w->address_prefix && w->variant->bits != 64;

	if (w->has_moffs) {
		w->out->offset = 64 + rng_below(w->rng, 2000);
		put_value(w,
			  w->variant->bits == 16 ? NATIVE_DATA - NATIVE_SEGMENT + w->out->offset
						 : NATIVE_DATA + w->out->offset,
			  address16                                      ? 2
			  : w->variant->bits == 64 && !w->address_prefix ? 8
									 : 4);
	}
	for (i = 0; i < OPERANDS_MAX; i++) {
		const struct opcode_operand *operand = &form->operand[i];
		u64 value = choose_immediate(w);

		if (operand->place == PLACE_REL)
			value = choose_relative(w);
		else if (operand->place == PLACE_VIS4)
			value = rng_next(w->rng);
		else if (operand->place != PLACE_IMM)
			continue;
		switch (operand->size) {
		case SIZE_W:
			put_value(w, value, 2);
			break;
		case SIZE_D:
			put_value(w, value, 4);
			break;
		case SIZE_Q:
			put_value(w, value, 8);
			break;
		case SIZE_V:
			put_value(w, value, 1u << width);
			break;
		case SIZE_Z:
			put_value(w, value, width == 1 ? 2 : 4);
			break;
		default:
			put_value(w, value, 1);
		}
	}
}

/* Bytes of the immediates, which a RIP-relative displacement has to know beforehand. */
static void put_all(struct writer *w)
{
	const struct opcode_form *form = w->form;
	struct encoding *e = w->out;
	unsigned int at = 0, i;

	if (w->variant->lock)
		put(w, 0xf0);
	if (w->address_prefix)
		put(w, 0x67);
	if (form->space == 1)
		put_vex(w);
	else
		put_legacy(w);
	put(w, form->count == 8 ? (u8)(form->opcode + (w->rm & 7)) : form->opcode);
	if (form->modrm) {
		put(w, w->modrm);
		if (w->has_sib)
			put(w, w->sib);
		at = e->length;
		put_value(w, 0, w->disp_size);
	}
	put_immediates(w);
	if (!form->modrm || !w->disp_size || e->length > INSTRUCTION_MAX)
		return;
	if (e->rip_relative)
		e->disp = (s64)(NATIVE_DATA + e->offset - (NATIVE_START + e->length));
	else if (e->absolute && w->disp_size == 4)
		e->disp = (s64)(native_data(e->bits) + e->offset);
	else if (e->base < 0 && e->index >= 0)
		e->disp = (s64)native_data(e->bits);
	for (i = 0; i < w->disp_size; i++)
		e->bytes[at + i] = (u8)(e->disp >> 8 * i);
}

static bool is_string(const struct opcode_form *form)
{
	unsigned int i;

	for (i = 0; i < OPERANDS_MAX; i++)
		if (form->operand[i].place == PLACE_STRING_SOURCE ||
		    form->operand[i].place == PLACE_STRING_TARGET)
			return form->map == 0 && form->opcode != 0xd7;
	return false;
}

static void encode_once(struct writer *w)
{
	const struct opcode_form *form = w->form;
	const u32 flags = opcode_rows[form->row].flags;

	w->out->bits = w->variant->bits;
	w->out->width = w->variant->width;
	w->out->base = w->out->index = -1;
	w->out->branch = flags & BRANCH;
	w->out->repeat = is_string(form) && rng_chance(w->rng, 2);
	if (form->w == 1 || w->variant->width == 3)
		w->w = true;
	else if (form->w == ANY && w->variant->width == 0 && (flags & (SSE | AVX | MMX)) &&
		 w->variant->bits == 64)
		w->w = rng_chance(w->rng, 8);
	else if (form->space == 1 && form->w == ANY)
		w->w = rng_chance(w->rng, 2) && w->variant->bits == 64;
	choose_registers(w);
	if (w->out->repeat || is_string(form))
		w->address_prefix = w->variant->bits == 64 && rng_chance(w->rng, 8);
	put_all(w);
}

bool encode(const struct opcode_form *form, const struct variant *variant, const u32 *features,
	    bool amd, struct rng *rng, struct encoding *out)
{
	static const u32 modes[] = {MODE_CODE16, MODE_CODE32, MODE_CODE64};
	struct decode_environment env = {
		.mode = modes[variant->bits / 32] | MODE_PROTECTED | MODE_OSFXSR | MODE_AVX |
			3 << MODE_CPL_SHIFT,
		.feature = features,
		.amd = amd,
	};
	unsigned int tries;

	for (tries = 0; tries < 64; tries++) {
		struct writer w = {.form = form, .variant = variant, .rng = rng, .out = out};
		struct op op;
		struct instruction insn = {.op = &op};

		memset(out, 0, sizeof(*out));
		out->row = &opcode_rows[form->row];
		out->form = form;
		encode_once(&w);
		if (out->length <= INSTRUCTION_MAX &&
		    decode_instruction(&env, out->bytes, out->length, &insn) == DECODE_OK &&
		    insn.form == form && insn.op->length == out->length)
			return true;
	}
	return false;
}
