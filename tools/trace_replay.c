/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep trace replay: a run again, by the command line and the feeds that its trace has, with
 * the records of a part of it written to a trace of their own. Up to there it runs at full speed.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "machine/input_log.h"
#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/replay_snapshot.h"
#include "tools/run_options.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "tools/trace_run.h"
#include "tools/trace_view.h"
#include "traces/events.h"

struct replay {
	struct trace_view view;
	const char *into;
	char *raw; /* where the records go first; NULL: there at once */
	struct trace_spec spec;
	char *arguments; /* as they go into the new trace's head */
	GArray *inputs;  /* of struct machine_input, whose bytes are owned */
	struct run_options options;
	struct session session;
	struct trace_writer *writer;
	struct ls_error err;
};

/* --- what the trace has of the run --- */

static void replay_command(struct replay *replay)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	g_autofree char **argv = NULL; /* what parsing takes out of it stays in words */
	GString *lines = g_string_new(NULL);
	const char *escaped;

	g_ptr_array_add(words, g_strdup("lockstep run"));
	for (unsigned int n = 0; (escaped = trace_reader_text(replay->view.reader, "argument", n));
	     n++) {
		g_ptr_array_add(words, g_strcompress(escaped));
		g_string_append_printf(lines, "argument %s\n", escaped);
	}
	replay->arguments = g_string_free(lines, FALSE);
	if (words->len == 1)
		ls_error_set(&replay->err, -EINVAL,
			     "the trace does not tell how the run was started; record it with "
			     "'lockstep run --trace FILE:feed'");
	g_ptr_array_add(words, NULL);
	argv = g_memdup2(words->pdata, words->len * sizeof(char *));
	if (!replay->err.code &&
	    !run_options_parse(&replay->options, (int)words->len - 1, argv, &replay->err))
		run_options_apply(&replay->options, &replay->session, &replay->err);
}

static void replay_read(struct replay *replay)
{
	const uint64_t *record;
	unsigned int vcpu;

	replay->view.from = 0;
	replay->view.to = UINT64_MAX;
	replay->view.events = UINT64_C(1) << TRACE_FEED;
	while (trace_view_next(&replay->view, &vcpu, &record, &replay->err)) {
		const struct trace_fields_FEED *feed = (const void *)(record + 2);
		uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*feed);
		struct machine_input input = {.turn = feed->turn,
					      .source = (enum input_source)feed->source,
					      .value = feed->value,
					      .size = MIN(feed->size, room)};

		input.bytes = g_memdup2(feed + 1, input.size);
		g_array_append_val(replay->inputs, input);
	}
}

/* No disk image is opened: what was read of it is in the log. */
static void replay_disks(struct replay *replay)
{
	struct machine_config *config = &replay->session.config;

	for (unsigned int n = 0; n < config->disk_count; n++) {
		const char *text = trace_reader_text(replay->view.reader, "disk", n);

		if (!text || number_parse(text, UINT64_MAX, &config->disks[n].sectors))
			ls_error_set(&replay->err, -EINVAL,
				     "the trace does not tell the size of disk '%s'",
				     config->disks[n].path);
	}
}

static void replay_check(struct replay *replay)
{
	const struct machine_config *config = &replay->session.config;

	if (config->schedule == MACHINE_PARALLEL || config->clock == MACHINE_CLOCK_HOST)
		ls_error_set(&replay->err, -ENOTSUP,
			     "only a run in turns and in virtual time can be replayed");
}

/* --- the run --- */

/* Where the part begins, and then wherever its last vCPU could have come to its end. */
static uint64_t replay_at(void *opaque, struct machine *machine)
{
	struct replay *replay = opaque;
	uint64_t least = UINT64_MAX, until = replay->spec.until;

	if (!replay->writer)
		replay->writer =
			trace_run_begin(&replay->spec, machine, replay->arguments, &replay->err);
	for (unsigned int n = 0; n < machine_vcpu_count(machine); n++)
		least = MIN(least, machine_retired(machine, n));
	if (!replay->writer || (until && least >= until))
		machine_stop(machine);
	return until && least < until ? machine_retired(machine, MACHINE_EVERY_VCPU) + until - least
				      : 0;
}

