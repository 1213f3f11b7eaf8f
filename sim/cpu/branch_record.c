/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/branch_record.h"

void branch_record(struct cpu *cpu, u64 from, u64 to)
{
	cpu->msr[MSR_LASTBRANCHFROMIP] = from;
	cpu->msr[MSR_LASTBRANCHTOIP] = to;
}

/* #DB, #MC and ICEBP are not noted as interrupts. */
static bool noted(u8 vector, enum event_type type)
{
	if (type == EVENT_TYPE_EXCEPTION)
		return vector != VECTOR_DB && vector != VECTOR_MC;
	return type != EVENT_TYPE_ICEBP;
}

void branch_record_event(struct cpu *cpu, u8 vector, enum event_type type, u64 from, u64 to)
{
	if (noted(vector, type)) {
		cpu->msr[MSR_LASTINTFROMIP] = cpu->msr[MSR_LASTBRANCHFROMIP];
		cpu->msr[MSR_LASTINTTOIP] = cpu->msr[MSR_LASTBRANCHTOIP];
	}
	branch_record(cpu, from, to);
}
