/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep snapshot: a guest into a file and back. */
#include <stdio.h>
#include <string.h>

#include "tools/log.h"
#include "tools/run_options.h"
#include "tools/snapshot_info.h"
#include "tools/tool.h"

static int run(struct run_options *options, int argc, char **argv, struct machine_result *result)
{
	struct session session;
	struct ls_error err = {0};

	if (run_options_parse(options, argc, argv, &err) ||
	    run_options_apply(options, &session, &err))
		return run_options_failed(&err, "snapshot");
	return session_run(&session, result);
}

/* The guest ran on its own way to an end of its own. */
static int missed(const char *path, const struct machine_result *result, int status)
{
	if (!result->text[0] || result->end == MACHINE_END_SAVED)
		return status;
	log_failure("'%s' was not written: the run ended first (%s)", path, result->text);
	return TOOL_EXIT_FAILURE;
}

static int save(int argc, char **argv)
{
	struct run_options options = {.leave.save = g_strdup(argv[1])};
	struct machine_result result = {0};
	int status;

	argv[1] = argv[0];
	status = run(&options, argc - 1, argv + 1, &result);
	if (!options.leave.go_on)
		status = missed(options.leave.save, &result, status);
	run_options_free(&options);
	return status;
}

static int load(int argc, char **argv)
{
	struct run_options options = {.load = g_strdup(argv[1])};
	struct machine_result result = {0};
	int status;

	argv[1] = argv[0];
	status = run(&options, argc - 1, argv + 1, &result);
	run_options_free(&options);
	return status;
}

static const struct {
	const char *name, *arguments, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"save", "FILE [--at TRIGGER] [--go-on] RUN-OPTION...",
	 "run a guest as 'lockstep run' does, and save it", save},
	{"load", "FILE [--engine NAME] [--verify] [OPTION...]", "go on from there", load},
	{"info", "FILE [--json] [--verify]", "what is in it", snapshot_info},
};

static void print_help(FILE *to)
{
	fputs("Usage: lockstep snapshot COMMAND FILE [OPTION...]\n\nCommands:\n", to);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(to, "  %s %s\n      %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	fputs("\nTriggers, counted from the start of the run:\n"
	      "  time:SECONDS       of guest time\n"
	      "  instructions:N     executed by all vCPUs (sim, vCPUs in turn)\n"
	      "  accesses:N         to ports and to devices' memory\n"
	      "  address:ADDRESS    an instruction at that linear address comes next\n"
	      "  physical:ADDRESS   the same at that guest-physical address (sim)\n"
	      "  port:PORT          a write to that port\n"
	      "  signal             SIGUSR1, which also comes before any other\n"
	      "Without --at the guest is saved when it is stopped, by Ctrl-A X or a signal.\n\n"
	      "Options: see 'lockstep run --help'. What a snapshot's machine consists of it says\n"
	      "itself; disks are not in it, and must be as they were when it was saved.\n",
	      to);
}

int cmd_snapshot(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word || !strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_help(word ? stdout : stderr);
		return word ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, word))
			continue;
		if (argc > 2 && !strcmp(argv[2], "--help")) {
			print_help(stdout);
			return TOOL_EXIT_OK;
		}
		if (argc > 2 && argv[2][0] != '-')
			return commands[i].run(argc - 1, argv + 1);
		log_failure("say which file: lockstep snapshot %s %s", commands[i].name,
			    commands[i].arguments);
		return TOOL_EXIT_USAGE;
	}
	log_failure("unknown command '%s'; 'lockstep snapshot --help' lists them", word);
	return TOOL_EXIT_USAGE;
}
