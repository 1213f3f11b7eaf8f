/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running hash of the machine, taken every N instructions: every vCPU's architectural registers
 * and the guest memory that was written since the point before. Two runs that differ only in how
 * the engine works show the same points.
 */
#ifndef LOCKSTEP_MACHINE_STATE_HASH_H
#define LOCKSTEP_MACHINE_STATE_HASH_H

#include <stdint.h>

struct machine;

struct state_hash {
	uint64_t last;  /* instructions of all vCPUs at the last point */
	uint64_t value; /* of the points so far */
};

/* Instructions of all vCPUs until the next point; @executed is how many there were. */
uint64_t state_hash_distance(const struct machine *machine, uint64_t executed);
/* At a point, adds it and tells config.state_hash. 0, or a negative errno of the engine. */
int state_hash_look(struct machine *machine, uint64_t executed);
void state_hash_free(struct machine *machine);

#endif
