/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/compare.h"

#include <string.h>

#include "tools/diff/comparison.h"
#include "tools/diff/expected/expected.h"

#define START_PORT 0x5a4 /* tools/suite/suite.h */

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

/* --- the run --- */

/* A trace has none: the reference's memory is what its guest's was, up to here. */
static void find_instruction(struct comparison *c)
{
	uint8_t bytes[sizeof(c->now[DUT]->bytes)] = {0};

	side_read(c->side[REF], c->now[DUT]->linear_rip, bytes, sizeof(bytes));
	recorded_give_bytes(c->recorded, bytes);
}

static void read_instruction(struct comparison *c, unsigned int who)
{
	bool same = who == DUT && c->now[REF]->linear_rip == c->now[DUT]->linear_rip;

	if (who == DUT && (c->now[DUT]->partial || c->now[DUT]->no_rip)) {
		recorded_give_rip(c->recorded, c->now[REF]);
		return;
	}
	if (same && c->recorded)
		recorded_give_instruction(c->recorded, c->now[REF]);
	else if (same)
		side_take_instruction(c->side[DUT], c->now[REF]);
	else if (who == DUT && c->recorded)
		find_instruction(c);
	else
		side_read_instruction(c->side[who]);
}

static const struct diff_event *next_event(struct comparison *c, unsigned int who,
					   struct ls_error *err)
{
	if (who == DUT && c->recorded)
		return recorded_next(c->recorded, err);
	if (c->recorded && recorded_is_host(c->recorded))
		return host_next(c, err);
	if (c->recorded && recorded_wants(c->recorded) && c->level)
		return records_next(c, err);
	return side_next(c->side[who], c->options->seconds, err);
}

bool comparison_next(struct comparison *c, unsigned int who)
{
	struct ls_error err = {0};

	c->now[who] = next_event(c, who, &err);
	if (who == DUT && c->now[DUT] && c->now[DUT]->no_rip && !records_level(c, &err))
		c->now[DUT] = NULL;
	if (!c->now[who]) {
		diff_verdict(c->result, DIFF_FAILED, "%s", err.text);
		return false;
	}
	read_instruction(c, who);
	if (who == REF && c->saved[REF])
		saved_add(c->saved[REF], c->now[REF]);
	history_add(&c->history[who], c->now[who]);
	return true;
}

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

/* --- both sides --- */

bool comparison_could_not(struct comparison *c, const struct ls_error *err)
{
	diff_verdict(c->result, DIFF_FAILED, "%s", err->text);
	return false;
}

static bool open_dut(struct comparison *c, struct diff_options *options, struct diff_case *test,
		     struct ls_error *err)
{
	if (!c->test->trace) {
		c->dut = c->options->engine[DUT]->name;
		c->version = expected_version(c->dut);
		return true;
	}
	c->recorded = recorded_open(c->test->trace, options, err);
	if (!c->recorded || recorded_adopt(c->recorded, options, test, err))
		return false;
	c->dut = recorded_engine(c->recorded);
	c->version = g_strdup(recorded_version(c->recorded));
	return true;
}

static bool open_engines(struct comparison *c, struct diff_options *options, struct diff_case *test)
{
	struct ls_error err = {0};

	if (!open_dut(c, options, test, &err))
		return comparison_could_not(c, &err);
	for (unsigned int who = REF; who <= DUT; who++) {
		if (!c->options->engine[who])
			continue;
		c->engine[who] = c->options->engine[who]->open(&err);
		if (!c->engine[who])
			return comparison_could_not(c, &err);
	}
	c->by_trap = c->options->step && !strcmp(c->dut, "kvm");
	c->fields = diff_fields_create(c->engine[REF], c->engine[c->recorded ? REF : DUT]);
	return true;
}

static bool equalise(struct comparison *c)
{
	struct machine *ref = side_machine(c->side[REF]), *dut;
	struct ls_error err = {0};

	if (c->recorded)
		return !recorded_start(c->recorded, c->fields, ref, &err) ||
		       comparison_could_not(c, &err);
	dut = side_machine(c->side[DUT]);
	for (unsigned int n = 0; n < machine_vcpu_count(ref); n++)
		diff_fields_equalise(c->fields, machine_engine(ref), machine_vcpu(ref, n),
				     machine_engine(dut), machine_vcpu(dut, n));
	return true;
}

static char *command_line(const struct comparison *c)
{
	g_autofree char *words = c->test->theme && !c->options->step
					 ? quirk_words(c->dut, c->version, c->test->name)
					 : g_strdup("");

	return g_strconcat(words, c->test->append, NULL);
}

