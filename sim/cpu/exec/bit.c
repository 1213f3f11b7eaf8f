/* SPDX-License-Identifier: Apache-2.0 */
/* BT, BTS, BTR, BTC, BSF, BSR (SDM 2A). Only CF (or ZF) is defined; the others are kept. */
#include "sim/cpu/exec/integer.h"

ALWAYS_INLINE void set_carry(struct cpu *cpu, bool carry)
{
	u64 overflow = (cpu->flag_aux ^ cpu->flag_aux << 1) & AUX_CF;
	u64 cf = carry ? AUX_CF : 0;

	cpu->flag_aux = (cpu->flag_aux & ~(AUX_CF | AUX_PO)) | cf | (cf ^ overflow) >> 1;
}

ALWAYS_INLINE u64 bts(u64 value, u64 bit) { return value | bit; }
ALWAYS_INLINE u64 btr(u64 value, u64 bit) { return value & ~bit; }
ALWAYS_INLINE u64 btc(u64 value, u64 bit) { return value ^ bit; }

/* With a register bit offset memory is a bit string: the offset, as a signed number of the operand's
 * size, moves the address by whole operands. */
ALWAYS_INLINE u64 string_linear(struct cpu *cpu, const struct op *op, unsigned int size, bool write)
{
	s64 offset = (s64)sign_extend(REG_OPERAND(size), size);
	u64 moved = ea_offset(cpu, op) + (u64)((offset >> (size == 8 ? 6 : size == 4 ? 5 : 4)) *
					       (s64)size);
	unsigned int address = op->flags & OP_ADDRESS_MASK;

	if (address != OP_ADDRESS_64)
		moved = address == OP_ADDRESS_32 ? (u32)moved : (u16)moved;
	return segment_linear(cpu, op, op->seg, moved, size, write);
}

#define BIT_OF(index, size) ((index) & (8 * (size) - 1))

#define BT_WIDTH(width, size, unused)                                                              \
	static HANDLER(bt_EG_##width##_reg)                                                        \
	{                                                                                          \
		set_carry(cpu, RM_OPERAND(size) >> BIT_OF(REG_OPERAND(size), size) & 1);           \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(bt_EG_##width##_mem)                                                        \
	{                                                                                          \
		u64 value = mem_load(cpu, op, string_linear(cpu, op, size, false), size);          \
		set_carry(cpu, value >> BIT_OF(REG_OPERAND(size), size) & 1);                      \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(bt_EI_##width##_reg)                                                        \
	{                                                                                          \
		set_carry(cpu, RM_OPERAND(size) >> BIT_OF(op->imm, size) & 1);                     \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(bt_EI_##width##_mem)                                                        \
	{                                                                                          \
		u64 value = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);             \
		set_carry(cpu, value >> BIT_OF(op->imm, size) & 1);                                \
		NEXT;                                                                              \
	}
BT_WIDTH(1, 2, 0)
BT_WIDTH(2, 4, 0)
BT_WIDTH(3, 8, 0)

#define BTX_REG(body, form, width, size, index)                                                    \
	static HANDLER(body##_##form##_##width##_reg)                                              \
	{                                                                                          \
		u64 value = RM_OPERAND(size), bit = UINT64_C(1) << BIT_OF(index, size);            \
		reg_write(cpu, op->rm, body(value, bit), size);                                    \
		set_carry(cpu, value & bit);                                                       \
		NEXT;                                                                              \
	}
#define BTX_MEM(body, form, width, size, index, linear)                                            \
	static HANDLER(body##_##form##_##width##_mem)                                              \
	{                                                                                          \
		void *host = mem_modify(cpu, op, linear, size);                                    \
		u64 bit = UINT64_C(1) << BIT_OF(index, size), value = host_read(host, size);       \
		host_write(host, body(value, bit), size);                                          \
		mem_modify_end(cpu, op, host);                                                     \
		set_carry(cpu, value & bit);                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(body##_##form##_##width##_locked)                                           \
	{                                                                                          \
		void *host = mem_modify_locked(cpu, op, linear, size);                                    \
		u64 bit = UINT64_C(1) << BIT_OF(index, size), value;                               \
		do {                                                                               \
			value = host_read(host, size);                                             \
		} while (!host_compare_exchange(host, value, body(value, bit), size));             \
		mem_modify_end(cpu, op, host);                                                     \
		set_carry(cpu, value & bit);                                                       \
		NEXT;                                                                              \
	}
#define BTX_WIDTH(body, width, size)                                                               \
	BTX_REG(body, EG, width, size, REG_OPERAND(size))                                          \
	BTX_REG(body, EI, width, size, op->imm)                                                    \
	BTX_MEM(body, EG, width, size, REG_OPERAND(size), string_linear(cpu, op, size, true))      \
	BTX_MEM(body, EI, width, size, op->imm, ea_by_kind(cpu, op, size, true))
#define BIT_ROW(name, width) {[KIND_REG] = name##_##width##_reg, [KIND_ANY] = name##_##width##_mem}
#define BIT_FN(name) {[1] = BIT_ROW(name, 1), BIT_ROW(name, 2), BIT_ROW(name, 3)}
#define BIT_LOCKED(name) {[1] = name##_1_locked, name##_2_locked, name##_3_locked}
#define DEFINE_BTX(body)                                                                           \
	BTX_WIDTH(body, 1, 2)                                                                      \
	BTX_WIDTH(body, 2, 4)                                                                      \
	BTX_WIDTH(body, 3, 8)                                                                      \
	const struct family family_##body##_EG = {.fn = BIT_FN(body##_EG),                         \
						  .locked = BIT_LOCKED(body##_EG)};                \
	const struct family family_##body##_EI = {.fn = BIT_FN(body##_EI),                         \
						  .locked = BIT_LOCKED(body##_EI)};

const struct family family_bt_EG = {.fn = BIT_FN(bt_EG)};
const struct family family_bt_EI = {.fn = BIT_FN(bt_EI)};
DEFINE_BTX(bts)
DEFINE_BTX(btr)
DEFINE_BTX(btc)

/* A source of 0 sets ZF and leaves the destination as it was: AMD says so (APM 3 BSF), Intel calls it
 * undefined but does the same; a 32-bit destination keeps its upper half then. */
ALWAYS_INLINE void scan(struct cpu *cpu, const struct op *op, u64 source, unsigned int size,
			bool reverse)
{
	if (source)
		reg_write(cpu, op->reg, reverse ? 63 - __builtin_clzll(source) : __builtin_ctzll(source),
			  size);
	flags_replace(cpu, FLAG_ZF, source ? 0 : FLAG_ZF);
}

#define SCAN_WIDTH(body, reverse, width, size)                                                     \
	static HANDLER(body##_##width##_reg)                                                       \
	{                                                                                          \
		scan(cpu, op, RM_OPERAND(size), size, reverse);                                    \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(body##_##width##_mem)                                                       \
	{                                                                                          \
		u64 source = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);            \
		scan(cpu, op, source, size, reverse);                                              \
		NEXT;                                                                              \
	}
#define DEFINE_SCAN(body, reverse)                                                                 \
	SCAN_WIDTH(body, reverse, 1, 2)                                                            \
	SCAN_WIDTH(body, reverse, 2, 4)                                                            \
	SCAN_WIDTH(body, reverse, 3, 8)                                                            \
	const struct family family_##body = {.fn = BIT_FN(body)};

DEFINE_SCAN(bsf, false)
DEFINE_SCAN(bsr, true)
