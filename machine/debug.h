/* SPDX-License-Identifier: Apache-2.0 */
/* What a debugger (config.debug) asks of a run: to stop at its breakpoints, and at a place that is
 * told by the number of instructions. */
#ifndef LOCKSTEP_MACHINE_DEBUG_H
#define LOCKSTEP_MACHINE_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_debug_exit_arch;
struct machine;
struct vcpu;

struct debug_goal {
	bool set;
	bool present;      /* of the history */
	unsigned int vcpu; /* MACHINE_EVERY_VCPU: all together */
	uint64_t instructions;
};

/* KVM_EXIT_DEBUG: the machine is paused, and the debugger told. */
void debug_stop(struct vcpu *vcpu, const struct kvm_debug_exit_arch *exit);
/* Instructions that the vCPU, whose turn it is, may execute until the goal, with @executed of all
 * vCPUs done. */
uint64_t debug_distance(struct vcpu *vcpu, uint64_t executed);
/* Its turn is over or cut: stops at the goal. */
void debug_executed(struct vcpu *vcpu);
/* The present is reached. */
void debug_present(struct machine *machine);

#endif
