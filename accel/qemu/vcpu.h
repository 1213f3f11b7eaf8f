/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's one processor as a KVM vCPU: it goes step by step, and what a step did outside of the
 * processor (IN, OUT, CPUID) is done again here, as KVM does it. */
#ifndef LOCKSTEP_ACCEL_QEMU_VCPU_H
#define LOCKSTEP_ACCEL_QEMU_VCPU_H

#include <stdatomic.h>
#include <stdbool.h>

#include <linux/kvm.h>

#include "accel/cpuid_leaves.h"
#include "accel/qemu/process.h"

struct qemu_vcpu {
	struct qemu_process process;
	struct kvm_run *run;
	struct kvm_regs regs, known; /* known: QEMU has these */
	struct kvm_sregs sregs;
	uint32_t xcr0;                    /* to begin with; 0: as at reset */
	bool regs_changed, sregs_changed; /* by the user: QEMU does not know them yet */
	bool hidden_stale;                /* segments and tables are to be read again */
	bool single_step;
	bool port_done; /* the last exit was an IN or OUT */
	bool port_read; /* an IN waits for its data */
	uint64_t steps;
	atomic_bool kicked, stepping; /* stepping: a kick has to reach QEMU */
	uint8_t *memory;              /* guest-physical 0 */
	uint64_t memory_size;
	struct kvm_cpuid_entry2 cpuid[CPUID_LEAVES_ROOM];
	uint32_t cpuid_count;
};

/* KVM_RUN on a process that has been started. */
int qemu_vcpu_run(struct qemu_vcpu *vcpu);
/* Any thread. */
void qemu_vcpu_kick(struct qemu_vcpu *vcpu);
/* KVM_TRANSLATE */
void qemu_vcpu_translate(const struct qemu_vcpu *vcpu, struct kvm_translation *at);
/* Before @sregs is looked at. */
int qemu_vcpu_refresh(struct qemu_vcpu *vcpu);

#endif
