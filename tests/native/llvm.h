/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoder and LLVM 19's disassembler are known to see differently, and why. */
#ifndef LOCKSTEP_TESTS_NATIVE_LLVM_H
#define LOCKSTEP_TESTS_NATIVE_LLVM_H

#include "tests/native/native.h"

/* Why an instruction that LLVM knows is not in the table, by its mnemonic; or NULL. */
const char *llvm_not_ours(const char *mnemonic);
/* Why LLVM may differ on these bytes, which we take as @row (NULL: as undefined); or NULL. */
const char *llvm_quirk(const u8 *bytes, unsigned int bits, const struct opcode_row *row,
		       const u32 *features);

#endif
