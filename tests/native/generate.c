/* SPDX-License-Identifier: Apache-2.0 */
/* Operands: random bits among values at which instructions change their mind. */
#include <string.h>

#include "sim/cpu/fpu.h"
#include "sim/cpu/xstate.h"
#include "tests/native/native.h"

#define PICK(rng, table) ((table)[rng_below(rng, ARRAY_SIZE(table))])

static u64 integer(struct rng *rng)
{
	static const u64 corners[] = {0,
				      1,
				      2,
				      3,
				      7,
				      8,
				      15,
				      16,
				      31,
				      32,
				      63,
				      64,
				      0x7f,
				      0x80,
				      0xff,
				      0x100,
				      0x7fff,
				      0x8000,
				      0xffff,
				      0x10000,
				      0x7fffffff,
				      0x80000000,
				      0xffffffff,
				      0x100000000,
				      0x7fffffffffffffff,
				      0x8000000000000000,
				      ~UINT64_C(0),
				      ~UINT64_C(1),
				      0xffffffff80000000,
				      0xffffffffffffff80,
				      0x5555555555555555};

	switch (rng_below(rng, 4)) {
	case 0:
		return PICK(rng, corners);
	case 1:
		return rng_next(rng) >> rng_below(rng, 64);
	default:
		return rng_next(rng);
	}
}

static u32 single(struct rng *rng)
{
	static const u32 corners[] = {
		0,          0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x3f000000, 0x7f800000,
		0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffbfffff, 1,          0x80000001,
		0x007fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x4b000000, 0x4effffff,
		0x4f000000, 0xcf000000, 0x5effffff, 0x5f000000, 0xdf000000, 0x4f800000, 0x3f800001,
		0x33800000, 0x38800000, 0x477fe000, 0x477ff000};

	switch (rng_below(rng, 4)) {
	case 0:
		return PICK(rng, corners);
	case 1: /* near one in size */
		return (u32)(rng_next(rng) & 0x807fffff) | (127 - 30 + rng_below(rng, 60)) << 23;
	case 2:
		return (u32)(rng_next(rng) & 0x80f80000) | (127 + rng_below(rng, 8)) << 23;
	default:
		return (u32)rng_next(rng);
	}
}

static u64 twice(struct rng *rng)
{
	static const u64 corners[] = {0,
				      0x8000000000000000,
				      0x3ff0000000000000,
				      0xbff0000000000000,
				      0x4000000000000000,
				      0x3fe0000000000000,
				      0x7ff0000000000000,
				      0xfff0000000000000,
				      0x7ff8000000000000,
				      0xfff8000000000000,
				      0x7ff0000000000001,
				      0xfff7ffffffffffff,
				      1,
				      0x8000000000000001,
				      0x000fffffffffffff,
				      0x0010000000000000,
				      0x8010000000000000,
				      0x7fefffffffffffff,
				      0xffefffffffffffff,
				      0x41dfffffffc00000,
				      0x41e0000000000000,
				      0xc1e0000000000000,
				      0xc1e0000000200000,
				      0x43dfffffffffffff,
				      0x43e0000000000000,
				      0xc3e0000000000000,
				      0x36a0000000000000,
				      0x380fffffffffffff,
				      0x3810000000000000,
				      0x47efffffe0000000,
				      0x47effffff0000000,
				      0x3ff0000000000001};

	switch (rng_below(rng, 4)) {
	case 0:
		return PICK(rng, corners);
	case 1:
		return (rng_next(rng) & 0x800fffffffffffff) | (u64)(1023 - 60 + rng_below(rng, 120))
								      << 52;
	case 2:
		return (rng_next(rng) & 0x800fff0000000000) | (u64)(1023 + rng_below(rng, 8)) << 52;
	default:
		return rng_next(rng);
	}
}

static void extended(struct rng *rng, u8 *to)
{
	static const u16 exponents[] = {0,      1,      0x3ffe, 0x3fff, 0x4000, 0x401e, 0x403e,
					0x403f, 0x7ffe, 0x7fff, 0x3c01, 0x43fe, 0x3f81, 0x407e};
	static const u64 mantissas[] = {0,
					0x8000000000000000,
					0xc000000000000000,
					1,
					0x8000000000000001,
					0xffffffffffffffff,
					0x7fffffffffffffff,
					0xfffffffffffff800,
					0xffffff0000000000,
					0xffffff8000000000,
					0xfffffffffffffc00,
					0x4000000000000000};
	u64 mantissa = rng_chance(rng, 2) ? PICK(rng, mantissas) : rng_next(rng);
	u16 exponent = rng_chance(rng, 2) ? PICK(rng, exponents)
					  : (u16)(0x3fff - 70 + rng_below(rng, 140));

	if (!rng_chance(rng, 8) && exponent) /* mostly normal numbers */
		mantissa |= BIT(63);
	exponent |= (u16)(rng_chance(rng, 2) << 15);
	memcpy(to, &mantissa, 8);
	memcpy(to + 8, &exponent, 2);
}

