/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep diff: the same payloads on two engines, and where these part. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tools/diff/choose.h"
#include "tools/diff/engines.h"
#include "tools/diff/expected/expected.h"
#include "tools/diff/expected/quirks.h"
#include "tools/diff/report/report.h"
#include "tools/diff/steps.h"
#include "tools/diff_options.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/tool.h"

/* A comparison that could not be made is none: worse than a difference. */
#define DIFF_EXIT_DIFFERENT 1
#define DIFF_EXIT_FAILED    2

static int diff_write(const char *path, void (*make)(GString *, const struct diff_report *),
		      const struct diff_report *report, struct ls_error *err)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (!path)
		return 0;
	make(text, report);
	return output_write(path, text->str, text->len, err);
}

static void diff_count(struct diff_report *report, const struct diff_result *result)
{
	report->equal += result->verdict == DIFF_EQUAL;
	report->different += result->verdict == DIFF_DIFFERENT;
	report->failed += result->verdict == DIFF_FAILED;
	report->declared += result->declared > 0;
	report->events += result->events;
}

static bool diff_colour(void)
{
	return isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");
}

/* Asked for once, what was found so far is still told; twice, it ends at once. Per process, as
 * signals are. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

static void interrupted_begin(void)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND | SA_RESTART};
	static const int numbers[] = {SIGINT, SIGTERM};
	struct sigaction before;

	sigemptyset(&action.sa_mask);
	for (size_t n = 0; n < G_N_ELEMENTS(numbers); n++)
		if (!sigaction(numbers[n], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(numbers[n], &action, NULL);
}

static void diff_run_all(struct diff_command *d, struct diff_report *report, GPtrArray *results,
			 const struct diff_used *used)
{
	gint64 start = g_get_monotonic_time();

	struct progress progress;
	guint i = 0;

	progress_begin(&progress);
	interrupted_begin();
	for (; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);
		struct diff_result *result;
		g_autoptr(GString) text = g_string_new(NULL);

		progress_show(&progress, test->name, i, d->tests->len);
		result = diff_compare_steadily(&d->options, test, used);
		/* The terminal has told the engine's processes, too. */
		if (interrupted) {
			diff_result_free(result);
			break;
		}
		g_ptr_array_add(results, result);
		diff_count(report, result);
		if (result->verdict != DIFF_EQUAL && !d->json)
			report_text_result(text, &d->options, result, diff_colour());
		if (text->len)
			progress_clear(&progress);
		fputs(text->str, stdout);
		fflush(stdout);
	}
	progress_clear(&progress);
	if (i < d->tests->len)
		g_ptr_array_add(d->left_out,
				g_strdup_printf("%u cases: interrupted", d->tests->len - i));
	report->wall_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
}

static int diff_run(struct diff_command *d, struct ls_error *err)
{
	g_autoptr(GPtrArray) results =
		g_ptr_array_new_with_free_func((GDestroyNotify)diff_result_free);
	g_autofree bool *expected = g_new0(bool, expected_count + 1);
	g_autofree bool *quirk = g_new0(bool, quirk_count + 1);
	const struct diff_used used = {expected, quirk};
	g_autoptr(GString) text = g_string_new(NULL);
	struct diff_report report = {.options = &d->options,
				     .version = d->version,
				     .results = results,
				     .used = &used,
				     .left_out = d->left_out};
	int rc;

	diff_run_all(d, &report, results, &used);
	if (d->json)
		report_json(text, &report);
	else
		report_text_summary(text, &report, diff_colour());
	fputs(text->str, stdout);
	rc = diff_write(d->junit, report_junit, &report, err);
	if (!rc)
		rc = diff_write(d->html, report_html, &report, err);
	if (rc)
		return rc;
	output_flush_stdout(err);
	if (err->code)
		return err->code;
	if (interrupted)
		return TOOL_EXIT_SIGNAL + interrupted;
	if (report.failed)
		return DIFF_EXIT_FAILED;
	return report.different ? DIFF_EXIT_DIFFERENT : 0;
}

/* The same command in the lab, where the engine is kvm. */
static int diff_in_lab(int argc, char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	g_ptr_array_add(words, (char *)"lab");
	g_ptr_array_add(words, (char *)"--");
	g_ptr_array_add(words, (char *)"diff");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--dut") && i + 1 < argc)
			i++;
		else if (!g_str_has_prefix(argv[i], "--dut="))
			g_ptr_array_add(words, argv[i]);
	}
	g_ptr_array_add(words, (char *)"--dut=kvm");
	g_ptr_array_add(words, (char *)"--in-lab");
	g_ptr_array_add(words, NULL);
	return cmd_lab((int)words->len - 1, (char **)words->pdata);
}

static void diff_choose(struct diff_command *d)
{
	if (d->dut && strcmp(d->dut, "auto"))
		return;
	g_free(d->dut);
	d->dut = g_strdup(diff_engine_choose());
	log_notice("--dut auto: %s is the strongest engine that works here", d->dut);
}

static int diff_ask_steps(struct diff_command *d, struct ls_error *err)
{
	d->options.no_steps = !diff_steps_end(d->options.engine[1]);
	return d->options.step && d->options.no_steps
		       ? ls_error_set(
				 err, -ENOTSUP,
				 "engine %s ends no single step in user-mode code, its trap goes "
				 "to the guest: steps can't be compared here; say --granularity "
				 "exit, or --dut lab",
				 d->options.engine[1]->name)
		       : 0;
}

static int diff_start(struct diff_command *d, int argc, char **words, struct ls_error *err)
{
	int rc;

	if (d->dut && g_str_has_prefix(d->dut, "trace:"))
		d->trace = d->dut + strlen("trace:");
	rc = diff_collect(d, err);
	if (!rc && d->list) {
		diff_list(d);
		return 0;
	}
	if (!rc)
		rc = diff_make_folders(d, err);
	if (rc)
		return rc;
	diff_choose(d);
	if (!strcmp(d->dut, "lab"))
		return diff_in_lab(argc, words);
	rc = diff_apply(d, err);
	d->left_out = g_ptr_array_new_with_free_func(g_free);
	if (!rc)
		rc = diff_leave_out(d->tests, d->options.engine, d->left_out, err);
	if (!rc && d->junit)
		rc = output_check(d->junit, err);
	if (!rc && d->html)
		rc = output_check(d->html, err);
	if (!rc && d->options.engine[1])
		rc = diff_ask_steps(d, err);
	return rc ? rc : diff_run(d, err);
}

int cmd_diff(int argc, char **argv)
{
	g_auto(GStrv) words = g_new0(char *, (gsize)argc + 1); /* GOption takes argv apart */
	struct diff_command d = {0};
	struct ls_error err = {0};
	int status;

	for (int i = 0; i < argc; i++)
		words[i] = g_strdup(argv[i]);
	status = diff_parse(&d, argc, argv, &err);
	if (!status)
		status = diff_start(&d, argc, words, &err);
	if (status < 0) {
		log_failure("%s", err.text);
		status = DIFF_EXIT_FAILED;
	}
	diff_command_free(&d);
	return status;
}
