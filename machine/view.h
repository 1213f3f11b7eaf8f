/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory as one looks at it from outside: with whose eyes, and by which kind of address. With
 * a hypervisor in the machine a vCPU has two levels: that one's (1) and its guest's (2), whichever
 * runs at the moment.
 */
#ifndef LOCKSTEP_MACHINE_VIEW_H
#define LOCKSTEP_MACHINE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

#define VIEW_RUNNING 0 /* the level that runs */

struct machine_view {
	unsigned int vcpu;
	unsigned int level; /* VIEW_RUNNING, 1 or 2 */
	bool physical;      /* addresses are what that level takes for physical; else linear */
};

/* Which level the vCPU's registers are of; 1 also where the engine does not know. */
unsigned int machine_level(struct machine *machine, unsigned int vcpu);
/* Where it is in the machine's physical memory. False: nowhere, or that level is not to be seen. */
bool machine_view_translate(struct machine *machine, const struct machine_view *view,
			    uint64_t address, uint64_t *gpa);
/* How many of @n bytes could be read, or written to RAM: it stops at a page that is not there. */
size_t machine_view_read(struct machine *machine, const struct machine_view *view, uint64_t address,
			 void *to, size_t n);
size_t machine_view_write(struct machine *machine, const struct machine_view *view,
			  uint64_t address, const void *from, size_t n);

#endif
