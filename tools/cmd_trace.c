/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace: finds the command and hands over. */
#include "tools/cmd_trace.h"

#include <stdio.h>
#include <string.h>

#include "tools/log.h"
#include "tools/tool.h"
#include "traces/events.h"

static const struct tool_command commands[] = {
	{"show", "print the records, with symbols and disassembly", trace_show},
	{"grep", "print those that match a pattern", trace_grep},
	{"stat", "count exits by reason, with their times, and events", trace_stat},
	{"diff", "find where two traces first differ", trace_diff},
	{"export", "write trace-cmd's, Chrome's or JSON files", trace_export},
	{"replay", "make the run again, and a part's instruction records", trace_replay},
	{"import", "read what trace-cmd recorded of KVM on a real host, or dumps of control blocks",
	 trace_import},
	{"cut", "write a part as a trace of its own", trace_cut},
};

static void print_help(FILE *to)
{
	fputs("Usage: lockstep trace COMMAND [OPTION...] FILE...\n\n"
	      "Looks at what 'lockstep run --trace FILE' has recorded.\n\nCommands:\n",
	      to);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(to, "  %-7s %s\n", commands[i].name, commands[i].summary);
	fputs("\nEvents:\n", to);
	for (size_t i = 0; i < TRACE_EVENTS; i++)
		fprintf(to, "  %-18s %s\n", trace_events[i].name, trace_events[i].summary);
	fputs("\n  lockstep trace COMMAND --help   the options of a command\n", to);
}

int cmd_trace(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word || !strcmp(word, "--help") || !strcmp(word, "-h")) {
		print_help(word ? stdout : stderr);
		return word ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		if (!strcmp(commands[i].name, word))
			return commands[i].run(argc - 1, argv + 1);
	log_failure("unknown command '%s'; 'lockstep trace --help' lists them", word);
	return TOOL_EXIT_USAGE;
}
