/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MOVS, STOS, LODS, CMPS, SCAS, with and without REP (SDM 2B REP). A repeated instruction commits
 * rSI, rDI and rCX after every element, so that it can be left and taken up again; it counts as one
 * instruction once it ends. In 64-bit mode whole runs within a page are moved at once.
 */
#include "sim/cpu/exec/string.h"
#include "sim/cpu/exec/integer.h"
#include "sim/cpu/segment.h"

/* --- addresses and counters --- */

ALWAYS_INLINE unsigned int address_bytes(const struct op *op)
{
	return 2u << (op->flags & OP_ADDRESS_MASK);
}

static u64 source_linear(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 offset = truncate_to(cpu->reg[REG_RSI], address_bytes(op));

	return segment_linear(cpu, op, op->seg, offset, size, false);
}

/* ES:rDI; ES can not be overridden. */
static u64 target_linear(struct cpu *cpu, const struct op *op, unsigned int size, bool write)
{
	u64 offset = truncate_to(cpu->reg[REG_RDI], address_bytes(op));

	return segment_linear(cpu, op, SEG_ES, offset, size, write);
}

static void advance(struct cpu *cpu, const struct op *op, unsigned int reg, unsigned int size,
		    u64 count)
{
	u64 bytes = cpu->rflags & FLAG_DF ? -(u64)size * count : size * count;

	reg_write(cpu, reg * 8, cpu->reg[reg] + bytes, address_bytes(op));
}

u64 string_count(const struct cpu *cpu, const struct op *op)
{
	return truncate_to(cpu->reg[REG_RCX], address_bytes(op));
}

void string_count_down(struct cpu *cpu, const struct op *op, u64 by)
{
	reg_write(cpu, REG_RCX * 8, cpu->reg[REG_RCX] - by, address_bytes(op));
	/* What user space answered so far belongs to elements that are done. */
	cpu->io.completed = cpu->io.consumed = 0;
}

bool string_must_stop(struct cpu *cpu)
{
	return (__atomic_load_n(&cpu->event, __ATOMIC_RELAXED) & ~(u32)EVENT_STEP) ||
	       (cpu->rflags & FLAG_TF) || cpu_watches(cpu) ||
	       (cpu->debugger.control & KVM_GUESTDBG_SINGLESTEP);
}

/* Between two elements Intel's processors set RF, so that an instruction breakpoint hits once and
 * whatever comes now pushes RF (SDM 3B:18.3.1.1). AMD's leave RF as it was until the last. */
void string_suspend(struct cpu *cpu, const struct op *op)
{
	cpu->reg[REG_RIP] += op->offset;
	cpu->budget -= op->number;
	cpu->rflags |= !cpu->amd ? FLAG_RF : cpu->single ? cpu->rf_running : 0;
	event_post(cpu, EVENT_STEP);
}

/* --- one element --- */

static void movs_once(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 value = mem_load(cpu, op, source_linear(cpu, op, size), size);

	mem_store(cpu, op, target_linear(cpu, op, size, true), value, size);
	advance(cpu, op, REG_RSI, size, 1);
	advance(cpu, op, REG_RDI, size, 1);
}

static void stos_once(struct cpu *cpu, const struct op *op, unsigned int size)
{
	mem_store(cpu, op, target_linear(cpu, op, size, true), cpu->reg[REG_RAX], size);
	advance(cpu, op, REG_RDI, size, 1);
}

static void lods_once(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 value = mem_load(cpu, op, source_linear(cpu, op, size), size);

	reg_write(cpu, REG_RAX * 8, value, size);
	advance(cpu, op, REG_RSI, size, 1);
}

static void compare(struct cpu *cpu, u64 a, u64 b, unsigned int size)
{
	outcome_flags(cpu, outcome_subtract(a, b, 0, size), false);
}

static void cmps_once(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 a = mem_load(cpu, op, source_linear(cpu, op, size), size);
	u64 b = mem_load(cpu, op, target_linear(cpu, op, size, false), size);

	compare(cpu, a, b, size);
	advance(cpu, op, REG_RSI, size, 1);
	advance(cpu, op, REG_RDI, size, 1);
}

static void scas_once(struct cpu *cpu, const struct op *op, unsigned int size)
{
	u64 b = mem_load(cpu, op, target_linear(cpu, op, size, false), size);

	compare(cpu, truncate_to(cpu->reg[REG_RAX], size), b, size);
	advance(cpu, op, REG_RDI, size, 1);
}

/* --- many elements at once: 64-bit addresses upward, within one page, TLB hits --- */

