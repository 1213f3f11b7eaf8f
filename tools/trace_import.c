/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace import: what trace-cmd recorded of KVM on a real host. */
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "traces/import_ftrace.h"

int trace_import(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("IN OUT");
	g_autoptr(GError) error = NULL;
	struct ls_error err = {0};

	g_set_prgname("lockstep trace import");
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace import --help'", error->message);
		return TOOL_EXIT_USAGE;
	}
	if (argc != 3 || !strcmp(argv[1], argv[2])) {
		log_failure("say which trace.dat to read, and which other file to write");
		return TOOL_EXIT_USAGE;
	}
	if (output_check(argv[2], &err) || ftrace_import(argv[1], argv[2], &err)) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	return TOOL_EXIT_OK;
}
