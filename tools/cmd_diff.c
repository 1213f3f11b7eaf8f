/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep diff: the same payloads on two engines, and where these part. */
#include <string.h>
#include <unistd.h>

#include "tools/diff/choose.h"
#include "tools/diff/compare.h"
#include "tools/diff/engines.h"
#include "tools/diff/expected.h"
#include "tools/diff/quirks.h"
#include "tools/diff/report.h"
#include "tools/diff/suite.h"
#include "tools/diff/traced.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/size.h"
#include "tools/tool.h"

/* A comparison that could not be made is none: worse than a difference. */
#define DIFF_EXIT_DIFFERENT 1
#define DIFF_EXIT_FAILED    2

struct diff_command {
	char *ref, *dut, *cpu, *granularity, *dirty, *memory, *smp, *append, *junit, *html, *save;
	char **cases, **params, **payloads;
	gboolean suite, list, json, in_lab;
	double seconds;

	GPtrArray *tests;    /* struct diff_case */
	GPtrArray *left_out; /* lines that say which cases cannot run, and why */
	struct machine_param param_rows[16];
	struct diff_options options;
	const char *trace; /* of --dut trace:PATH; NULL: the engine under test runs */
	char *version;     /* of the engine under test */
};

static const char diff_description[] =
	"Runs each payload on two engines, on the processor model that both can be, and compares\n"
	"exits, registers and memory. Reports the first difference of each.\n\n"
	"Engines under test: sim, kvm, qemu, native (user-mode cases on the host's processor), "
	"lab\n"
	"(kvm in 'lockstep lab'), auto (the strongest here),\n"
	"trace:FILE (what one of them did before: of --save-trace, of 'lockstep run --trace', or\n"
	"imported from a host), or trace:FOLDER with CASE.trace of each case. A trace brings its\n"
	"payload, processor model and granularity.\n\n"
	"Exit status: 0 equal, 1 different, 2 could not be compared.\n\n"
	"Example: lockstep diff --ref sim --dut auto --suite";

static int diff_parse(struct diff_command *d, int argc, char **argv, struct ls_error *err)
{
	const GOptionEntry entries[] = {
		{"ref", 0, 0, G_OPTION_ARG_STRING, &d->ref, "The reference (default sim)",
		 "ENGINE"},
		{"dut", 0, 0, G_OPTION_ARG_STRING, &d->dut, "The engine under test (default auto)",
		 "ENGINE"},
		{"granularity", 0, 0, G_OPTION_ARG_STRING, &d->granularity,
		 "Compare at each exit (default), or at each instruction", "exit|step"},
		{"dirty", 0, 0, G_OPTION_ARG_STRING, &d->dirty,
		 "How the engine under test tells what memory was written (default auto)",
		 "auto|log|ring"},
		{"suite", 0, 0, G_OPTION_ARG_NONE, &d->suite, "Run the cases that come with it",
		 NULL},
		{"case", 0, 0, G_OPTION_ARG_STRING_ARRAY, &d->cases,
		 "Run this case, or the cases of this theme (repeatable)", "NAME"},
		{"list", 0, 0, G_OPTION_ARG_NONE, &d->list, "List the cases and what each is for",
		 NULL},
		{"cpu", 0, 0, G_OPTION_ARG_STRING, &d->cpu,
		 "CPU model, less what an engine lacks (default: the engine's vendor)", "MODEL"},
		{"smp", 0, 0, G_OPTION_ARG_STRING, &d->smp,
		 "vCPUs of a payload (default 1); of several, only ends are compared", "N"},
		{"memory", 0, 0, G_OPTION_ARG_STRING, &d->memory, "Guest memory (default 4M)",
		 "SIZE"},
		{"append", 0, 0, G_OPTION_ARG_STRING, &d->append, "The payloads' command line",
		 "TEXT"},
		{"dut-param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &d->params,
		 "Set a parameter of the engine under test (repeatable)", "NAME=VALUE"},
		{"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &d->seconds,
		 "Give a case up after so long without an event (default 20)", "SECONDS"},
		{"save-trace", 0, 0, G_OPTION_ARG_FILENAME, &d->save,
		 "Write what both did to FOLDER/ref and FOLDER/dut, CASE.trace of each case",
		 "FOLDER"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &d->json, "Print the results as JSON", NULL},
		{"junit", 0, 0, G_OPTION_ARG_FILENAME, &d->junit, "Write them as JUnit XML",
		 "FILE"},
		{"html", 0, 0, G_OPTION_ARG_FILENAME, &d->html,
		 "Write a page with both engines' timelines", "FILE"},
		{"in-lab", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &d->in_lab, "", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &d->payloads, "",
		 "PAYLOAD..."},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_set_prgname("lockstep diff");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, "Finds where two engines differ.");
	g_option_context_set_description(context, diff_description);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return ls_error_set(err, -EINVAL, "%s", error->message);
	return 0;
}

