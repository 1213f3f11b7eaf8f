/* SPDX-License-Identifier: Apache-2.0 */
/* SHA extensions (SDM 2B SHA1RNDS4…SHA256RNDS2, FIPS 180-4). */
#include "sim/cpu/exec/crypto.h"

union words {
	v16_u64 v;
	u32 d[4];
};

static u32 rotate_left(u32 value, unsigned int count)
{
	return value << count | value >> (32 - count);
}

static u32 rotate_right(u32 value, unsigned int count)
{
	return value >> count | value << (32 - count);
}

/* --- SHA-1 --- */
/* The functions and constants of rounds 0-19, 20-39, 40-59, 60-79 (FIPS 180-4 4.1.1, 4.2.1). */
static u32 sha1_function(unsigned int quarter, u32 b, u32 c, u32 d)
{
	switch (quarter) {
	case 0:
		return (b & c) ^ (~b & d);
	case 2:
		return (b & c) ^ (b & d) ^ (c & d);
	default:
		return b ^ c ^ d;
	}
}

/* a holds A, B, C, D from the top down; b the words W, with E in the first. */
CRYPTO_BODY2(sha1rnds4)
{
	static const u32 constant[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
	union words state = {a}, w = {b}, out;
	u32 A = state.d[3], B = state.d[2], C = state.d[1], D = state.d[0], E = 0;
	unsigned int quarter = imm & 3;

	for (int i = 3; i >= 0; i--) {
		u32 next = sha1_function(quarter, B, C, D) + rotate_left(A, 5) + w.d[i] + E +
			   constant[quarter];

		E = D;
		D = C;
		C = rotate_left(B, 30);
		B = A;
		A = next;
	}
	out.d[3] = A;
	out.d[2] = B;
	out.d[1] = C;
	out.d[0] = D;
	return out.v;
}

CRYPTO_BODY2(sha1nexte)
{
	union words state = {a}, w = {b};

	(void)imm;
	w.d[3] += rotate_left(state.d[3], 30);
	return w.v;
}

CRYPTO_BODY2(sha1msg1)
{
	union words x = {a}, y = {b}, out;

	(void)imm;
	out.d[3] = x.d[1] ^ x.d[3];
	out.d[2] = x.d[0] ^ x.d[2];
	out.d[1] = y.d[3] ^ x.d[1];
	out.d[0] = y.d[2] ^ x.d[0];
	return out.v;
}

CRYPTO_BODY2(sha1msg2)
{
	union words x = {a}, y = {b}, out;

	(void)imm;
	out.d[3] = rotate_left(x.d[3] ^ y.d[2], 1);
	out.d[2] = rotate_left(x.d[2] ^ y.d[1], 1);
	out.d[1] = rotate_left(x.d[1] ^ y.d[0], 1);
	out.d[0] = rotate_left(x.d[0] ^ out.d[3], 1);
	return out.v;
}

/* --- SHA-256 (FIPS 180-4 4.1.2) --- */
static u32 big_sigma0(u32 x)
{
	return rotate_right(x, 2) ^ rotate_right(x, 13) ^ rotate_right(x, 22);
}

static u32 big_sigma1(u32 x)
{
	return rotate_right(x, 6) ^ rotate_right(x, 11) ^ rotate_right(x, 25);
}

static u32 small_sigma0(u32 x)
{
	return rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
}

static u32 small_sigma1(u32 x)
{
	return rotate_right(x, 17) ^ rotate_right(x, 19) ^ x >> 10;
}

/* Two rounds. @cdgh is the destination: C, D, G, H from the top down; @abef: A, B, E, F. @wk: the
 * sums of message word and constant. The result is the new A, B, E, F. */
static NOINLINE v16_u64 sha256_rounds(v16_u64 cdgh, v16_u64 abef, v16_u64 wk)
{
	union words x = {cdgh}, y = {abef}, k = {wk}, out;
	u32 A = y.d[3], B = y.d[2], C = x.d[3], D = x.d[2];
	u32 E = y.d[1], F = y.d[0], G = x.d[1], H = x.d[0];

	for (unsigned int i = 0; i < 2; i++) {
		u32 t1 = ((E & F) ^ (~E & G)) + big_sigma1(E) + k.d[i] + H;
		u32 t2 = ((A & B) ^ (A & C) ^ (B & C)) + big_sigma0(A);

		H = G;
		G = F;
		F = E;
		E = D + t1;
		D = C;
		C = B;
		B = A;
		A = t1 + t2;
	}
	out.d[3] = A;
	out.d[2] = B;
	out.d[1] = E;
	out.d[0] = F;
	return out.v;
}

CRYPTO_BODY2(sha256msg1)
{
	union words x = {a}, y = {b}, out;

	(void)imm;
	out.d[3] = x.d[3] + small_sigma0(y.d[0]);
	out.d[2] = x.d[2] + small_sigma0(x.d[3]);
	out.d[1] = x.d[1] + small_sigma0(x.d[2]);
	out.d[0] = x.d[0] + small_sigma0(x.d[1]);
	return out.v;
}

CRYPTO_BODY2(sha256msg2)
{
	union words x = {a}, y = {b}, out;

	(void)imm;
	out.d[0] = x.d[0] + small_sigma1(y.d[2]);
	out.d[1] = x.d[1] + small_sigma1(y.d[3]);
	out.d[2] = x.d[2] + small_sigma1(out.d[0]);
	out.d[3] = x.d[3] + small_sigma1(out.d[1]);
	return out.v;
}

/* The third operand is XMM0. */
static HANDLER(exec_sha256rnds2_reg)
{
	vec_write_0(cpu, op->reg,
		    sha256_rounds(vec_read_16(cpu, op->reg), vec_read_16(cpu, op->rm),
				  vec_read_16(cpu, 0)));
	NEXT;
}

static HANDLER(exec_sha256rnds2_any)
{
	v16_u64 abef = vec_fetch_16(vec_source(cpu, op, 16, VEC_ALIGNED), 16);

	vec_write_0(cpu, op->reg,
		    sha256_rounds(vec_read_16(cpu, op->reg), abef, vec_read_16(cpu, 0)));
	NEXT;
}

const struct family family_sha256rnds2 = {
	.fn = {{[KIND_REG] = exec_sha256rnds2_reg, [KIND_ANY] = exec_sha256rnds2_any}}};

CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha1rnds4, dq)
CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha1nexte, dq)
CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha1msg1, dq)
CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha1msg2, dq)
CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha256msg1, dq)
CRYPTO_FAMILY_SSE(VEC_FORM_AB, sha256msg2, dq)
