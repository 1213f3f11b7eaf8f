/* SPDX-License-Identifier: Apache-2.0 */
/* The reference's instructions at which a host's processor exits, as those exits. */
#include "tools/diff/comparison.h"
#include "traces/record.h"

/* The last instruction's record; NULL: nothing has retired. */
static const uint64_t *last_retired(struct diff_records records)
{
	const uint64_t *last = NULL;

	for (; records.at < records.end; records.at += LS_TRACE_WORDS(records.at[0]))
		if (LS_TRACE_FLAGS(records.at[0]) & LS_TRACE_RETIRED)
			last = records.at;
	return last;
}

static bool exits_at(struct comparison *c, const struct diff_event *event, const uint8_t *bytes,
		     uint64_t rip)
{
	struct ls_instruction instruction;

	side_instruction(c->side[REF], bytes, &instruction);
	c->shown = *event;
	return recorded_host_exit(c->recorded, &instruction, rip, &c->shown);
}

/* A write that ends the run does not retire. */
static bool ends_with_exit(struct comparison *c, const struct diff_event *event)
{
	uint8_t bytes[sizeof(event->bytes)] = {0};

	if (c->end_shown || event->end != MACHINE_END_EXIT_PORT)
		return false;
	c->end_shown = true;
	side_read(c->side[REF], event->linear_rip, bytes, sizeof(bytes));
	return exits_at(c, event, bytes, event->registers[c->fields->rip]);
}

const struct diff_event *host_next(struct comparison *c, struct ls_error *err)
{
	const struct diff_event *event;
	const uint64_t *last;

	while ((event = side_next(c->side[REF], c->options->seconds, err)) &&
	       event->exit.reason != DIFF_END) {
		last = last_retired(side_records(c->side[REF]));
		if (last && exits_at(c, event, (const uint8_t *)(last + 3), last[2]))
			return &c->shown;
	}
	return event && ends_with_exit(c, event) ? &c->shown : event;
}
