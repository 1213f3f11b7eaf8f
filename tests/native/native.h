/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host processor against the interpreter, one instruction at a time: encode.c makes bytes
 * from a row of the opcode table, generate.c random operands, host.c runs them in a child
 * process, guest.c in the interpreter, compare.c looks at every register and every byte.
 */
#ifndef LOCKSTEP_TESTS_NATIVE_H
#define LOCKSTEP_TESTS_NATIVE_H

#include <stdio.h>

#include "sim/cpu/decode.h"
#include "sim/cpu/opcode_flags.h"

/* The same addresses natively and in the guest; below 2 GiB, so that 32 bits reach them. The
 * pages before and behind DATA are not mapped. */
#define NATIVE_CODE    UINT64_C(0x10000000)
#define NATIVE_START   (NATIVE_CODE + 0x800) /* of the instruction */
#define NATIVE_DATA    UINT64_C(0x20008000)
#define NATIVE_PAGE    4096u
#define NATIVE_SEGMENT UINT64_C(0x20000000) /* base of the 16-bit data segments */
#define NATIVE_STACK   (NATIVE_DATA + 0xc00)

/* The instruction's address and DATA's as code of @bits sees them: 16-bit segments have bases. */
static inline u64 native_start(unsigned int bits)
{
	return bits == 16 ? NATIVE_START - NATIVE_CODE : NATIVE_START;
}

static inline u64 native_data(unsigned int bits)
{
	return bits == 16 ? NATIVE_DATA - NATIVE_SEGMENT : NATIVE_DATA;
}

#define NO_FAULT    0xffu
#define XSAVE_BYTES 832u /* legacy region, header, upper halves of YMM */

/* What an instruction works on, in the layouts of the hardware. */
struct native_state {
	u8 xsave[XSAVE_BYTES] __attribute__((aligned(64)));
	u64 gpr[16];
	u64 rflags, rip;
	u32 vector; /* NO_FAULT, or the exception's */
	u32 error;
	u8 memory[NATIVE_PAGE] __attribute__((aligned(64)));
};

/* One instruction in one encoding, with what the generator has to know of it. */
struct encoding {
	const struct opcode_row *row;
	const struct opcode_form *form;
	u8 bytes[INSTRUCTION_MAX + 1], length;
	u8 bits;  /* code size: 16, 32, 64 */
	u8 width; /* log2 of the operand size */
	bool memory, rip_relative, address32, repeat, branch;
	int base, index; /* general registers, -1 if none; VSIB: index is a vector register */
	u8 scale;
	bool vsib, absolute;
	s64 disp;
	u8 reg, rm; /* ModRM's registers, extended by REX */
	u32 offset; /* RIP-relative, absolute and moffs operands: where in DATA */
};

struct native_case {
	u32 encoding; /* index into the batch's encodings */
	struct native_state in, host, guest;
};

#define BATCH_ENCODINGS 8u
#define BATCH_CASES     128u

/* Shared with the child. */
struct batch {
	struct encoding encoding[BATCH_ENCODINGS];
	u32 cases;
	u32 running; /* the case that the child is at */
	struct native_case item[BATCH_CASES];
};

/* xorshift64*: deterministic on every host. */
struct rng {
	u64 state;
};

static inline u64 rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline u32 rng_below(struct rng *rng, u32 limit)
{
	return (u32)((rng_next(rng) >> 32) * limit >> 32);
}

static inline bool rng_chance(struct rng *rng, u32 one_in)
{
	return rng_below(rng, one_in) == 0;
}

/* --- encode.c --- */
struct variant {
	u8 bits;
	u8 width; /* 1, 2 or 3 where the operand size matters, else 0 */
	bool memory;
	bool lock;
};
/* The variants of a form in code of @bits; returns how many (at most 12). */
unsigned int encode_variants(const struct opcode_form *form, unsigned int bits,
			     struct variant variants[12]);
/* False if no encoding of the form could be found that decodes as it. @amd: the vendor whose
 * decoder it is. */
bool encode(const struct opcode_form *form, const struct variant *variant, const u32 *features,
	    bool amd, struct rng *rng, struct encoding *out);

/* XSAVE, XRSTOR and their like: EDX:EAX names state components. */
bool encoding_takes_components(const struct encoding *e);

/* --- generate.c --- */
void generate(const struct encoding *encoding, struct rng *rng, struct native_state *state);

/* --- host.c --- */
struct host;
struct host *host_open(struct batch **batch);
/* Runs the batch in the child. False if the child died: batch->running tells where. */
bool host_run(struct host *host);
void host_close(struct host *host);
/* What this processor has, as the interpreter's feature bits. */
void host_features(u32 feature[FEATURE_WORDS]);
bool host_is_amd(void);

/* --- guest.c --- */
struct guest;
struct guest *guest_open(void);
const u32 *guest_features(const struct guest *guest);
void guest_load(struct guest *guest, const struct encoding *encoding);
void guest_run(struct guest *guest, const struct encoding *encoding, const struct native_state *in,
	       struct native_state *out);
void guest_close(struct guest *guest);

/* --- compare.c --- */
/* Prints the first differences to @out (may be NULL); true if there is none. */
bool compare(const struct encoding *encoding, const struct native_case *item, FILE *out);

/* --- exclude.c --- */
/* Why the row (or this variant) can't be compared, or NULL. */
const char *exclude_reason(const struct opcode_form *form);

#endif
