/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace show, and grep, which is the same for lines that match. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/tool.h"
#include "tools/trace_print.h"

struct show {
	struct trace_view view;
	gboolean json;
	struct trace_printer *printer;
	GString *line;
};

/* Nobody reads on: the rest is not printed. */
static bool show_record(struct trace_view *view, void *opaque, unsigned int vcpu,
			const uint64_t *record)
{
	struct show *show = opaque;

	g_string_truncate(show->line, 0);
	if (show->json)
		trace_print_json(show->printer, view, show->line, vcpu, record);
	else
		trace_print_text(show->printer, view, show->line, vcpu, record);
	g_string_append_c(show->line, '\n');
	return fwrite(show->line->str, 1, show->line->len, stdout) == show->line->len;
}

static int show_run(struct show *show, const char *path)
{
	bool colour = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");
	struct ls_error err = {0};

	if (trace_view_open(&show->view, path, &err)) {
		log_failure("%s", err.text);
		return TOOL_EXIT_FAILURE;
	}
	if (trace_reader_unfinished(show->view.reader))
		log_warning("'%s' was not finished; what is whole of it follows", path);
	show->printer = trace_printer_create(colour && !show->json);
	show->line = g_string_new(NULL);
	trace_view_each(&show->view, show_record, show, &err);
	g_string_free(show->line, TRUE);
	trace_printer_destroy(show->printer);
	if (!err.code && fflush(stdout) && errno != EPIPE)
		ls_error_set(&err, -errno, "cannot write to standard output: %s",
			     g_strerror(errno));
	if (err.code)
		log_failure("%s", err.text);
	return err.code ? TOOL_EXIT_FAILURE : TOOL_EXIT_OK;
}

int trace_show(int argc, char **argv)
{
	struct show show = {0};
	const GOptionEntry entries[] = {
		TRACE_VIEW_OPTIONS(&show.view),
		{"json", 0, 0, G_OPTION_ARG_NONE, &show.json, "Print a JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("FILE");
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep trace show");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		log_failure("%s; see 'lockstep trace show --help'", error->message);
	else if (argc != 2)
		log_failure("say which file; see 'lockstep trace show --help'");
	else
		status = show_run(&show, argv[1]);
	trace_view_close(&show.view);
	return status;
}
