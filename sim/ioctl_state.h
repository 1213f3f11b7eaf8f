/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing a vCPU's state through KVM's structs. */
#ifndef LOCKSTEP_SIM_IOCTL_STATE_H
#define LOCKSTEP_SIM_IOCTL_STATE_H

#include "sim/cpu/cpu.h"

/* -ENOTTY for a request that is not about state. */
int vcpu_state_ioctl(struct cpu *cpu, unsigned long request, unsigned long arg);
/* KVM_GET_MSR_INDEX_LIST and its like. */
int system_state_ioctl(unsigned long request, unsigned long arg);
/* "registers", "tlb" or "apic" as text to free(); NULL for anything else. */
char *vcpu_info_text(struct cpu *cpu, const char *what);

#endif
