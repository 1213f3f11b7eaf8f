/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD's record of the last branch (APM 2:13.1.1.7, 13.1.6.1). While it is on, instructions run
 * alone. A branch to the instruction behind it leaves no record: it looks like none.
 */
#ifndef LOCKSTEP_SIM_CPU_BRANCH_RECORD_H
#define LOCKSTEP_SIM_CPU_BRANCH_RECORD_H

#include "sim/cpu/debug_registers.h"
#include "sim/cpu/segment.h"

/* Intel's processors have other records, which are not there: the bit is never set. */
ALWAYS_INLINE bool branch_recorded(const struct cpu *cpu)
{
	return cpu->msr[MSR_DEBUGCTL] & DEBUGCTL_LBR;
}

/* Offsets within CS. */
void branch_record(struct cpu *cpu, u64 from, u64 to);
/* An interrupt or exception that the instruction at @from meets. */
void branch_record_event(struct cpu *cpu, u8 vector, enum event_type type, u64 from, u64 to);

#endif
