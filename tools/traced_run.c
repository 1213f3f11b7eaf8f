/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/traced_run.h"

#include <string.h>

#include "machine/input_log.h"
#include "tools/size.h"
#include "traces/events.h"

static void free_input(void *input)
{
	g_free((void *)((struct machine_input *)input)->bytes);
}

/* Nothing comes from outside but what is in @run->inputs. */
static void set_replay(struct traced_run *run)
{
	static const struct machine_input none;
	struct machine_config *config = &run->session.config;

	config->replay = run->inputs->len ? (const void *)run->inputs->data : &none;
	config->replay_count = run->inputs->len;
	config->state_hash_every = 0; /* nobody listens */
}

int traced_run_make(struct traced_run *run, int argc, char **argv, struct ls_error *err)
{
	run->inputs = g_array_new(FALSE, FALSE, sizeof(struct machine_input));
	g_array_set_clear_func(run->inputs, free_input);
	if (!run_options_parse(&run->options, argc, argv, err) &&
	    !run_options_apply(&run->options, &run->session, err))
		set_replay(run);
	return err->code;
}

static void read_command(struct traced_run *run, struct trace_view *view, struct ls_error *err)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	g_autofree char **argv = NULL; /* what parsing takes out of it stays in words */
	GString *lines = g_string_new(NULL);
	const char *escaped;

	g_ptr_array_add(words, g_strdup("lockstep run"));
	for (unsigned int n = 0; (escaped = trace_reader_text(view->reader, "argument", n)); n++) {
		g_ptr_array_add(words, g_strcompress(escaped));
		g_string_append_printf(lines, "argument %s\n", escaped);
	}
	run->arguments = g_string_free(lines, FALSE);
	if (words->len == 1)
		ls_error_set(err, -EINVAL,
			     "the trace does not tell how the run was started; record it with "
			     "'lockstep run --trace FILE:feed'");
	g_ptr_array_add(words, NULL);
	argv = g_memdup2(words->pdata, words->len * sizeof(char *));
	if (!err->code)
		traced_run_make(run, (int)words->len - 1, argv, err);
}

static void read_inputs(struct traced_run *run, struct trace_view *view, struct ls_error *err)
{
	uint64_t from = view->from, to = view->to, events = view->events;
	const uint64_t *record;
	unsigned int vcpu;

	view->from = 0;
	view->to = UINT64_MAX;
	view->events = UINT64_C(1) << TRACE_FEED;
	while (trace_view_next(view, &vcpu, &record, err)) {
		const struct trace_fields_FEED *feed = (const void *)(record + 2);
		uint64_t room = 8 * (uint64_t)LS_TRACE_WORDS(record[0]) - 16 - sizeof(*feed);
		struct machine_input input = {.turn = feed->turn,
					      .source = (enum input_source)feed->source,
					      .value = feed->value,
					      .size = MIN(feed->size, room)};

		input.bytes = g_memdup2(feed + 1, input.size);
		g_array_append_val(run->inputs, input);
	}
	set_replay(run);
	view->from = from;
	view->to = to;
	view->events = events;
}

/* No disk image is opened: what was read of it is in the log. */
static void read_disks(struct traced_run *run, struct trace_view *view, struct ls_error *err)
{
	struct machine_config *config = &run->session.config;

	for (unsigned int n = 0; n < config->disk_count; n++) {
		const char *text = trace_reader_text(view->reader, "disk", n);

		if (!text || number_parse(text, UINT64_MAX, &config->disks[n].sectors))
			ls_error_set(err, -EINVAL, "the trace does not tell the size of disk '%s'",
				     config->disks[n].path);
	}
}

int traced_run_read(struct traced_run *run, struct trace_view *view, struct ls_error *err)
{
	read_command(run, view, err);
	if (!err->code && (run->session.config.schedule == MACHINE_PARALLEL ||
			   run->session.config.clock == MACHINE_CLOCK_HOST))
		ls_error_set(err, -ENOTSUP,
			     "only a run in turns and in virtual time can be replayed");
	if (!err->code)
		read_disks(run, view, err);
	if (!err->code)
		read_inputs(run, view, err);
	return err->code;
}

void traced_run_free(struct traced_run *run)
{
	run_options_free(&run->options);
	if (run->inputs)
		g_array_unref(run->inputs);
	g_free(run->arguments);
}
