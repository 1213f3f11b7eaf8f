/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMP and TEST with the conditional branch behind them as one handler: the branch looks at the
 * operands, not at the flags, and one dispatch is saved. The flags are kept all the same. 64-bit
 * code.
 */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/exec/condition.h"
#include "sim/cpu/exec/integer.h"
#include "sim/cpu/fuse.h"

extern const struct family family_cmp_EG, family_cmp_EI, family_cmp_GE, family_test_EG,
	family_test_EI;

ALWAYS_INLINE struct outcome cmp(u64 a, u64 b, unsigned int size)
{
	u64 difference = a - b;

	return outcome_carries(difference, (~a & b) | ((~a | b) & difference), size);
}

ALWAYS_INLINE struct outcome test(u64 a, u64 b, unsigned int size)
{
	return outcome_logic(a & b, size);
}

/* Conditions as comparisons of the operands. */
ALWAYS_INLINE s64 sx(u64 value, unsigned int size)
{
	return (s64)sign_extend(value, size);
}

#define cmp_z(a, b, size)   ((a) == (b))
#define cmp_nz(a, b, size)  ((a) != (b))
#define cmp_b(a, b, size)   ((a) < (b))
#define cmp_nb(a, b, size)  ((a) >= (b))
#define cmp_be(a, b, size)  ((a) <= (b))
#define cmp_nbe(a, b, size) ((a) > (b))
#define cmp_l(a, b, size)   (sx(a, size) < sx(b, size))
#define cmp_nl(a, b, size)  (sx(a, size) >= sx(b, size))
#define cmp_le(a, b, size)  (sx(a, size) <= sx(b, size))
#define cmp_nle(a, b, size) (sx(a, size) > sx(b, size))
#define cmp_s(a, b, size)   (sx((a) - (b), size) < 0)
#define cmp_ns(a, b, size)  (sx((a) - (b), size) >= 0)

/* CF = OF = 0 after TEST. */
#define test_z(a, b, size)   (((a) & (b)) == 0)
#define test_nz(a, b, size)  (((a) & (b)) != 0)
#define test_b(a, b, size)   false
#define test_nb(a, b, size)  true
#define test_be(a, b, size)  (((a) & (b)) == 0)
#define test_nbe(a, b, size) (((a) & (b)) != 0)
#define test_l(a, b, size)   (sx((a) & (b), size) < 0)
#define test_nl(a, b, size)  (sx((a) & (b), size) >= 0)
#define test_le(a, b, size)  (sx((a) & (b), size) <= 0)
#define test_nle(a, b, size) (sx((a) & (b), size) > 0)
#define test_s(a, b, size)   (sx((a) & (b), size) < 0)
#define test_ns(a, b, size)  (sx((a) & (b), size) >= 0)

/* The operands of each form, in the order in which they are compared. Off the fast path the first
 * instruction runs by itself. */
