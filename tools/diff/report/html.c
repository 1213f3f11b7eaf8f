/* SPDX-License-Identifier: Apache-2.0 */
/* One page without anything from elsewhere: the results as JSON, and page.html that shows
 * them. */
#include <inttypes.h>

#include "tools/diff/report/report.h"
#include "tools/json.h"

extern const char report_page_start[], report_page_end[];

__asm__(".section .rodata\n.globl report_page_start, report_page_end\nreport_page_start: .incbin "
	"\"" REPORT_PAGE "\"\nreport_page_end: .previous");

/* Where the page wants the data. */
#define MARK "@DATA@"

/* Between <script> and </script> no text may end the element. */
static void append_string(GString *text, const char *value)
{
	g_autoptr(GString) quoted = g_string_new(NULL);

	json_append_string(quoted, value);
	g_string_replace(quoted, "<", "\\u003c", 0);
	g_string_append(text, quoted->str);
}

static void append_changes(GString *text, const GPtrArray *changed)
{
	g_string_append_c(text, '[');
	for (guint i = 0; i < changed->len; i++) {
		if (i)
			g_string_append_c(text, ',');
		append_string(text, g_ptr_array_index(changed, i));
	}
	g_string_append_c(text, ']');
}

/* [number, RIP, event, instruction, [register, value, ...]] */
static void append_moments(GString *text, const GPtrArray *moments)
{
	g_string_append_c(text, '[');
	for (guint i = 0; moments && i < moments->len; i++) {
		const struct diff_moment *moment = g_ptr_array_index(moments, i);

		g_string_append_printf(text, "%s[%" PRIu64 ",\"%" PRIx64 "\",", i ? "," : "",
				       moment->number, moment->linear_rip);
		append_string(text, moment->what);
		g_string_append_c(text, ',');
		append_string(text, moment->instruction);
		g_string_append_c(text, ',');
		append_changes(text, moment->changed);
		g_string_append_c(text, ']');
	}
	g_string_append_c(text, ']');
}

/* [field, reference, engine under test, differs, manual] */
static void append_values(GString *text, const struct diff_result *result)
{
	g_string_append_c(text, '[');
	for (guint i = 0; i < result->values->len; i++) {
		const struct diff_value *value = g_ptr_array_index(result->values, i);

		g_string_append(text, i ? ",[" : "[");
		append_string(text, value->field);
		g_string_append_printf(text, ",\"%" PRIx64 "\",\"%" PRIx64 "\",%d,",
				       value->value[0], value->value[1], value->differs);
		append_string(text, value->manual);
		g_string_append_c(text, ']');
	}
	g_string_append_c(text, ']');
}

static void append_result(GString *text, const struct diff_result *result)
{
	static const char *const verdicts[] = {"equal", "different", "failed"};

	g_string_append(text, "{\"name\":");
	append_string(text, result->test->name);
	g_string_append(text, ",\"theme\":");
	append_string(text, result->test->theme ? result->test->theme : "payloads");
	g_string_append(text, ",\"purpose\":");
	append_string(text, result->test->purpose ? result->test->purpose : "");
	g_string_append(text, ",\"text\":");
	append_string(text, result->text ? result->text : "");
	g_string_append(text, ",\"rule\":");
	append_string(text, result->rule ? result->rule : "");
	g_string_append(text, ",\"command\":");
	append_string(text, result->command);
	g_string_append_printf(text, ",\"verdict\":\"%s\",\"declared\":%u,\"values\":",
			       verdicts[result->verdict], result->declared);
	append_values(text, result);
	g_string_append(text, ",\"sides\":[");
	append_moments(text, result->moments[0]);
	g_string_append_c(text, ',');
	append_moments(text, result->moments[1]);
	g_string_append(text, "]}");
}

static void append_data(GString *text, const struct diff_report *report)
{
	g_autoptr(GString) title = g_string_new(NULL), notes = g_string_new(NULL);

	g_string_printf(title, "%s against %s (%s), --cpu %s", diff_side_label(report->options, 1),
			diff_side_label(report->options, 0), report->version, report->options->cpu);
	g_string_append(text, "{\"title\":");
	append_string(text, title->str);
	g_string_append(text, ",\"engines\":[");
	append_string(text, diff_side_label(report->options, 0));
	g_string_append_c(text, ',');
	append_string(text, diff_side_label(report->options, 1));
	report_text_notes(notes, report);
	g_string_append(text, "],\"notes\":");
	append_string(text, notes->str);
	g_string_append(text, ",\"results\":[");
	for (guint i = 0; i < report->results->len; i++) {
		g_string_append(text, i ? ",\n" : "\n");
		append_result(text, g_ptr_array_index(report->results, i));
	}
	g_string_append(text, "]}");
}

void report_html(GString *text, const struct diff_report *report)
{
	const char *mark =
		g_strstr_len(report_page_start, report_page_end - report_page_start, MARK);

	g_string_append_len(text, report_page_start, mark - report_page_start);
	append_data(text, report);
	mark += sizeof(MARK) - 1;
	g_string_append_len(text, mark, report_page_end - mark);
}
