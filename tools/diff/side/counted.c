/* SPDX-License-Identifier: Apache-2.0 */
/* After each instruction, as the engine counts them, with what it recorded of it. */
#include "tools/diff/side/internal.h"

#define RECORDS_ROOM (1u << 17) /* words; what one instruction brings is far less */

/* Before the first stop: what nobody asked for. */
static void side_forget(struct ls_trace_sink *sink)
{
	sink->at = sink->end - RECORDS_ROOM;
}

static uint64_t side_at(void *opaque, struct machine *machine)
{
	struct side *side = opaque;
	struct diff_event *event = side_slot(side);
	uint64_t retired = machine_retired(machine, 0);

	if (retired >= side->first) {
		event->exit = (struct machine_exit){.reason = KVM_EXIT_DEBUG};
		event->vcpu = 0;
		event->retired = retired;
		side_read_vcpu(side, 0, event->registers);
		side_show(side, event);
	}
	side_forget(&side->sink);
	return side->turn == CLOSING ? 0 : retired + 1;
}

struct diff_records side_records(const struct side *side)
{
	return (struct diff_records){side->records, side->sink.at};
}

void side_drop_records(struct side *side)
{
	side_forget(&side->sink);
}

void side_count(struct side *side, struct machine_config *config, uint64_t records)
{
	side->records = g_new(uint64_t, RECORDS_ROOM);
	side->first = config->at_instructions;
	side->sink = (struct ls_trace_sink){.events = records,
					    .at = side->records,
					    .end = side->records + RECORDS_ROOM,
					    .full = side_forget};
	config->at_instructions = MAX(side->first, 1);
	config->at = side_at;
	config->at_opaque = side;
}

int side_watch(struct side *side, struct ls_error *err)
{
	struct ls_engine *engine = machine_engine(side->machine);

	if (!engine->ext->vcpu_trace || !engine->ext->vcpu_limit)
		return ls_error_set(
			err, -ENOTSUP,
			"engine %s does not tell of its instructions; say --granularity "
			"exit, or another reference",
			engine->ops->name);
	machine_trace(side->machine, 0, &side->sink);
	return 0;
}
