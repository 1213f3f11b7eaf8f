/* SPDX-License-Identifier: Apache-2.0 */
/* An instruction's row of opcodes.def, for who reports about it (extension.h: vcpu_instruction). */
#ifndef LOCKSTEP_SIM_INSTRUCTION_H
#define LOCKSTEP_SIM_INSTRUCTION_H

#include <lockstep/extension.h>

#include "sim/cpu/cpu.h"

void instruction_describe(const struct cpu *cpu, const u8 *bytes, unsigned int size,
			  struct ls_instruction *instruction);

#endif
