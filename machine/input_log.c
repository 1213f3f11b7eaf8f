/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/input_log.h"

#include <errno.h>
#include <string.h>

#include "machine/console.h"
#include "machine/internal.h"
#include "traces/events.h"

void input_log_add(struct machine *machine, enum input_source source, uint64_t value,
		   const uint8_t *bytes, size_t size)
{
	struct vcpu *vcpu = &machine->vcpus[0];

	if (machine->history.on && !input_replaying(machine))
		history_add_input(machine, &(struct machine_input){.turn = machine->turn,
								   .source = source,
								   .value = value,
								   .bytes = bytes,
								   .size = size});
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

void input_replay_from(struct machine *machine, uint64_t unread)
{
	const struct machine_input *log = machine->config.replay;
	uint64_t typed = 0;
	size_t count = 0;

	for (; count < machine->config.replay_count && log[count].turn <= machine->turn; count++)
		typed += log[count].source == INPUT_CONSOLE ? log[count].size : 0;
	machine->replayed = count;
	for (size_t i = 0; i < count; i++) {
		uint64_t skip = typed > unread ? typed - unread : 0;

		if (log[i].source != INPUT_CONSOLE)
			continue;
		typed -= log[i].size;
		if (skip < log[i].size)
			console_put_unread(machine, log[i].bytes + skip, log[i].size - skip);
	}
}

/* --- disks --- */

#define PIECE 16384u /* in one event */

static size_t piece_of(size_t size)
{
	return size < PIECE ? size : PIECE;
}

void input_log_read(struct machine *machine, int result, const uint8_t *bytes, size_t size)
{
	if (result)
		size = 0;
	do {
		input_log_add(machine, INPUT_DISK, (uint64_t)-result, bytes, piece_of(size));
		bytes += piece_of(size);
		size -= piece_of(size);
	} while (size);
}

int input_replay_read(struct machine *machine, uint8_t *bytes, size_t size)
{
	while (size) {
		const struct machine_input *input = input_replay(machine, INPUT_DISK);

		if (!input || input->value || input->size != piece_of(size))
			return -EIO;
		memcpy(bytes, input->bytes, input->size);
		bytes += input->size;
		size -= input->size;
	}
	return 0;
}

int input_disk_result(struct machine *machine, int result)
{
	const struct machine_input *input;

	if (input_replaying(machine)) {
		input = input_replay(machine, INPUT_DISK_ERROR);
		return input ? -(int)input->value : 0;
	}
	if (result)
		input_log_add(machine, INPUT_DISK_ERROR, (uint64_t)-result, NULL, 0);
	return result;
}
