/* SPDX-License-Identifier: Apache-2.0 */
/* SSE4A, AMD only (APM 4: EXTRQ, INSERTQ, MOVNTSD, MOVNTSS). */
#include "sim/cpu/exec/vector.h"

/* Length 0 stands for 64. Fields that reach beyond bit 63 have undefined results; they are cut. */
ALWAYS_INLINE u64 field_mask(unsigned int length)
{
	length &= 63;
	return length ? BIT(length) - 1 : ~UINT64_C(0);
}

ALWAYS_INLINE u64 extrq(u64 value, unsigned int length, unsigned int index)
{
	return value >> (index & 63) & field_mask(length);
}

ALWAYS_INLINE u64 insertq(u64 to, u64 from, unsigned int length, unsigned int index)
{
	u64 mask = field_mask(length) << (index & 63);

	return (to & ~mask) | (from << (index & 63) & mask);
}

/* The upper quadword is undefined; processors clear it. */
static HANDLER(exec_extrq_imm)
{
	u64 value = extrq(cpu->vec[op->rm].q[0], op->imm & 0xff, op->is4);

	vec_write_0(cpu, op->rm, (v16_u64){value});
	NEXT;
}

static HANDLER(exec_extrq)
{
	const u8 *control = cpu->vec[op->rm].b;
	u64 value = extrq(cpu->vec[op->reg].q[0], control[0], control[1]);

	vec_write_0(cpu, op->reg, (v16_u64){value});
	NEXT;
}

static HANDLER(exec_insertq_imm)
{
	u64 value = insertq(cpu->vec[op->reg].q[0], cpu->vec[op->rm].q[0], op->imm & 0xff, op->is4);

	vec_write_0(cpu, op->reg, (v16_u64){value});
	NEXT;
}

/* Length and index stand in the source's upper quadword. */
static HANDLER(exec_insertq)
{
	const union vec *from = &cpu->vec[op->rm];
	u64 value = insertq(cpu->vec[op->reg].q[0], from->q[0], from->b[8], from->b[9]);

	vec_write_0(cpu, op->reg, (v16_u64){value});
	NEXT;
}

const struct family family_extrq_imm = {.fn = {{[KIND_REG] = exec_extrq_imm}}};
const struct family family_extrq = {.fn = {{[KIND_REG] = exec_extrq}}};
const struct family family_insertq_imm = {.fn = {{[KIND_REG] = exec_insertq_imm}}};
const struct family family_insertq = {.fn = {{[KIND_REG] = exec_insertq}}};
/* MOVNTSS and MOVNTSD are the stores of MOVSS and MOVSD. */
