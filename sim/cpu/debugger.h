/* SPDX-License-Identifier: Apache-2.0 */
/* A debugger above the seam (KVM_SET_GUEST_DEBUG): which events are its own and not the guest's. */
#ifndef LOCKSTEP_SIM_CPU_DEBUGGER_H
#define LOCKSTEP_SIM_CPU_DEBUGGER_H

#include "sim/cpu/cpu.h"

/* True if #DB (with these bits of DR6) or #BP goes to the debugger: cpu->debugger then says what it
 * is shown, and the caller leaves with CPU_EXIT_DEBUG. */
bool debugger_takes(struct cpu *cpu, u8 vector, u64 dr6);

#define DEBUGGER_VM_ENTRY BIT(0)
#define DEBUGGER_VM_EXIT  BIT(1)

/* One of these has happened: if the debugger wants it, the processor leaves with CPU_EXIT_DEBUG
 * before its next instruction. */
void debugger_sees(struct cpu *cpu, u32 event);

/* From here on stops before each instruction that begins at this physical address; UINT64_MAX: at
 * none. Traces are made anew: in front of that instruction they end. */
void debugger_watch_physical(struct cpu *cpu, u64 gpa);
/* The one at RIP, or of cpu->op, is such: leaves before it. The next run goes over it. */
_Noreturn void debugger_stop_physical(struct cpu *cpu);

/* Does an instruction that is to be run alone begin there, and was not stopped before already? */
ALWAYS_INLINE bool debugger_watches(const struct cpu *cpu, u64 gpa)
{
	return unlikely(cpu->debugger.watches_physical) && cpu->debugger.physical == gpa &&
	       !cpu->rerun_alone;
}

#endif
