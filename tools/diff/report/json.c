/* SPDX-License-Identifier: Apache-2.0 */
/* --json: the report for programs. */
#include <inttypes.h>

#include "tools/diff/expected/expected.h"
#include "tools/diff/report/report.h"
#include "tools/json.h"

static void append_member(GString *text, const char *name, const char *value)
{
	g_string_append_printf(text, "\"%s\": ", name);
	json_append_string(text, value);
	g_string_append(text, ", ");
}

static const char *verdict_name(const struct diff_result *result)
{
	static const char *const names[] = {"equal", "different", "failed"};

	return names[result->verdict];
}

static void append_values(GString *text, const struct diff_result *result)
{
	g_string_append(text, ", \"values\": [");
	for (guint i = 0; i < result->values->len; i++) {
		const struct diff_value *value = g_ptr_array_index(result->values, i);

		g_string_append(text, i ? ", {" : "{");
		append_member(text, "field", value->field);
		append_member(text, "manual", value->manual);
		g_string_append_printf(
			text,
			"\"ref\": \"0x%" PRIx64 "\", \"dut\": \"0x%" PRIx64 "\", \"differs\": %s}",
			value->value[0], value->value[1], value->differs ? "true" : "false");
	}
	g_string_append(text, "]");
}

static void append_result(GString *text, const struct diff_result *result)
{
	g_string_append(text, "    {");
	append_member(text, "case", result->test->name);
	if (result->test->theme)
		append_member(text, "theme", result->test->theme);
	if (result->test->purpose)
		append_member(text, "purpose", result->test->purpose);
	append_member(text, "verdict", verdict_name(result));
	if (result->text)
		append_member(text, "text", result->text);
	if (result->rule)
		append_member(text, "rule", result->rule);
	if (result->unsteady)
		g_string_append(text, "\"unsteady\": true, ");
	append_member(text, "command", result->command);
	g_string_append_printf(
		text,
		"\"events\": %" PRIu64 ", \"declared\": %u, \"merged_steps\": %" PRIu64
		", \"seconds\": %.3f",
		result->events, result->declared, result->merged, result->wall_seconds);
	append_values(text, result);
	g_string_append(text, "}");
}

static void append_declared(GString *text, const struct diff_report *report)
{
	const char *between = "\n";

	g_string_append(text, "  \"declared\": [");
	for (unsigned int i = 0; i < expected_count; i++) {
		const struct expected_row *row = &expected_rows[i];
		g_autofree char *what = expected_text(row);

		if (!report->used->expected[i])
			continue;
		g_string_append_printf(text, "%s    {", between);
		append_member(text, "case", row->test);
		append_member(text, "field", row->field);
		append_member(text, "instruction", row->instruction ? row->instruction : "");
		append_member(text, "difference", what);
		append_member(text, "why", row->why);
		g_string_append_printf(text, "\"step\": %s}", row->step ? "true" : "false");
		between = ",\n";
	}
	g_string_append(text, "],\n");
}

void report_json(GString *text, const struct diff_report *report)
{
	g_string_append(text, "{\n  ");
	append_member(text, "ref", diff_side_name(report->options, 0));
	append_member(text, "dut", diff_side_name(report->options, 1));
	append_member(text, "version", report->version);
	append_member(text, "cpu", report->options->cpu);
	append_member(text, "granularity", report->options->step ? "step" : "exit");
	g_string_append_printf(
		text,
		"\n  \"cases\": %u, \"equal\": %u, \"different\": %u, \"failed\": %u, "
		"\"with_declared\": %u, \"events\": %" PRIu64 ", \"seconds\": %.3f,\n",
		report->results->len, report->equal, report->different, report->failed,
		report->declared, report->events, report->wall_seconds);
	g_string_append(text, "  \"left_out\": [");
	for (guint i = 0; i < report->left_out->len; i++) {
		g_string_append(text, i ? ", " : "");
		json_append_string(text, g_ptr_array_index(report->left_out, i));
	}
	g_string_append(text, "],\n");
	append_declared(text, report);
	g_string_append(text, "  \"results\": [\n");
	for (guint i = 0; i < report->results->len; i++) {
		append_result(text, g_ptr_array_index(report->results, i));
		g_string_append(text, i + 1 < report->results->len ? ",\n" : "\n");
	}
	g_string_append(text, "  ]\n}\n");
}
