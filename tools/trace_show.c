/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace show, and grep, which is the same for lines that match. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "tools/trace_print.h"

#define GREP_NOTHING 1
#define GREP_TROUBLE 2

struct show {
	struct trace_view view;
	gboolean json;
	GRegex *pattern; /* NULL: every record */
	bool found;
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
		show->found = true;
		progress_clear(&show->view.progress);
		show_format(show, show->printer, vcpu, record);
		g_string_append_c(show->line, '\n');
		written = fwrite(show->line->str, 1, show->line->len, stdout);
		if (written != show->line->len)
			break;
	}
	output_flush_stdout(err);
}

/* As grep(1) has it. */
static int grep_status(const struct show *show, int status)
{
	return status ? GREP_TROUBLE : show->found ? TOOL_EXIT_OK : GREP_NOTHING;
}

static int show_run(struct show *show, const char *path)
{
	int status;
	bool colour = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");
	struct ls_error err = {0};

	show->view.long_work = !isatty(STDOUT_FILENO);
	show->printer = trace_printer_create(colour && !show->json);
	show->plain = trace_printer_create(false);
	show->line = g_string_new(NULL);
	if (!trace_view_open(&show->view, path, &err))
		show_records(show, &err);
	g_string_free(show->line, TRUE);
	trace_printer_destroy(show->printer);
	trace_printer_destroy(show->plain);
	status = trace_view_status(&show->view, &err);
	return show->pattern ? grep_status(show, status) : status;
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