/* --- what to compare --- */

static bool case_wanted(const struct diff_command *d, const struct diff_case *test)
{
	if (d->suite || d->list)
		return true;
	for (char **name = d->cases; name && *name; name++)
		if (!strcmp(*name, test->name) || !strcmp(*name, test->theme))
			return true;
	return false;
}

static int add_suite(struct diff_command *d, struct ls_error *err)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	guint before = d->tests->len;
	int rc = suite_load(all, err);

	for (guint i = 0; i < all->len; i++) {
		struct diff_case *test = g_ptr_array_index(all, i);

		if (case_wanted(d, test))
			g_ptr_array_add(d->tests, test);
		else
			diff_case_free(test);
	}
	if (!rc && d->cases && d->tests->len == before)
		return ls_error_set(err, -ENOENT,
				    "no case or theme '%s'; 'lockstep diff --list' names them",
				    d->cases[0]);
	return rc;
}

static int add_payload(struct diff_command *d, const char *path, uint64_t vcpus,
		       struct ls_error *err)
{
	struct diff_case *test = g_new0(struct diff_case, 1);

	test->name = g_path_get_basename(path);
	test->image = g_strdup(path);
	test->append = g_strdup(d->append);
	test->vcpus = (unsigned int)vcpus;
	g_ptr_array_add(d->tests, test);
	return diff_payload_is_user(path, &test->user, err);
}

static int diff_collect(struct diff_command *d, struct ls_error *err)
{
	uint64_t vcpus = d->trace ? 0 : 1; /* a trace knows */
	int rc = 0;

	d->tests = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	if (d->smp && (number_parse(d->smp, MACHINE_MAX_VCPUS, &vcpus) || !vcpus))
		return ls_error_set(err, -EINVAL, "--smp %s: say a number from 1 to %d", d->smp,
				    MACHINE_MAX_VCPUS);
	if (d->suite || d->cases || d->list)
		rc = add_suite(d, err);
	for (char **path = d->payloads; path && *path && !rc; path++)
		rc = add_payload(d, *path, vcpus, err);
	if (!rc && !d->tests->len && !d->trace)
		rc = ls_error_set(err, -EINVAL,
				  "say what to compare: --suite, --case or a payload");
	return rc;
}

static void diff_list(const struct diff_command *d)
{
	for (guint i = 0; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);

		printf("%-12s %-28s %s\n", test->theme ? test->theme : "", test->name,
		       test->purpose ? test->purpose : "");
	}
}

/* --- with what --- */

static int diff_apply_params(struct diff_command *d, struct ls_error *err)
{
	unsigned int n = 0;

	for (char **param = d->params; param && *param; param++, n++) {
		char *value = strchr(*param, '=');

		if (!value || n == G_N_ELEMENTS(d->param_rows))
			return ls_error_set(err, -EINVAL, "--dut-param %s: say NAME=VALUE", *param);
		*value++ = 0;
		d->param_rows[n] = (struct machine_param){*param, value};
	}
	d->options.params[1] = d->param_rows;
	d->options.param_count[1] = n;
	return 0;
}

static int diff_apply_engine(const char *name, const struct ls_engine_ops **engine,
			     struct ls_error *err)
{
	*engine = tool_engine_find(name);
	return *engine ? 0
		       : ls_error_set(err, -EINVAL,
				      "unknown engine '%s'; 'lockstep list engines' names them, "
				      "and --dut takes lab, auto and trace:FILE, too",
				      name);
}

static int diff_apply_dirty(const char *name, enum machine_dirty *dirty, struct ls_error *err)
{
	static const char *const names[] = {[MACHINE_DIRTY_ANY] = "auto",
					    [MACHINE_DIRTY_LOG] = "log",
					    [MACHINE_DIRTY_RING] = "ring"};

	for (size_t i = 0; name && i < G_N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]))
			continue;
		*dirty = (enum machine_dirty)i;
		return 0;
	}
	return name ? ls_error_set(err, -EINVAL, "--dirty %s: say auto, log or ring", name) : 0;
}

