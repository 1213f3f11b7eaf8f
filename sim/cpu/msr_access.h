/* SPDX-License-Identifier: Apache-2.0 */
/* How the access column of msrs.def is written: READ and WRITE define functions, ACCESS pairs them.
 */
#ifndef LOCKSTEP_SIM_CPU_MSR_ACCESS_H
#define LOCKSTEP_SIM_CPU_MSR_ACCESS_H

#include "sim/cpu/msr.h"

#define READ(name)                                                                                 \
	static bool read_##name(struct cpu *cpu, const struct msr_row *row, u64 *value, bool host)
#define WRITE(name)                                                                                \
	static bool write_##name(struct cpu *cpu, const struct msr_row *row, u64 value, bool host)
#define UNUSED (void)row, (void)host
#define ACCESS(name, read_, write_)                                                                \
	const struct msr_access msr_access_##name = {.read = read_, .write = write_}

#endif
