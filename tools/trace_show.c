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
	GRegex *pattern; /* NULL: every record */
	struct trace_printer *printer, *plain;
	GString *line;
};

static void show_format(struct show *show, struct trace_printer *printer, unsigned int vcpu,
			const uint64_t *record)
{
	g_string_truncate(show->line, 0);
	if (show->json)
		trace_print_json(printer, &show->view, show->line, vcpu, record);
	else
		trace_print_text(printer, &show->view, show->line, vcpu, record);
}

/* What matches is the line without colours. */
static bool show_matches(struct show *show, unsigned int vcpu, const uint64_t *record)
{
	if (!show->pattern)
		return true;
	show_format(show, show->plain, vcpu, record);
	return g_regex_match(show->pattern, show->line->str, 0, NULL);
}

/* Ends early where nobody reads on. */
static void show_records(struct show *show, struct ls_error *err)
{
	const uint64_t *record;
	unsigned int vcpu;
	size_t written;

	while (trace_view_next(&show->view, &vcpu, &record, err)) {
		if (!show_matches(show, vcpu, record))
			continue;
		show_format(show, show->printer, vcpu, record);
		g_string_append_c(show->line, '\n');
		written = fwrite(show->line->str, 1, show->line->len, stdout);
		if (written != show->line->len)
			break;
	}
	if (fflush(stdout) && errno != EPIPE)
		ls_error_set(err, -errno, "cannot write to standard output: %s", g_strerror(errno));
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
	show->plain = trace_printer_create(false);
	show->line = g_string_new(NULL);
	show_records(show, &err);
	g_string_free(show->line, TRUE);
	trace_printer_destroy(show->printer);
	trace_printer_destroy(show->plain);
	if (err.code)
		log_failure("%s", err.text);
	return err.code ? TOOL_EXIT_FAILURE : TOOL_EXIT_OK;
}

/* @patterns: arguments before the file. */
static int show_command(int argc, char **argv, const char *program, const char *arguments,
			int patterns)
{
	struct show show = {0};
	const GOptionEntry entries[] = {
		TRACE_VIEW_OPTIONS(&show.view),
		{"json", 0, 0, G_OPTION_ARG_NONE, &show.json, "Print a JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(arguments);
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname(program);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		log_failure("%s; see '%s --help'", error->message, program);
	else if (argc != 2 + patterns)
		log_failure("say %swhich file; see '%s --help'", patterns ? "the pattern and " : "",
			    program);
	else if (patterns && !(show.pattern = g_regex_new(argv[1], G_REGEX_OPTIMIZE, 0, &error)))
		log_failure("%s", error->message);
	else
		status = show_run(&show, argv[1 + patterns]);
	if (show.pattern)
		g_regex_unref(show.pattern);
	trace_view_close(&show.view);
	return status;
}

int trace_show(int argc, char **argv)
{
	return show_command(argc, argv, "lockstep trace show", "FILE", 0);
}

int trace_grep(int argc, char **argv)
{
	return show_command(argc, argv, "lockstep trace grep", "PATTERN FILE", 1);
}
