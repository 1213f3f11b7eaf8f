/* SPDX-License-Identifier: Apache-2.0 */
/* A case and what its comparison came to: filled, and freed. */
#include <string.h>

#include "tools/diff/comparison.h"

void diff_verdict(struct diff_result *result, enum diff_verdict is, const char *format, ...)
{
	va_list args;

	if (result->text)
		return;
	va_start(args, format);
	result->text = g_strdup_vprintf(format, args);
	va_end(args);
	result->verdict = is;
}

static void value_free(void *opaque)
{
	struct diff_value *value = opaque;

	g_free(value->field);
	g_free(value);
}

const char *diff_side_label(const struct diff_options *options, unsigned int who)
{
	const char *name = diff_side_name(options, who);
	g_autofree char *label = NULL;

	if (options->engine[REF] != options->engine[DUT])
		return name;
	label = g_strdup_printf("%s (%s)", name, who ? "dut" : "ref");
	return g_intern_string(label);
}

char *diff_shell_word(const char *text)
{
	static const char plain[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+,-./:=@_";

	return *text && strspn(text, plain) == strlen(text) ? g_strdup(text) : g_shell_quote(text);
}

/* What a trace brings needs no name. */
static char *repeat(const struct diff_options *options, const struct diff_case *test)
{
	g_autofree char *image = test->image ? diff_shell_word(test->image) : NULL;

	if (test->theme)
		return g_strdup_printf("%s --case %s", options->command, test->name);
	return image ? g_strdup_printf("%s %s", options->command, image)
		     : g_strdup(options->command);
}

struct diff_result *diff_result_create(const struct diff_options *options,
				       const struct diff_case *test)
{
	struct diff_result *result = g_new0(struct diff_result, 1);

	result->test = test;
	result->left_out = g_ptr_array_new_with_free_func(g_free);
	result->values = g_ptr_array_new_with_free_func(value_free);
	result->command = repeat(options, test);
	return result;
}

void diff_result_free(struct diff_result *result)
{
	if (!result)
		return;
	g_free(result->text);
	g_free(result->rule);
	g_free(result->command);
	g_ptr_array_unref(result->values);
	g_ptr_array_unref(result->left_out);
	for (unsigned int who = REF; who <= DUT; who++)
		if (result->moments[who])
			g_ptr_array_unref(result->moments[who]);
	g_free(result);
}

void diff_case_free(struct diff_case *test)
{
	g_free(test->name);
	g_free(test->purpose);
	g_free(test->theme);
	g_free(test->image);
	g_free(test->append);
	g_free(test->called);
	g_free(test->trace);
	g_free(test);
}
