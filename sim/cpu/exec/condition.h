/* SPDX-License-Identifier: Apache-2.0 */
/* The sixteen conditions of Jcc, SETcc and CMOVcc (SDM 1:B). */
#ifndef LOCKSTEP_SIM_CPU_EXEC_CONDITION_H
#define LOCKSTEP_SIM_CPU_EXEC_CONDITION_H

#include "sim/cpu/flags.h"

ALWAYS_INLINE bool condition_o(const struct cpu *cpu) { return flag_of(cpu); }
ALWAYS_INLINE bool condition_b(const struct cpu *cpu) { return flag_cf(cpu); }
ALWAYS_INLINE bool condition_z(const struct cpu *cpu) { return flag_zf(cpu); }
ALWAYS_INLINE bool condition_be(const struct cpu *cpu) { return flag_cf(cpu) || flag_zf(cpu); }
ALWAYS_INLINE bool condition_s(const struct cpu *cpu) { return flag_sf(cpu); }
ALWAYS_INLINE bool condition_p(const struct cpu *cpu) { return flag_pf(cpu); }
ALWAYS_INLINE bool condition_l(const struct cpu *cpu) { return flag_sf(cpu) != flag_of(cpu); }
ALWAYS_INLINE bool condition_le(const struct cpu *cpu)
{
	return flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu);
}
ALWAYS_INLINE bool condition_no(const struct cpu *cpu) { return !condition_o(cpu); }
ALWAYS_INLINE bool condition_nb(const struct cpu *cpu) { return !condition_b(cpu); }
ALWAYS_INLINE bool condition_nz(const struct cpu *cpu) { return !condition_z(cpu); }
ALWAYS_INLINE bool condition_nbe(const struct cpu *cpu) { return !condition_be(cpu); }
ALWAYS_INLINE bool condition_ns(const struct cpu *cpu) { return !condition_s(cpu); }
ALWAYS_INLINE bool condition_np(const struct cpu *cpu) { return !condition_p(cpu); }
ALWAYS_INLINE bool condition_nl(const struct cpu *cpu) { return !condition_l(cpu); }
ALWAYS_INLINE bool condition_nle(const struct cpu *cpu) { return !condition_le(cpu); }

#define EACH_CONDITION(MACRO)                                                                      \
	MACRO(o) MACRO(no) MACRO(b) MACRO(nb) MACRO(z) MACRO(nz) MACRO(be) MACRO(nbe) MACRO(s)     \
	MACRO(ns) MACRO(p) MACRO(np) MACRO(l) MACRO(nl) MACRO(le) MACRO(nle)

#endif
