/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic over GF(2) and GF(2^8): PCLMULQDQ and GFNI (SDM 2A, 2B). */
#include "sim/cpu/exec/crypto.h"

/* --- PCLMULQDQ --- */
/* Four bits of @y at a time, from the top. */
static u128 carryless_multiply(u64 x, u64 y)
{
	u128 multiple[16] = {0, x}, product = 0;

	for (unsigned int i = 2; i < 16; i += 2) {
		multiple[i] = multiple[i / 2] << 1;
		multiple[i + 1] = multiple[i] ^ x;
	}
	for (int shift = 60; shift >= 0; shift -= 4)
		product = product << 4 ^ multiple[y >> shift & 15];
	return product;
}

CRYPTO_BODY2(pclmulqdq)
{
	u128 product = carryless_multiply(a[imm & 1], b[imm >> 4 & 1]);

	return (v16_u64){(u64)product, (u64)(product >> 64)};
}

CRYPTO_LANES2(pclmulqdq)
VEC_FAMILY(VEC_FORM_AB, pclmulqdq, x)

/* --- GFNI: eight bytes at once in a quadword --- */
#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Products modulo x^8 + x^4 + x^3 + x + 1. */
static u64 multiply_bytes(u64 x, u64 y)
{
	u64 product = 0;

	for (unsigned int i = 0; i < 8; i++, y >>= 1) {
		product ^= x & (y & EACH_BYTE) * 0xff;
		x = (x & 0x7f * EACH_BYTE) << 1 ^ (x >> 7 & EACH_BYTE) * 0x1b;
	}
	return product;
}

/* x^254, which is the inverse, and 0 for 0. */
static u64 invert_bytes(u64 x)
{
	u64 result = EACH_BYTE;

	for (unsigned int i = 0; i < 7; i++) {
		x = multiply_bytes(x, x);
		result = multiply_bytes(result, x);
	}
	return result;
}

/* Bit i of each result byte: the parity of @x and row 7 - i of @matrix, plus bit i of @imm. */
static u64 affine_bytes(u64 matrix, u64 x, u8 imm)
{
	u64 result = imm * EACH_BYTE;

	for (unsigned int i = 0; i < 8; i++) {
		u64 row = x & (matrix >> 8 * (7 - i) & 0xff) * EACH_BYTE;

		row ^= row >> 4;
		row ^= row >> 2;
		row ^= row >> 1;
		result ^= (row & EACH_BYTE) << i;
	}
	return result;
}

CRYPTO_BODY2(gf2p8mulb)
{
	(void)imm;
	return (v16_u64){multiply_bytes(a[0], b[0]), multiply_bytes(a[1], b[1])};
}

CRYPTO_BODY2(gf2p8affineqb)
{
	return (v16_u64){affine_bytes(b[0], a[0], imm), affine_bytes(b[1], a[1], imm)};
}

CRYPTO_BODY2(gf2p8affineinvqb)
{
	return (v16_u64){affine_bytes(b[0], invert_bytes(a[0]), imm),
			 affine_bytes(b[1], invert_bytes(a[1]), imm)};
}

CRYPTO_LANES2(gf2p8mulb)
CRYPTO_LANES2(gf2p8affineqb)
CRYPTO_LANES2(gf2p8affineinvqb)

VEC_FAMILY(VEC_FORM_AB, gf2p8mulb, x)
VEC_FAMILY(VEC_FORM_AB, gf2p8affineqb, x)
VEC_FAMILY(VEC_FORM_AB, gf2p8affineinvqb, x)
