/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's registers out of QEMU and into it. */
#ifndef LOCKSTEP_ACCEL_QEMU_REGISTERS_H
#define LOCKSTEP_ACCEL_QEMU_REGISTERS_H

#include <stdbool.h>

#include <linux/kvm.h>

#include "accel/qemu/process.h"

/* What `info registers` prints. */
void qemu_parse_registers(const char *text, struct kvm_regs *regs, struct kvm_sregs *sregs);
int qemu_read_registers(struct qemu_process *process, struct kvm_regs *regs,
			struct kvm_sregs *sregs);
/* The same in a fraction of the time: general registers, and of @sregs all but the hidden parts of
 * segments and the tables. *hidden says if these may have changed. */
int qemu_read_quickly(struct qemu_process *process, struct kvm_regs *regs, struct kvm_sregs *sregs,
		      bool *hidden);
/* General registers, RIP and RFLAGS. */
int qemu_write_regs(struct qemu_process *process, const struct kvm_regs *regs);

/* Brings a processor that has just been reset to @sregs, by running code in @memory (guest-physical
 * 0), which is put back. What a boot loader leaves is possible: real mode with bases from
 * selectors, or flat segments. -ENOTSUP for other states. */
int qemu_load_sregs(struct qemu_process *process, uint8_t *memory, const struct kvm_sregs *sregs);

#endif
