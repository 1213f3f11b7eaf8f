/* SPDX-License-Identifier: Apache-2.0 */
/* BMI1, BMI2, LZCNT, POPCNT, ADX (SDM 2A to 2D, by name). Undefined flags: PF and AF as an AND
 * would leave them. */
#include "sim/cpu/exec/integer.h"

/* SF and ZF by @value, OF = 0, CF = @carry. */
ALWAYS_INLINE struct outcome outcome_bits(u64 value, bool carry, unsigned int size)
{
	struct outcome out = outcome_logic(value, size);

	out.flag_aux = carry ? AUX_CF | AUX_PO : 0;
	return out;
}

/* The second source of three-operand rows. */
#define SECOND(size) reg_read(cpu, op->vvvv, size)

/* --- bodies: of the r/m operand @a --- */
#define BODY(name)                                                                                 \
	ALWAYS_INLINE struct outcome name(struct cpu *cpu, const struct op *op, u64 a,             \
					  unsigned int size)

BODY(andn)
{
	return outcome_logic(~SECOND(size) & a, size);
}

BODY(blsi)
{
	(void)cpu, (void)op;
	return outcome_bits(a & -a, a != 0, size);
}

BODY(blsmsk)
{
	(void)cpu, (void)op;
	return outcome_bits(a ^ (a - 1), a == 0, size);
}

BODY(blsr)
{
	(void)cpu, (void)op;
	return outcome_bits(a & (a - 1), a == 0, size);
}

BODY(bextr)
{
	unsigned int start = SECOND(size) & 0xff, length = SECOND(size) >> 8 & 0xff;

	a = start < 64 ? a >> start : 0;
	if (length < 64)
		a &= BIT(length) - 1;
	return outcome_logic(a, size);
}

BODY(bzhi)
{
	unsigned int index = SECOND(size) & 0xff, bits = 8 * size;

	return outcome_bits(index < bits ? a & (BIT(index) - 1) : a, index >= bits, size);
}

BODY(pdep)
{
	u64 source = SECOND(size), result = 0;

	for (; a; a &= a - 1, source >>= 1)
		if (source & 1)
			result |= a & -a;
	return (struct outcome){.value = truncate_to(result, size)};
}

BODY(pext)
{
	u64 source = SECOND(size), result = 0;

	for (unsigned int to = 0; a; a &= a - 1, to++)
		if (source & a & -a)
			result |= BIT(to);
	return (struct outcome){.value = result};
}

#define COUNT(size) (SECOND(size) & (8 * (size)-1))

BODY(sarx)
{
	return (struct outcome){.value = (u64)((s64)sign_extend(a, size) >> COUNT(size))};
}

BODY(shlx)
{
	return (struct outcome){.value = a << COUNT(size)};
}

BODY(shrx)
{
	return (struct outcome){.value = a >> COUNT(size)};
}

BODY(rorx)
{
	unsigned int bits = 8 * size, count = op->imm & (bits - 1);

	(void)cpu;
	return (struct outcome){.value = count ? a >> count | a << (bits - count) : a};
}

BODY(mulx)
{
	u128 product = (u128)reg_read(cpu, REG_RDX * 8, size) * a;

	/* The high half is written last: it wins where both name one register. */
	reg_write(cpu, op->vvvv, (u64)product, size);
	return (struct outcome){.value = (u64)(product >> 8 * size)};
}

/* CF: the source is 0. ZF: the result is. */
BODY(lzcnt)
{
	unsigned int bits = 8 * size;
	u64 count = a ? (u64)__builtin_clzll(a) - (64 - bits) : bits;

	(void)cpu, (void)op;
	return outcome_bits(count, a == 0, size);
}

BODY(tzcnt)
{
	(void)cpu, (void)op;
	return outcome_bits(a ? (u64)__builtin_ctzll(a) : 8 * size, a == 0, size);
}

/* ZF by the source, the other flags 0; a count of 0 is the only one that sets ZF. */
BODY(popcnt)
{
	struct outcome out = outcome_logic((u64)__builtin_popcountll(a), size);

	(void)cpu, (void)op;
	if (__builtin_parityll(out.flag_result & 0xff) == 0)
		out.flag_aux = BIT(8); /* PF = 0 */
	return out;
}

