/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/compare.h"

#include "tools/diff/streams.h"

#define UNKNOWN_CASE (3 << 1 | 1) /* as tools/suite/suite.c ends for a name that it has not */

static bool next_pair(struct comparison *c)
{
	if (c->recorded && recorded_is_stream(c->recorded))
		return streams_next_pair(c);
	if (c->config[REF].single_step)
		return step_next_pair(c);
	return comparison_next(c, REF) && comparison_next(c, DUT);
}

/* What differs is this vCPU's. */
static void name_vcpu(struct comparison *c)
{
	char *text = c->result->text;

	if (c->test->vcpus < 2 || c->result->ends_only || !text)
		return;
	c->result->text = g_strdup_printf("vCPU %u: %s", c->now[REF]->vcpu, text);
	g_free(text);
}

/* An image that does not get to the case would be equal everywhere. */
static void refuse_unknown(struct comparison *c)
{
	if (c->test->theme && !c->test->user && c->now[REF]->end == MACHINE_END_EXIT_PORT &&
	    c->now[REF]->code == UNKNOWN_CASE)
		diff_verdict(c->result, DIFF_FAILED, "the suite's image knows no such case");
}

static void compare_events(struct comparison *c)
{
	bool step = c->config[REF].single_step;

	c->result->ends_only =
		c->test->vcpus > 1 && (!c->recorded || !recorded_machine(c->recorded));
	if (step && !c->config[REF].step_from)
		step_begin(c);
	while (next_pair(c)) {
		c->result->events++;
		/* What was mended is how it is to be compared again. */
		if (c->saved[DUT])
			saved_add(c->saved[DUT], c->now[DUT], c->side[DUT]);
		if (pair_differs(c)) {
			c->result->rule = rule_describe(c);
			name_vcpu(c);
			return;
		}
		if (c->now[REF]->exit.reason == DIFF_END)
			refuse_unknown(c);
		/* Of records each vCPU's end is compared. */
		if (c->now[REF]->exit.reason == DIFF_END && !c->now[DUT]->by_records)
			return;
		if (step)
			step_pair_done(c);
		else if (c->options->step)
			step_remember(c);
	}
}

/* What a trace said and nobody else. */
static void free_adopted(char *own, const char *given)
{
	if (own != given)
		g_free(own);
}

struct diff_result *diff_compare(const struct diff_options *options, const struct diff_case *test,
				 const struct diff_used *used)
{
	struct diff_result *result = diff_result_create(options, test);
	struct diff_options own = *options; /* a trace may say more */
	struct diff_case own_test = *test;
	struct comparison c = {
		.options = &own, .test = &own_test, .result = result, .open_page = NO_PAGE};
	int64_t start = g_get_monotonic_time();

	c.quirk_used = g_new0(bool, quirk_count + 1);
	if (sides_open(&c, &own, &own_test) && sides_build(&c) && comparison_save(&c))
		compare_events(&c);
	if (c.version)
		comparison_settle(&c, used);
	sides_close(&c);
	free_adopted(own.cpu, options->cpu);
	free_adopted(own_test.append, test->append);
	free_adopted(own_test.called, test->called);
	free_adopted(own_test.image, test->image);
	result->wall_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	return result;
}

/* Between two exits there are many instructions; by step the one is found. */
static void find_rule(const struct diff_options *options, const struct diff_case *test,
		      const struct diff_used *used, struct diff_result *result)
{
	struct diff_options step = *options;
	struct diff_result *by_step;

	if (result->rule || options->step || options->no_steps || test->trace ||
	    !result->values->len || test->vcpus > 1)
		return;
	step.step = true;
	step.save = NULL;
	by_step = diff_compare(&step, test, used);
	result->rule = by_step->rule ? g_steal_pointer(&by_step->rule)
				     : g_strdup("no single instruction differs by step");
	diff_result_free(by_step);
}

struct diff_result *diff_compare_steadily(const struct diff_options *options,
					  const struct diff_case *test,
					  const struct diff_used *used)
{
	struct diff_result *result = diff_compare(options, test, used), *again;
	struct diff_options second = *options;

	if (result->verdict != DIFF_DIFFERENT)
		return result;
	find_rule(options, test, used, result);
	if (options->engine[REF] == options->engine[DUT] || test->trace)
		return result;
	second.save = NULL;
	again = diff_compare(&second, test, used);
	result->unsteady = again->verdict == DIFF_EQUAL;
	diff_result_free(again);
	return result;
}
