/* SPDX-License-Identifier: Apache-2.0 */
/* A case and what its comparison came to: filled, and freed. */
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

struct diff_result *diff_result_create(const struct diff_options *options,
				       const struct diff_case *test)
{
	struct diff_result *result = g_new0(struct diff_result, 1);

	result->test = test;
	result->left_out = g_ptr_array_new_with_free_func(g_free);
	result->values = g_ptr_array_new_with_free_func(value_free);
	result->command = test->theme
				  ? g_strdup_printf("%s --case %s", options->command, test->name)
				  : g_strdup_printf("%s %s", options->command, test->image);
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
