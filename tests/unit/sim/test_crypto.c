/* SPDX-License-Identifier: Apache-2.0 */
/* AES, SHA, PCLMULQDQ and GFNI against FIPS 197, FIPS 180-4 and the SDM's pseudo-code. */
#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define XMM(n) rig.cpu->vec[n]

static void set_hex(unsigned int reg, const char *hex)
{
	for (unsigned int i = 0; i < 16; i++)
		sscanf(hex + 2 * i, "%2hhx", &XMM(reg).b[i]);
}

static void check_hex(unsigned int reg, const char *hex)
{
	char text[33];

	for (unsigned int i = 0; i < 16; i++)
		sprintf(text + 2 * i, "%02x", XMM(reg).b[i]);
	if (strcmp(text, hex))
		fprintf(stderr, "xmm%u is %s, expected %s\n", reg, text, hex);
	CU_ASSERT_STRING_EQUAL(text, hex);
}

/* FIPS 197 5.2 with AESKEYGENASSIST: round keys 0 to 10 of AES-128 to the data page. */
static void expand_key(const char *hex)
{
	static const u8 rcon[11] = {0, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
	u32 *w = (u32 *)(rig.memory + RIG_DATA);

	set_hex(1, hex);
	memcpy(w, XMM(1).b, 16);
	for (unsigned int round = 1; round <= 10; round++, w += 4) {
		RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0xdf, 0xd1, rcon[round]); /* xmm2, xmm1 */
		w[4] = w[0] ^ XMM(2).d[3];
		w[5] = w[1] ^ w[4];
		w[6] = w[2] ^ w[5];
		w[7] = w[3] ^ w[6];
		memcpy(XMM(1).b, w + 4, 16);
	}
}

static void load_key(unsigned int reg, unsigned int round)
{
	memcpy(XMM(reg).b, rig.memory + RIG_DATA + 16 * round, 16);
}

/* FIPS 197 appendix A.1 (key) and B (cipher). */
static void test_aes_encrypt(void)
{
	rig_open(&rig);
	expand_key("2b7e151628aed2a6abf7158809cf4f3c");
	load_key(3, 1);
	check_hex(3, "a0fafe1788542cb123a339392a6c7605");
	load_key(3, 10);
	check_hex(3, "d014f9a8c9ee2589e13f0cc8b6630ca6");
	set_hex(0, "3243f6a8885a308d313198a2e0370734");
	load_key(1, 0);
	for (unsigned int i = 0; i < 2; i++)
		XMM(0).q[i] ^= XMM(1).q[i];
	for (unsigned int round = 1; round < 10; round++) {
		load_key(1, round);
		CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdc, 0xc1), RIG_NOTHING);
		if (round == 1)
			check_hex(0, "a49c7ff2689f352b6b5bea43026a5049");
	}
	load_key(1, 10);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdd, 0xc1);
	check_hex(0, "3925841d02dc09fbdc118597196a0b32");
	rig_close(&rig);
}

/* FIPS 197 5.3.5, the equivalent inverse cipher, on appendix C.1's vector; round keys by AESIMC. */
static void test_aes_decrypt(void)
{
	rig_open(&rig);
	expand_key("000102030405060708090a0b0c0d0e0f");
	set_hex(0, "69c4e0d86a7b0430d8cdb78070b4c55a");
	load_key(1, 10);
	for (unsigned int i = 0; i < 2; i++)
		XMM(0).q[i] ^= XMM(1).q[i];
	for (unsigned int round = 9; round > 0; round--) {
		load_key(2, round);
		RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdb, 0xca); /* aesimc xmm1, xmm2 */
		RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xde, 0xc1);
	}
	load_key(1, 0);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdf, 0xc1);
	check_hex(0, "00112233445566778899aabbccddeeff");
	rig_close(&rig);
}

/* SDM 2D VAESENC: each 128-bit lane is a block of its own; VEX zeroes what lies above, legacy SSE
 * keeps it (SDM 1:14.1.3). */
