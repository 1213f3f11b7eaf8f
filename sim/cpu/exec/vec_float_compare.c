/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point comparison: CMPPS and kin into masks, COMISS and kin into the flags. */
#include "sim/cpu/exec/vec_float.h"
#include "sim/cpu/flags.h"

/* The 32 predicates (SDM 2A: CMPPS, table 3-1); legacy encodings have the first eight. */
#define PREDICATE(text, n)                                                                         \
	case n:                                                                                    \
		__asm__ volatile(text " $" #n ", %2, %1, %0" : "=x"(r) : "x"(a), "x"(b));          \
		break;
#define PREDICATES_4(text, a, b, c, d)                                                             \
	PREDICATE(text, a) PREDICATE(text, b) PREDICATE(text, c) PREDICATE(text, d)
#define COMPARE_BODY(name, N, text)                                                                \
	static NOINLINE v##N##_u64 name##_##N(v##N##_u64 a, v##N##_u64 b, u8 predicate)            \
	{                                                                                          \
		v##N##_u64 r = {0};                                                                \
		switch (predicate & 31) {                                                          \
			PREDICATES_4(text, 0, 1, 2, 3)                                             \
			PREDICATES_4(text, 4, 5, 6, 7)                                             \
			PREDICATES_4(text, 8, 9, 10, 11)                                           \
			PREDICATES_4(text, 12, 13, 14, 15)                                         \
			PREDICATES_4(text, 16, 17, 18, 19)                                         \
			PREDICATES_4(text, 20, 21, 22, 23)                                         \
			PREDICATES_4(text, 24, 25, 26, 27)                                         \
			PREDICATES_4(text, 28, 29, 30, 31)                                         \
		}                                                                                  \
		return r;                                                                          \
	}
COMPARE_BODY(cmpps, 16, "vcmpps")
COMPARE_BODY(cmpps, 32, "vcmpps")
COMPARE_BODY(cmppd, 16, "vcmppd")
COMPARE_BODY(cmppd, 32, "vcmppd")
COMPARE_BODY(cmpss, 16, "vcmpss")
COMPARE_BODY(cmpsd, 16, "vcmpsd")

#define PREDICATE_MASK_0 7
#define PREDICATE_MASK_1 31
#define PREDICATE_MASK_2 31
#define FP_FORM_COMPARE(name, W, N, suffix, kind, S)                                               \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v##N##_u64 b = vec_fetch_##N(from, VEC_MEMORY_SIZE(N, S, kind));                   \
		v##N##_u64 a = vec_read_##N(cpu, VEC_FIRST_##W(op));                               \
		u32 control = fp_begin(cpu);                                                       \
		v##N##_u64 r = name##_##N(a, b, op->imm & PREDICATE_MASK_##W);                     \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE(flags, false);                                                             \
		vec_write_##W(cpu, op->reg, r);                                                    \
		NEXT;                                                                              \
	}
VEC_FAMILY(FP_FORM_COMPARE, cmpps, x)
VEC_FAMILY(FP_FORM_COMPARE, cmppd, x)
VEC_FAMILY_128(FP_FORM_COMPARE, cmpss, ss)
VEC_FAMILY_128(FP_FORM_COMPARE, cmpsd, sd)

/* ZF, PF and CF as the host sets them; OF, SF and AF are cleared. */
#define FP_FORM_FLAGS(name, W, N, suffix, kind, S)                                                 \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		v16_u64 b = vec_fetch_16(from, VEC_MEMORY_SIZE(N, S, kind));                       \
		v16_u64 a = vec_read_16(cpu, op->reg);                                             \
		bool zf, pf, cf;                                                                   \
		u32 control = fp_begin(cpu);                                                       \
		__asm__ volatile("v" #name " %4, %3"                                               \
				 : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf)                           \
				 : "x"(a), "x"(b));                                                \
		u32 flags = fp_end(control);                                                       \
		FP_TAKE(flags, false);                                                             \
		flags_set_arith(cpu,                                                               \
				(zf ? FLAG_ZF : 0) | (pf ? FLAG_PF : 0) | (cf ? FLAG_CF : 0));     \
		NEXT;                                                                              \
	}
VEC_FAMILY_128(FP_FORM_FLAGS, comiss, ss)
VEC_FAMILY_128(FP_FORM_FLAGS, comisd, sd)
VEC_FAMILY_128(FP_FORM_FLAGS, ucomiss, ss)
VEC_FAMILY_128(FP_FORM_FLAGS, ucomisd, sd)
