/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace cut: a part of a trace as a trace of its own. */
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "tools/trace_view.h"
#include "traces/events.h"
#include "traces/writer.h"

static bool cut_keeps(const struct trace_view *view, const char *line)
{
	enum trace_event event;

	if (!g_str_has_prefix(line, "recorded "))
		return !g_str_has_prefix(line, "event ") && !g_str_has_prefix(line, "field ");
	event = trace_event_by_name(line + strlen("recorded "));
	return event < TRACE_EVENTS && (view->events >> event & 1);
}

/* The head's lines but those that the writer makes, and events that are left out. */
static char *cut_text(const struct trace_view *view)
{
	GString *text = g_string_new(NULL);
	const char *line;

	for (unsigned int n = 0; (line = trace_reader_line(view->reader, n)); n++)
		if (cut_keeps(view, line))
			g_string_append_printf(text, "%s\n", line);
	return g_string_free(text, FALSE);
}

static void cut_copy(struct ls_trace_sink *sink, const uint64_t *record, bool state_only)
{
	uint64_t *to = ls_trace_room(sink);
	unsigned int words = LS_TRACE_WORDS(record[0]);

	memcpy(to, record, 8 * (size_t)words);
	if (state_only)
		to[0] |= LS_TRACE_HEAD(0, LS_TRACE_SNAPSHOT, 0);
	sink->at = to + words;
}

/* What comes before the part goes along as state, so that the part begins with all of it. */
static void cut_records(struct trace_view *view, struct trace_writer *writer, unsigned int vcpus,
			struct ls_error *err)
{
	uint64_t from = view->from, events = view->events;
	const uint64_t *record;
	unsigned int vcpu;

	view->snapshots = true;
	view->from = 0;
	view->events |= 1u << TRACE_INSTRUCTION;
	for (unsigned int n = 0; n < vcpus; n++) {
		struct ls_trace_sink *sink = trace_writer_sink(writer, n);

		if (view->vcpu_text && n != view->vcpu)
			continue;
		trace_view_rewind_to(view, n, from);
		while (trace_view_next(view, &vcpu, &record, err)) {
			unsigned int event = LS_TRACE_EVENT(record[0]);
			bool inside = record[1] >= from && (events >> event & 1);

			if (inside || event == TRACE_INSTRUCTION)
				cut_copy(sink, record, !inside);
		}
	}
}

int trace_cut_view(struct trace_view *view, const char *from, const char *to, struct ls_error *err)
{
	struct trace_writer_config config = {.path = to, .vcpus = 1, .events = UINT64_MAX};
	struct trace_writer *writer;
	const char *count;
	uint64_t vcpus = 1;
	char *text;

	if (trace_view_open(view, from, err) || output_check(to, err))
		return err->code;
	count = trace_reader_text(view->reader, "vcpus", 0);
	if (count && !number_parse(count, 255, &vcpus) && vcpus)
		config.vcpus = (unsigned int)vcpus;
	config.text = text = cut_text(view);
	writer = trace_writer_open(&config, err);
	g_free(text);
	if (!writer)
		return err->code;
	cut_records(view, writer, config.vcpus, err);
	trace_writer_close(writer, err);
	return err->code;
}

int trace_cut(int argc, char **argv)
{
	struct trace_view view = {0};
	const GOptionEntry entries[] = {TRACE_VIEW_OPTIONS(&view), G_OPTION_ENTRY_NULL};
	g_autoptr(GOptionContext) context = g_option_context_new("IN OUT");
	g_autoptr(GError) error = NULL;
	struct ls_error err = {0};
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep trace cut");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace cut --help'", error->message);
	} else if (argc != 3 || !strcmp(argv[1], argv[2])) {
		log_failure("say which file to read, and which other one to write");
	} else {
		status = trace_cut_view(&view, argv[1], argv[2], &err) ? TOOL_EXIT_FAILURE
								       : TOOL_EXIT_OK;
		if (err.code)
			log_failure("%s", err.text);
	}
	trace_view_close(&view);
	return status;
}
