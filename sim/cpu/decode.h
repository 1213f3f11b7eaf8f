/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to ops. Pure: depends on the bytes, the mode word, the features and the vendor, nothing
 * else. */
#ifndef LOCKSTEP_SIM_CPU_DECODE_H
#define LOCKSTEP_SIM_CPU_DECODE_H

#include "sim/cpu/op.h"
#include "sim/cpu/opcode_table.h"

#define INSTRUCTION_MAX 15

/* What decoding depends on: the traces' key beside the address. Made by cpu_update_mode. */
enum {
	MODE_CODE16 = 0,
	MODE_CODE32 = 1,
	MODE_CODE64 = 2,
	MODE_CODE_MASK = 3,
	MODE_STACK32 = 1 << 2,   /* SS.B: outside 64-bit mode PUSH uses ESP */
	MODE_PROTECTED = 1 << 3, /* CR0.PE = 1 and not virtual-8086 */
	MODE_CPL_SHIFT = 4,      /* two bits */
	MODE_CPL_MASK = 3 << 4,
	MODE_EM = 1 << 6,         /* CR0.EM */
	MODE_TS = 1 << 7,         /* CR0.TS */
	MODE_OSFXSR = 1 << 8,     /* CR4.OSFXSR */
	MODE_AVX = 1 << 9,        /* CR4.OSXSAVE and XCR0[2:1] = 3 */
	MODE_FLAT_CS = 1 << 10,   /* 64-bit, or CS with base 0 and limit 4 GiB: traces may link */
	MODE_ALONE = 1 << 30,     /* only in a trace's key: one instruction, to run by itself */
	MODE_ENDBRANCH = 1 << 11, /* CET: only ENDBR32/64 may come next */
	MODE_RECORDED = 1 << 13,  /* traces tell of each instruction: recorder.h */
	MODE_CET = 1 << 12,       /* shadow stack or IBT on at this CPL: branches look */
};

enum decode_status {
	DECODE_OK,
	DECODE_MORE, /* @available bytes are not enough: fetch further (page crossing) */
	DECODE_UD,   /* undefined: #UD */
	DECODE_LONG, /* longer than 15 bytes: #GP(0) */
	DECODE_GP,   /* privileged instruction at CPL > 0: #GP(0) */
	DECODE_NM,   /* #NM: CR0.TS or CR0.EM */
};

struct decode_environment {
	u32 mode;
	const u32 *feature; /* cpu->feature */
	bool amd;           /* cpu->amd: near branches in 64-bit mode obey 66 */
};

struct instruction {
	const struct opcode_row *row; /* NULL unless OK, GP or NM */
	const struct opcode_form *form;
	struct op *op;     /* the caller's; gets all but fn, offset and number */
	u8 opcode;         /* the opcode byte itself (condition codes, +r) */
	bool vector;       /* has vector operands: op.width 4 or 5 */
	bool rip_relative; /* op.disp counts from the end of the instruction */
	u8 family_width;   /* first index into struct family's tables */
};

/* Decodes at @bytes. Fills @out and out->op for DECODE_OK, _GP and _NM; out->op->length is right for every
 * status but DECODE_MORE. */
enum decode_status decode_instruction(const struct decode_environment *env, const u8 *bytes,
				      unsigned int available, struct instruction *out);

#endif
