/* SPDX-License-Identifier: Apache-2.0 */
/* Bitwise logic. The packed-single and packed-double names do the same as the integer ones. */
#include "sim/cpu/exec/vec_form.h"

/* clang-format off */
VEC_BODY2(pand, u64, a & b)
VEC_BODY2(pandn, u64, ~a & b)
VEC_BODY2(por, u64, a | b)
VEC_BODY2(pxor, u64, a ^ b)
/* clang-format on */

VEC_HOT(VEC_FORM_AB, pand, x)
VEC_HOT(VEC_FORM_AB, pandn, x)
VEC_HOT(VEC_FORM_AB, por, x)
VEC_HOT(VEC_FORM_AB, pxor, x)

MMX_FAMILY(VEC_MMX_AB, pand, q)
MMX_FAMILY(VEC_MMX_AB, pandn, q)
MMX_FAMILY(VEC_MMX_AB, por, q)
MMX_FAMILY(VEC_MMX_AB, pxor, q)
