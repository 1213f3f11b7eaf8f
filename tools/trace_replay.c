/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep trace replay: a run again, by the command line and the feeds that its trace has, with
 * the records of a part of it written to a trace of their own. Up to there it runs at full speed.
 */
#include <string.h>

#include "machine/input_log.h"
#include "tools/cmd_trace.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/run_options.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "tools/trace_run.h"
#include "tools/trace_view.h"
#include "traces/events.h"

struct replay {
	struct trace_view view;
	const char *into;
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

/* Frames and disks are not in the log. */
static void replay_check(struct replay *replay)
{
	const struct machine_config *config = &replay->session.config;

	if (config->net.kind != MACHINE_NET_NONE || config->disk_count)
		ls_error_set(
			&replay->err, -ENOTSUP,
			"a run with a disk or a network cannot be replayed: what they bring is "
			"not in its trace");
	else if (config->schedule == MACHINE_PARALLEL || config->clock == MACHINE_CLOCK_HOST)
		ls_error_set(&replay->err, -ENOTSUP,
			     "only a run in turns and in virtual time can be replayed");
}

/* --- the run --- */

static void replay_at(void *opaque, struct machine *machine)
{
	struct replay *replay = opaque;

	replay->writer = trace_run_begin(&replay->spec, machine, replay->arguments, &replay->err);
	if (!replay->writer)
		machine_stop(machine);
}

/* Watching begins an instruction before the part: what is delivered right there belongs to it. */
static void replay_configure(struct replay *replay, uint64_t from, uint64_t to)
{
	struct machine_config *config = &replay->session.config;

	replay->spec = (struct trace_spec){
		.path = (char *)replay->into,
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
	if (to != UINT64_MAX)
		config->max_instructions = to;
}

static void replay_run(struct replay *replay)
{
	struct machine *machine = machine_create(&replay->session.config, &replay->err);
	struct machine_result result;

	if (!machine)
		return;
	if (!replay->session.config.at_instructions)
		replay_at(replay, machine);
	if (!replay->err.code)
		machine_run(machine, &result, &replay->err);
	if (replay->writer)
		trace_run_end(replay->writer, machine, &replay->err);
	else
		ls_error_set(&replay->err, -ERANGE, "the run ended before the part began: %s",
			     result.text);
	machine_destroy(machine);
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
		replay_read(replay);
	if (replay->err.code)
		return;
	replay_configure(replay, from, to);
	if (!replay->session.config.replay)
		replay->session.config.replay = &none; /* nothing came from outside */
	replay_run(replay);
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
	trace_view_close(&replay.view);
	return status;
}
