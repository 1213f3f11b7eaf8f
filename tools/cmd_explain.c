/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep explain: which rules a dump of a VMCS or VMCB breaks. */
#include "tools/log.h"
#include "tools/tool.h"

#include <stdio.h>

#include <lockstep/extension.h>

#define DUMP_MAX (64u << 20)

static int explain_print(struct ls_engine *engine, const char *cpu, const char *data, size_t size)
{
	struct ls_error err = {0};
	g_autofree char *text = engine->ext->explain(engine, cpu, data, size, &err);

	if (!text) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		return TOOL_EXIT_OK;
	log_failure("cannot write to standard output: %s", g_strerror(errno));
	return TOOL_EXIT_FAILURE;
}

static int explain_file(const char *cpu, const char *file)
{
	const struct ls_engine_ops *ops = tool_engine_find("sim");
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL;
	struct ls_engine *engine;
	struct ls_error err = {0};
	int status;
	gsize size;

	if (!g_file_get_contents(file, &data, &size, &error)) {
		log_failure("%s", error->message);
		return TOOL_EXIT_FAILURE;
	}
	if (size > DUMP_MAX) {
		log_failure("'%s' is larger than 64 MiB: cut the dump out of it", file);
		return TOOL_EXIT_FAILURE;
	}
	engine = ops->open(&err);
	if (!engine) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	status = explain_print(engine, cpu, data, size);
	ops->close(engine, LS_SYSTEM);
	return status;
}

int cmd_explain(int argc, char **argv)
{
	g_autofree char *cpu = NULL;
	const GOptionEntry entries[] = {
		{"cpu", 0, 0, G_OPTION_ARG_STRING, &cpu,
		 "The processor it is for (default: one that offers everything)",
		 "MODEL[,+feature,-feature]"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE");
	g_autoptr(GError) error = NULL;

	g_set_prgname("lockstep explain");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(
		context,
		"Says which checks of VM entry a dump of a VMCS or VMCB fails, and what they "
		"want.\n"
		"FILE: what kvm_intel, Xen, HAXM or kvm_amd printed, a VMCS in KVM's layout, or a "
		"VMCB.");
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep explain --help'", error->message);
		return TOOL_EXIT_USAGE;
	}
	if (argc != 2) {
		log_failure("%s; see 'lockstep explain --help'",
			    argc < 2 ? "say which file" : "one file at a time");
		return TOOL_EXIT_USAGE;
	}
	return explain_file(cpu, argv[1]);
}
