/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit's XML, as Jenkins and GitLab read it. */
#include "tools/diff/report/report.h"

static void append_case(GString *text, const struct diff_report *report,
			const struct diff_result *result)
{
	const char *theme = result->test->theme ? result->test->theme : "payloads";
	g_autofree char *name = g_markup_escape_text(result->test->name, -1);
	g_autofree char *line = g_markup_escape_text(result->text ? result->text : "", -1);
	g_autoptr(GString) all = g_string_new(NULL);
	g_autofree char *body = NULL;
	const char *tag = result->verdict == DIFF_FAILED ? "error" : "failure";

	g_string_append_printf(
		text, "  <testcase classname=\"lockstep.diff.%s\" name=\"%s\" time=\"%.3f\"", theme,
		name, result->wall_seconds);
	if (result->verdict == DIFF_EQUAL) {
		g_string_append(text, "/>\n");
		return;
	}
	report_text_result(all, report->options, result, false);
	body = g_markup_escape_text(all->str, -1);
	g_string_append_printf(text, ">\n    <%s message=\"%s\">%s</%s>\n  </testcase>\n", tag,
			       line, body, tag);
}

void report_junit(GString *text, const struct diff_report *report)
{
	g_string_append_printf(
		text,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"lockstep diff %s %s\" tests=\"%u\" failures=\"%u\" "
		"errors=\"%u\" time=\"%.3f\">\n",
		diff_side_name(report->options, 0), diff_side_name(report->options, 1),
		report->results->len, report->different, report->failed, report->wall_seconds);
	for (guint i = 0; i < report->results->len; i++)
		append_case(text, report, g_ptr_array_index(report->results, i));
	for (guint i = 0; i < report->left_out->len; i++) {
		g_autofree char *line =
			g_markup_escape_text(g_ptr_array_index(report->left_out, i), -1);

		g_string_append_printf(text, "  <system-out>left out: %s</system-out>\n", line);
	}
	g_string_append(text, "</testsuite>\n");
}
