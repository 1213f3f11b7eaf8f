/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMP, TEST, SUB, AND, ADD, INC and DEC with the conditional branch behind them as one handler: the
 * branch looks at the operands, not at the flags, and one dispatch is saved. The flags are kept all
 * the same. 64-bit code, branches within their page.
 *
 * MOV between registers with an instruction that works on its target: integer.h has the handlers.
 */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/exec/condition.h"
#include "sim/cpu/exec/integer.h"
#include "sim/cpu/fuse.h"

extern const struct family family_cmp_EG, family_cmp_EI, family_cmp_GE, family_test_EG,
	family_test_EI, family_sub_EG, family_sub_EI, family_and_EG, family_and_EI, family_add_EG,
	family_add_EI, family_inc_E, family_dec_E, family_mov_EG, family_sti, family_hlt;

/* What the first instruction computes. */
#define cmp_outcome(a, b, size)  outcome_subtract(a, b, 0, size)
#define test_outcome(a, b, size) outcome_logic((a) & (b), size)
#define sub_outcome              cmp_outcome
#define and_outcome              test_outcome
#define add_outcome(a, b, size)  outcome_add(a, b, 0, size)
#define inc_outcome(a, b, size)  outcome_increment(cpu, a, size)
#define dec_outcome(a, b, size)  outcome_decrement(cpu, a, size)

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

#define sub_z   cmp_z
#define sub_nz  cmp_nz
#define sub_b   cmp_b
#define sub_nb  cmp_nb
#define sub_be  cmp_be
#define sub_nbe cmp_nbe
#define sub_l   cmp_l
#define sub_nl  cmp_nl
#define sub_le  cmp_le
#define sub_nle cmp_nle
#define sub_s   cmp_s
#define sub_ns  cmp_ns

#define and_z  test_z
#define and_nz test_nz
#define and_s  test_s
#define and_ns test_ns

#define add_z(a, b, size)  (truncate_to((a) + (b), size) == 0)
#define add_nz(a, b, size) (truncate_to((a) + (b), size) != 0)
#define add_s(a, b, size)  (sx((a) + (b), size) < 0)
#define add_ns(a, b, size) (sx((a) + (b), size) >= 0)

#define inc_z  add_z
#define inc_nz add_nz
#define inc_s  add_s
#define inc_ns add_ns

#define dec_z  cmp_z
#define dec_nz cmp_nz
#define dec_s  cmp_s
#define dec_ns cmp_ns

/* The operands of each form, in the order in which they are compared. Off the fast path the first
 * instruction runs by itself. */
