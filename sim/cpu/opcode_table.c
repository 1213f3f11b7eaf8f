/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/opcode_table.h"
#include "sim/cpu/features.h"
#include "sim/cpu/op.h"
#include "sim/cpu/opcode_flags.h"

#define INSN(mnemonic, encoding, operands, gate, flags, reads, writes, undefined, body)            \
	extern const struct family family_##body;
#include "sim/cpu/opcodes.def"
#undef INSN

const struct opcode_row opcode_rows[] = {
#define INSN(mnemonic, encoding, operands, gate, flags, reads, writes, undefined, body)            \
	{mnemonic, encoding, operands,	FEATURE_##gate, flags,                                     \
	 reads,	   writes,   undefined, &family_##body},
#include "sim/cpu/opcodes.def"
#undef INSN
};

const unsigned int opcode_row_count = ARRAY_SIZE(opcode_rows);

#include "decode_table.h"
