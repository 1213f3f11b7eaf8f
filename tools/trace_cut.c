/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep trace cut: a part of a trace as a trace of its own. */
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/tool.h"
#include "tools/trace_view.h"
#include "traces/events.h"
#include "traces/writer.h"

/* What was asked for. */
struct part {
	uint64_t from, events;
};

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
static void cut_vcpu(struct trace_view *view, struct ls_trace_sink *sink, const struct part *part,
		     uint64_t *left, struct ls_error *err)
{
	const uint64_t *record;
	unsigned int vcpu;

	while (*left && trace_view_next(view, &vcpu, &record, err)) {
		unsigned int event = LS_TRACE_EVENT(record[0]);
		bool inside = record[1] >= part->from && (part->events >> event & 1);

		if (inside || event == TRACE_INSTRUCTION)
			cut_copy(sink, record, !inside);
		*left -= inside && !(LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT);
	}
}

static void cut_records(struct trace_view *view, struct trace_writer *writer, unsigned int vcpus,
			struct ls_error *err)
{
	const struct part part = {.from = view->from, .events = view->events};
	uint64_t left = view->limit;

	view->snapshots = true;
	view->from = 0;
	view->events |= 1u << TRACE_INSTRUCTION;
	view->limit = UINT64_MAX;
	for (unsigned int n = 0; n < vcpus; n++) {
		if (view->vcpu_text && n != view->vcpu)
			continue;
		trace_view_rewind_to(view, n, part.from);
		cut_vcpu(view, trace_writer_sink(writer, n), &part, &left, err);
	}
}

static void cut_into(struct trace_view *view, const char *name, struct ls_error *err)
{
	struct trace_writer_config config = {
		.path = name, .vcpus = trace_view_vcpus(view), .events = UINT64_MAX};
	g_autofree char *text = cut_text(view);
	struct trace_writer *writer;

	config.text = text;
	writer = trace_writer_open(&config, err);
	if (!writer)
		return;
	cut_records(view, writer, config.vcpus, err);
	trace_writer_close(writer, err);
}

int trace_cut_view(struct trace_view *view, const char *from, const char *to, struct ls_error *err)
{
	struct output output;

	if (trace_view_open(view, from, err) || output_begin(&output, to, err))
		return err->code;
	cut_into(view, output.name, err);
	return output_end(&output, err);
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
	} else if (argc != 3) {
		log_failure("say which file to read, and which other one to write");
	} else {
		view.long_work = true;
		if (!output_check_of(argv[2], argv[1], &err))
			trace_cut_view(&view, argv[1], argv[2], &err);
		status = trace_view_status(&view, &err);
	}
	trace_view_close(&view);
	return status;
}
