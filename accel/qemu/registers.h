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
/* General registers, RIP and RFLAGS, as far as they are others than @there; NULL: all. */
int qemu_write_regs(struct qemu_process *process, const struct kvm_regs *regs,
		    const struct kvm_regs *there);

/* Numbers of the stub's registers (QEMU, gdb-xml/i386-64bit.xml). */
enum { GDB_RIP = 16, GDB_EFLAGS, GDB_CS, GDB_SS, GDB_DS, GDB_ES, GDB_FS, GDB_GS };

int qemu_write_register(struct qemu_process *process, unsigned int number, uint64_t value,
			unsigned int bytes);

#endif