/* Fills @size bytes with lanes of one kind. */
static void lanes(struct rng *rng, u8 *to, unsigned int size)
{
	unsigned int kind = rng_below(rng, 6), n;

	for (n = 0; n < size; n += 8) {
		u64 value;

		switch (kind) {
		case 0:
			value = integer(rng);
			break;
		case 1:
		case 2:
			value = single(rng) | (u64)single(rng) << 32;
			break;
		case 3:
		case 4:
			value = twice(rng);
			break;
		default: /* bytes at corners */
			value = rng_next(rng) & rng_next(rng) & 0x0101010101010101;
			value = value * 0xff ^ (rng_next(rng) & 0x8080808080808080);
		}
		memcpy(to + n, &value, 8);
	}
}

static void put16(u8 *to, u16 value)
{
	memcpy(to, &value, 2);
}

static void x87(struct rng *rng, u8 *area)
{
	static const u16 precisions[] = {0x000, 0x200, 0x300, 0x300};
	u16 control = (u16)(FCW_ALWAYS_ONE | PICK(rng, precisions) | rng_below(rng, 4) << 10);
	u16 status = (u16)(rng_next(rng) & (FSW_CONDITIONS | FSW_TOP));
	unsigned int n;

	control |= rng_chance(rng, 8) ? (u16)(rng_next(rng) & FCW_MASKS) : FCW_MASKS;
	if (rng_chance(rng, 4))
		status |= (u16)(rng_next(rng) & (FSW_EXCEPTIONS | FSW_SF));
	if (!rng_chance(rng, 4)) /* rarely an exception that is already pending */
		status &= (u16) ~(~control & FSW_EXCEPTIONS);
	if (status & ~control & FSW_EXCEPTIONS)
		status |= FSW_ES | FSW_B;
	put16(area, control);
	put16(area + 2, status);
	area[4] = rng_chance(rng, 4) ? (u8)rng_next(rng) : 0xff;
	if (rng_chance(rng, 16))
		area[4] = 0;
	for (n = 0; n < 8; n++) {
		if (n && rng_chance(rng, 8))
			memcpy(area + FXSAVE_ST + 16 * n, area + FXSAVE_ST, 10);
		else
			extended(rng, area + FXSAVE_ST + 16 * n);
	}
}

static void vectors(struct rng *rng, u8 *area)
{
	u32 mxcsr = 0x1f80 | rng_below(rng, 4) << 13;
	unsigned int n;

	if (rng_chance(rng, 4))
		mxcsr |= (u32)rng_next(rng) & 0x803f; /* FTZ, sticky flags */
	if (rng_chance(rng, 4))
		mxcsr |= 0x40; /* DAZ */
	if (rng_chance(rng, 16))
		mxcsr &= ~((u32)rng_next(rng) & 0x1f80);
	memcpy(area + FXSAVE_MXCSR, &mxcsr, 4);
	for (n = 0; n < 16; n++) {
		if (n && rng_chance(rng, 16)) {
			memcpy(area + FXSAVE_XMM + 16 * n, area + FXSAVE_XMM, 16);
			memcpy(area + XSTATE_EXTENDED + 16 * n, area + XSTATE_EXTENDED, 16);
			continue;
		}
		lanes(rng, area + FXSAVE_XMM + 16 * n, 16);
		lanes(rng, area + XSTATE_EXTENDED + 16 * n, 16);
	}
}

/* --- making addresses lead into DATA --- */

static u64 data_offset(const struct encoding *e)
{
	return native_data(e->bits);
}

static u32 choose_target(const struct encoding *e, struct rng *rng)
{
	/* AMD's SHA units take any alignment, against APM 4 and SDM 2A:2.4 table 2-21. */
	if (e->row->gate == FEATURE_SHA)
		return e->offset & ~15u;
	if (strstr(e->row->mnemonic, "xrstor") && !rng_chance(rng, 16))
		return e->offset & ~63u;
	if (strstr(e->row->mnemonic, "xsave") && !rng_chance(rng, 16))
		return e->offset & ~63u;
	if (rng_chance(rng, 64)) /* across the end of the page, into nothing */
		return NATIVE_PAGE - rng_below(rng, 40);
	if (rng_chance(rng, 16))
		return e->offset + rng_below(rng, 64);
	return e->offset;
}

