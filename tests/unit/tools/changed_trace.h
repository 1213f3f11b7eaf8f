/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a trace with records changed or left out. */
#ifndef LOCKSTEP_TESTS_CHANGED_TRACE_H
#define LOCKSTEP_TESTS_CHANGED_TRACE_H

#include <string.h>

#include "tests/unit/check.h"
#include "tools/trace_view.h"
#include "traces/writer.h"

enum changed { CHANGED_KEEP, CHANGED_DROP, CHANGED_STOP };

/* Of the copy of a record, which has room to grow. */
typedef enum changed change_fn(void *opaque, struct trace_view *view, uint64_t *record);

static inline char *changed_head(struct trace_view *view)
{
	GString *text = g_string_new(NULL);
	const char *line;

	for (unsigned int n = 0; (line = trace_reader_line(view->reader, n)); n++)
		if (!g_str_has_prefix(line, "event ") && !g_str_has_prefix(line, "field "))
			g_string_append_printf(text, "%s\n", line);
	return g_string_free(text, FALSE);
}

/* @head: NULL for the same. */
static inline void changed_trace(const char *from, const char *to, const char *head,
				 change_fn *change, void *opaque)
{
	struct trace_view view = {0};
	struct ls_error err = {0};
	struct trace_writer_config config = {.path = to, .vcpus = 1, .events = UINT64_MAX};
	enum changed what = CHANGED_KEEP;
	g_autofree char *text = NULL;
	struct trace_writer *writer;
	struct ls_trace_sink *sink;
	const uint64_t *record;
	unsigned int vcpu;

	CU_ASSERT_EQUAL_FATAL(trace_view_open(&view, from, &err), 0);
	text = head ? g_strdup(head) : changed_head(&view);
	config.text = text;
	writer = trace_writer_open(&config, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	sink = trace_writer_sink(writer, 0);
	while (what != CHANGED_STOP && trace_view_next(&view, &vcpu, &record, &err)) {
		uint64_t *copy = ls_trace_room(sink);

		memcpy(copy, record, 8 * (size_t)LS_TRACE_WORDS(record[0]));
		what = change(opaque, &view, copy);
		if (what == CHANGED_KEEP)
			sink->at = copy + LS_TRACE_WORDS(copy[0]);
	}
	CU_ASSERT_EQUAL(err.code, 0);
	CU_ASSERT_EQUAL(trace_writer_close(writer, &err), 0);
	trace_view_close(&view);
}

#endif