static int diff_apply_sizes(struct diff_command *d, struct ls_error *err)
{
	struct diff_options *options = &d->options;

	options->memory = d->trace ? 0 : 4 << 20;
	if (d->memory && (size_parse(d->memory, 1, &options->memory) || !options->memory))
		return ls_error_set(err, -EINVAL, "--memory %s: say a size, as in 16M", d->memory);
	options->any_granularity = d->trace && !d->granularity;
	options->step = !g_strcmp0(d->granularity, "step");
	if (d->granularity && !options->step && strcmp(d->granularity, "exit"))
		return ls_error_set(err, -EINVAL, "--granularity %s: say exit or step",
				    d->granularity);
	options->seconds = d->seconds > 0 ? d->seconds : 20;
	options->timeline = d->html != NULL;
	options->save = d->save;
	return diff_apply_dirty(d->dirty, &options->dirty[1], err);
}

/* The engine under test, and what follows from which it is. */
static int diff_apply_dut(struct diff_command *d, struct ls_error *err)
{
	struct diff_options *options = &d->options;
	int rc;

	if (d->trace) {
		options->cpu = d->cpu;
		rc = traced_collect(d->trace, d->tests, options, &d->version, err);
		d->cpu = options->cpu;
		return rc;
	}
	rc = diff_apply_engine(d->dut, &options->engine[1], err);
	if (rc)
		return rc;
	if (!d->cpu)
		d->cpu = g_strdup(diff_cpu_choose(options->engine[1]));
	options->cpu = d->cpu;
	d->version = expected_version(d->dut);
	return 0;
}

static int diff_apply(struct diff_command *d, struct ls_error *err)
{
	struct diff_options *options = &d->options;
	int rc = diff_apply_engine(d->ref ? d->ref : "sim", &options->engine[0], err);

	if (!rc)
		rc = diff_apply_sizes(d, err);
	if (!rc)
		rc = diff_apply_dut(d, err);
	if (rc)
		return rc;
	options->command =
		g_strdup_printf("lockstep diff --ref %s --dut %s --cpu %s --granularity %s",
				options->engine[0]->name, d->in_lab ? "lab" : d->dut, d->cpu,
				options->step ? "step" : "exit");
	return diff_apply_params(d, err);
}

/* --- the run --- */

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

static void diff_run_all(struct diff_command *d, struct diff_report *report, GPtrArray *results,
			 const struct diff_used *used)
{
	gint64 start = g_get_monotonic_time();

	for (guint i = 0; i < d->tests->len; i++) {
		struct diff_result *result =
			diff_compare_steadily(&d->options, g_ptr_array_index(d->tests, i), used);
		g_autoptr(GString) text = g_string_new(NULL);

		g_ptr_array_add(results, result);
		diff_count(report, result);
		if (result->verdict != DIFF_EQUAL && !d->json)
			report_text_result(text, &d->options, result, diff_colour());
		fputs(text->str, stdout);
		fflush(stdout);
	}
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

static void diff_free(struct diff_command *d)
{
	char *const strings[] = {
		d->ref,    d->dut,   d->cpu,  d->granularity, d->dirty,   d->memory,         d->smp,
		d->append, d->junit, d->html, d->save,        d->version, d->options.command};

	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	g_strfreev(d->cases);
	g_strfreev(d->params);
	g_strfreev(d->payloads);
	if (d->tests)
		g_ptr_array_unref(d->tests);
	if (d->left_out)
		g_ptr_array_unref(d->left_out);
}

/* Two cases of one name would be one file. */
static int diff_check_names(const struct diff_command *d, struct ls_error *err)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < d->tests->len; i++) {
		const struct diff_case *test = g_ptr_array_index(d->tests, i);

		if (!g_hash_table_add(names, test->name))
			return ls_error_set(
				err, -EINVAL,
				"two payloads are named '%s': their traces would be one",
				test->name);
	}
	return 0;
}

static int diff_make_folders(const struct diff_command *d, struct ls_error *err)
{
	static const char *const sides[] = {"ref", "dut"};

	if (!d->save)
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(sides); i++) {
		g_autofree char *path = g_build_filename(d->save, sides[i], NULL);

		if (g_mkdir_with_parents(path, 0777))
			return ls_error_set(err, -errno, "cannot make the folder '%s': %s", path,
					    g_strerror(errno));
	}
	return diff_check_names(d, err);
}

static void diff_choose(struct diff_command *d)
{
	if (d->dut && strcmp(d->dut, "auto"))
		return;
	g_free(d->dut);
	d->dut = g_strdup(diff_engine_choose());
	log_notice("--dut auto: %s is the strongest engine that works here", d->dut);
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
	diff_free(&d);
	return status;
}
