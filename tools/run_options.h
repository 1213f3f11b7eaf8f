/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `lockstep run`, from text to a session. */
#ifndef LOCKSTEP_TOOLS_RUN_OPTIONS_H
#define LOCKSTEP_TOOLS_RUN_OPTIONS_H

#include <glib.h>

#include "tools/leave_options.h"
#include "tools/session.h"
#include "tools/trace_spec.h"

/* The options as GOption stores them; strings are owned. */
struct run_options {
	char *engine, *cpu, *smp, *memory;
	char *kernel, *initrd, *append, *payload, *firmware;
	char **disks;
	char *net, *serial, *schedule, *clock, *irqchip, *max_instructions, *state_hash;
	char **params;
	char *exit_port, *rng, *stats_file, *trace, *record, *record_every, *gdb;
	gboolean gdb_wait, console, debug_port, no_reboot, stats, verify;
	int channel;
	char *load; /* a snapshot, in place of what makes up a machine */
	struct leave_options leave;

	/* What the session's config points into. */
	struct snapshot *snapshot;
	struct machine_param param_rows[64];
	struct trace_spec trace_spec;
	char *arguments; /* the command line but --trace, for a trace's head */
};

/* Parses the command line into @options: 0, or -EINVAL with *err filled. --help prints the
 * help and exits, as GOption does. */
int run_options_parse(struct run_options *options, int argc, char **argv, struct ls_error *err);
/* Fills @session (run_apply.c), which borrows from @options. 0, or -errno with *err filled. */
int run_options_apply(struct run_options *options, struct session *session, struct ls_error *err);
/* Says what was wrong, and returns the exit status: a command line that makes no sense, or a file
 * that cannot be used. */
int run_options_failed(const struct ls_error *err, const char *command);
void run_options_free(struct run_options *options);

#endif
