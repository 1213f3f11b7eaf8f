/* SPDX-License-Identifier: Apache-2.0 */
/* XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B (SDM 2A). With LOCK the host's own atomic is used. */
#include "sim/cpu/exec/integer.h"

#define XADD_WIDTH(width, size, unused)                                                            \
	static HANDLER(xadd_##width##_reg)                                                         \
	{                                                                                          \
		u64 old = RM_OPERAND(size);                                                        \
		struct outcome out = outcome_add(old, REG_OPERAND(size), 0, size);                         \
		reg_write(cpu, op->reg, old, size);                                                \
		reg_write(cpu, op->rm, out.value, size);                                           \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(xadd_##width##_mem)                                                         \
	{                                                                                          \
		void *host = mem_modify_locked(cpu, op, ea_by_kind(cpu, op, size, true), size);           \
		struct outcome out;                                                                \
		u64 old;                                                                           \
		do {                                                                               \
			old = host_read(host, size);                                               \
			out = outcome_add(old, REG_OPERAND(size), 0, size);                                \
		} while (!host_compare_exchange(host, old, out.value, size));                      \
		mem_modify_end(cpu, op, host);                                                     \
		reg_write(cpu, op->reg, old, size);                                                \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}
EACH_WIDTH(XADD_WIDTH, 0)

#define RM_ROW(body, width) {[KIND_REG] = body##_##width##_reg, [KIND_ANY] = body##_##width##_mem}
const struct family family_xadd = {
	.fn = {RM_ROW(xadd, 0), RM_ROW(xadd, 1), RM_ROW(xadd, 2), RM_ROW(xadd, 3)},
	.locked = {xadd_0_mem, xadd_1_mem, xadd_2_mem, xadd_3_mem}};

/* The destination is written in either case (SDM 2A CMPXCHG). A failed 32-bit compare clears the
 * upper half of RAX; a successful one leaves RAX alone, and register destinations are zero-extended. */
#define CMPXCHG_WIDTH(width, size, unused)                                                         \
	static HANDLER(cmpxchg_##width##_reg)                                                      \
	{                                                                                          \
		u64 accumulator = truncate_to(cpu->reg[REG_RAX], size), old = RM_OPERAND(size);    \
		struct outcome out = outcome_subtract(accumulator, old, 0, size);                           \
		if (accumulator == old)                                                            \
			reg_write(cpu, op->rm, REG_OPERAND(size), size);                           \
		else                                                                               \
			reg_write(cpu, REG_RAX * 8, old, size);                                    \
		outcome_flags(cpu, out, false);                                                    \
		NEXT;                                                                              \
	}                                                                                          \
	static HANDLER(cmpxchg_##width##_mem)                                                      \
	{                                                                                          \
		void *host = mem_modify_locked(cpu, op, ea_by_kind(cpu, op, size, true), size);           \
		u64 accumulator = truncate_to(cpu->reg[REG_RAX], size), old;                       \
		do {                                                                               \
			old = host_read(host, size);                                               \
		} while (old == accumulator &&                                                     \
			 !host_compare_exchange(host, old, REG_OPERAND(size), size));              \
		mem_modify_end(cpu, op, host);                                                     \
		outcome_flags(cpu, outcome_subtract(accumulator, old, 0, size), false);                     \
		if (accumulator != old)                                                            \
			reg_write(cpu, REG_RAX * 8, old, size);                                    \
		NEXT;                                                                              \
	}
EACH_WIDTH(CMPXCHG_WIDTH, 0)

const struct family family_cmpxchg = {
	.fn = {RM_ROW(cmpxchg, 0), RM_ROW(cmpxchg, 1), RM_ROW(cmpxchg, 2), RM_ROW(cmpxchg, 3)},
	.locked = {cmpxchg_0_mem, cmpxchg_1_mem, cmpxchg_2_mem, cmpxchg_3_mem}};

/* --- CMPXCHG8B and CMPXCHG16B --- */

static HANDLER(cmpxchg8b)
{
	void *host = mem_modify_locked(cpu, op, ea_by_kind(cpu, op, 8, true), 8);
	u64 wanted = (u64)REG32(cpu, REG_RDX * 8) << 32 | REG32(cpu, REG_RAX * 8);
	u64 desired = (u64)REG32(cpu, REG_RCX * 8) << 32 | REG32(cpu, REG_RBX * 8), old;

	do {
		old = host_read(host, 8);
	} while (old == wanted && !host_compare_exchange(host, old, desired, 8));
	mem_modify_end(cpu, op, host);
	flags_replace(cpu, FLAG_ZF, old == wanted ? FLAG_ZF : 0);
	if (old != wanted) {
		cpu->reg[REG_RAX] = (u32)old;
		cpu->reg[REG_RDX] = old >> 32;
	}
	NEXT;
}

/* Halves by CMPXCHG16B of the host; plain in the bounce buffer, whose alignment is the same. */
ALWAYS_INLINE bool exchange16(u64 *host, u64 *low, u64 *high, u64 new_low, u64 new_high)
{
	bool equal;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(equal), "+m"(*(u128 *)host), "+a"(*low), "+d"(*high)
			 : "b"(new_low), "c"(new_high)
			 : "memory");
	return equal;
}

static HANDLER(cmpxchg16b)
{
	u64 linear = ea_by_kind(cpu, op, 16, true), low = cpu->reg[REG_RAX];
	u64 high = cpu->reg[REG_RDX];
	bool equal;
	void *host;

	FAULT_POINT(cpu, op);
	if (linear & 15)
		raise_gp(cpu, 0);
	host = mem_modify_locked(cpu, op, linear, 16);
	equal = exchange16(host, &low, &high, cpu->reg[REG_RBX], cpu->reg[REG_RCX]);
	mem_modify_end(cpu, op, host);
	flags_replace(cpu, FLAG_ZF, equal ? FLAG_ZF : 0);
	if (!equal) {
		cpu->reg[REG_RAX] = low;
		cpu->reg[REG_RDX] = high;
	}
	NEXT;
}

const struct family family_cmpxchg8b = {
	.fn = {[2] = {[KIND_ANY] = cmpxchg8b}, [3] = {[KIND_ANY] = cmpxchg8b}},
	.locked = {[2] = cmpxchg8b, [3] = cmpxchg8b}};
const struct family family_cmpxchg16b = {.fn = {[3] = {[KIND_ANY] = cmpxchg16b}},
					 .locked = {[3] = cmpxchg16b}};
