/* SPDX-License-Identifier: Apache-2.0 */
/* MOVBE and CRC32 (SDM 2A). */
#include "sim/cpu/exec/integer.h"

ALWAYS_INLINE u64 swap_bytes(u64 value, unsigned int size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* The row takes any prefix since 66 is the operand size; F2 and F3 are undefined. */
ALWAYS_INLINE void check_prefix(struct cpu *cpu, const struct op *op)
{
	FAULT_POINT(cpu, op);
	if (unlikely(op->flags & (OP_REP | OP_REPNE)))
		raise_ud(cpu);
}

#define MOVBE(width, size)                                                                         \
	static HANDLER(exec_movbe_load_##width)                                                    \
	{                                                                                          \
		check_prefix(cpu, op);                                                             \
		u64 value = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);             \
		reg_write(cpu, op->reg, swap_bytes(value, size), size);                            \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_movbe_store_##width)                                                   \
	{                                                                                          \
		check_prefix(cpu, op);                                                             \
		mem_store(cpu, op, ea_by_kind(cpu, op, size, true),                                \
			  swap_bytes(REG_OPERAND(size), size), size);                              \
		NEXT;                                                                              \
	}

MOVBE(1, 2)
MOVBE(2, 4)
MOVBE(3, 8)

const struct family family_movbe_load = {.fn = {[1][KIND_ANY] = exec_movbe_load_1,
						[2][KIND_ANY] = exec_movbe_load_2,
						[3][KIND_ANY] = exec_movbe_load_3}};
const struct family family_movbe_store = {.fn = {[1][KIND_ANY] = exec_movbe_store_1,
						 [2][KIND_ANY] = exec_movbe_store_2,
						 [3][KIND_ANY] = exec_movbe_store_3}};

/* CRC-32C, polynomial 11EDC6F41H, low bit first. */
static u32 crc32c(u32 crc, u64 value, unsigned int size)
{
	/* By nibbles: 16 entries stay in one cache line. */
	static const u32 table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (unsigned int i = 0; i < size; i++, value >>= 8) {
		crc ^= (u8)value;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

#define CRC32(name, read, size)                                                                    \
	static HANDLER(exec_crc32_##name##_reg)                                                    \
	{                                                                                          \
		REG64(cpu, op->reg) = crc32c(REG32(cpu, op->reg), read, size);                     \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(exec_crc32_##name##_mem)                                                    \
	{                                                                                          \
		u64 value = mem_load(cpu, op, ea_by_kind(cpu, op, size, false), size);             \
		REG64(cpu, op->reg) = crc32c(REG32(cpu, op->reg), value, size);                    \
		NEXT;                                                                              \
	}

CRC32(b, REG8(cpu, op->rm), 1)
CRC32(w, REG16(cpu, op->rm), 2)
CRC32(d, REG32(cpu, op->rm), 4)
CRC32(q, REG64(cpu, op->rm), 8)

#define FORMS(name)                                                                                \
	{                                                                                          \
		[KIND_REG] = exec_crc32_##name##_reg, [KIND_ANY] = exec_crc32_##name##_mem         \
	}

const struct family family_crc32_b = {.fn = {FORMS(b), FORMS(b), FORMS(b), FORMS(b)}};
const struct family family_crc32_v = {.fn = {[1] = FORMS(w), [2] = FORMS(d), [3] = FORMS(q)}};
