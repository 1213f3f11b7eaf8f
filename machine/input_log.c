/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/input_log.h"

#include "machine/internal.h"
#include "traces/events.h"

void input_log_add(struct machine *machine, enum input_source source, uint64_t value,
		   const uint8_t *bytes, size_t size)
{
	struct vcpu *vcpu = &machine->vcpus[0];

	if (ls_trace_wants(vcpu->trace, TRACE_FEED))
		TRACE_EMIT_BYTES(vcpu->trace, vcpu_instructions(vcpu), FEED, bytes, size,
				 .source = source, .turn = machine->turn, .value = value,
				 .size = size);
}

bool input_replaying(const struct machine *machine)
{
	return machine->config.replay != NULL;
}

bool input_replay_more(const struct machine *machine)
{
	return machine->config.replay && machine->replayed < machine->config.replay_count;
}

bool input_replay_stops(const struct machine *machine)
{
	const struct machine_input *next = machine->config.replay + machine->replayed;

	return input_replay_more(machine) && next->source == INPUT_STOP &&
	       next->turn < machine->turn;
}

const struct machine_input *input_replay(struct machine *machine, enum input_source source)
{
	const struct machine_input *next = machine->config.replay + machine->replayed;

	if (!input_replay_more(machine) || next->turn != machine->turn || next->source != source)
		return NULL;
	machine->replayed++;
	return next;
}
