/* SPDX-License-Identifier: Apache-2.0 */
/* Ports: permission, and the access itself. */
#ifndef LOCKSTEP_SIM_CPU_IO_H
#define LOCKSTEP_SIM_CPU_IO_H

#include "sim/cpu/op.h"

/* #GP(0) unless CPL <= IOPL or the TSS's I/O permission bits are clear (SDM 1:19.5.2). */
void io_check(struct cpu *cpu, u16 port, unsigned int size);
/* The access, of 1, 2 or 4 bytes. May leave the instruction to be re-executed: alone first if it
 * runs in a longer trace, then once user space has answered (struct cpu_io holds the answer). */
u32 io_read(struct cpu *cpu, u16 port, unsigned int size);
void io_write(struct cpu *cpu, u16 port, u32 value, unsigned int size);

#endif
