/* SPDX-License-Identifier: Apache-2.0 */
/* What the manuals have and no CPU model offers: the rows of not_offered.def. */
#ifndef LOCKSTEP_SIM_CPU_NOT_OFFERED_H
#define LOCKSTEP_SIM_CPU_NOT_OFFERED_H

#include "mmu/types.h"

enum not_offered_kind { NOT_OFFERED_CONTROL, NOT_OFFERED_CPUID, NOT_OFFERED_OTHER };

struct not_offered_row {
	enum not_offered_kind kind;
	const char *area;  /* of OTHER */
	const char *group; /* of a control */
	u32 leaf, subleaf; /* of CPUID, as reg */
	u8 reg, bit;       /* enum cpuid_register */
	const char *name, *reason;
};

extern const struct not_offered_row not_offered_rows[];
extern const unsigned int not_offered_row_count;

#endif
