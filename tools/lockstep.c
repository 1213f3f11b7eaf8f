/* SPDX-License-Identifier: Apache-2.0 */
/* The command: finds the subcommand and hands over. */
#include "tools/log.h"
#include "tools/tool.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct tool_command commands[] = {
	{"run", "run a guest: a kernel, a payload or firmware", cmd_run},
	{"trace", "look at what 'run --trace' has recorded", cmd_trace},
	{"diff", "run payloads on two engines and find where they differ", cmd_diff},
	{"snapshot", "save a guest to a file, and go on from there", cmd_snapshot},
	{"lab", "run a command where there is KVM: in a guest of QEMU's", cmd_lab},
	{"explain", "say which rules a dump of a VMCS breaks", cmd_explain},
	{"list", "print the tables behind an engine: CPUs, features, MSRs, ...", cmd_list},
};

static void print_help(FILE *to)
{
	size_t i;

	fputs("Usage: lockstep COMMAND [OPTION...]\n\n"
	      "One x86 machine on an engine that interprets it, as Intel or as AMD, or on KVM.\n\n"
	      "Commands:\n",
	      to);
	for (i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n  lockstep COMMAND --help   the options of a command\n"
	      "  lockstep --version        the version\n\n"
	      "Try: lockstep run --kernel vmlinuz --initrd initrd --append console=ttyS0\n"
	      "More: man lockstep\n",
	      to);
}

static const struct tool_command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* "lockstep help run" is "lockstep run --help". */
static int run_help(const char *topic)
{
	const struct tool_command *command = topic ? command_find(topic) : NULL;
	char *arguments[] = {(char *)topic, "--help", NULL};

	if (command)
		return command->run(2, arguments);
	print_help(stdout);
	return TOOL_EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct tool_command *command;
	const char *word = argc > 1 ? argv[1] : NULL;

	/* The character set only: numbers stay as programs read them. */
	setlocale(LC_CTYPE, "");
	log_init("lockstep");
	if (!word) {
		print_help(stderr);
		return TOOL_EXIT_USAGE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return run_help(NULL);
	if (!strcmp(word, "help"))
		return run_help(argv[2]);
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("lockstep %s\n", LOCKSTEP_VERSION);
		return TOOL_EXIT_OK;
	}
	command = command_find(word);
	if (command)
		return command->run(argc - 1, argv + 1);
	log_failure("unknown %s '%s'; 'lockstep --help' lists the commands",
		    *word == '-' ? "option" : "command", word);
	return TOOL_EXIT_USAGE;
}
