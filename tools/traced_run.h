/* SPDX-License-Identifier: Apache-2.0 */
/* The run that a trace is of: its command line and what it was fed, to make it again. */
#ifndef LOCKSTEP_TOOLS_TRACED_RUN_H
#define LOCKSTEP_TOOLS_TRACED_RUN_H

#include "tools/run_options.h"
#include "tools/trace_view.h"

struct traced_run {
	char *arguments; /* lines for the head of a trace of it */
	struct run_options options;
	struct session session;
	GArray *inputs; /* of struct machine_input, whose bytes are owned */
};

/* Fills @run, with config.replay, from the head and the feeds. 0 or -errno. */
int traced_run_read(struct traced_run *run, struct trace_view *view, struct ls_error *err);
/* The same of words as of `lockstep run`, without feeds; the words are taken apart. */
int traced_run_make(struct traced_run *run, int argc, char **argv, struct ls_error *err);
void traced_run_free(struct traced_run *run);

#endif
