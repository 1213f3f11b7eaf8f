/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lazy arithmetic flags: two words from which every flag reads without a branch and without
 * knowing which instruction wrote them.
 *
 *   flag_result   the result, sign-extended to 64 bits: ZF = (== 0), SF = bit 63 ^ bit 2 of aux,
 *                 PF = even parity of (its low byte ^ bits 15:8 of aux)
 *   flag_aux      bit 63 CF; bit 62 CF ^ OF (the carry into the top bit); bit 3 AF;
 *                 bit 2 and bits 15:8 corrections of sign and parity, so that any combination
 *                 (POPF can make ZF = SF = 1) can be stored
 *
 * An addition's carry-out vector has CF at its top bit, the carry into the top bit below it and
 * AF at bit 3; it only has to be moved up.
 */
#ifndef LOCKSTEP_SIM_CPU_FLAGS_H
#define LOCKSTEP_SIM_CPU_FLAGS_H

#include "sim/cpu/cpu.h"

#define AUX_CF	 BIT(63)
#define AUX_PO	 BIT(62) /* CF ^ OF */
#define AUX_AF	 BIT(3)
#define AUX_SIGN BIT(2)
#define AUX_KEEP (AUX_CF | AUX_PO | AUX_AF)

ALWAYS_INLINE bool flag_cf(const struct cpu *cpu)
{
	return cpu->flag_aux >> 63;
}

ALWAYS_INLINE bool flag_zf(const struct cpu *cpu)
{
	return cpu->flag_result == 0;
}

ALWAYS_INLINE bool flag_sf(const struct cpu *cpu)
{
	return (cpu->flag_result ^ cpu->flag_aux << 61) >> 63;
}

ALWAYS_INLINE bool flag_of(const struct cpu *cpu)
{
	return (cpu->flag_aux ^ cpu->flag_aux << 1) >> 63;
}

ALWAYS_INLINE bool flag_af(const struct cpu *cpu)
{
	return cpu->flag_aux >> 3 & 1;
}

ALWAYS_INLINE bool flag_pf(const struct cpu *cpu)
{
	return !__builtin_parity((u8)(cpu->flag_result ^ cpu->flag_aux >> 8));
}

/* Stores all six; @flags in RFLAGS layout, other bits ignored. */
ALWAYS_INLINE void flags_set_arith(struct cpu *cpu, u64 flags)
{
	u64 cf = (flags & FLAG_CF) != 0, of = (flags & FLAG_OF) != 0;

	cpu->flag_result = flags & FLAG_ZF ? 0 : BIT(32);
	cpu->flag_aux = cf << 63 | (cf ^ of) << 62 | (flags & FLAG_AF ? AUX_AF : 0) |
			(flags & FLAG_SF ? AUX_SIGN : 0) | (flags & FLAG_PF ? 0 : 1) << 8;
}

/* All six in RFLAGS layout. */
ALWAYS_INLINE u64 flags_get_arith(const struct cpu *cpu)
{
	return (flag_cf(cpu) ? FLAG_CF : 0) | (flag_pf(cpu) ? FLAG_PF : 0) |
	       (flag_af(cpu) ? FLAG_AF : 0) | (flag_zf(cpu) ? FLAG_ZF : 0) |
	       (flag_sf(cpu) ? FLAG_SF : 0) | (flag_of(cpu) ? FLAG_OF : 0);
}

/* Replaces the flags in @mask only (BT, BSF, COMISS, INC's CF …). */
ALWAYS_INLINE void flags_replace(struct cpu *cpu, u64 mask, u64 flags)
{
	flags_set_arith(cpu, (flags_get_arith(cpu) & ~mask) | (flags & mask));
}

/* The whole RFLAGS register. */
ALWAYS_INLINE u64 cpu_rflags(const struct cpu *cpu)
{
	return (cpu->rflags & ~FLAG_ARITH) | FLAG_FIXED | flags_get_arith(cpu);
}

/* Stores RFLAGS whole. The caller follows with cpu_update_mode if VM, AC, TF, RF or IF moved. */
ALWAYS_INLINE void cpu_set_rflags(struct cpu *cpu, u64 rflags)
{
	flags_set_arith(cpu, rflags);
	cpu->rflags = (rflags & FLAG_KNOWN & ~FLAG_ARITH) | FLAG_FIXED;
}

#endif