/* The run that was recorded, on the reference. */
static struct machine_config recorded_config(const struct comparison *c)
{
	struct machine_config config = *recorded_machine(c->recorded);

	config.engine = config.models = c->options->engine[REF];
	config.at_instructions = recorded_begin(c->recorded);
	return config;
}

static struct machine_config own_config(const struct comparison *c, unsigned int who)
{
	return (struct machine_config){
		.engine = c->options->engine[who],
		.peer = c->options->engine[!who],
		.models = c->options->engine[REF],
		.cpu = c->options->cpu,
		.vcpus = c->test->vcpus,
		.memory = c->options->memory,
		.boot = MACHINE_BOOT_PAYLOAD,
		.kernel = c->test->image,
		.kernel_name = c->test->called,
		.append = c->append,
		.exit_port = true,
		.exit_port_base = 0xf4,
		.no_pci = true,
		.no_reboot = true,
		.epoch = MACHINE_DEFAULT_EPOCH,
		/* Of several vCPUs only ends are compared. */
		.single_step = c->options->step && c->test->vcpus == 1,
		.step_from = c->test->theme && !c->test->user ? START_PORT : 0,
		.params = c->options->params[who],
		.param_count = c->options->param_count[who],
		.dirty = c->options->dirty[who],
	};
}

static bool build_side(struct comparison *c, unsigned int who)
{
	uint64_t records = c->recorded ? recorded_wants(c->recorded) : 0;
	struct ls_error err = {0};

	c->config[who] = c->recorded && recorded_machine(c->recorded) ? recorded_config(c)
								      : own_config(c, who);
	c->side[who] = side_create(&c->config[who], c->fields, records, &err);
	return c->side[who] || comparison_could_not(c, &err);
}

static bool build_sides(struct comparison *c)
{
	c->append = command_line(c);
	for (unsigned int who = REF; who <= DUT; who++) {
		if (!(who == DUT && c->recorded) && !build_side(c, who))
			return false;
		history_start(&c->history[who], c->fields, c->options->timeline);
	}
	if (!equalise(c))
		return false;
	return true;
}

static void note_left_out(struct comparison *c)
{
	for (unsigned int i = 0; i < RAW_PARTS; i++)
		if (c->fields->untold[i])
			g_ptr_array_add(c->result->left_out, g_strdup(c->fields->untold[i]));
	for (unsigned int i = 0; i < c->fields->count; i++)
		if (c->fields->row[i].left_out)
			g_ptr_array_add(c->result->left_out, g_strdup(c->fields->row[i].name));
	if (c->recorded)
		recorded_tell(c->recorded, c->result->left_out);
}

static void close_all(struct comparison *c)
{
	comparison_save_end(c);
	for (unsigned int who = REF; who <= DUT; who++) {
		if (c->history[who].events)
			c->result->moments[who] = history_finish(&c->history[who]);
		if (c->side[who])
			side_close(c->side[who]);
		if (c->engine[who])
			c->engine[who]->ops->close(c->engine[who], LS_SYSTEM);
	}
	for (unsigned int who = REF; who <= DUT; who++)
		g_ptr_array_unref(c->stream[who]);
	if (c->fields)
		note_left_out(c);
	if (c->recorded)
		recorded_close(c->recorded);
	diff_fields_free(c->fields);
	g_free(c->version);
	g_free(c->append);
	g_free(c->quirk_used);
}

static void value_free(void *opaque)
{
	struct diff_value *value = opaque;

	g_free(value->field);
	g_free(value);
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
	struct diff_result *result = g_new0(struct diff_result, 1);
	struct diff_options own = *options; /* a trace may say more */
	struct diff_case own_test = *test;
	struct comparison c = {
		.options = &own, .test = &own_test, .result = result, .open_page = NO_PAGE};
	int64_t start = g_get_monotonic_time();

	result->test = test;
	result->left_out = g_ptr_array_new_with_free_func(g_free);
	result->values = g_ptr_array_new_with_free_func(value_free);
	result->command = test->theme
				  ? g_strdup_printf("%s --case %s", options->command, test->name)
				  : g_strdup_printf("%s %s", options->command, test->image);
	for (unsigned int who = REF; who <= DUT; who++)
		c.stream[who] = g_ptr_array_new_with_free_func(g_free);
	c.quirk_used = g_new0(bool, quirk_count + 1);
	if (open_engines(&c, &own, &own_test) && build_sides(&c) && comparison_save(&c))
		compare_events(&c);
	if (c.version)
		comparison_settle(&c, used);
	close_all(&c);
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