static bool bulk_possible(const struct cpu *cpu, const struct op *op)
{
	return (op->flags & OP_CODE64) && (op->flags & OP_ADDRESS_MASK) == OP_ADDRESS_64 &&
	       !(cpu->rflags & FLAG_DF) && op->seg < SEG_FS;
}

static u64 elements_in_page(u64 linear, u64 count, unsigned int size)
{
	u64 room = (PAGE_SIZE_4K - (linear & PAGE_OFFSET_MASK)) / size;

	return room < count ? room : count;
}

static u64 movs_bulk(struct cpu *cpu, const struct op *op, u64 count, unsigned int size)
{
	u64 from = cpu->reg[REG_RSI], to = cpu->reg[REG_RDI];
	u64 n = elements_in_page(to, elements_in_page(from, count, size), size), i;
	u8 *source, *target;

	if (!bulk_possible(cpu, op) || n < 2)
		return 0;
	source = mem_read_pointer(cpu, from, 1);
	target = mem_write_pointer(cpu, to, 1);
	if (!source || !target)
		return 0;
	/* An overlap ahead of the source repeats what was just written: element by element. */
	if (target > source && target < source + n * size)
		for (i = 0; i < n; i++)
			host_write(target + i * size, host_read(source + i * size, size), size);
	else
		__builtin_memmove(target, source, n * size);
	advance(cpu, op, REG_RSI, size, n);
	advance(cpu, op, REG_RDI, size, n);
	return n;
}

static u64 stos_bulk(struct cpu *cpu, const struct op *op, u64 count, unsigned int size)
{
	u64 to = cpu->reg[REG_RDI], n = elements_in_page(to, count, size), i;
	u8 *target;

	if (!bulk_possible(cpu, op) || n < 2)
		return 0;
	target = mem_write_pointer(cpu, to, 1);
	if (!target)
		return 0;
	if (size == 1 || !cpu->reg[REG_RAX])
		__builtin_memset(target, (u8)cpu->reg[REG_RAX], n * size);
	else
		for (i = 0; i < n; i++)
			host_write(target + i * size, cpu->reg[REG_RAX], size);
	advance(cpu, op, REG_RDI, size, n);
	return n;
}

static u64 no_bulk(struct cpu *cpu, const struct op *op, u64 count, unsigned int size)
{
	(void)cpu;
	(void)op;
	(void)count;
	(void)size;
	return 0;
}

/* --- REP --- */

/* True if the instruction is over, false if it has to be left and taken up again. */
#define REPEAT(name, once, bulk, ends)                                                             \
	NOINLINE static bool name(struct cpu *cpu, const struct op *op, unsigned int size)         \
	{                                                                                          \
		u64 count, n;                                                                      \
                                                                                                   \
		cpu->op = op;                                                                      \
		while ((count = string_count(cpu, op))) {                                          \
			n = string_must_stop(cpu) ? 0 : bulk(cpu, op, count, size);                \
			if (!n) {                                                                  \
				once(cpu, op, size);                                               \
				n = 1;                                                             \
			}                                                                          \
			string_count_down(cpu, op, n);                                             \
			if (ends)                                                                  \
				return true;                                                       \
			if (string_must_stop(cpu))                                                 \
				return string_count(cpu, op) == 0;                                 \
		}                                                                                  \
		return true;                                                                       \
	}

/* REPE and REPNE also end on ZF. */
#define ZF_ENDS (flag_zf(cpu) != !!(op->flags & OP_REP))

REPEAT(rep_movs, movs_once, movs_bulk, false)
REPEAT(rep_stos, stos_once, stos_bulk, false)
REPEAT(rep_lods, lods_once, no_bulk, false)
REPEAT(rep_cmps, cmps_once, no_bulk, ZF_ENDS)
REPEAT(rep_scas, scas_once, no_bulk, ZF_ENDS)

#define STRING_WIDTH(width, size, name)                                                            \
	static HANDLER(name##_##width)                                                             \
	{                                                                                          \
		if (op->flags & (OP_REP | OP_REPNE)) {                                             \
			if (!rep_##name(cpu, op, size))                                            \
				STRING_LEAVE;                                                      \
		} else {                                                                           \
			name##_once(cpu, op, size);                                                \
		}                                                                                  \
		NEXT;                                                                              \
	}
#define DEFINE_STRING(name)                                                                        \
	EACH_WIDTH(STRING_WIDTH, name)                                                             \
	const struct family family_##name = {                                                      \
		.fn = {{name##_0}, {name##_1}, {name##_2}, {name##_3}}};

DEFINE_STRING(movs)
DEFINE_STRING(stos)
DEFINE_STRING(lods)
DEFINE_STRING(cmps)
DEFINE_STRING(scas)
