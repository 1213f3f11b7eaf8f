/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace import: what trace-cmd recorded of KVM on a real host, and control blocks that a
 * hypervisor printed. */
#include <stdio.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/dumps.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "traces/ftrace/import.h"

/* trace-cmd.dat(5): what a trace.dat begins with. */
static bool is_trace_dat(const char *path)
{
	static const char magic[] = {0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g'};
	char begin[sizeof(magic)] = {0};
	FILE *file = fopen(path, "rb");
	bool is = file && fread(begin, sizeof(begin), 1, file) == 1 &&
		  !memcmp(begin, magic, sizeof(magic));

	if (file)
		fclose(file);
	return is;
}

static int import_dumps(const char *from, const char *to, struct ls_error *err)
{
	struct ls_engine *engine = tool_engine_find("sim")->open(err);
	GPtrArray *dumps;

	if (!engine)
		return err->code;
	dumps = dumps_read(engine, from, err);
	if (dumps) {
		dumps_to_trace(dumps, to, err);
		g_ptr_array_unref(dumps);
	}
	engine->ops->close(engine, LS_SYSTEM);
	return err->code;
}

static int import_file(const char *from, const char *to, struct ls_error *err)
{
	struct output output;

	if (output_check_of(to, from, err) || output_begin(&output, to, err))
		return err->code;
	if (is_trace_dat(from))
		ftrace_import(from, output.name, err);
	else
		import_dumps(from, output.name, err);
	return output_end(&output, err);
}

int trace_import(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("IN OUT");
	g_autoptr(GError) error = NULL;
	struct ls_error err = {0};

	g_set_prgname("lockstep trace import");
	g_option_context_set_summary(
		context,
		"IN: a trace.dat of 'trace-cmd record -e kvm', or a log with the VMCSs or VMCBs "
		"that\nkvm_intel, Xen, HAXM or kvm_amd printed, for 'lockstep explain'.");
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace import --help'", error->message);
		return TOOL_EXIT_USAGE;
	}
	if (argc != 3) {
		log_failure("say which trace.dat or log to read, and which other file to write");
		return TOOL_EXIT_USAGE;
	}
	if (import_file(argv[1], argv[2], &err)) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	return TOOL_EXIT_OK;
}
