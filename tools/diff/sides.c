/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides: opened, built and made alike, and closed. */
#include <string.h>

#include "tools/diff/comparison.h"
#include "tools/diff/expected/expected.h"
#include "tools/diff/streams.h"

#define START_PORT 0x5a4 /* tools/suite/suite.h */

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

bool sides_open(struct comparison *c, struct diff_options *options, struct diff_case *test)
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
	return config;
}

/* Of user-mode code, which an engine runs on the host's processor as it is (quirks.def). */
static const struct ls_engine_ops *processor_of(const struct comparison *c)
{
	g_auto(GStrv) words = g_strsplit(c->append, " ", -1);

	return c->test->user && g_strv_contains((const char *const *)words, "host-cpuid")
		       ? &ls_engine_native
		       : NULL;
}

static struct machine_config own_config(const struct comparison *c, unsigned int who)
{
	return (struct machine_config){
		.engine = c->options->engine[who],
		.peer = c->options->engine[!who],
		.models = c->options->engine[REF],
		.processor = processor_of(c),
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

	if (records && recorded_is_stream(c->recorded))
		records &= recorded_events(c->recorded); /* more would come in another order */
	c->config[who] = c->recorded && recorded_machine(c->recorded) ? recorded_config(c)
								      : own_config(c, who);
	c->side[who] = side_create(&c->config[who], c->fields, records, &err);
	if (!c->side[who])
		return comparison_could_not(c, &err);
	if (c->recorded && recorded_is_of_several(c->recorded))
		side_show_all(c->side[who]);
	return true;
}

bool sides_build(struct comparison *c)
{
	c->append = command_line(c);
	for (unsigned int who = REF; who <= DUT; who++) {
		if (!(who == DUT && c->recorded) && !build_side(c, who))
			return false;
		history_start(&c->history[who], c->fields, c->options->timeline,
			      c->test->vcpus > 1);
	}
	if (!equalise(c))
		return false;
	if (c->recorded && recorded_wants(c->recorded))
		streams_start(c);
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

void sides_close(struct comparison *c)
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
	streams_free(c);
	if (c->fields)
		note_left_out(c);
	if (c->recorded)
		recorded_close(c->recorded);
	diff_fields_free(c->fields);
	g_free(c->version);
	g_free(c->append);
	g_free(c->quirk_used);
}
