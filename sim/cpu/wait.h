/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a store, an interrupt or a time (MONITOR, MWAIT, UMONITOR, UMWAIT, TPAUSE). The line
 * that is monitored is guarded as code is: no TLB keeps write permission for its page, so stores to
 * it take the slow path and are seen there, and other stores cost nothing. A store to any guarded
 * line of a page ends every monitor in that page, as the manuals allow (SDM 2: MWAIT).
 */
#ifndef LOCKSTEP_SIM_CPU_WAIT_H
#define LOCKSTEP_SIM_CPU_WAIT_H

#include "sim/cpu/cpu.h"

#define MONITOR_LINE 64 /* CPUID.05H */

/* HLT. */
void cpu_halt(struct cpu *cpu);

/* What ended a wait, if anything yet. */
enum wait_end { WAIT_GOES_ON, WAIT_STORED, WAIT_EXPIRED };

void monitor_arm(struct cpu *cpu, u64 gpa);
/* The processor's own thread, or under the VM's lock while it does not run: a guarded line in that
 * page was written; or all lines, for the memory is another one. True if that ends a wait. */
bool monitor_written(struct cpu *cpu, u64 gpa);
bool monitor_end(struct cpu *cpu);

struct wait {
	bool for_store;  /* the monitor is armed, and used up by this */
	bool masked_too; /* an interrupt ends it even while RFLAGS.IF = 0 */
	bool limited;    /* the OS's limit is what comes first: CF tells so */
	u64 until;       /* ns of local time; UINT64_MAX: no end */
};

/* The processor waits behind the instruction in progress, unless it has no reason to. */
void wait_begin(struct cpu *cpu, const struct wait *wait);
/* Another thread's clock, under the VM's lock: the time has come. */
void wait_expire(struct cpu *cpu);
/* True if something but the delivery of an event is there to end it. */
bool wait_may_end(struct cpu *cpu);
/* The run loop, of a processor that does not run: ends a wait. True if it goes on. */
bool wait_over(struct cpu *cpu);

#endif
