/* SPDX-License-Identifier: Apache-2.0 */
/* When the machine leaves its run for a while, to be saved or to go on elsewhere (config.leave). */
#ifndef LOCKSTEP_MACHINE_TRIGGER_H
#define LOCKSTEP_MACHINE_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/clock.h>
#include <lockstep/error.h>

struct machine;
struct vcpu;

struct trigger {
	bool armed;
	struct ls_timer timer;
	uint64_t count; /* accesses left, or the instruction */
};

/* Can it come on this engine? */
int trigger_check(const struct machine *machine, struct ls_error *err);
/* Counts from now on. */
int trigger_arm(struct machine *machine, struct ls_error *err);
void trigger_disarm(struct machine *machine);
/* Between runs: takes away what it has left in the engine. */
void trigger_remove(struct machine *machine);
/* Instructions that may be executed until it has come; UINT64_MAX: it isn't waited for. */
uint64_t trigger_distance(const struct machine *machine, uint64_t executed);
/* What may have happened. Under the machine lock, but for a breakpoint. */
void trigger_executed(struct machine *machine, uint64_t executed);
void trigger_access(struct machine *machine);
void trigger_port_write(struct machine *machine, uint16_t port);
/* KVM_EXIT_DEBUG. False: it is none of ours. */
bool trigger_breakpoint(struct vcpu *vcpu);

#endif
