/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep explain: which rules a dump of a VMCS or VMCB breaks. */
#include <stdio.h>

#include <lockstep/extension.h>

#include "tools/dumps.h"
#include "tools/log.h"
#include "tools/tool.h"

static char *explain_trace(struct ls_engine *engine, const char *cpu, const char *file,
			   struct ls_error *err)
{
	GPtrArray *dumps = dumps_from_trace(file, err);
	char *text;

	if (!dumps)
		return NULL;
	text = engine->ext->dump_explain(engine, cpu, (const struct ls_dump **)dumps->pdata,
					 dumps->len, err);
	g_ptr_array_unref(dumps);
	return text;
}

static char *explain_log(struct ls_engine *engine, const char *cpu, const char *file,
			 struct ls_error *err)
{
	gsize size;
	g_autofree char *data = dumps_file(file, &size, err);

	return data ? engine->ext->explain(engine, cpu, data, size, err) : NULL;
}

static int explain_file(const char *cpu, const char *file)
{
	struct ls_error err = {0};
	struct ls_engine *engine = tool_engine_find("sim")->open(&err);
	g_autofree char *text = NULL;

	if (engine) {
		text = dumps_is_trace(file) ? explain_trace(engine, cpu, file, &err)
					    : explain_log(engine, cpu, file, &err);
		engine->ops->close(engine, LS_SYSTEM);
	}
	if (!text) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		return TOOL_EXIT_OK;
	log_failure("cannot write to standard output: %s", g_strerror(errno));
	return TOOL_EXIT_FAILURE;
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
		"FILE: what kvm_intel, Xen, HAXM or kvm_amd printed, a VMCS in KVM's layout, a "
		"VMCB,\n"
		"or a trace that 'lockstep trace import' made of one.");
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
