/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a machine's RAM, as it was at some time. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_RAM_COPY_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_RAM_COPY_H

#include "machine/machine.h"

struct ram_copy {
	uint64_t low, high;
	uint8_t *bytes; /* low RAM, and high RAM behind it; NULL: there is no copy */
};

void ram_copy_take(struct ram_copy *copy, struct machine *machine);
/* All of it is RAM, below 4 GiB or from there on; else NULL. */
uint8_t *ram_copy_ptr(const struct ram_copy *copy, uint64_t gpa, uint64_t size);
void ram_copy_free(struct ram_copy *copy);

#endif