#define MEMORY_OPERAND(family, width, size)                                                        \
	FAST_READ(host, KIND_BASE, size, family_##family.fn[width][KIND_ANY])
#define OPERANDS_EG(family, width, size) u64 a = RM_OPERAND(size), b = REG_OPERAND(size)
#define OPERANDS_EI(family, width, size) u64 a = RM_OPERAND(size), b = IMM_OPERAND(size)
#define OPERANDS_GE(family, width, size) u64 a = REG_OPERAND(size), b = RM_OPERAND(size)
#define OPERANDS_E(family, width, size)  u64 a = RM_OPERAND(size), b = 1
#define OPERANDS_MG(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 a = host_read(host, size), b = REG_OPERAND(size)
#define OPERANDS_MI(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 a = host_read(host, size), b = IMM_OPERAND(size)
#define OPERANDS_GM(family, width, size)                                                           \
	MEMORY_OPERAND(family, width, size);                                                       \
	u64 b = host_read(host, size), a = REG_OPERAND(size)

/* From here on `op` is the branch, whose target lies in its page. */
#define BRANCH(taken)                                                                              \
	do {                                                                                       \
		op++;                                                                              \
		if (!(taken))                                                                      \
			NEXT;                                                                      \
		JUMP_LINKED(OP_TARGET(cpu, op));                                                   \
	} while (0)

/* Nothing but flags. */
#define FUSED(body, form, family, width, size, cc)                                                 \
	static HANDLER(body##_##form##_##width##_##cc)                                             \
	{                                                                                          \
		OPERANDS_##form(family, width, size);                                              \
		outcome_flags(cpu, body##_outcome(a, b, size), false);                             \
		BRANCH(body##_##cc(a, b, size));                                                   \
	}

/* A register gets the result. */
#define FUSED_TO_RM(body, form, family, width, size, cc)                                           \
	static HANDLER(body##_##form##_##width##_##cc)                                             \
	{                                                                                          \
		OPERANDS_##form(family, width, size);                                              \
		struct outcome out = body##_outcome(a, b, size);                                   \
		reg_write(cpu, op->rm, out.value, size);                                           \
		outcome_flags(cpu, out, false);                                                    \
		BRANCH(body##_##cc(a, b, size));                                                   \
	}

#define ZERO_AND_SIGN(MACRO, body, form, family, width, size)                                      \
	MACRO(body, form, family, width, size, z)                                                  \
	MACRO(body, form, family, width, size, nz)                                                 \
	MACRO(body, form, family, width, size, s)                                                  \
	MACRO(body, form, family, width, size, ns)

#define COMPARISONS(MACRO, body, form, family, width, size)                                        \
	ZERO_AND_SIGN(MACRO, body, form, family, width, size)                                      \
	MACRO(body, form, family, width, size, b)                                                  \
	MACRO(body, form, family, width, size, nb)                                                 \
	MACRO(body, form, family, width, size, be)                                                 \
	MACRO(body, form, family, width, size, nbe)                                                \
	MACRO(body, form, family, width, size, l)                                                  \
	MACRO(body, form, family, width, size, nl)                                                 \
	MACRO(body, form, family, width, size, le)                                                 \
	MACRO(body, form, family, width, size, nle)

/* handler, conditions, body, form, family of the first instruction, kind of its r/m operand */
#define FUSED_FORMS(MACRO)                                                                         \
	MACRO(FUSED, COMPARISONS, cmp, EG, cmp_EG, KIND_REG)                                       \
	MACRO(FUSED, COMPARISONS, cmp, EI, cmp_EI, KIND_REG)                                       \
	MACRO(FUSED, COMPARISONS, cmp, GE, cmp_GE, KIND_REG)                                       \
	MACRO(FUSED, COMPARISONS, cmp, MG, cmp_EG, KIND_BASE)                                      \
	MACRO(FUSED, COMPARISONS, cmp, MI, cmp_EI, KIND_BASE)                                      \
	MACRO(FUSED, COMPARISONS, cmp, GM, cmp_GE, KIND_BASE)                                      \
	MACRO(FUSED, COMPARISONS, test, EG, test_EG, KIND_REG)                                     \
	MACRO(FUSED, COMPARISONS, test, EI, test_EI, KIND_REG)                                     \
	MACRO(FUSED, COMPARISONS, test, MI, test_EI, KIND_BASE)                                    \
	MACRO(FUSED_TO_RM, COMPARISONS, sub, EG, sub_EG, KIND_REG)                                 \
	MACRO(FUSED_TO_RM, COMPARISONS, sub, EI, sub_EI, KIND_REG)                                 \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, and, EG, and_EG, KIND_REG)                               \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, and, EI, and_EI, KIND_REG)                               \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, add, EG, add_EG, KIND_REG)                               \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, add, EI, add_EI, KIND_REG)                               \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, inc, E, inc_E, KIND_REG)                                 \
	MACRO(FUSED_TO_RM, ZERO_AND_SIGN, dec, E, dec_E, KIND_REG)

#define FUSED_WIDTHS(handler, conditions, body, form, family, kind)                                \
	conditions(handler, body, form, family, 0, 1)                                              \
		conditions(handler, body, form, family, 2, 4)                                      \
			conditions(handler, body, form, family, 3, 8)
FUSED_FORMS(FUSED_WIDTHS)

#define CONDITION_FAMILY(cc) extern const struct family family_j##cc;
EACH_CONDITION(CONDITION_FAMILY)

/* Columns of the table below. */
enum {
	COLUMN_z,
	COLUMN_nz,
	COLUMN_b,
	COLUMN_nb,
	COLUMN_be,
	COLUMN_nbe,
	COLUMN_l,
	COLUMN_nl,
	COLUMN_le,
	COLUMN_nle,
	COLUMN_s,
	COLUMN_ns,
	COLUMNS
};

static const struct family *const branches[COLUMNS] = {
	&family_jz, &family_jnz, &family_jb,  &family_jnb,  &family_jbe, &family_jnbe,
	&family_jl, &family_jnl, &family_jle, &family_jnle, &family_js,  &family_jns,
};

static const struct {
	const struct family *family;
	u8 kind;
	op_handler fn[4][COLUMNS];
} fusions[] = {
#define ENTRY(body, form, family, width, size, cc) [COLUMN_##cc] = body##_##form##_##width##_##cc,
#define ROW(handler, conditions, body, form, family_name, op_kind)                                 \
	{&family_##family_name,                                                                    \
	 op_kind,                                                                                  \
	 {[0] = {conditions(ENTRY, body, form, , 0, 1)},                                           \
	  [2] = {conditions(ENTRY, body, form, , 2, 4)},                                           \
	  [3] = {conditions(ENTRY, body, form, , 3, 8)}}},
	FUSED_FORMS(ROW)};

static op_handler fused_branch(const struct family *first, const struct family *second,
			       const struct op *op)
{
	unsigned int row, column;

	if (!OP_LINKABLE(&op[1]))
		return NULL;
	for (column = 0; column < COLUMNS; column++)
		if (branches[column] == second)
			break;
	if (column == COLUMNS)
		return NULL;
	for (row = 0; row < ARRAY_SIZE(fusions); row++)
		if (fusions[row].family == first && fusions[row].kind == op->kind)
			return fusions[row].fn[op->width][column];
	return NULL;
}

/* The second instruction works on the register that MOV has written. */
static op_handler fused_move(const struct family *second, const struct op *op)
{
	const struct op *next = &op[1];

	if (op->kind != KIND_REG || next->kind != KIND_REG || next->width != op->width ||
	    next->rm != op->rm)
		return NULL;
	return next->fn == second->quiet[op->width][KIND_REG] ? second->moved_quiet[op->width]
							      : second->moved[op->width];
}

static op_handler fused(const struct family *first, const struct family *second,
			const struct op *op)
{
	if (first == &family_mov_EG)
		return fused_move(second, op);
	if (first == &family_sti)
		return second == &family_hlt ? exec_sti_hlt : NULL;
	return fused_branch(first, second, op);
}

static bool fuse_pair(const struct opcode_row *const row[], struct op *op)
{
	op_handler handler = fused(row[0]->family, row[1]->family, op);

	if (handler)
		op->fn = handler;
	return handler != NULL;
}

unsigned int fuse(const struct opcode_row *const row[], unsigned int count, struct op *op)
{
	if (!(op->flags & OP_CODE64) || count < 2 || !row[0] || !row[1])
		return 1;
	if (count > 2 && row[2] && row[0]->family == &family_mov_EG && fuse_fold(row, op))
		return 3;
	return fuse_pair(row, op) ? 2 : 1;
}
