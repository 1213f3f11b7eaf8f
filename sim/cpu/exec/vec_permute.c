/* SPDX-License-Identifier: Apache-2.0 */
/* AVX and AVX2: elements moved across 128-bit lanes, broadcasts, lane inserts and extracts. */
#include "sim/cpu/exec/vec_form.h"

/* Broadcasts of the low element; memory forms read just it. */
/* clang-format off */
VEC_BODY1(vpbroadcastb, u8, (V){0} + b[0])
VEC_BODY1(vpbroadcastw, u16, (V){0} + b[0])
VEC_BODY1(vbroadcastss, u32, (V){0} + b[0])
VEC_BODY1(vbroadcastsd, u64, (V){0} + b[0])
/* clang-format on */
VEC_FAMILY_VEX(VEC_FORM_B, vpbroadcastb, b)
VEC_FAMILY_VEX(VEC_FORM_B, vpbroadcastw, w)
VEC_FAMILY_VEX(VEC_FORM_B, vbroadcastss, ss) /* VPBROADCASTD too */
VEC_FAMILY_VEX(VEC_FORM_B, vbroadcastsd, sd) /* VPBROADCASTQ too */

#define vbroadcastf128_32(b, imm) ((v32_u64){(b)[0], (b)[1], (b)[0], (b)[1]})
#define VEC_SIZE_lane(N)          16
#define VEC_ALIGN_lane(W)         VEC_UNALIGNED
VEC_KINDS_2(VEC_FORM_B, vbroadcastf128, 2, 32, lane)
const struct family family_vbroadcastf128 = {.fn = {[2] = VEC_ROW_2(vbroadcastf128, 2)}};

/* VINSERTF128, VINSERTI128 */
VEC_INLINE v32_u64 vinsertf128_32(v32_u64 a, v32_u64 b, u8 imm)
{
	return imm & 1 ? (v32_u64){a[0], a[1], b[0], b[1]} : (v32_u64){b[0], b[1], a[2], a[3]};
}
VEC_FAMILY_256(VEC_FORM_AB, vinsertf128, lane)

/* VEXTRACTF128, VEXTRACTI128 */
static HANDLER(exec_vextractf128_reg)
{
	vec_write_1(cpu, op->rm, *(const v16_any *)&cpu->vec[op->reg].q[op->imm & 1 ? 2 : 0]);
	NEXT;
}

static HANDLER(exec_vextractf128_any)
{
	u64 linear = vec_linear(cpu, op, 16, true, VEC_UNALIGNED);

	mem_store_block(cpu, op, linear, &cpu->vec[op->reg].q[op->imm & 1 ? 2 : 0], 16);
	NEXT;
}
const struct family family_vextractf128 = {
	.fn = {[2] = {[KIND_REG] = exec_vextractf128_reg, [KIND_ANY] = exec_vextractf128_any}}};

/* VPERM2F128, VPERM2I128: each half of the result is one of the four lanes, or zero. */
VEC_INLINE void vperm2f128_lanes(union lanes *r, const union lanes *a, const union lanes *b,
				 unsigned int bytes, u8 imm)
{
	for (unsigned int i = 0; i < bytes / 16; i++) {
		u8 control = imm >> 4 * i;
		const union lanes *source = control & 2 ? b : a;

		for (unsigned int j = 0; j < 2; j++)
			r->q[2 * i + j] = control & 8 ? 0 : source->q[2 * (control & 1) + j];
	}
}
LANES_BODY2_(vperm2f128, 32)
VEC_FAMILY_256(VEC_FORM_AB, vperm2f128, u)

/* VPERMQ, VPERMPD: by the immediate. */
VEC_INLINE v32_u64 vpermq_32(v32_u64 b, u8 imm)
{
	return (v32_u64){b[imm & 3], b[imm >> 2 & 3], b[imm >> 4 & 3], b[imm >> 6]};
}
VEC_FAMILY_256(VEC_FORM_B, vpermq, u)

/* VPERMD, VPERMPS: indexes in the first source. */
VEC_INLINE void vpermd_lanes(union lanes *r, const union lanes *a, const union lanes *b,
			     unsigned int bytes, u8 imm)
{
	(void)imm;
	for (unsigned int i = 0; i < bytes / 4; i++)
		r->d[i] = b->d[a->d[i] & 7];
}
LANES_BODY2_(vpermd, 32)
VEC_FAMILY_256(VEC_FORM_AB, vpermd, u)

/* VZEROUPPER, VZEROALL: registers 0 to 15 in 64-bit mode, to 7 elsewhere. */
static HANDLER(exec_vzeroupper)
{
	unsigned int count = op->flags & OP_CODE64 ? 16 : 8;

	for (unsigned int i = 0; i < count; i++) {
		v16_any *upper = (v16_any *)&cpu->vec[i].q[2];

		upper[0] = upper[1] = upper[2] = (v16_u64){0};
	}
	NEXT;
}

static HANDLER(exec_vzeroall)
{
	unsigned int count = op->flags & OP_CODE64 ? 16 : 8;

	for (unsigned int i = 0; i < count; i++)
		vec_write_1(cpu, i, (v16_u64){0});
	NEXT;
}
FAMILY_ONE(vzeroupper, exec_vzeroupper);
FAMILY_ONE(vzeroall, exec_vzeroall);
