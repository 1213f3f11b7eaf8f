/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a run: a table for a person, JSON for a program. */
#ifndef LOCKSTEP_TOOLS_STATS_H
#define LOCKSTEP_TOOLS_STATS_H

#include <glib.h>

#include <lockstep/extension.h>

struct machine;

struct stats {
	struct ls_vcpu_stats sum; /* over all vCPUs */
	unsigned int vcpus;
	double wall_seconds;
	double guest_seconds;
	uint64_t unclaimed; /* accesses that no device claimed */
	int status;         /* the exit status of the run */
};

/* Reads the counters; after machine_run, before machine_destroy. -ENOTSUP if the engine
 * doesn't count. */
int stats_collect(struct stats *stats, struct machine *machine);
/* Both append to @text. */
void stats_append_table(GString *text, const struct stats *stats);
void stats_append_json(GString *text, const struct stats *stats);

#endif
