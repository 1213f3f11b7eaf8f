/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies too long to inline: functions of 16 bytes by value, called once for each 128-bit lane. */
#ifndef LOCKSTEP_SIM_CPU_EXEC_CRYPTO_H
#define LOCKSTEP_SIM_CPU_EXEC_CRYPTO_H

#include "sim/cpu/exec/vec_form.h"

#define CRYPTO_BODY1(name) static NOINLINE v16_u64 name##_16(v16_u64 b, u8 imm)
#define CRYPTO_BODY2(name) static NOINLINE v16_u64 name##_16(v16_u64 a, v16_u64 b, u8 imm)

/* The 32-byte form of a CRYPTO_BODY2. */
#define CRYPTO_LANES2(name)                                                                        \
	VEC_INLINE v32_u64 name##_32(v32_u64 a, v32_u64 b, u8 imm)                                 \
	{                                                                                          \
		v16_u64 low = name##_16((v16_u64){a[0], a[1]}, (v16_u64){b[0], b[1]}, imm);        \
		v16_u64 high = name##_16((v16_u64){a[2], a[3]}, (v16_u64){b[2], b[3]}, imm);       \
		return (v32_u64){low[0], low[1], high[0], high[1]};                                \
	}

/* Legacy SSE form only. */
#define CRYPTO_FAMILY_SSE(form, name, ...)                                                         \
	VEC_KINDS_2(form, name, 0, 16, __VA_ARGS__)                                                \
	const struct family family_##name = {.fn = {VEC_ROW_2(name, 0)}};

#endif
