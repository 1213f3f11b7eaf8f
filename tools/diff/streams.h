/* SPDX-License-Identifier: Apache-2.0 */
/* A trace by instruction against a reference that records the same: vCPU by vCPU, step by step. */
#ifndef LOCKSTEP_TOOLS_DIFF_STREAMS_H
#define LOCKSTEP_TOOLS_DIFF_STREAMS_H

#include "tools/diff/comparison.h"
#include "tools/diff/stream/stream.h"

/* Once both sides are made: what is read of the reference's records, and of the trace's, if its
 * events are such. */
void streams_start(struct comparison *c);
void streams_free(struct comparison *c);

/* The reference's next step that a trace could have; NULL: its run is over, or *err is filled. */
const struct stream *streams_step(struct comparison *c, struct ls_error *err);
/* The end of its run, behind that. */
const struct diff_event *streams_end(const struct comparison *c);

/* The next step of one vCPU on both sides; at last, where each vCPU's end. False: all are over, or
 * it could not be done. */
bool streams_next_pair(struct comparison *c);
/* The kinds of records that both sides could have. */
uint64_t streams_kinds(const struct comparison *c);
/* What one side did in the present pair. */
const struct stream *streams_present(const struct comparison *c, unsigned int who);

#endif
