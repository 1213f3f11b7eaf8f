/* SPDX-License-Identifier: Apache-2.0 */
/* SETcc and CMOVcc (SDM 2A). */
#include "sim/cpu/exec/condition.h"
#include "sim/cpu/exec/integer.h"

#define SETCC(cc)                                                                                  \
	static HANDLER(set##cc##_reg)                                                              \
	{                                                                                          \
		REG8(cpu, op->rm) = condition_##cc(cpu);                                           \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(set##cc##_mem)                                                              \
	{                                                                                          \
		u64 linear = ea_by_kind(cpu, op, 1, true);                                         \
		mem_store(cpu, op, linear, condition_##cc(cpu), 1);                                \
		NEXT;                                                                              \
	}                                                                                          \
	const struct family family_set##cc = {                                                     \
		.fn = {[0] = {[KIND_REG] = set##cc##_reg, [KIND_ANY] = set##cc##_mem}}};
EACH_CONDITION(SETCC)

/* Memory is read, and may fault, whatever the condition; a 32-bit target is cleared above bit 31
 * even if nothing is moved. */
#define CMOV_WIDTH(cc, width, size)                                                                \
	static HANDLER(cmov##cc##_##width##_reg)                                                   \
	{                                                                                          \
		u64 source = RM_OPERAND(size), old = REG_OPERAND(size);                            \
		reg_write(cpu, op->reg, condition_##cc(cpu) ? source : old, size);                 \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(cmov##cc##_##width##_mem)                                                   \
	{                                                                                          \
		u64 source = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);            \
		u64 old = REG_OPERAND(size);                                                       \
		reg_write(cpu, op->reg, condition_##cc(cpu) ? source : old, size);                 \
		NEXT;                                                                              \
	}
#define CMOV_ROW(cc, width)                                                                        \
	{                                                                                          \
		[KIND_REG] = cmov##cc##_##width##_reg, [KIND_ANY] = cmov##cc##_##width##_mem       \
	}
#define CMOV(cc)                                                                                   \
	CMOV_WIDTH(cc, 1, 2)                                                                       \
	CMOV_WIDTH(cc, 2, 4)                                                                       \
	CMOV_WIDTH(cc, 3, 8)                                                                       \
	const struct family family_cmov##cc = {                                                    \
		.fn = {[1] = CMOV_ROW(cc, 1), CMOV_ROW(cc, 2), CMOV_ROW(cc, 3)}};
EACH_CONDITION(CMOV)