static void test_aes_lanes(void)
{
	rig_open(&rig);
	for (unsigned int i = 0; i < 64; i++)
		XMM(0).b[i] = i * 7, XMM(1).b[i] = i * 11, XMM(2).b[i] = 0xee, XMM(3).b[i] = i * 7;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x7d, 0xdc, 0xd1),
		    RIG_NOTHING);                    /* ymm2, ymm0, ymm1 */
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdc, 0xd9); /* xmm3, xmm1 */
	CHECK_EQUAL(XMM(2).q[0], XMM(3).q[0]);
	CHECK_EQUAL(XMM(2).q[1], XMM(3).q[1]);
	CHECK_EQUAL(XMM(2).q[4], 0);
	CHECK_EQUAL(XMM(3).b[16], (u8)(16 * 7));
	CHECK_EQUAL(XMM(3).b[63], (u8)(63 * 7));
	memcpy(XMM(3).b, XMM(0).b + 16, 16);
	memcpy(XMM(1).b, XMM(1).b + 16, 16);
	RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdc, 0xd9);
	CHECK_EQUAL(XMM(2).q[2], XMM(3).q[0]);
	CHECK_EQUAL(XMM(2).q[3], XMM(3).q[1]);
	XMM(2).q[3] = 1;
	RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0xdc, 0xd1); /* xmm2, xmm0, xmm1 */
	CHECK_EQUAL(XMM(2).q[2] | XMM(2).q[3], 0);
	rig_close(&rig);
}

/* SDM 2A AESENC: a misaligned memory operand is #GP(0) without VEX. */
static void test_alignment(void)
{
	rig_open(&rig);
	rig.cpu->reg[REG_RDI]++;
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdc, 0x07), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, 0x0f, 0x38, 0xcb, 0x07), VECTOR_GP); /* sha256rnds2 */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe2, 0x79, 0xdc, 0x07), RIG_NOTHING);
	rig_close(&rig);
}

/* --- SHA --- */
static void set_words(unsigned int reg, u32 d3, u32 d2, u32 d1, u32 d0)
{
	XMM(reg).d[0] = d0;
	XMM(reg).d[1] = d1;
	XMM(reg).d[2] = d2;
	XMM(reg).d[3] = d3;
}

/* "abc", padded to one block (FIPS 180-4 5.1.1). */
static const u32 abc_block[16] = {0x61626380, [15] = 24};

/* FIPS 180-4 6.2 with SHA256MSG1, SHA256MSG2 and SHA256RNDS2. The schedule is made in the data
 * page, 4 words a time. */
static void sha256_schedule(u32 w[64])
{
	memcpy(w, abc_block, sizeof(abc_block));
	for (unsigned int t = 16; t < 64; t += 4) {
		memcpy(XMM(1).b, w + t - 16, 16);
		memcpy(XMM(2).b, w + t - 12, 16);
		RIG_RUN(&rig, 0x0f, 0x38, 0xcc, 0xca); /* sha256msg1 xmm1, xmm2 */
		for (unsigned int i = 0; i < 4; i++)
			XMM(1).d[i] += w[t - 7 + i];
		memcpy(XMM(2).b, w + t - 4, 16);
		RIG_RUN(&rig, 0x0f, 0x38, 0xcd, 0xca); /* sha256msg2 */
		memcpy(w + t, XMM(1).b, 16);
	}
}

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static u32 sha256_constant(unsigned int n)
{
	unsigned int prime = 1;
	unsigned __int128 low = 0, high = (unsigned __int128)1 << 36;

	for (unsigned int found = 0; found <= n;) {
		unsigned int divisor = 2;

		prime++;
		while (prime % divisor)
			divisor++;
		found += divisor == prime;
	}
	/* floor(cbrt(prime) * 2^32): a cube below prime << 96 */
	while (high - low > 1) {
		unsigned __int128 middle = (low + high) / 2;

		if (middle * middle * middle <= (unsigned __int128)prime << 96)
			low = middle;
		else
			high = middle;
	}
	return (u32)low;
}

