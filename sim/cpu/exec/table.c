/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor-table registers, and looking at descriptors without loading them. */
#include "sim/cpu/control.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/operand.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* User-mode instruction prevention (SDM 3A:2.5): SGDT SIDT SLDT SMSW STR. */
static void check_umip(struct cpu *cpu)
{
	if ((cpu->cr4 & CR4_UMIP) && cpu->cpl != 0)
		raise_gp(cpu, 0);
}

/* --- GDTR, IDTR: a 16-bit limit below a base of 32 or 64 bits --- */

ALWAYS_INLINE u64 base_linear(const struct op *op, u64 linear)
{
	return op->flags & OP_CODE64 ? linear + 2 : (u32)(linear + 2);
}

static void table_store(struct cpu *cpu, const struct op *op, const struct descriptor_table *table)
{
	unsigned int size = op->flags & OP_CODE64 ? 8 : 4;
	u64 linear = ea_by_kind(cpu, op, 2 + size, true);

	/* All or nothing: the far end must be writable before the limit is stored. */
	mem_probe(cpu, op, base_linear(op, linear), size, WALK_WRITE);
	mem_store(cpu, op, linear, table->limit, 2);
	mem_store(cpu, op, base_linear(op, linear), table->base, size);
}

static void table_load(struct cpu *cpu, const struct op *op, struct descriptor_table *table)
{
	unsigned int size = op->flags & OP_CODE64 ? 8 : 4;
	u64 linear, limit, base;

	linear = ea_by_kind(cpu, op, 2 + size, false);
	limit = mem_load(cpu, op, linear, 2);
	base = mem_load(cpu, op, base_linear(op, linear), size);
	if (size == 8 && !base_canonical(cpu, base))
		raise_gp(cpu, 0);
	if (op->width == 1) /* 16-bit operand size: 24 bits */
		base &= 0xffffff;
	table->limit = limit;
	table->base = base;
}

#define TABLE_HANDLER(name, move, table, intercept)                                                \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		check_##move(cpu);                                                                 \
		INTERCEPT(cpu, op, intercept, 0);                                                  \
		move(cpu, op, &cpu->table);                                                        \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

#define check_table_store     check_umip
#define check_table_load(cpu) /* the opcode table's row says CPL0 */

TABLE_HANDLER(sgdt, table_store, gdtr, SGDT);
TABLE_HANDLER(sidt, table_store, idtr, SIDT);
TABLE_HANDLER(lgdt, table_load, gdtr, LGDT);
TABLE_HANDLER(lidt, table_load, idtr, LIDT);

/* --- SLDT, STR, SMSW: 16 bits to memory, the operand size to a register --- */

static void word_store(struct cpu *cpu, const struct op *op, u64 value)
{
	if (op->kind != KIND_REG)
		mem_store(cpu, op, ea_by_kind(cpu, op, 2, true), value, 2);
	else if (op->width == 1)
		REG16(cpu, op->rm) = value;
	else
		REG64(cpu, op->rm) = op->width == 2 ? (u32)value : value;
}

#define WORD_HANDLER(name, value, intercept)                                                       \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		FAULT_POINT(cpu, op);                                                              \
		check_umip(cpu);                                                                   \
		INTERCEPT(cpu, op, intercept, 0);                                                  \
		word_store(cpu, op, value);                                                        \
		NEXT;                                                                              \
	}                                                                                          \
	FAMILY_ONE(name, exec_##name)

WORD_HANDLER(sldt, cpu->seg[SEG_LDTR].selector, SLDT);
WORD_HANDLER(str, cpu->seg[SEG_TR].selector, STR);

static HANDLER(exec_smsw)
{
	u64 value = cpu->cr0;

	FAULT_POINT(cpu, op);
	check_umip(cpu);
	if (unlikely(cpu->guest))
		value = cpu->vendor->read_cr(cpu, op, CR_SMSW, 0);
	word_store(cpu, op, value);
	NEXT;
}
FAMILY_ONE(smsw, exec_smsw);

/* --- LLDT, LTR --- */

static u16 word_load(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	if (op->kind == KIND_REG)
		return REG16(cpu, op->rm);
	return mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2);
}

static HANDLER(exec_lldt)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, LLDT, 0);
	segment_load_ldtr(cpu, word_load(cpu, op));
	NEXT;
}
FAMILY_ONE(lldt, exec_lldt);

static HANDLER(exec_ltr)
{
	FAULT_POINT(cpu, op);
	INTERCEPT(cpu, op, LTR, 0);
	segment_load_tr(cpu, word_load(cpu, op));
	NEXT;
}
FAMILY_ONE(ltr, exec_ltr);

/* --- LAR, LSL, VERR, VERW: descriptors that may be bad without a fault --- */

