/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep trace replay: a run again, by the command line and the feeds that its trace has, with
 * the records of a part of it written to a trace of their own. Up to there it runs at full speed.
 */
#include <inttypes.h>
#include <string.h>

#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/replay_snapshot.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "tools/trace_run.h"
#include "tools/trace_view.h"
#include "tools/traced_run.h"
#include "traces/events.h"

struct replay {
	struct trace_view view;
	struct trace_spec spec;
	struct traced_run run;
	struct trace_writer *writer;
	struct ls_error err;
};

/* --- the run --- */

/* Where the part begins, and then wherever its last vCPU could have come to its end. */
static uint64_t replay_at(void *opaque, struct machine *machine)
{
	struct replay *replay = opaque;
	uint64_t least = UINT64_MAX, all = 0, until = replay->spec.until;

	if (!replay->writer)
		replay->writer = trace_run_begin(&replay->spec, machine, replay->run.arguments,
						 &replay->err);
	/* Not the machine's own sum, which within a turn is the one at its start. */
	for (unsigned int n = 0; n < machine_vcpu_count(machine); n++) {
		least = MIN(least, machine_retired(machine, n));
		all += machine_retired(machine, n);
	}
	if (!replay->writer || (until && least >= until))
		machine_stop(machine);
	return until && least < until ? all + until - least : 0;
}

/* Watching begins an instruction before the part: what is delivered right there belongs to it. */
static void replay_configure(struct replay *replay, uint64_t from, uint64_t to, char *name)
{
	struct machine_config *config = &replay->run.session.config;

	replay->spec = (struct trace_spec){
		.path = name,
		.events = UINT64_C(1) << TRACE_INSTRUCTION,
		.trigger = from ? TRACE_FROM_COUNT : TRACE_FROM_START,
		.trigger_value = from,
		.until = to == UINT64_MAX ? 0 : to,
	};
	config->at_instructions = from > 1 ? from - 1 : 0;
	config->at = replay_at;
	config->at_opaque = replay;
}

static void replay_run(struct replay *replay)
{
	struct machine *machine = machine_create(&replay->run.session.config, &replay->err);
	struct machine_result result;

	if (!machine)
		return;
	if (replay->run.session.config.at_instructions)
		replay_snapshot(&replay->view, machine, replay->run.session.config.at_instructions,
				&replay->err);
	else
		replay_at(replay, machine);
	if (!replay->err.code)
		machine_run(machine, &result, &replay->err);
	log_debug("ends at instruction %" PRIu64 " of all vCPUs",
		  machine_retired(machine, MACHINE_EVERY_VCPU));
	if (replay->writer)
		trace_run_end(replay->writer, machine, &replay->err);
	else if (!replay->err.code)
		ls_error_set(&replay->err, -ERANGE, "the run ended before the part began: %s",
			     result.text);
	machine_destroy(machine);
}

/* Of several vCPUs, whose chunks come in the order in which they became full: vCPU by vCPU, as
 * `trace cut` writes them. */
static void replay_sort(struct replay *replay, uint64_t from, uint64_t to, const char *into)
{
	struct trace_view view = {.from_text = g_strdup_printf("%" PRIu64, from),
				  .events_text = g_strdup("instruction")};

	if (to != UINT64_MAX)
		view.to_text = g_strdup_printf("%" PRIu64, to);
	if (!replay->err.code)
		trace_cut_view(&view, replay->spec.path, into, &replay->err);
	trace_view_close(&view);
}

/* The records of several vCPUs go to a file that is dropped afterwards. */
static void replay_write(struct replay *replay, uint64_t from, uint64_t to, const char *into)
{
	bool sort = replay->run.session.config.vcpus > 1;
	struct ls_error over = {.code = -ECANCELED};
	struct output output;

	if (output_begin(&output, into, &replay->err))
		return;
	replay_configure(replay, from, to, output.name);
	replay_run(replay);
	if (sort)
		replay_sort(replay, from, to, into);
	output_end(&output, sort && !replay->err.code ? &over : &replay->err);
}

static void replay_all(struct replay *replay, const char *path, const char *into)
{
	uint64_t from, to;

	if (trace_view_open(&replay->view, path, &replay->err) ||
	    output_check_of(into, path, &replay->err))
		return;
	from = replay->view.from;
	to = replay->view.to;
	if (from >= to)
		ls_error_set(&replay->err, -EINVAL, "--from is not before --to");
	else if (!traced_run_read(&replay->run, &replay->view, &replay->err))
		replay_write(replay, from, to, into);
}

int trace_replay(int argc, char **argv)
{
	struct replay replay = {0};
	const GOptionEntry entries[] = {
		{"from", 0, 0, G_OPTION_ARG_STRING, &replay.view.from_text,
		 "Record from where N instructions have retired", "N"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &replay.view.to_text,
		 "Stop before N instructions", "N"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("IN OUT");
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep trace replay");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace replay --help'", error->message);
	} else if (argc != 3) {
		log_failure("say which trace to read, and which other file to write");
	} else {
		replay_all(&replay, argv[1], argv[2]);
		status = trace_view_status(&replay.view, &replay.err);
	}
	traced_run_free(&replay.run);
	trace_view_close(&replay.view);
	return status;
}