/* FIPS 180-4 example (NIST "SHA256", one block): "abc". */
static void test_sha256(void)
{
	static const u32 initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	static const u32 digest[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
				      0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
	u32 w[64];

	rig_open(&rig);
	sha256_schedule(w);
	set_words(3, initial[0], initial[1], initial[4], initial[5]); /* ABEF */
	set_words(4, initial[2], initial[3], initial[6], initial[7]); /* CDGH */
	for (unsigned int t = 0; t < 64; t += 4) {
		set_words(0, 0, 0, w[t + 1] + sha256_constant(t + 1), w[t] + sha256_constant(t));
		RIG_RUN(&rig, 0x0f, 0x38, 0xcb, 0xe3); /* sha256rnds2 xmm4, xmm3 */
		set_words(0, 0, 0, w[t + 3] + sha256_constant(t + 3),
			  w[t + 2] + sha256_constant(t + 2));
		RIG_RUN(&rig, 0x0f, 0x38, 0xcb, 0xdc); /* sha256rnds2 xmm3, xmm4 */
	}
	CHECK_EQUAL(XMM(3).d[3] + initial[0], digest[0]);
	CHECK_EQUAL(XMM(3).d[2] + initial[1], digest[1]);
	CHECK_EQUAL(XMM(4).d[3] + initial[2], digest[2]);
	CHECK_EQUAL(XMM(4).d[2] + initial[3], digest[3]);
	CHECK_EQUAL(XMM(3).d[1] + initial[4], digest[4]);
	CHECK_EQUAL(XMM(3).d[0] + initial[5], digest[5]);
	CHECK_EQUAL(XMM(4).d[1] + initial[6], digest[6]);
	CHECK_EQUAL(XMM(4).d[0] + initial[7], digest[7]);
	rig_close(&rig);
}

/* FIPS 180-4 6.1 with SHA1MSG1, SHA1MSG2: words stand the other way round in a register. */
static void sha1_schedule(u32 w[80])
{
	memcpy(w, abc_block, sizeof(abc_block));
	for (unsigned int t = 16; t < 80; t += 4) {
		set_words(1, w[t - 16], w[t - 15], w[t - 14], w[t - 13]);
		set_words(2, w[t - 12], w[t - 11], w[t - 10], w[t - 9]);
		RIG_RUN(&rig, 0x0f, 0x38, 0xc9, 0xca); /* sha1msg1 xmm1, xmm2 */
		for (unsigned int i = 0; i < 4; i++)
			XMM(1).d[3 - i] ^= w[t - 8 + i];
		set_words(2, w[t - 4], w[t - 3], w[t - 2], w[t - 1]);
		RIG_RUN(&rig, 0x0f, 0x38, 0xca, 0xca); /* sha1msg2 */
		for (unsigned int i = 0; i < 4; i++)
			w[t + i] = XMM(1).d[3 - i];
	}
}

static void sha1_rounds(unsigned int quarter)
{
	switch (quarter) { /* sha1rnds4 xmm3, xmm5, quarter */
	case 0:
		RIG_RUN(&rig, 0x0f, 0x3a, 0xcc, 0xdd, 0);
		break;
	case 1:
		RIG_RUN(&rig, 0x0f, 0x3a, 0xcc, 0xdd, 1);
		break;
	case 2:
		RIG_RUN(&rig, 0x0f, 0x3a, 0xcc, 0xdd, 2);
		break;
	default:
		RIG_RUN(&rig, 0x0f, 0x3a, 0xcc, 0xdd, 3);
		break;
	}
}

/* FIPS 180-4 example (NIST "SHA1", one block): "abc". */
static void test_sha1(void)
{
	static const u32 initial[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	static const u32 digest[5] = {0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d};
	u32 w[80];

	rig_open(&rig);
	sha1_schedule(w);
	set_words(3, initial[0], initial[1], initial[2], initial[3]);
	for (unsigned int t = 0; t < 80; t += 4) {
		set_words(5, w[t], w[t + 1], w[t + 2], w[t + 3]);
		if (t)
			RIG_RUN(&rig, 0x0f, 0x38, 0xc8, 0xe5); /* sha1nexte xmm4, xmm5 */
		else
			set_words(4, w[0] + initial[4], w[1], w[2], w[3]);
		XMM(5) = XMM(4);
		XMM(4) = XMM(3); /* its A, rotated, is E four rounds on */
		sha1_rounds(t / 20);
	}
	set_words(5, initial[4], 0, 0, 0);
	RIG_RUN(&rig, 0x0f, 0x38, 0xc8, 0xe5);
	for (unsigned int i = 0; i < 4; i++)
		CHECK_EQUAL(XMM(3).d[3 - i] + initial[i], digest[i]);
	CHECK_EQUAL(XMM(4).d[3], digest[4]);
	rig_close(&rig);
}

/* --- PCLMULQDQ --- */
/* SDM 2B PCLMULQDQ, the pseudo-code's sums over single bits. */
static void multiply_by_bits(u64 x, u64 y, u64 result[2])
{
	result[0] = result[1] = 0;
	for (unsigned int i = 0; i < 128; i++)
		for (unsigned int j = 0; j < 64; j++)
			if (i >= j && i - j < 64)
				result[i / 64] ^= (x >> j & y >> (i - j) & 1) << (i & 63);
}

static void check_product(unsigned int reg, u64 x, u64 y)
{
	u64 expected[2];

	multiply_by_bits(x, y, expected);
	CHECK_EQUAL(XMM(reg).q[0], expected[0]);
	CHECK_EQUAL(XMM(reg).q[1], expected[1]);
}

static void test_carryless(void)
{
	const u64 a[2] = {0x63746f725d53475d, 0x7b5b546573745665};
	const u64 b[2] = {0x5b477565726f6e5d, 0x4869285368617929};

	rig_open(&rig);
	memcpy(XMM(1).b, b, 16);
	memcpy(XMM(0).b, a, 16);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x00);
	/* The vector of Intel's white paper on the instruction. */
	CHECK_EQUAL(XMM(0).q[1], 0x1d4d84c85c3440c0);
	CHECK_EQUAL(XMM(0).q[0], 0x929633d5d36f0451);
	memcpy(XMM(0).b, a, 16);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x01);
	check_product(0, a[1], b[0]);
	memcpy(XMM(0).b, a, 16);
	RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0xfe); /* other bits are ignored */
	check_product(0, a[0], b[1]);
	memcpy(XMM(0).b, a, 16);
	RIG_RUN(&rig, 0xc4, 0xe3, 0x79, 0x44, 0xd1, 0x11); /* xmm2, xmm0, xmm1 */
	check_product(2, a[1], b[1]);
	rig_close(&rig);
}

