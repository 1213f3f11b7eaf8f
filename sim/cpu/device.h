/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses that no memory slot answers: the local APIC, chips below the seam, user space. */
#ifndef LOCKSTEP_SIM_CPU_DEVICE_H
#define LOCKSTEP_SIM_CPU_DEVICE_H

#include "sim/cpu/cpu.h"

/*
 * May leave the instruction to be re-executed: alone first if it runs in a longer trace, and then
 * again once user space has answered (struct cpu_io holds the answers). @size is 1 to 64; more
 * than 8 bytes are done as several accesses.
 */
void device_access(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write);

/* A store that is all that is left of its instruction: done within its trace if a chip below the
 * seam takes it. @leave: the trace must not go on behind it, for it may have brought an event or a
 * deadline. False: nothing was done. */
bool device_store_last(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool *leave);

/* The answer that an earlier execution of the instruction brought, or not to come back: the
 * instruction is abandoned for it. It has to run alone (cpu->single). NULL past the last fragment
 * that any instruction has. */
const struct cpu_io_access *device_ask(struct cpu *cpu, const struct cpu_io_access *access);

#endif
