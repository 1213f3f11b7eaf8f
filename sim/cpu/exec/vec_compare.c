/* SPDX-License-Identifier: Apache-2.0 */
/* Packed integer comparison, sign masks, and tests into the flags. */
#include "sim/cpu/exec/vec_form.h"
#include "sim/cpu/flags.h"

/* clang-format off */
VEC_BODY2(pcmpeqb, u8, (V)(a == b))
VEC_BODY2(pcmpeqw, u16, (V)(a == b))
VEC_BODY2(pcmpeqd, u32, (V)(a == b))
VEC_BODY2(pcmpeqq, u64, (V)(a == b))
VEC_BODY2(pcmpgtb, s8, (V)(a > b))
VEC_BODY2(pcmpgtw, s16, (V)(a > b))
VEC_BODY2(pcmpgtd, s32, (V)(a > b))
VEC_BODY2(pcmpgtq, s64, (V)(a > b))
/* clang-format on */

VEC_HOT(VEC_FORM_AB, pcmpeqb, x)
VEC_HOT(VEC_FORM_AB, pcmpeqd, x)
VEC_HOT(VEC_FORM_AB, pcmpgtb, x)
VEC_FAMILY(VEC_FORM_AB, pcmpeqw, x)
VEC_FAMILY(VEC_FORM_AB, pcmpeqq, x)
VEC_FAMILY(VEC_FORM_AB, pcmpgtw, x)
VEC_FAMILY(VEC_FORM_AB, pcmpgtd, x)
VEC_FAMILY(VEC_FORM_AB, pcmpgtq, x)

MMX_FAMILY(VEC_MMX_AB, pcmpeqb, q)
MMX_FAMILY(VEC_MMX_AB, pcmpeqw, q)
MMX_FAMILY(VEC_MMX_AB, pcmpeqd, q)
MMX_FAMILY(VEC_MMX_AB, pcmpgtb, q)
MMX_FAMILY(VEC_MMX_AB, pcmpgtw, q)
MMX_FAMILY(VEC_MMX_AB, pcmpgtd, q)

/* The sign bits of a vector's bytes, gathered 8 at a time: the product moves bit 8i to 56 + i. */
ALWAYS_INLINE u32 byte_signs(u64 q)
{
	return (u32)((q >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}

#define MASK_HANDLER(name, expr)                                                                   \
	static HANDLER(exec_##name)                                                                \
	{                                                                                          \
		const union vec *v = &cpu->vec[op->rm];                                            \
		REG64(cpu, op->reg) = (expr);                                                      \
		NEXT;                                                                              \
	}
#define SIGN_D(i) (v->d[i] >> 31 << (i))
#define SIGN_Q(i) ((u32)(v->q[i] >> 63) << (i))
MASK_HANDLER(pmovmskb_16, byte_signs(v->q[0]) | byte_signs(v->q[1]) << 8)
MASK_HANDLER(pmovmskb_32, byte_signs(v->q[0]) | byte_signs(v->q[1]) << 8 |
				  byte_signs(v->q[2]) << 16 | byte_signs(v->q[3]) << 24)
MASK_HANDLER(movmskps_16, SIGN_D(0) | SIGN_D(1) | SIGN_D(2) | SIGN_D(3))
MASK_HANDLER(movmskps_32, SIGN_D(0) | SIGN_D(1) | SIGN_D(2) | SIGN_D(3) | SIGN_D(4) | SIGN_D(5) |
				  SIGN_D(6) | SIGN_D(7))
MASK_HANDLER(movmskpd_16, SIGN_Q(0) | SIGN_Q(1))
MASK_HANDLER(movmskpd_32, SIGN_Q(0) | SIGN_Q(1) | SIGN_Q(2) | SIGN_Q(3))

#define MASK_FAMILY(name)                                                                          \
	const struct family family_##name = {.fn = {{[KIND_REG] = exec_##name##_16},               \
						    {[KIND_REG] = exec_##name##_16},               \
						    {[KIND_REG] = exec_##name##_32}}};
MASK_FAMILY(pmovmskb)
MASK_FAMILY(movmskps)
MASK_FAMILY(movmskpd)

static HANDLER(exec_mmx_pmovmskb)
{
	fpu_wait(cpu, op);
	fpu_enter_mmx(cpu);
	REG64(cpu, op->reg) = byte_signs(mmx_read(cpu, op->rm));
	NEXT;
}
const struct family family_mmx_pmovmskb = {.fn = {{[KIND_REG] = exec_mmx_pmovmskb}}};

/* PTEST, VTESTPS, VTESTPD: ZF = no selected bit of W & V, CF = none of W & ~V; others cleared.
 * @select is what counts in each quadword: all bits, or the lanes' signs. */
#define TEST_BODY(name, select)                                                                    \
	VEC_INLINE u64 name##_flags(const u64 *v, const u64 *w, unsigned int count)                \
	{                                                                                          \
		u64 both = 0, only = 0;                                                            \
		for (unsigned int i = 0; i < count; i++) {                                         \
			both |= w[i] & v[i] & (select);                                            \
			only |= w[i] & ~v[i] & (select);                                           \
		}                                                                                  \
		return (both ? 0 : FLAG_ZF) | (only ? 0 : FLAG_CF);                                \
	}
TEST_BODY(ptest, ~UINT64_C(0))
TEST_BODY(vtestps, UINT64_C(0x8000000080000000))
TEST_BODY(vtestpd, UINT64_C(0x8000000000000000))

#define VEC_FORM_TEST(name, W, N, suffix, kind, S)                                                 \
	static HANDLER(exec_##name##_##W##_##suffix)                                               \
	{                                                                                          \
		VEC_SOURCE(name, W, N, kind, S)                                                    \
		flags_set_arith(cpu, name##_flags(cpu->vec[op->reg].q, from, (N) / 8));            \
		NEXT;                                                                              \
	}
VEC_FAMILY(VEC_FORM_TEST, ptest, x)
VEC_FAMILY_VEX(VEC_FORM_TEST, vtestps, x)
VEC_FAMILY_VEX(VEC_FORM_TEST, vtestpd, x)