/* --- GFNI --- */
static u8 parity(u8 value)
{
	u8 result = 0;

	for (; value; value >>= 1)
		result ^= value & 1;
	return result;
}

/* affine_byte of SDM 2A GF2P8AFFINEQB. */
static u8 affine_byte(u64 matrix, u8 x, u8 imm)
{
	u8 result = 0;

	for (unsigned int i = 0; i < 8; i++)
		result |= (parity((u8)(matrix >> 8 * (7 - i)) & x) ^ (imm >> i & 1)) << i;
	return result;
}

static void test_affine(void)
{
	rig_open(&rig);
	for (unsigned int i = 0; i < 32; i++)
		XMM(0).b[i] = i * 37 + 5, XMM(1).b[i] = i * i + 91;
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe3, 0xfd, 0xce, 0xd1, 0x5a), RIG_NOTHING);
	for (unsigned int i = 0; i < 32; i++)
		CHECK_EQUAL(XMM(2).b[i], affine_byte(XMM(1).q[i / 8], XMM(0).b[i], 0x5a));
	/* W0 is undefined. */
	CHECK_EQUAL(RIG_RUN(&rig, 0xc4, 0xe3, 0x7d, 0xce, 0xd1, 0x5a), VECTOR_UD);
	rig_close(&rig);
}

/* The AES S-box is the inverse followed by an affine map (FIPS 197 5.1.1), so AESENCLAST with a
 * zero key, whose ShiftRows is undone, gives the expected values. */
static void test_affine_inverse(void)
{
	rig_open(&rig);
	for (unsigned int base = 0; base < 256; base += 16) {
		for (unsigned int i = 0; i < 16; i++)
			XMM(0).b[i] = XMM(3).b[(i + 4 * (i & 3)) & 15] = base + i;
		XMM(4) = (union vec){0};
		RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xdd, 0xdc); /* aesenclast xmm3, xmm4 */
		XMM(1).q[0] = XMM(1).q[1] = 0xf1e3c78f1f3e7cf8;
		RIG_RUN(&rig, 0x66, 0x0f, 0x3a, 0xcf, 0xc1, 0x63); /* gf2p8affineinvqb */
		CHECK_EQUAL(XMM(0).q[0], XMM(3).q[0]);
		CHECK_EQUAL(XMM(0).q[1], XMM(3).q[1]);
		if (base == 0x50)
			CHECK_EQUAL(XMM(0).b[3], 0xed); /* FIPS 197 5.1.1: S(53) = ed */
	}
	rig_close(&rig);
}

/* FIPS 197 4.2: 57 * 83 = c1, 57 * 13 = fe. */
static void test_byte_product(void)
{
	rig_open(&rig);
	XMM(0).q[0] = 0x0000000157575757;
	XMM(1).q[0] = 0x00ff00aa13830001;
	XMM(0).q[1] = XMM(1).q[1] = 0x0200000000000080;
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, 0x0f, 0x38, 0xcf, 0xc1), RIG_NOTHING);
	CHECK_EQUAL(XMM(0).q[0], 0x000000aafec10057);
	CHECK_EQUAL(XMM(0).q[1], 0x040000000000009a); /* x^14 = x^4 + x^7 + x^3 + x */
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"AES-128 key expansion and cipher", test_aes_encrypt},
	{"AES-128 inverse cipher", test_aes_decrypt},
	{"VAES lanes and upper bits", test_aes_lanes},
	{"alignment", test_alignment},
	{"SHA-256", test_sha256},
	{"SHA-1", test_sha1},
	{"PCLMULQDQ", test_carryless},
	{"GF2P8AFFINEQB", test_affine},
	{"GF2P8AFFINEINVQB", test_affine_inverse},
	{"GF2P8MULB", test_byte_product},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("crypto", tests)
