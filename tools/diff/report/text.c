/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a person. */
#include <inttypes.h>
#include <string.h>

#include "tools/diff/expected/expected.h"
#include "tools/diff/expected/quirks.h"
#include "tools/diff/report/report.h"

#define RED    "\033[1;31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"

static const char *paint(bool colour, const char *code)
{
	return colour ? code : "";
}

static void append_values(GString *text, const struct diff_options *options,
			  const struct diff_result *result, bool colour)
{
	g_string_append_printf(text, "    %-26s %-20s %-20s\n", "", diff_side_label(options, 0),
			       diff_side_label(options, 1));
	for (guint i = 0; i < result->values->len; i++) {
		const struct diff_value *value = g_ptr_array_index(result->values, i);

		g_string_append_printf(
			text, "  %s%c %-26s 0x%016" PRIx64 "   0x%016" PRIx64 "%s   %s\n",
			value->differs ? paint(colour, RED) : "", value->differs ? '*' : ' ',
			value->field, value->value[0], value->value[1],
			value->differs ? paint(colour, PLAIN) : "", value->manual);
	}
}

static void append_moments(GString *text, const GPtrArray *moments, const char *engine)
{
	guint from = moments->len > 6 ? moments->len - 6 : 0;

	g_string_append_printf(text, "  last events of %s:\n", engine);
	for (guint i = from; i < moments->len; i++) {
		const struct diff_moment *moment = g_ptr_array_index(moments, i);

		g_string_append_printf(text, "    %5" PRIu64 "  %-44s %s at %" PRIx64 ": %s\n",
				       moment->number, moment->what, moment->over ? "" : "then",
				       moment->linear_rip, moment->instruction);
	}
}

void report_text_result(GString *text, const struct diff_options *options,
			const struct diff_result *result, bool colour)
{
	bool failed = result->verdict == DIFF_FAILED;

	g_string_append_printf(text, "%s%s%s: %s\n", paint(colour, failed ? YELLOW : RED),
			       result->test->name, paint(colour, PLAIN), result->text);
	if (result->test->purpose)
		g_string_append_printf(text, "  %s\n", result->test->purpose);
	if (result->rule)
		g_string_append_printf(text, "  rule: %s\n", result->rule);
	if (result->unsteady)
		g_string_append(text, "  unsteady: a second run was equal\n");
	if (result->values->len)
		append_values(text, options, result, colour);
	for (unsigned int who = 0; who < 2 && !result->stopped_at; who++)
		if (result->moments[who] && result->moments[who]->len)
			append_moments(text, result->moments[who], diff_side_label(options, who));
	g_string_append_printf(text, "  again: %s\n", result->command);
}

/* --- the table --- */

struct theme {
	const char *name;
	unsigned int cases, equal, declared, different, failed;
	uint64_t events;
};

static struct theme *theme_of(GArray *themes, const char *name)
{
	struct theme theme = {.name = name};

	for (guint i = 0; i < themes->len; i++)
		if (!strcmp(g_array_index(themes, struct theme, i).name, name))
			return &g_array_index(themes, struct theme, i);
	g_array_append_val(themes, theme);
	return &g_array_index(themes, struct theme, themes->len - 1);
}

static void count(struct theme *theme, const struct diff_result *result)
{
	theme->cases++;
	theme->equal += result->verdict == DIFF_EQUAL;
	theme->declared += result->declared > 0;
	theme->different += result->verdict == DIFF_DIFFERENT;
	theme->failed += result->verdict == DIFF_FAILED;
	theme->events += result->events;
}

static void append_row(GString *text, const struct theme *theme, bool colour)
{
	bool bad = theme->different || theme->failed;

	g_string_append_printf(text, "%s%-14s %6u %6u %9u %10u %7u %10" PRIu64 "%s\n",
			       paint(colour, bad ? RED : GREEN), theme->name, theme->cases,
			       theme->equal, theme->declared, theme->different, theme->failed,
			       theme->events, paint(colour, PLAIN));
}

static void append_declared(GString *text, const struct diff_report *report)
{
	for (unsigned int i = 0; i < expected_count; i++) {
		const struct expected_row *row = &expected_rows[i];

		g_autofree char *what = NULL;

		if (!report->used->expected[i])
			continue;
		what = expected_text(row);
		g_string_append_printf(text, "declared: %s%s%s: %s: %s\n", row->test,
				       row->step ? ", " : "", row->step ? row->instruction : "",
				       what, row->why);
	}
}

static void append_quirks(GString *text, const struct diff_report *report)
{
	for (unsigned int i = 0; i < quirk_count; i++)
		if (report->used->quirk[i])
			g_string_append_printf(text, "quirk of its steps: %s, shown by %s: %s\n",
					       quirk_rows[i].mnemonic, quirk_rows[i].test,
					       quirk_rows[i].why);
}