/* Watching begins an instruction before the part: what is delivered right there belongs to it. */
static void replay_configure(struct replay *replay, uint64_t from, uint64_t to)
{
	struct machine_config *config = &replay->session.config;

	replay->spec = (struct trace_spec){
		.path = replay->raw ? replay->raw : (char *)replay->into,
		.events = UINT64_C(1) << TRACE_INSTRUCTION,
		.trigger = from ? TRACE_FROM_COUNT : TRACE_FROM_START,
		.trigger_value = from,
		.until = to == UINT64_MAX ? 0 : to,
	};
	config->replay = (const struct machine_input *)(void *)replay->inputs->data;
	config->replay_count = replay->inputs->len;
	config->at_instructions = from > 1 ? from - 1 : 0;
	config->at = replay_at;
	config->at_opaque = replay;
	config->state_hash_every = 0; /* nobody listens */
}

static void replay_run(struct replay *replay)
{
	struct machine *machine = machine_create(&replay->session.config, &replay->err);
	struct machine_result result;

	if (!machine)
		return;
	if (replay->session.config.at_instructions)
		replay_snapshot(&replay->view, machine, replay->session.config.at_instructions,
				&replay->err);
	else
		replay_at(replay, machine);
	if (!replay->err.code)
		machine_run(machine, &result, &replay->err);
	if (replay->writer)
		trace_run_end(replay->writer, machine, &replay->err);
	else if (!replay->err.code)
		ls_error_set(&replay->err, -ERANGE, "the run ended before the part began: %s",
			     result.text);
	machine_destroy(machine);
}

/* Of several vCPUs, whose chunks come in the order in which they became full: vCPU by vCPU, as
 * `trace cut` writes them. */
static void replay_sort(struct replay *replay, uint64_t from, uint64_t to)
{
	struct trace_view view = {.from_text = g_strdup_printf("%" PRIu64, from),
				  .events_text = g_strdup("instruction")};

	if (to != UINT64_MAX)
		view.to_text = g_strdup_printf("%" PRIu64, to);
	if (!replay->err.code)
		trace_cut_view(&view, replay->raw, replay->into, &replay->err);
	trace_view_close(&view);
	unlink(replay->raw);
}

static void replay_all(struct replay *replay, const char *path)
{
	static const struct machine_input none;
	uint64_t from, to;

	if (trace_view_open(&replay->view, path, &replay->err) ||
	    output_check(replay->into, &replay->err))
		return;
	from = replay->view.from;
	to = replay->view.to;
	replay_command(replay);
	if (!replay->err.code)
		replay_check(replay);
	if (!replay->err.code)
		replay_disks(replay);
	if (!replay->err.code)
		replay_read(replay);
	if (replay->err.code)
		return;
	if (replay->session.config.vcpus > 1)
		replay->raw = g_strconcat(replay->into, ".raw", NULL);
	replay_configure(replay, from, to);
	if (!replay->session.config.replay)
		replay->session.config.replay = &none; /* nothing came from outside */
	replay_run(replay);
	if (replay->raw)
		replay_sort(replay, from, to);
}

static void free_input(void *input)
{
	g_free((void *)((struct machine_input *)input)->bytes);
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

	replay.inputs = g_array_new(FALSE, FALSE, sizeof(struct machine_input));
	g_array_set_clear_func(replay.inputs, free_input);
	g_set_prgname("lockstep trace replay");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep trace replay --help'", error->message);
	} else if (argc != 3 || !strcmp(argv[1], argv[2])) {
		log_failure("say which trace to read, and which other file to write");
	} else {
		replay.into = argv[2];
		replay_all(&replay, argv[1]);
		status = replay.err.code ? TOOL_EXIT_FAILURE : TOOL_EXIT_OK;
		if (replay.err.code)
			log_failure("%s", replay.err.text);
	}
	run_options_free(&replay.options);
	g_array_unref(replay.inputs);
	g_free(replay.arguments);
	g_free(replay.raw);
	trace_view_close(&replay.view);
	return status;
}
