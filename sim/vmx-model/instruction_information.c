/* SPDX-License-Identifier: Apache-2.0 */
/* The VM-exit instruction-information field and the displacement in the exit qualification (SDM
 * 3C:28.2.1, 28.2.5, tables 28-8 to 28-16). */
#include "sim/cpu/operand.h"
#include "sim/vmx-model/vmx.h"

static bool none(u8 reg)
{
	return reg >= REG_ZERO * 8;
}

static u32 memory_operand(const struct op *op)
{
	u32 info = op->scale | (u32)(op->flags & OP_ADDRESS_MASK) << 7 | (u32)op->seg << 15;

	info |= none(op->index) ? BIT(22) : (u32)op->index / 8 << 18;
	return info | (none(op->base) ? BIT(27) : (u32)op->base / 8 << 23);
}

/* Scale, address size, segment, index and base of a memory operand or the register in its place;
 * and the register of ModRM.reg. */
u32 vmx_operand_information(const struct op *op)
{
	u32 info = (u32)op->reg / 8 << 28;

	if (op->kind != KIND_REG)
		return info | memory_operand(op);
	return info | (u32)op->rm / 8 << 3 | BIT(10);
}

/* RIP-relative: what the displacement leads to. */
u64 vmx_operand_displacement(struct cpu *cpu, const struct op *op)
{
	if (op->kind == KIND_REG)
		return 0;
	return op->base == REG_RIP * 8 ? cpu->reg[REG_RIP] + (u64)op->disp : (u64)op->disp;
}
