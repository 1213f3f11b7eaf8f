/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshots of a recording (machine/recording.h), into a machine that makes its run again. */
#ifndef LOCKSTEP_TOOLS_REPLAY_SNAPSHOT_H
#define LOCKSTEP_TOOLS_REPLAY_SNAPSHOT_H

#include "machine/machine.h"
#include "tools/trace_view.h"

/* Brings @machine, which has not run yet, to the last snapshot with fewer than @before instructions
 * of all vCPUs, if there is one. 0, or -errno with *err filled. */
int replay_snapshot(struct trace_view *view, struct machine *machine, uint64_t before,
		    struct ls_error *err);

#endif
