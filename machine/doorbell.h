/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers that are only written to say "look": where the engine offers KVM_IOEVENTFD, the vCPU
 * that writes one goes on at once, and the device is served on the machine's own thread. On any
 * other the writes come to the bus as all do.
 */
#ifndef LOCKSTEP_MACHINE_DOORBELL_H
#define LOCKSTEP_MACHINE_DOORBELL_H

#include <stdint.h>

#define DOORBELL_NOWHERE UINT64_MAX

struct machine;
struct doorbell;

/* @rung is called under the machine lock. NULL: no memory for it, and nothing is lost. */
struct doorbell *doorbell_create(struct machine *machine, void (*rung)(void *context),
				 void *context);
void doorbell_destroy(struct doorbell *doorbell);
/* Listens to 16-bit writes at @gpa and at @count - 1 more addresses, each @stride further. */
void doorbell_place(struct doorbell *doorbell, uint64_t gpa, unsigned int count,
		    unsigned int stride);

/* A new VM, perhaps of another engine. */
void doorbells_attach(struct machine *machine);
/* Whoever was rung has looked. While nothing runs; under the machine lock. */
void doorbells_settle(struct machine *machine);

#endif
