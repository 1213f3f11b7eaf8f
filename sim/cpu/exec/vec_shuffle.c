/* SPDX-License-Identifier: Apache-2.0 */
/* Elements picked by an immediate or by another vector, within 128-bit lanes. */
#include "sim/cpu/exec/vec_form.h"

/* A body whose lanes function reads b only. */
#define SHUFFLE1(name)                                                                             \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *b, unsigned int bytes,     \
				     u8 imm)
#define SHUFFLE2(name)                                                                             \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *a, const union lanes *b,   \
				     unsigned int bytes, u8 imm)

/* Two bits of the immediate for each doubleword. VPERMILPS imm is the same. */
SHUFFLE1(pshufd)
{
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = b->d[(i & ~3u) + (imm >> 2 * (i & 3) & 3)];
}

SHUFFLE1(pshuflw)
{
	for (unsigned int i = 0; i < bytes / 2; i++)
		r->w[i] = b->w[i & 4 ? i : (i & ~7u) + (imm >> 2 * (i & 3) & 3)];
}

SHUFFLE1(pshufhw)
{
	for (unsigned int i = 0; i < bytes / 2; i++)
		r->w[i] = b->w[i & 4 ? (i & ~3u) + (imm >> 2 * (i & 3) & 3) : i];
}

/* Each byte of b chooses one of a, or zero by its top bit. */
SHUFFLE2(pshufb)
{
	unsigned int mask = bytes < 16 ? 7 : 15;

	(void)imm;
	for (unsigned int i = 0; i < bytes; i++)
		r->b[i] = b->b[i] & 0x80 ? 0 : a->b[(i & ~mask) + (b->b[i] & mask)];
}

/* Bytes from the lane pair a:b, shifted right by the immediate. */
SHUFFLE2(palignr)
{
	unsigned int lane = bytes < 16 ? bytes : 16;

	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int base = i & ~(lane - 1), from = (i & (lane - 1)) + imm;

		r->b[i] = from < lane       ? b->b[base + from]
			  : from < 2 * lane ? a->b[base + from - lane]
					    : 0;
	}
}

/* Two elements of a, then two of b. */
SHUFFLE2(shufps)
{
	for (unsigned int i = 0; i < bytes / 4; i++) {
		const union lanes *source = i & 2 ? b : a;

		r->d[i] = source->d[(i & ~3u) + (imm >> 2 * (i & 3) & 3)];
	}
}

/* One of a, then one of b; every element has a bit of its own. */
SHUFFLE2(shufpd)
{
	for (unsigned int i = 0; i < bytes / 8; i++) {
		const union lanes *source = i & 1 ? b : a;

		r->q[i] = source->q[(i & ~1u) + (imm >> i & 1)];
	}
}

SHUFFLE1(vpermilpd_imm)
{
	for (unsigned int i = 0; i < bytes / 8; i++)
		r->q[i] = b->q[(i & ~1u) + (imm >> i & 1)];
}

SHUFFLE2(vpermilps)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = a->d[(i & ~3u) + (b->d[i] & 3)];
}

/* Bit 1 chooses. */
SHUFFLE2(vpermilpd)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 8; i++)
		r->q[i] = a->q[(i & ~1u) + (b->q[i] >> 1 & 1)];
}

SHUFFLE1(movddup)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 8; i++)
		r->q[i] = b->q[i & ~1u];
}

SHUFFLE1(movsldup)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = b->d[i & ~1u];
}

SHUFFLE1(movshdup)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = b->d[i | 1u];
}

LANES_BODY1(pshufd)
LANES_BODY1(pshuflw)
LANES_BODY1(pshufhw)
LANES_BODY2(pshufb)
LANES_BODY2(palignr)
LANES_BODY2(shufps)
LANES_BODY2(shufpd)
LANES_BODY1(vpermilpd_imm)
LANES_BODY2(vpermilps)
LANES_BODY2(vpermilpd)
LANES_BODY1(movddup)
LANES_BODY1(movsldup)
LANES_BODY1(movshdup)

VEC_FAMILY(VEC_FORM_B, pshufd, x)
VEC_FAMILY(VEC_FORM_B, pshuflw, x)
VEC_FAMILY(VEC_FORM_B, pshufhw, x)
VEC_FAMILY(VEC_FORM_AB, pshufb, x)
VEC_FAMILY(VEC_FORM_AB, palignr, x)
VEC_FAMILY(VEC_FORM_AB, shufps, x)
VEC_FAMILY(VEC_FORM_AB, shufpd, x)
VEC_FAMILY_VEX(VEC_FORM_B, vpermilpd_imm, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpermilps, x)
VEC_FAMILY_VEX(VEC_FORM_AB, vpermilpd, x)
VEC_FAMILY(VEC_FORM_B, movsldup, x)
VEC_FAMILY(VEC_FORM_B, movshdup, x)

/* MOVDDUP reads 8 bytes of memory, VMOVDDUP ymm 32. */
VEC_KINDS_2(VEC_FORM_B, movddup, 0, 16, sd)
VEC_KINDS_2(VEC_FORM_B, movddup, 1, 16, sd)
VEC_KINDS_2(VEC_FORM_B, movddup, 2, 32, u)
const struct family family_movddup = {
	.fn = {VEC_ROW_2(movddup, 0), VEC_ROW_2(movddup, 1), VEC_ROW_2(movddup, 2)}};

MMX_FAMILY(VEC_MMX_AB, pshufb, q)
MMX_FAMILY(VEC_MMX_AB, palignr, q)

/* PSHUFW mm */
#define pshufw_8(b, imm) pshuflw_8(b, imm)
MMX_FAMILY(VEC_MMX_B, pshufw, q)
