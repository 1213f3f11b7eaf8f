/* SPDX-License-Identifier: Apache-2.0 */
/* Two neighbours that one handler serves: an instruction that sets flags with the conditional
 * branch behind it,  MOV with an instruction that works on its target, STI with HLT. */
#ifndef LOCKSTEP_SIM_CPU_FUSE_H
#define LOCKSTEP_SIM_CPU_FUSE_H

#include "sim/cpu/op.h"
#include "sim/cpu/opcode_table.h"

HANDLER(exec_sti_hlt); /* exec/interrupt_flag.c */

/* If @first and @second have a common handler, puts it on op[0] and returns true; op[1] stays as it
 * is and serves as the handler's second half. Handlers without dead flags have been chosen. */
bool fuse_pair(const struct opcode_row *first, const struct opcode_row *second, struct op *op);

#endif
