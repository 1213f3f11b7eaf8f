/* SPDX-License-Identifier: Apache-2.0 */
/* The MSRs' places in cpu->msr. */
#ifndef LOCKSTEP_SIM_CPU_MSR_INDEX_H
#define LOCKSTEP_SIM_CPU_MSR_INDEX_H

enum msr_index {
#define MSR(identifier, ...) MSR_##identifier,
#include "sim/cpu/msrs.def"
#undef MSR
	MSR_INDEX_COUNT
};

#endif
