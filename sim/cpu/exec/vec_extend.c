/* SPDX-License-Identifier: Apache-2.0 */
/* PMOVSX and PMOVZX: the low elements of the source, widened. */
#include "sim/cpu/exec/vec_form.h"

#define EXTEND(name, to, from, S)                                                                  \
	VEC_INLINE void name##_lanes(union lanes *r, const union lanes *b, unsigned int bytes,     \
				     u8 imm)                                                       \
	{                                                                                          \
		(void)imm;                                                                         \
		for (unsigned int i = 0; i < bytes / sizeof(r->to[0]); i++)                        \
			r->to[i] = b->from[i];                                                     \
	}                                                                                          \
	LANES_BODY1_(name, 16)                                                                     \
	LANES_BODY1_(name, 32)                                                                     \
	VEC_FAMILY(VEC_FORM_B, name, S)

EXTEND(pmovsxbw, sw, sb, h)
EXTEND(pmovsxbd, sd, sb, f)
EXTEND(pmovsxbq, sq, sb, e)
EXTEND(pmovsxwd, sd, sw, h)
EXTEND(pmovsxwq, sq, sw, f)
EXTEND(pmovsxdq, sq, sd, h)
EXTEND(pmovzxbw, w, b, h)
EXTEND(pmovzxbd, d, b, f)
EXTEND(pmovzxbq, q, b, e)
EXTEND(pmovzxwd, d, w, h)
EXTEND(pmovzxwq, q, w, f)
EXTEND(pmovzxdq, q, d, h)
