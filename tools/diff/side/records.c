/* SPDX-License-Identifier: Apache-2.0 */
/* What the vCPUs record while the machine runs, shown block by block: nothing is stopped for it. */
#include "tools/diff/side/internal.h"

/* Words: few more than one record may have, so that blocks come in about the order in which the
 * vCPUs ran. */
#define BLOCK (LS_TRACE_RECORD_MAX + 2048u)

struct side_records {
	struct ls_trace_sink sink;
	struct side *side;
	uint64_t words[BLOCK];
};

static void show_block(struct ls_trace_sink *sink)
{
	struct side_records *of = (struct side_records *)(void *)sink;
	struct diff_event *event = side_slot(of->side);

	event->exit = (struct machine_exit){.reason = DIFF_RECORDS};
	event->vcpu = (unsigned int)(of - of->side->records);
	side_show(of->side, event);
	sink->at = of->words;
}

struct diff_records side_records(const struct side *side)
{
	const struct side_records *of = &side->records[side->event[(side->events - 1) & 1].vcpu];

	return (struct diff_records){of->words, of->sink.at};
}

int side_watch(struct side *side, uint64_t events, struct ls_error *err)
{
	struct ls_engine *engine = machine_engine(side->machine);

	if (!engine->ext->vcpu_trace)
		return ls_error_set(
			err, -ENOTSUP,
			"engine %s does not tell of its instructions; say --granularity "
			"exit, or another reference",
			engine->ops->name);
	side->records = g_new(struct side_records, side->vcpus);
	for (unsigned int n = 0; n < side->vcpus; n++) {
		struct side_records *of = &side->records[n];

		of->side = side;
		of->sink = (struct ls_trace_sink){.events = events,
						  .at = of->words,
						  .end = of->words + BLOCK,
						  .full = show_block};
		machine_trace(side->machine, n, &of->sink);
	}
	return 0;
}

void side_watch_end(struct side *side)
{
	for (unsigned int n = 0; side->records && n < side->vcpus; n++) {
		machine_trace(side->machine, n, NULL); /* the last instruction's, too */
		if (side->records[n].sink.at > side->records[n].words)
			show_block(&side->records[n].sink);
	}
}
