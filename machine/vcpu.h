/* SPDX-License-Identifier: Apache-2.0 */
/* One virtual CPU as user space sees it: its handle, its run page and its power-on state. */
#ifndef LOCKSTEP_MACHINE_VCPU_H
#define LOCKSTEP_MACHINE_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/engine.h>

#include "machine/msr_model.h"
#include "machine/written.h"

struct machine;
struct vcpu_state;
union cpuid_buffer;
struct ls_trace_sink;

struct vcpu {
	struct machine *machine;
	unsigned int index;
	int fd; /* engine handle; -1 before creation */
	struct kvm_run *run;
	struct vcpu_state *power_on;
	union cpuid_buffer *cpuid; /* as it was given; KVM gives back what it makes of it */
	/* Set when machine_end etc. must not let this vCPU's stale exit through. */
	unsigned int generation;
	bool in_guest;   /* under run_lock */
	bool answered;   /* its access has been handled, and KVM_RUN has not gone on yet */
	uint64_t charge; /* ns of guest time its accesses have cost and the clock has not seen */
	struct written_ring written;
	struct msr_shadows shadows;
	struct ls_trace_sink *trace; /* NULL: nobody watches */
	uint64_t left;               /* guest time of the last exit, while somebody does */
	pthread_t thread;            /* parallel schedule */
	bool threaded;
	bool stepping; /* it has come to config.step_from */
};

int vcpu_create(struct machine *machine, struct vcpu *vcpu, unsigned int index,
		struct ls_error *err);
void vcpu_destroy(struct vcpu *vcpu);

/* The state that KVM_CREATE_VCPU left, read once and put back at each reset. A vCPU other
 * than 0 waits for INIT and SIPI afterwards. */
int vcpu_capture(struct vcpu *vcpu, struct ls_error *err);
int vcpu_restore(struct vcpu *vcpu, struct ls_error *err);

/* Finishes an IN, OUT or MMIO access whose exit was handled, without running on, so that the
 * registers can be read or replaced. */
int vcpu_complete_io(struct vcpu *vcpu); /* what KVM_RUN returned: 0 if that led to another exit */

/* Shows config.observe the exit that exit_handle has answered, if it is one to see, with its
 * instruction finished. True if that led to another exit, which is to be answered, too. */
bool vcpu_observe(struct vcpu *vcpu);
int vcpu_single_step(struct vcpu *vcpu, struct ls_error *err);
/* For one whose last exit has been handled, with the accesses that come of it: it then stands
 * between two instructions. */
void vcpu_settle(struct vcpu *vcpu);

uint64_t vcpu_instructions(struct vcpu *vcpu); /* 0 if the engine does not count */

#endif
