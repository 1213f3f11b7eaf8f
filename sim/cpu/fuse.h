/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours that one handler serves: an instruction that sets flags with the conditional branch
 * behind it, MOV with an instruction that works on its target, STI with HLT, and a few threes. */
#ifndef LOCKSTEP_SIM_CPU_FUSE_H
#define LOCKSTEP_SIM_CPU_FUSE_H

#include "sim/cpu/op.h"
#include "sim/cpu/opcode_table.h"

HANDLER(exec_sti_hlt); /* exec/interrupt_flag.c */

/* If the first of the @count ops from @op on has a handler together with those behind it, puts that
 * on op[0]; the others stay as they are and serve as the handler's operands. Returns how many it
 * serves. Rows may be NULL. Handlers without dead flags have been chosen. */
unsigned int fuse(const struct opcode_row *const row[], unsigned int count, struct op *op);

/* exec/shift.c: three, the first being a MOV. */
bool fuse_fold(const struct opcode_row *const row[], struct op *op);

#endif