/* The same for every case, as long as they run on one model. */
static void append_left_out(GString *text, const struct diff_report *report)
{
	const struct diff_result *first =
		report->results->len ? g_ptr_array_index(report->results, 0) : NULL;

	if (!first || !first->left_out->len)
		return;
	g_string_append(text, "not compared, for they differ from the start on, or an engine does "
			      "not tell them:");
	for (guint i = 0; i < first->left_out->len; i++)
		g_string_append_printf(text, " %s",
				       (const char *)g_ptr_array_index(first->left_out, i));
	g_string_append(text, "\n");
}

static void append_merged(GString *text, const struct diff_report *report)
{
	uint64_t merged = 0;

	for (guint i = 0; i < report->results->len; i++)
		merged +=
			((const struct diff_result *)g_ptr_array_index(report->results, i))->merged;
	if (merged)
		g_string_append_printf(text, "steps at which only one of them stops: %" PRIu64 "\n",
				       merged);
}

/* --- what could not be run --- */

struct stop {
	const char *at;
	unsigned int cases;
};

static void count_stop(GArray *stops, const char *at)
{
	for (guint i = 0; i < stops->len; i++)
		if (!strcmp(g_array_index(stops, struct stop, i).at, at)) {
			g_array_index(stops, struct stop, i).cases++;
			return;
		}
	g_array_append_val(stops, ((struct stop){at, 1}));
}

static gint more_cases(gconstpointer a, gconstpointer b)
{
	const struct stop *one = a, *other = b;

	return one->cases == other->cases ? strcmp(one->at, other->at)
					  : (int)other->cases - (int)one->cases;
}

static void append_stops(GString *text, const struct diff_report *report)
{
	g_autoptr(GArray) stops = g_array_new(FALSE, FALSE, sizeof(struct stop));
	unsigned int cases = 0;

	for (guint i = 0; i < report->results->len; i++) {
		const struct diff_result *result = g_ptr_array_index(report->results, i);

		if (!result->stopped_at)
			continue;
		count_stop(stops, result->stopped_at);
		cases++;
	}
	if (!cases)
		return;
	g_array_sort(stops, more_cases);
	g_string_append_printf(text,
			       "could not run: %u cases, in which engine %s stops at an "
			       "instruction that it cannot run (KVM_EXIT_INTERNAL_ERROR):",
			       cases, diff_side_label(report->options, 1));
	for (guint i = 0; i < stops->len; i++) {
		const struct stop *stop = &g_array_index(stops, struct stop, i);

		g_string_append_printf(text, "%s %s %u", i ? "," : "", stop->at, stop->cases);
	}
	g_string_append(text, "\n");
}

static void append_ends_only(GString *text, const struct diff_report *report)
{
	unsigned int cases = 0;

	for (guint i = 0; i < report->results->len; i++)
		cases += ((const struct diff_result *)g_ptr_array_index(report->results, i))
				 ->ends_only;
	if (cases)
		g_string_append_printf(text,
				       "of several vCPUs, in an order that two engines do not "
				       "share, only the ends are compared: %u\n",
				       cases);
}

void report_text_notes(GString *text, const struct diff_report *report)
{
	for (guint i = 0; i < report->left_out->len; i++)
		g_string_append_printf(text, "left out: %s\n",
				       (const char *)g_ptr_array_index(report->left_out, i));
	append_stops(text, report);
	append_declared(text, report);
	append_left_out(text, report);
	append_merged(text, report);
	append_ends_only(text, report);
	append_quirks(text, report);
}

void report_text_summary(GString *text, const struct diff_report *report, bool colour)
{
	g_autoptr(GArray) themes = g_array_new(FALSE, FALSE, sizeof(struct theme));
	struct theme all = {.name = "all"};

	g_string_append_printf(text, "%s%-14s %6s %6s %9s %10s %7s %10s%s\n", paint(colour, BOLD),
			       "", "cases", "equal", "declared", "different", "failed", "events",
			       paint(colour, PLAIN));
	for (guint i = 0; i < report->results->len; i++) {
		const struct diff_result *result = g_ptr_array_index(report->results, i);
		const char *theme = result->test->theme ? result->test->theme : "payloads";

		count(theme_of(themes, theme), result);
		count(&all, result);
	}
	for (guint i = 0; i < themes->len; i++)
		append_row(text, &g_array_index(themes, struct theme, i), colour);
	if (themes->len > 1)
		append_row(text, &all, colour);
	report_text_notes(text, report);
	g_string_append_printf(text, "%s against %s (%s), --cpu %s, compared by %s, %.1f s\n",
			       diff_side_label(report->options, 1),
			       diff_side_label(report->options, 0), report->version,
			       report->options->cpu, report->options->step ? "step" : "exit",
			       report->wall_seconds);
}