static void aim_gather(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	bool wide = e->form->opcode & 1; /* 91, 93: 64-bit indexes */
	unsigned int n;

	for (n = 0; n < 8; n++) {
		u8 *at = n < 4 ? state->xsave + FXSAVE_XMM + 16 * e->index + 4 * n
			       : state->xsave + XSTATE_EXTENDED + 16 * e->index + 4 * (n - 4);
		s32 value = (s32)rng_below(rng, 256) - 128;

		if (wide)
			value = n & 1 ? value >> 31 : value;
		if (wide && (n & 1)) {
			s32 low;

			memcpy(&low, at - 4, 4);
			value = low >> 31;
		}
		memcpy(at, &value, 4);
	}
	state->gpr[e->base] = data_offset(e) + 2048 - (u64)e->disp;
}

/* Returns where in DATA the memory operand lies. */
static u32 aim(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	u32 offset = choose_target(e, rng);
	u64 rest = data_offset(e) + offset - (u64)e->disp;

	if (!e->memory || e->rip_relative || e->absolute)
		return e->offset;
	if (e->vsib) {
		aim_gather(e, rng, state);
		return e->offset;
	}
	if (e->base < 0) {
		u64 index = rng_below(rng, 64) & (e->row->gate == FEATURE_SHA ? ~15u : ~0u);

		state->gpr[e->index] = index;
		return (u32)(index << e->scale);
	}
	/* Stack operations with RSP as the base must not reach what else the child has mapped. */
	if (e->base == 4 && e->index >= 0)
		state->gpr[e->index] = rng_below(rng, 64);
	if (e->index >= 0)
		rest -= state->gpr[e->index] << e->scale;
	if (e->bits != 64 && !e->address32)
		rest = (rest & 0xffff) | (rng_next(rng) & ~UINT64_C(0xffff));
	else if (e->address32)
		rest = (u32)rest | (e->bits == 64 ? rng_next(rng) << 32 : 0);
	state->gpr[e->base] = rest;
	return offset;
}

/* State components that hosts may have enabled in XCR0 and the interpreter's processor here has
 * not: 19:3 and 62 (SDM 1:13.1; LWP). What they do to XSAVE's image is not compared. */
#define HOST_COMPONENTS (UINT64_C(0xffff8) | UINT64_C(1) << 62)

static void drop_host_components(struct native_state *state, u32 at)
{
	u64 word;

	for (u32 n = at + XSTATE_LEGACY_SIZE; n < at + XSTATE_LEGACY_SIZE + 16; n += 8) {
		if (n > NATIVE_PAGE - 8)
			return;
		memcpy(&word, state->memory + n, 8); /* XSTATE_BV, XCOMP_BV */
		word &= ~HOST_COMPONENTS;
		memcpy(state->memory + n, &word, 8);
	}
}

/* XRSTOR, FXRSTOR and LDMXCSR mostly find an image that they take. */
static void aim_image(const struct encoding *e, struct rng *rng, struct native_state *state, u32 at)
{
	const char *name = e->row->mnemonic;
	static u8 image[XSAVE_BYTES];
	u64 present = rng_next(rng) & 7;

	if (encoding_takes_components(e)) {
		if (!rng_chance(rng, 16))
			at &= ~63u;
		drop_host_components(state, at);
	}
	if (!strncmp(name, "xrstor", 6) || !strncmp(name, "fxrstor", 7) ||
	    strstr(name, "ldmxcsr")) {
		if (at > NATIVE_PAGE - XSAVE_BYTES)
			return;
		if (rng_chance(rng, 16)) { /* no MXCSR.MM: the interpreter has no MISALIGNSSE */
			state->memory[at + (strstr(name, "ldmxcsr") ? 2 : FXSAVE_MXCSR + 2)] &=
				(u8)~2;
			return;
		}
		memset(image, 0, sizeof(image));
		x87(rng, image);
		vectors(rng, image);
		memcpy(image + XSTATE_LEGACY_SIZE, &present, sizeof(present));
		if (strstr(name, "ldmxcsr"))
			memcpy(state->memory + at, image + FXSAVE_MXCSR, 4);
		else
			memcpy(state->memory + at, image, sizeof(image));
	}
}

static void aim_strings(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	bool xlat = e->form->map == 0 && e->form->opcode == 0xd7, used = false;
	u64 page = data_offset(e);
	unsigned int n;

	for (n = 0; n < OPERANDS_MAX; n++)
		used |= e->form->operand[n].place == PLACE_STRING_SOURCE ||
			e->form->operand[n].place == PLACE_STRING_TARGET;
	if (!used)
		return;
	state->gpr[6] = page + 1024 + rng_below(rng, 512);
	state->gpr[7] = page + 1024 + rng_below(rng, 512);
	if (xlat)
		state->gpr[3] = page + rng_below(rng, 2048);
	else if (e->repeat)
		state->gpr[1] = rng_below(rng, 12);
}