#define MEMORY_OPERAND(family, width, size)                                                        \
	FAST_READ(host, KIND_BASE, size, family_##family.fn[width][KIND_ANY])
#define OPERANDS_EG(family, width, size) u64 a = RM_OPERAND(size), b = REG_OPERAND(size)
#define OPERANDS_EI(family, width, size) u64 a = RM_OPERAND(size), b = IMM_OPERAND(size)
#define OPERANDS_GE(family, width, size) u64 a = REG_OPERAND(size), b = RM_OPERAND(size)
#define OPERANDS_MG(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 a = host_read(host, size), b = REG_OPERAND(size)
#define OPERANDS_MI(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 a = host_read(host, size), b = IMM_OPERAND(size)
#define OPERANDS_GM(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 b = host_read(host, size), a = REG_OPERAND(size)

/* From here on `op` is the branch. A target that is not in the page is left to the branch's own
 * handler, flags being in place. */
#define FUSED(body, form, family, width, size, cc)                                                 \
	static HANDLER(body##_##form##_##width##_##cc)                                             \
	{                                                                                          \
		OPERANDS_##form(family, width, size);                                              \
		outcome_flags(cpu, body(a, b, size), false);                                       \
		op++;                                                                              \
		if (!(body##_##cc(a, b, size)))                                                    \
			NEXT;                                                                      \
		if (unlikely(!OP_LINKABLE(op)))                                                    \
			DISPATCH(op);                                                              \
		JUMP_LINKED(OP_TARGET(cpu, op));                                                   \
	}

#define FUSED_CONDITIONS(MACRO, body, form, family, width, size)                                   \
	MACRO(body, form, family, width, size, z)                                                  \
	MACRO(body, form, family, width, size, nz)                                                 \
	MACRO(body, form, family, width, size, b)                                                  \
	MACRO(body, form, family, width, size, nb)                                                 \
	MACRO(body, form, family, width, size, be)                                                 \
	MACRO(body, form, family, width, size, nbe)                                                \
	MACRO(body, form, family, width, size, l)                                                  \
	MACRO(body, form, family, width, size, nl)                                                 \
	MACRO(body, form, family, width, size, le)                                                 \
	MACRO(body, form, family, width, size, nle)                                                \
	MACRO(body, form, family, width, size, s)                                                  \
	MACRO(body, form, family, width, size, ns)

/* body, form, family of the first instruction, kind of its r/m operand */
#define FUSED_FORMS(MACRO)                                                                         \
	MACRO(cmp, EG, cmp_EG, KIND_REG)                                                           \
	MACRO(cmp, EI, cmp_EI, KIND_REG)                                                           \
	MACRO(cmp, GE, cmp_GE, KIND_REG)                                                           \
	MACRO(cmp, MG, cmp_EG, KIND_BASE)                                                          \
	MACRO(cmp, MI, cmp_EI, KIND_BASE)                                                          \
	MACRO(cmp, GM, cmp_GE, KIND_BASE)                                                          \
	MACRO(test, EG, test_EG, KIND_REG)                                                         \
	MACRO(test, EI, test_EI, KIND_REG)                                                         \
	MACRO(test, MI, test_EI, KIND_BASE)

#define FUSED_WIDTHS(body, form, family, kind)                                                     \
	FUSED_CONDITIONS(FUSED, body, form, family, 0, 1)                                          \
	FUSED_CONDITIONS(FUSED, body, form, family, 2, 4)                                          \
	FUSED_CONDITIONS(FUSED, body, form, family, 3, 8)
FUSED_FORMS(FUSED_WIDTHS)

#define CONDITION_FAMILY(cc) extern const struct family family_j##cc;
EACH_CONDITION(CONDITION_FAMILY)

/* Columns of the table below. */
static const struct family *const branches[] = {
	&family_jz, &family_jnz, &family_jb,  &family_jnb,  &family_jbe, &family_jnbe,
	&family_jl, &family_jnl, &family_jle, &family_jnle, &family_js,  &family_jns,
};

static const struct {
	const struct family *family;
	u8 kind;
	op_handler fn[4][ARRAY_SIZE(branches)];
} fusions[] = {
#define ENTRY(body, form, family, width, size, cc) body##_##form##_##width##_##cc,
#define ROW(body, form, family_name, op_kind)                                                      \
	{&family_##family_name,                                                                    \
	 op_kind,                                                                                  \
	 {[0] = {FUSED_CONDITIONS(ENTRY, body, form, , 0, 1)},                                     \
	  [2] = {FUSED_CONDITIONS(ENTRY, body, form, , 2, 4)},                                     \
	  [3] = {FUSED_CONDITIONS(ENTRY, body, form, , 3, 8)}}},
	FUSED_FORMS(ROW)};

void fuse_pair(const struct opcode_row *first, const struct opcode_row *second, struct op *op)
{
	unsigned int row, column;

	if (!(op[1].flags & OP_CODE64))
		return;
	for (column = 0; column < ARRAY_SIZE(branches); column++)
		if (branches[column] == second->family)
			break;
	if (column == ARRAY_SIZE(branches))
		return;
	for (row = 0; row < ARRAY_SIZE(fusions); row++)
		if (fusions[row].family == first->family && fusions[row].kind == op->kind &&
		    fusions[row].fn[op->width][column])
			op->fn = fusions[row].fn[op->width][column];
}
