/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a machine from a terminal: what `lockstep run` and `lockstep-qemu` share. */
#ifndef LOCKSTEP_TOOLS_SESSION_H
#define LOCKSTEP_TOOLS_SESSION_H

#include <stdbool.h>

#include "machine/machine.h"
#include "tools/console.h"

struct trace_spec;

struct session {
	/* All but console_output, debug_output and output_opaque, which the session sets. */
	struct machine_config config;
	/* `input` is the session's to say: somebody at COM1 or hvc0, and no output file. */
	struct console_config console;
	bool debug_port;                /* what the guest writes to port 0xE9 goes to stderr */
	bool greet;                     /* on a terminal, say how to leave */
	bool stats;                     /* the closing table, on stderr */
	const struct trace_spec *trace; /* NULL: none */
	const char *trace_arguments;    /* lines for its head; may be NULL */
	const char *stats_file;         /* the figures as JSON; NULL: none */
	const char *gdb;                /* where gdb may come from (gdb/listen.h); NULL: nowhere */
	bool gdb_wait;                  /* the guest waits for it at its first instruction */
};

/* Runs it and returns the exit status; all that went wrong has been said. *result is filled
 * if the machine ran, else its text is empty. */
int session_run(struct session *session, struct machine_result *result);

#endif
