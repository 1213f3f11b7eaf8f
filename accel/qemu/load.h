/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a processor to where a vCPU begins: GDB cannot write all of that. */
#ifndef LOCKSTEP_ACCEL_QEMU_LOAD_H
#define LOCKSTEP_ACCEL_QEMU_LOAD_H

#include <linux/kvm.h>

#include "accel/qemu/process.h"

/* Where a vCPU begins. */
struct qemu_start {
	const struct kvm_sregs *sregs;
	uint64_t rip;  /* of code at level 3 */
	uint32_t xcr0; /* 0: as at reset; for code at level 3 */
};

/* Brings a processor that has just been reset to that state, by running code in @memory
 * (guest-physical 0), which is put back. What a boot loader or a kernel leaves is possible: real
 * mode with bases from selectors, flat segments, or level 3 in IA-32e mode. -ENOTSUP for other
 * states. */
int qemu_load_sregs(struct qemu_process *process, uint8_t *memory, const struct qemu_start *start);

#endif
