/* SPDX-License-Identifier: Apache-2.0 */
/* What vector operands do off the fast path. */
#include "sim/cpu/exec/vector.h"

#define MXCSR_MM 0x20000u /* APM 1:4.2.2: misaligned exception mask (AMD) */

const void *vec_load_slow(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	mem_load_block_slow(cpu, op, linear, cpu->bounce, size);
	return cpu->bounce;
}

COLD void vec_misaligned(struct cpu *cpu, const struct op *op)
{
	if (cpu->mxcsr & MXCSR_MM)
		return;
	FAULT_POINT(cpu, op);
	raise_gp(cpu, 0);
}

COLD _Noreturn void vec_misaligned_move(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	raise_gp(cpu, 0);
}
