/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: exit statuses, and how one is entered. */
#ifndef LOCKSTEP_TOOLS_TOOL_H
#define LOCKSTEP_TOOLS_TOOL_H

#include <lockstep/engine.h>

struct machine_config;

/* The statuses of ends that a guest comes to are MACHINE_EXIT_* of machine/machine.h. A
 * person killing the tool with signal N gets 128 + N, as from a shell. docs/lockstep.1 has
 * the whole list. */
enum tool_exit {
	TOOL_EXIT_OK = 0,
	TOOL_EXIT_FAILURE = 1, /* a file, the host or the engine said no */
	TOOL_EXIT_USAGE = 2,   /* the command line makes no sense */
	TOOL_EXIT_SIGNAL = 128,
};

struct tool_command {
	const char *name;
	const char *summary;
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

int cmd_explain(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_trace(int argc, char **argv);

/* The engines that this build has; NULL at the end. */
const struct ls_engine_ops *const *tool_engines(void);
/* NULL if there is none of that name. */
const struct ls_engine_ops *tool_engine_find(const char *name);
/* Gives @config the kvm engine if it works here and offers what @config asks for, else sim; and
 * says which, and why. */
void tool_engine_choose(struct machine_config *config);

#endif
