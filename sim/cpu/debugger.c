/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/debugger.h"

#include <lockstep/extension.h>

#include "sim/cpu/fault.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"

bool debugger_takes(struct cpu *cpu, u8 vector, u64 dr6)
{
	u32 wanted = vector == VECTOR_BP ? KVM_GUESTDBG_USE_SW_BP
					 : KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP;

	if (likely(!(cpu->debugger.control & wanted)))
		return false;
	cpu->debugger.vector = vector;
	cpu->debugger.dr6 = dr6;
	return true;
}

void debugger_sees(struct cpu *cpu, u32 event)
{
	if (likely(!(cpu->debugger.events & event)))
		return;
	cpu->debugger.vector = event == DEBUGGER_VM_ENTRY ? LS_DEBUG_VM_ENTRY : LS_DEBUG_VM_EXIT;
	cpu->debugger.dr6 = 0;
	event_stop(cpu, CPU_EXIT_DEBUG);
}

void debugger_watch_physical(struct cpu *cpu, u64 gpa)
{
	cpu->debugger.watches_physical = gpa != UINT64_MAX;
	cpu->debugger.physical = gpa;
	trace_cache_flush(cpu);
}

void debugger_stop_physical(struct cpu *cpu)
{
	cpu->debugger.vector = VECTOR_DB;
	cpu->debugger.dr6 = 0;
	cpu_abandon(cpu, CPU_EXIT_DEBUG);
}
