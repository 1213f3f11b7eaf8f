/* SPDX-License-Identifier: Apache-2.0 */
/* opcodes.def as data: the rows as written, and their parsed form (decode_table.h, generated). */
#ifndef LOCKSTEP_SIM_CPU_OPCODE_TABLE_H
#define LOCKSTEP_SIM_CPU_OPCODE_TABLE_H

#include "mmu/types.h"

struct family;

struct opcode_row {
	const char *mnemonic, *encoding, *operands;
	u16 gate;     /* enum cpu_feature */
	u32 flags;    /* opcode_flags.h */
	u16 reads, writes, undefined; /* arithmetic flags */
	const struct family *family;
};

extern const struct opcode_row opcode_rows[];
extern const unsigned int opcode_row_count;

/* Where an operand comes from. */
enum operand_place {
	PLACE_NONE,
	PLACE_REG,	/* G: ModRM.reg, general */
	PLACE_RM,	/* E: ModRM.r/m, general or memory */
	PLACE_RM_REG,	/* R: general register only */
	PLACE_MEM,	/* M */
	PLACE_OPCODE,	/* Z: register in the opcode byte */
	PLACE_VVVV,	/* B: VEX.vvvv, general */
	PLACE_IMM,	/* I */
	PLACE_REL,	/* J */
	PLACE_MOFFS,	/* O */
	PLACE_FAR,	/* A */
	PLACE_SREG,	/* S */
	PLACE_CR,	/* C */
	PLACE_DR,	/* D */
	PLACE_VREG,	/* V */
	PLACE_VRM,	/* W */
	PLACE_VRM_REG,	/* U */
	PLACE_VVVVV,	/* H: VEX.vvvv, vector */
	PLACE_VIS4,	/* L */
	PLACE_MMX_REG,	/* P */
	PLACE_MMX_RM,	/* Q */
	PLACE_MMX_RM_REG, /* N */
	PLACE_STRING_SOURCE, /* X */
	PLACE_STRING_TARGET, /* Y */
	PLACE_ACCUMULATOR,   /* AL AX EAX rAX */
	PLACE_FIXED,	/* anything else named outright: CL DX 1 ST0 XMM0 … */
	PLACE_STI,	/* ST(i) by ModRM.r/m */
};

enum operand_size {
	SIZE_NONE, SIZE_B, SIZE_W, SIZE_D, SIZE_Q, SIZE_V, SIZE_Z, SIZE_Y, SIZE_DQ, SIZE_QQ, SIZE_X,
	SIZE_SS, SIZE_SD, SIZE_T, SIZE_P, SIZE_S, SIZE_BS, SIZE_HALF, SIZE_QUARTER, SIZE_EIGHTH, SIZE_A,
};

struct opcode_operand {
	u8 place; /* enum operand_place */
	u8 size;  /* enum operand_size */
};

#define OPERANDS_MAX 4
#define ANY 0xff

enum opcode_prefix { PREFIX_ANY = ANY, PREFIX_NP = 0, PREFIX_66 = 1, PREFIX_F3 = 2, PREFIX_F2 = 3 };
enum opcode_mod { MOD_ANY = ANY, MOD_MEM = 0, MOD_REG = 3 };

/* The parsed form of a row. */
struct opcode_form {
	u16 row;
	u8 space;      /* 0 legacy, 1 VEX */
	u8 map;	       /* 0 one byte, 1 0F, 2 0F38, 3 0F3A */
	u8 opcode;
	u8 count;      /* opcodes it spans: 8 for +r, else 1 */
	u8 prefix;     /* enum opcode_prefix */
	u8 w;	       /* 0, 1 or ANY */
	u8 l;	       /* VEX.L: 0, 1 or ANY */
	u8 modrm;      /* there is a ModRM byte */
	u8 mod;	       /* enum opcode_mod */
	u8 reg, rm;    /* wanted, or ANY */
	u8 specificity; /* candidates are tried in falling order */
	struct opcode_operand operand[OPERANDS_MAX];
};

struct opcode_span {
	u16 first, count; /* into opcode_candidates */
};

extern const struct opcode_form opcode_forms[];
extern const u16 opcode_candidates[]; /* indexes of forms, grouped by opcode */
extern const struct opcode_span opcode_spans[2][4][256];

#endif
