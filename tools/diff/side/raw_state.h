/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that KVM's calls give of a vCPU, in one piece, so that a field is an offset. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_RAW_STATE_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_RAW_STATE_H

#include <stddef.h>

#include <lockstep/engine.h>

struct raw_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
};

#define RAW_PARTS 8

/* A call, and where in the struct is what it gives: in order. */
struct raw_part {
	const char *name;
	unsigned long request;
	size_t offset;
};
extern const struct raw_part raw_part[RAW_PARTS];

/* What the engine does not tell stays as it is. @synced: what struct kvm_run has of it; NULL:
 * nothing. */
void raw_state_read(struct raw_state *raw, struct ls_engine *engine, int vcpu,
		    const struct kvm_sync_regs *synced);
/* As after FNINIT (SDM 3A:9.1.1, table 9-1: power-up leaves other values than INIT). */
void raw_initialise_fpu(struct ls_engine *engine, int vcpu);

#endif