BODY(adcx)
{
	u128 sum = (u128)reg_read(cpu, op->reg, size) + a + flag_cf(cpu);
	bool carry = (u64)(sum >> 8 * size) & 1;
	u64 overflow = (cpu->flag_aux ^ cpu->flag_aux << 1) & AUX_CF;
	u64 cf = carry ? AUX_CF : 0;

	return (struct outcome){truncate_to((u64)sum, size), cpu->flag_result,
				(cpu->flag_aux & ~(AUX_CF | AUX_PO)) | cf | (cf ^ overflow) >> 1};
}

BODY(adox)
{
	u128 sum = (u128)reg_read(cpu, op->reg, size) + a + flag_of(cpu);
	u64 cf = cpu->flag_aux & AUX_CF, overflow = (u64)(sum >> 8 * size) & 1 ? AUX_CF : 0;

	return (struct outcome){truncate_to((u64)sum, size), cpu->flag_result,
				(cpu->flag_aux & ~AUX_PO) | (cf ^ overflow) >> 1};
}

/* --- handlers --- */
#define HANDLER_OF(body, to, flags, width, size, kind)                                             \
	static HANDLER(exec_##body##_##width##_##kind)                                             \
	{                                                                                          \
		u64 a = kind == KIND_REG                                                           \
				? RM_OPERAND(size)                                                 \
				: mem_load(cpu, op, ea_linear(cpu, op, kind, size, false), size);  \
		struct outcome out = body(cpu, op, a, size);                                       \
		reg_write(cpu, op->to, out.value, size);                                           \
		outcome_flags(cpu, out, !(flags));                                                 \
		NEXT;                                                                              \
	}

#define HANDLERS(body, to, flags, width, size)                                                     \
	HANDLER_OF(body, to, flags, width, size, KIND_REG)                                         \
	HANDLER_OF(body, to, flags, width, size, KIND_BASE)                                        \
	HANDLER_OF(body, to, flags, width, size, KIND_INDEX)                                       \
	HANDLER_OF(body, to, flags, width, size, KIND_ANY)

#define KINDS_OF(body, width)                                                                      \
	{                                                                                          \
		exec_##body##_##width##_KIND_REG, exec_##body##_##width##_KIND_BASE,               \
			exec_##body##_##width##_KIND_INDEX, exec_##body##_##width##_KIND_ANY       \
	}

/* y operands: 4 and 8 bytes */
#define FAMILY_Y(body, to, flags)                                                                  \
	HANDLERS(body, to, flags, 2, 4)                                                            \
	HANDLERS(body, to, flags, 3, 8)                                                            \
	const struct family family_##body = {                                                      \
		.fn = {[2] = KINDS_OF(body, 2), [3] = KINDS_OF(body, 3)}};

/* v operands: 2, 4 and 8 bytes */
#define FAMILY_V(body, to, flags)                                                                  \
	HANDLERS(body, to, flags, 1, 2)                                                            \
	HANDLERS(body, to, flags, 2, 4)                                                            \
	HANDLERS(body, to, flags, 3, 8)                                                            \
	const struct family family_##body = {.fn = {[1] = KINDS_OF(body, 1),                       \
						    [2] = KINDS_OF(body, 2),                       \
						    [3] = KINDS_OF(body, 3)}};

FAMILY_Y(andn, reg, true)
FAMILY_Y(blsi, vvvv, true)
FAMILY_Y(blsmsk, vvvv, true)
FAMILY_Y(blsr, vvvv, true)
FAMILY_Y(bextr, reg, true)
FAMILY_Y(bzhi, reg, true)
FAMILY_Y(pdep, reg, false)
FAMILY_Y(pext, reg, false)
FAMILY_Y(sarx, reg, false)
FAMILY_Y(shlx, reg, false)
FAMILY_Y(shrx, reg, false)
FAMILY_Y(rorx, reg, false)
FAMILY_Y(mulx, reg, false)
FAMILY_Y(adcx, reg, true)
FAMILY_Y(adox, reg, true)
FAMILY_V(lzcnt, reg, true)
FAMILY_V(tzcnt, reg, true)
FAMILY_V(popcnt, reg, true)
