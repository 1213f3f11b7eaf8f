/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/compare.h"

#include "tools/diff/comparison.h"

/* Both before the first instruction that was recorded. */
static bool level(struct comparison *c)
{
	struct machine *machine = side_machine(c->side[REF]);
	g_autofree uint64_t *registers = g_new0(uint64_t, c->fields->count);
	const uint64_t *there = registers;
	struct ls_error err = {0};

	if (recorded_begin(c->recorded)) {
		if (!comparison_next(c, REF))
			return false;
		there = registers_of(c, REF);
	} else {
		diff_fields_read(c->fields, machine_engine(machine), machine_vcpu(machine, 0),
				 registers);
	}
	c->level = true;
	return !recorded_level(c->recorded, c->fields, there, &err) ||
	       comparison_could_not(c, &err);
}

static void compare_events(struct comparison *c)
{
	bool step = c->config[REF].single_step;

	if (c->recorded && !level(c))
		return;
	if (step && !c->config[REF].step_from)
		step_begin(c);
	while (step ? step_next_pair(c) : comparison_next(c, REF) && comparison_next(c, DUT)) {
		c->result->events++;
		/* What was mended is how it is to be compared again. */
		if (c->saved[DUT])
			saved_add(c->saved[DUT], c->now[DUT]);
		if (pair_differs(c)) {
			c->result->rule = rule_describe(c);
			return;
		}
		if (c->now[REF]->exit.reason == DIFF_END)
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

	for (unsigned int who = REF; who <= DUT; who++)
		c.stream[who] = g_ptr_array_new_with_free_func(g_free);
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

	if (result->rule || options->step || test->trace || !result->values->len || test->vcpus > 1)
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