/* The bit offset of BT and its kin reaches outside its operand. */
static void aim_bits(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	static const u8 opcodes[] = {0xa3, 0xab, 0xb3, 0xbb};

	if (e->form->map != 1 || !e->memory || !memchr(opcodes, e->form->opcode, 4))
		return;
	state->gpr[e->reg] = (u64)((s64)rng_below(rng, 8192) - 4096);
}

/* Anywhere but in what the child itself may execute. */
static u64 elsewhere(const struct encoding *e, struct rng *rng)
{
	u64 target = integer(rng);

	if (e->bits != 64)
		return target | 0x40000000;
	return target >> 46 ? target : target | BIT(44);
}

/* Indirect branches: mostly to the code page, sometimes anywhere. */
static void aim_branch(const struct encoding *e, struct rng *rng, struct native_state *state,
		       u32 at)
{
	u64 target = native_start(e->bits) - 0x800 + rng_below(rng, 2000);

	if (!e->branch)
		return;
	/* Where the stack faults too, which fault comes first is left open. */
	if (rng_chance(rng, 16) && e->base != 4 && e->index != 4)
		target = elsewhere(e, rng);
	if (e->form->map == 0 && (e->form->opcode & 0xfe) == 0xc2) /* RET */
		at = (u32)(state->gpr[4] - data_offset(e));
	else if (!e->form->modrm)
		return;
	else if (!e->memory) {
		if (e->rm != 4)
			state->gpr[e->rm] = target;
		return;
	}
	if (at <= NATIVE_PAGE - 8)
		memcpy(state->memory + at, &target, 8);
}

/* POPF must leave the test itself alone: no TF, no AC. */
static void aim_popf(const struct encoding *e, struct native_state *state)
{
	u64 at = state->gpr[4] - data_offset(e), image;

	if (e->form->map || e->form->opcode != 0x9d || at > NATIVE_PAGE - 8)
		return;
	memcpy(&image, state->memory + at, 8);
	image &= ~(FLAG_TF | FLAG_AC);
	memcpy(state->memory + at, &image, 8);
}

/* ENTER and LEAVE walk frames. */
static void aim_frames(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	if (e->form->map == 0 && (e->form->opcode == 0xc8 || e->form->opcode == 0xc9))
		state->gpr[5] = data_offset(e) + 1024 + rng_below(rng, 256) * 8;
}

/* Memory contents come from a pool made once: a page anew for each case would cost too much. */
#define POOL (64u << 10)

static void fill_memory(struct rng *rng, u8 *memory)
{
	static u8 pool[POOL];
	static bool made;

	for (unsigned int n = 0; !made && n < POOL; n += 64)
		lanes(rng, pool + n, 64);
	made = true;
	memcpy(memory, pool + rng_below(rng, (POOL - NATIVE_PAGE) / 16) * 16, NATIVE_PAGE);
}

void generate(const struct encoding *e, struct rng *rng, struct native_state *state)
{
	u64 all = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
	unsigned int n;
	u32 at;

	memset(state->xsave, 0, XSAVE_BYTES);
	for (n = 0; n < 16; n++)
		state->gpr[n] = integer(rng);
	state->rflags = FLAG_FIXED | FLAG_IF | (rng_next(rng) & FLAG_ARITH) |
			(rng_chance(rng, 4) ? FLAG_DF : 0);
	x87(rng, state->xsave);
	vectors(rng, state->xsave);
	memcpy(state->xsave + XSTATE_LEGACY_SIZE, &all, sizeof(all));
	fill_memory(rng, state->memory);
	state->gpr[4] = data_offset(e) + (NATIVE_STACK - NATIVE_DATA) + rng_below(rng, 8) * 8;
	aim_strings(e, rng, state);
	aim_bits(e, rng, state);
	aim_frames(e, rng, state);
	if (encoding_takes_components(e)) {
		state->gpr[0] = rng_chance(rng, 2) ? 7 : integer(rng) & ~(u32)HOST_COMPONENTS;
		state->gpr[2] &= ~(HOST_COMPONENTS >> 32);
	}
	at = aim(e, rng, state);
	aim_image(e, rng, state, at);
	aim_branch(e, rng, state, at);
	aim_popf(e, state);
	for (n = 0; n < 16 && e->bits != 64; n++)
		state->gpr[n] = (u32)state->gpr[n];
}
