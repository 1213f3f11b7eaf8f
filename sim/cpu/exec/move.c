/* SPDX-License-Identifier: Apache-2.0 */
/* MOV in all general forms, MOVZX, MOVSX, LEA, XCHG, BSWAP, XLAT, CBW and CWD and their like. */
#include "sim/cpu/dispatch.h"
#include "sim/cpu/exec/integer.h"

/* --- MOV: kinds times widths, by hand because nothing is hotter --- */

#define LOAD_FAST(name, kind, size, convert, target_size)                                          \
	static HANDLER(name##_##kind)                                                              \
	{                                                                                          \
		FAST_READ(host, kind, size, name##_KIND_ANY);                                      \
		reg_write(cpu, op->reg, convert(host_read(host, size), size), target_size);        \
		NEXT;                                                                              \
	}
#define LOAD_HANDLERS(name, size, convert, target_size)                                            \
	static HANDLER(name##_KIND_ANY)                                                            \
	{                                                                                          \
		u64 value = mem_load(cpu, op, ea_any(cpu, op, size, false), size);                 \
		reg_write(cpu, op->reg, convert(value, size), target_size);                        \
		NEXT;                                                                              \
	}                                                                                          \
	LOAD_FAST(name, KIND_BASE, size, convert, target_size)                                     \
	LOAD_FAST(name, KIND_INDEX, size, convert, target_size)
#define STORE_FAST(name, kind, size, source)                                                       \
	static HANDLER(name##_##kind)                                                              \
	{                                                                                          \
		FAST_WRITE(host, kind, size, name##_KIND_ANY);                                     \
		host_write(host, source, size);                                                    \
		NEXT;                                                                              \
	}
#define STORE_HANDLERS(name, size, source)                                                         \
	static HANDLER(name##_KIND_ANY)                                                            \
	{                                                                                          \
		u64 linear = ea_by_kind(cpu, op, size, true);                                      \
		void *host = mem_write_pointer(cpu, linear, size);                                 \
		if (likely(host))                                                                  \
			host_write(host, source, size);                                            \
		else if (mem_store_last(cpu, op, linear, source, size))                            \
			CONTINUE_IN(dispatch_leave_behind);                                        \
		NEXT;                                                                              \
	}                                                                                          \
	STORE_FAST(name, KIND_BASE, size, source)                                                  \
	STORE_FAST(name, KIND_INDEX, size, source)
#define PLAIN(value, size) (value)

#define MOV_WIDTH(width, size, unused)                                                             \
	static HANDLER(mov_EG_##width##_KIND_REG)                                                  \
	{                                                                                          \
		reg_write(cpu, op->rm, REG_OPERAND(size), size);                                   \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(mov_GE_##width##_KIND_REG)                                                  \
	{                                                                                          \
		reg_write(cpu, op->reg, RM_OPERAND(size), size);                                   \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(mov_EI_##width##_KIND_REG)                                                  \
	{                                                                                          \
		reg_write(cpu, op->rm, op->imm, size);                                             \
		NEXT;                                                                              \
	}                                                                                          \
	STORE_HANDLERS(mov_EG_##width, size, REG_OPERAND(size))                                    \
	STORE_HANDLERS(mov_EI_##width, size, op->imm)                                              \
	LOAD_HANDLERS(mov_GE_##width, size, PLAIN, size)

EACH_WIDTH(MOV_WIDTH, 0)

const struct family family_mov_EG = {.fn = FAMILY_TABLE(mov, EG, )};
const struct family family_mov_GE = {.fn = FAMILY_TABLE(mov, GE, )};
const struct family family_mov_EI = {.fn = FAMILY_TABLE(mov, EI, )};

/* MOV accumulator, moffs and back: the accumulator is op->reg = 0. */
const struct family family_mov_moffs_load = {.fn = FAMILY_TABLE(mov, GE, )};
const struct family family_mov_moffs_store = {.fn = FAMILY_TABLE(mov, EG, )};

/* --- MOVZX, MOVSX, MOVSXD: width is the target's --- */

#define EXTEND_REG(name, size, convert, target_size)                                               \
	static HANDLER(name##_KIND_REG)                                                            \
	{                                                                                          \
		reg_write(cpu, op->reg, convert(RM_OPERAND(size), size), target_size);             \
		NEXT;                                                                              \
	}
#define EXTEND(name, size, convert, target_size)                                                   \
	EXTEND_REG(name, size, convert, target_size)                                               \
	LOAD_HANDLERS(name, size, convert, target_size)
#define EXTEND_ROW(name)                                                                           \
	{                                                                                          \
		name##_KIND_REG, name##_KIND_BASE, name##_KIND_INDEX, name##_KIND_ANY              \
	}
#define DEFINE_EXTEND(name, size, convert)                                                         \
	EXTEND(name##_1, size, convert, 2)                                                         \
	EXTEND(name##_2, size, convert, 4)                                                         \
	EXTEND(name##_3, size, convert, 8)                                                         \
	const struct family family_##name = {                                                      \
		.fn = {[1] = EXTEND_ROW(name##_1), EXTEND_ROW(name##_2), EXTEND_ROW(name##_3)}};

DEFINE_EXTEND(movzx_b, 1, PLAIN)
DEFINE_EXTEND(movzx_w, 2, PLAIN)
DEFINE_EXTEND(movsx_b, 1, sign_extend)
DEFINE_EXTEND(movsx_w, 2, sign_extend)
/* MOVSXD without REX.W is a plain move of 16 or 32 bits. AMD's reads 32 bits in either case (SDM 2B
 * MOVSXD; APM 3 MOVSXD: the source is reg/mem32). */
EXTEND_REG(movsxd_1, 2, PLAIN, 2)
static HANDLER(movsxd_1_KIND_ANY)
{
	unsigned int size = cpu->amd ? 4 : 2;

	REG16(cpu, op->reg) =
		mem_load_slow(cpu, op, ea_by_kind(cpu, op, size, false), size, op->seg);
	NEXT;
}
EXTEND(movsxd_2, 4, PLAIN, 4)
EXTEND(movsxd_3, 4, sign_extend, 8)
const struct family family_movsxd = {
	.fn = {[1] = {[KIND_REG] = movsxd_1_KIND_REG, [KIND_ANY] = movsxd_1_KIND_ANY},
	       EXTEND_ROW(movsxd_2),
	       EXTEND_ROW(movsxd_3)}};

/* --- LEA --- */

#define LEA_WIDTH(width, size, unused)                                                             \
	static HANDLER(lea_##width)                                                                \
	{                                                                                          \
		reg_write(cpu, op->reg, ea_offset(cpu, op), size);                                 \
		NEXT;                                                                              \
	}
LEA_WIDTH(1, 2, 0)
LEA_WIDTH(2, 4, 0)
LEA_WIDTH(3, 8, 0)

static HANDLER(lea_64_base)
{
	REG64(cpu, op->reg) = REG64(cpu, op->base) + (u64)op->disp;
	NEXT;
}

static HANDLER(lea_64_index)
{
	REG64(cpu, op->reg) =
		REG64(cpu, op->base) + (REG64(cpu, op->index) << op->scale) + (u64)op->disp;
	NEXT;
}

const struct family family_lea = {
	.fn = {[1] = {[KIND_ANY] = lea_1},
	       [2] = {[KIND_ANY] = lea_2},
	       [3] = {[KIND_BASE] = lea_64_base, [KIND_INDEX] = lea_64_index, [KIND_ANY] = lea_3}}};

/* --- XCHG: with memory always locked --- */

#define XCHG_WIDTH(width, size, unused)                                                            \
	static HANDLER(xchg_##width##_reg)                                                         \
	{                                                                                          \
		u64 value = RM_OPERAND(size);                                                      \
		reg_write(cpu, op->rm, REG_OPERAND(size), size);                                   \
		reg_write(cpu, op->reg, value, size);                                              \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(xchg_##width##_mem)                                                         \
	{                                                                                          \
		void *host = mem_modify_locked(cpu, op, ea_by_kind(cpu, op, size, true), size);           \
		u64 old;                                                                           \
		do {                                                                               \
			old = host_read(host, size);                                               \
		} while (!host_compare_exchange(host, old, REG_OPERAND(size), size));              \
		mem_modify_end(cpu, op, host);                                                     \
		reg_write(cpu, op->reg, old, size);                                                \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(xchg_acc_##width)                                                           \
	{                                                                                          \
		u64 value = RM_OPERAND(size);                                                      \
		if (op->rm) { /* 90 is NOP: it does not clear the upper half of RAX */             \
			reg_write(cpu, op->rm, cpu->reg[REG_RAX], size);                           \
			reg_write(cpu, 0, value, size);                                            \
		}                                                                                  \
		NEXT;                                                                              \
	}
EACH_WIDTH(XCHG_WIDTH, 0)

#define XCHG_ROW(width)                                                                            \
	{                                                                                          \
		[KIND_REG] = xchg_##width##_reg, [KIND_ANY] = xchg_##width##_mem                   \
	}
const struct family family_xchg = {.fn = {XCHG_ROW(0), XCHG_ROW(1), XCHG_ROW(2), XCHG_ROW(3)},
				   .locked = {xchg_0_mem, xchg_1_mem, xchg_2_mem, xchg_3_mem}};
const struct family family_xchg_acc = {
	.fn = {{xchg_acc_0}, {xchg_acc_1}, {xchg_acc_2}, {xchg_acc_3}}};

/* --- BSWAP: of 16 bits undefined; processors give 0 --- */

static HANDLER(bswap_16)
{
	REG16(cpu, op->rm) = 0;
	NEXT;
}

static HANDLER(bswap_32)
{
	REG64(cpu, op->rm) = __builtin_bswap32(REG32(cpu, op->rm));
	NEXT;
}

static HANDLER(bswap_64)
{
	REG64(cpu, op->rm) = __builtin_bswap64(REG64(cpu, op->rm));
	NEXT;
}

const struct family family_bswap = {.fn = {[1] = {bswap_16}, {bswap_32}, {bswap_64}}};

/* --- sign extensions inside the accumulator --- */

static HANDLER(cbw)
{
	REG16(cpu, 0) = (u16)(s16)(s8)cpu->reg[REG_RAX];
	NEXT;
}

static HANDLER(cwde)
{
	cpu->reg[REG_RAX] = (u32)(s32)(s16)cpu->reg[REG_RAX];
	NEXT;
}

static HANDLER(cdqe)
{
	cpu->reg[REG_RAX] = (u64)(s64)(s32)cpu->reg[REG_RAX];
	NEXT;
}

static HANDLER(cwd)
{
	REG16(cpu, REG_RDX * 8) = (s16)cpu->reg[REG_RAX] < 0 ? 0xffff : 0;
	NEXT;
}

static HANDLER(cdq)
{
	cpu->reg[REG_RDX] = (s32)cpu->reg[REG_RAX] < 0 ? UINT32_MAX : 0;
	NEXT;
}

static HANDLER(cqo)
{
	cpu->reg[REG_RDX] = (s64)cpu->reg[REG_RAX] < 0 ? UINT64_MAX : 0;
	NEXT;
}

const struct family family_cbw = {.fn = {[1] = {cbw}, {cwde}, {cdqe}}};
const struct family family_cwd = {.fn = {[1] = {cwd}, {cdq}, {cqo}}};

/* --- XLAT: base + AL instead of an index register --- */

static HANDLER(xlat)
{
	u64 offset = cpu->reg[REG_RBX] + (u8)cpu->reg[REG_RAX];
	unsigned int address = op->flags & OP_ADDRESS_MASK;

	if (address != OP_ADDRESS_64)
		offset = address == OP_ADDRESS_32 ? (u32)offset : (u16)offset;
	REG8(cpu, 0) = mem_load(cpu, op, segment_linear(cpu, op, op->seg, offset, 1, false), 1);
	NEXT;
}

FAMILY_ONE(xlat, xlat);