/* The types of system descriptors that LAR and LSL accept (SDM 2: LAR, table 3-52; LSL, 3-56). */
#define LAR_SYSTEM      0x1a3eu /* 1 2 3 4 5 9 B C */
#define LAR_SYSTEM_LONG 0x1a04u /* 2 9 B C */
#define LSL_SYSTEM      0x0a0eu /* 1 2 3 9 B */
#define LSL_SYSTEM_LONG 0x0a04u /* 2 9 B */

static bool descriptor_peek(struct cpu *cpu, u16 selector, struct descriptor *descriptor)
{
	bool local = selector & 4;
	u32 limit = local ? cpu->seg[SEG_LDTR].limit : cpu->gdtr.limit;
	u64 base = local ? SEG_BASE(cpu, SEG_LDTR) : cpu->gdtr.base;

	if (selector_null(selector) || (selector | 7u) > limit ||
	    (local && (cpu->seg[SEG_LDTR].rights & SEG_UNUSABLE)))
		return false;
	descriptor_parse(descriptor, mem_load_system(cpu, base + (selector & 0xfff8), 8));
	return true;
}

/* The descriptor, if the selector is good, its type acceptable and CPL and RPL may see it. */
static bool descriptor_visible(struct cpu *cpu, u16 selector, u32 system_types,
			       struct descriptor *descriptor)
{
	unsigned int dpl, rpl = selector & 3;

	if (!descriptor_peek(cpu, selector, descriptor))
		return false;
	dpl = rights_dpl(descriptor->rights);
	if (!(descriptor->rights & SEG_S) && !(system_types >> rights_type(descriptor->rights) & 1))
		return false;
	if (rights_code(descriptor->rights) && rights_conforming(descriptor->rights))
		return true;
	return cpu->cpl <= dpl && rpl <= dpl;
}

ALWAYS_INLINE void set_zf(struct cpu *cpu, bool zf)
{
	flags_replace(cpu, FLAG_ZF, zf ? FLAG_ZF : 0);
}

static void result_out(struct cpu *cpu, const struct op *op, u32 value)
{
	if (op->width == 1)
		REG16(cpu, op->reg) = value;
	else
		REG64(cpu, op->reg) = value;
}

static NOINLINE void do_lar(struct cpu *cpu, const struct op *op)
{
	struct descriptor descriptor;
	bool ok =
		descriptor_visible(cpu, word_load(cpu, op),
				   cpu_long_mode(cpu) ? LAR_SYSTEM_LONG : LAR_SYSTEM, &descriptor);

	if (ok) /* with the limit's bits 19:16, undefined by the manual: processors give them */
		result_out(cpu, op, descriptor.raw >> 32 & 0x00ffff00);
	set_zf(cpu, ok);
}

static HANDLER(exec_lar)
{
	do_lar(cpu, op);
	NEXT;
}
FAMILY_ONE(lar, exec_lar);

static NOINLINE void do_lsl(struct cpu *cpu, const struct op *op)
{
	struct descriptor descriptor;
	bool ok =
		descriptor_visible(cpu, word_load(cpu, op),
				   cpu_long_mode(cpu) ? LSL_SYSTEM_LONG : LSL_SYSTEM, &descriptor);

	if (ok)
		result_out(cpu, op, descriptor.limit);
	set_zf(cpu, ok);
}

static HANDLER(exec_lsl)
{
	do_lsl(cpu, op);
	NEXT;
}
FAMILY_ONE(lsl, exec_lsl);

static NOINLINE void do_verify(struct cpu *cpu, const struct op *op, bool write)
{
	struct descriptor descriptor;
	bool ok = descriptor_visible(cpu, word_load(cpu, op), 0, &descriptor);

	if (ok && rights_code(descriptor.rights))
		ok = !write && (descriptor.rights & SEG_TYPE_READABLE);
	else if (ok)
		ok = !write || (descriptor.rights & SEG_TYPE_WRITABLE);
	set_zf(cpu, ok);
}

static HANDLER(exec_verr)
{
	do_verify(cpu, op, false);
	NEXT;
}
FAMILY_ONE(verr, exec_verr);

static HANDLER(exec_verw)
{
	do_verify(cpu, op, true);
	NEXT;
}
FAMILY_ONE(verw, exec_verw);

static NOINLINE void do_arpl(struct cpu *cpu, const struct op *op)
{
	u16 rpl = REG16(cpu, op->reg) & 3, selector;
	bool raises;

	FAULT_POINT(cpu, op);
	if (op->kind == KIND_REG) {
		selector = REG16(cpu, op->rm);
	} else {
		selector = mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2);
	}
	raises = (selector & 3) < rpl;
	selector = raises ? (selector & ~3) | rpl : selector;
	if (op->kind == KIND_REG)
		REG16(cpu, op->rm) = selector;
	else if (raises) /* else nothing is written, and the place may be read-only */
		mem_store(cpu, op, ea_by_kind(cpu, op, 2, true), selector, 2);
	set_zf(cpu, raises);
}

static HANDLER(exec_arpl)
{
	do_arpl(cpu, op);
	NEXT;
}
FAMILY_ONE(arpl, exec_arpl);
