/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's one processor as a KVM vCPU: it goes step by step, and what a step would do outside of the
 * processor (IN, OUT, HLT, CPUID) is done here, as KVM does it. */
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
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	bool regs_changed, sregs_changed; /* by the user: QEMU does not know them yet */
	bool hidden_stale;                /* segments and tables are to be read again */
	bool single_step;
	bool port_done;      /* the last exit was an IN or OUT */
	bool port_read;      /* an IN waits for its data */
	unsigned int length; /* of that instruction */
	uint64_t steps;
	atomic_bool kicked;
	uint8_t *memory; /* guest-physical 0 */
	struct kvm_cpuid_entry2 cpuid[CPUID_LEAVES_ROOM];
	uint32_t cpuid_count;
};

/* KVM_RUN on a process that has been started. */
int qemu_vcpu_run(struct qemu_vcpu *vcpu);
/* Before @sregs is looked at. */
int qemu_vcpu_refresh(struct qemu_vcpu *vcpu);

#endif
