/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_run.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "tools/diff/expected/expected.h"
#include "tools/diff/recorded/saved.h"
#include "traces/events.h"
#include "traces/reader.h"

/* What a reader needs to know of the run, and nothing that differs between two runs alike. */
static char *run_text(struct machine *machine, const char *arguments, uint64_t events)
{
	const struct machine_config *config = machine_config(machine);
	struct ls_engine *engine = machine_engine(machine);
	const struct ls_table *states = NULL;
	GString *text = g_string_new(arguments);
	g_autofree char *version = expected_version(engine->ops->name);

	g_string_append_printf(text, "engine %s\n", engine->ops->name);
	if (config->cpu)
		g_string_append_printf(text, "cpu %s\n", config->cpu);
	if (config->kernel)
		g_string_append_printf(text, "image %s\n", config->kernel);
	for (unsigned int n = 0; n < config->disk_count; n++)
		g_string_append_printf(text, "disk %" PRIu64 "\n", config->disks[n].sectors);
	g_string_append_printf(text, "vcpus %u\n", machine_vcpu_count(machine));
	g_string_append_printf(text, "version %s\n", version);
	/* Else the name says it. */
	if (!engine->ext->cpu_model)
		for (unsigned int n = 0; n < machine_vcpu_count(machine); n++)
			saved_append_leaves(text, machine, n);
	for (unsigned int event = 0; event < TRACE_EVENTS; event++)
		if (events >> event & 1)
			g_string_append_printf(text, "recorded %s\n", trace_events[event].name);
	if (engine->ext->table)
		states = engine->ext->table(engine, "state");
	for (size_t row = 0; states && row < states->rows; row++)
		g_string_append_printf(text, "state %s\n", states->cell(engine, row, 0));
	return g_string_free(text, FALSE);
}

static int run_watch(struct trace_writer *writer, struct machine *machine, struct ls_error *err)
{
	for (unsigned int n = 0; n < machine_vcpu_count(machine); n++) {
		int ret = machine_trace(machine, n, writer ? trace_writer_sink(writer, n) : NULL);

		if (ret)
			return ls_error_set(err, ret, "vCPU %u cannot be traced: %s", n,
					    strerror(-ret));
	}
	return 0;
}

struct trace_writer *trace_run_begin(const struct trace_spec *spec, struct machine *machine,
				     const char *arguments, struct ls_error *err)
{
	const char *engine = machine_engine(machine)->ops->name;
	uint64_t can = trace_engine_events(engine);
	g_autofree char *text = run_text(machine, arguments, spec->events & can);
	const struct trace_writer_config config = {
		.path = spec->path,
		.vcpus = machine_vcpu_count(machine),
		.events = spec->events & can,
		.keep = spec->keep,
		.trigger = spec->trigger,
		.trigger_value = spec->trigger_value,
		.until = spec->until,
		.text = text,
	};
	uint64_t lacks =
		(spec->named | trace_trigger_events(spec->trigger, spec->trigger_value)) & ~can;
	struct trace_writer *writer;

	if (lacks) {
		ls_error_set(err, -ENOTSUP,
			     "engine %s does not record '%s'; 'lockstep list events' says which do",
			     engine, trace_events[__builtin_ctzll(lacks)].name);
		return NULL;
	}
	writer = trace_writer_open(&config, err);
	if (writer && run_watch(writer, machine, err)) {
		run_watch(NULL, machine, NULL);
		trace_writer_close(writer, NULL);
		return NULL;
	}
	return writer;
}

bool trace_run_missed(const struct trace_spec *spec)
{
	const uint64_t always = UINT64_C(1) << TRACE_FEED;
	struct trace_reader *reader;
	bool any = false;

	if (spec->trigger == TRACE_FROM_START || !(reader = trace_reader_open(spec->path, NULL)))
		return false;
	for (size_t n = 0; n < trace_reader_chunks(reader) && !any; n++)
		any = trace_reader_chunk(reader, n)->events & ~always;
	trace_reader_close(reader);
	return !any;
}

int trace_run_end(struct trace_writer *writer, struct machine *machine, struct ls_error *err)
{
	run_watch(NULL, machine, NULL);
	return trace_writer_close(writer, err);
}
