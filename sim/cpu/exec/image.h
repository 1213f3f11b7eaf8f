/* SPDX-License-Identifier: Apache-2.0 */
/* Memory operands longer than a vector: moved in pieces that the block accessors take. */
#ifndef LOCKSTEP_SIM_CPU_EXEC_IMAGE_H
#define LOCKSTEP_SIM_CPU_EXEC_IMAGE_H

#include "sim/cpu/memory.h"

static inline void image_store(struct cpu *cpu, const struct op *op, u64 linear, const u8 *from,
			       unsigned int size)
{
	while (size) {
		unsigned int chunk = 64 - (linear & 63);

		if (chunk > size)
			chunk = size;
		mem_store_block(cpu, op, linear, from, chunk);
		linear += chunk;
		from += chunk;
		size -= chunk;
	}
}

static inline void image_load(struct cpu *cpu, const struct op *op, u64 linear, u8 *to,
			      unsigned int size)
{
	while (size) {
		unsigned int chunk = 64 - (linear & 63);

		if (chunk > size)
			chunk = size;
		mem_load_block(cpu, op, linear, to, chunk);
		linear += chunk;
		to += chunk;
		size -= chunk;
	}
}

#endif
