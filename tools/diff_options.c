/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff_options.h"

#include <string.h>

#include "tools/diff/choose.h"
#include "tools/diff/engines.h"
#include "tools/diff/expected/expected.h"
#include "tools/diff/traced.h"
#include "tools/size.h"
#include "tools/tool.h"

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

int diff_parse(struct diff_command *d, int argc, char **argv, struct ls_error *err)
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
		 "vCPUs of a payload (default 1); of several, only ends are compared, but against "
		 "a trace",
		 "N"},
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

static void append_option(GString *text, const char *option, const char *value)
{
	g_autofree char *word = value ? diff_shell_word(value) : NULL;

	if (value)
		g_string_append_printf(text, " --%s %s", option, word);
}

/* A trace says the rest of what it was recorded with, unless it was said before. */
static char *diff_repeat(const struct diff_command *d)
{
	const struct diff_options *options = &d->options;
	const char *step = d->granularity || !d->trace ? options->step ? "step" : "exit" : NULL;
	GString *text = g_string_new("lockstep diff");

	append_option(text, "ref", options->engine[0]->name);
	append_option(text, "dut", d->in_lab ? "lab" : d->dut);
	append_option(text, "cpu", d->trace && !d->cpu_given ? NULL : d->cpu);
	append_option(text, "granularity", step);
	append_option(text, "dirty", d->dirty);
	append_option(text, "smp", d->smp);
	append_option(text, "memory", d->memory);
	append_option(text, "append", d->append);
	for (char **param = d->params; param && *param; param++)
		append_option(text, "dut-param", *param);
	if (d->seconds > 0)
		g_string_append_printf(text, " --timeout %g", d->seconds);
	return g_string_free(text, FALSE);
}

int diff_apply(struct diff_command *d, struct ls_error *err)
{
	struct diff_options *options = &d->options;
	int rc = diff_apply_engine(d->ref ? d->ref : "sim", &options->engine[0], err);

	d->cpu_given = d->cpu != NULL;
	if (!rc)
		rc = diff_apply_sizes(d, err);
	if (!rc)
		rc = diff_apply_dut(d, err);
	if (rc)
		return rc;
	options->command = diff_repeat(d);
	return diff_apply_params(d, err);
}

void diff_command_free(struct diff_command *d)
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
