/* SPDX-License-Identifier: Apache-2.0 */
/* The reference's instructions at which a host's processor exits, as those exits. */
#include <string.h>

#include "tools/diff/streams.h"

static bool exits_at(struct comparison *c, const uint8_t *bytes, uint64_t rip)
{
	struct ls_instruction instruction;

	side_instruction(c->side[REF], bytes, &instruction);
	return recorded_host_exit(c->recorded, &instruction, rip, &c->shown);
}

static bool step_exits(struct comparison *c, const struct stream *step)
{
	const uint64_t *instruction = stream_instruction(step);
	const uint64_t *registers = step->state.registers;
	uint8_t bytes[sizeof(c->shown.bytes)];

	memcpy(bytes, instruction + 3, sizeof(bytes));
	c->shown = (struct diff_event){
		.number = step->steps,
		.linear_rip = instruction[2] + registers[c->fields->cs_base],
		.physical_rip = UINT64_MAX,
		.by_records = true,
		.registers = step->state.registers,
	};
	memcpy(c->shown.bytes, bytes, sizeof(bytes));
	return exits_at(c, bytes, instruction[2]);
}

/* A write that ends the run does not retire. */
static bool ends_with_exit(struct comparison *c, const struct diff_event *end)
{
	uint8_t bytes[sizeof(end->bytes)] = {0};

	if (c->end_shown || end->end != MACHINE_END_EXIT_PORT)
		return false;
	c->end_shown = true;
	c->shown = *end;
	side_read(c->side[REF], end->linear_rip, bytes, sizeof(bytes));
	return exits_at(c, bytes, end->registers[c->fields->rip]);
}

const struct diff_event *host_next(struct comparison *c, struct ls_error *err)
{
	const struct stream *step;

	while ((step = streams_step(c, err)))
		if (step_exits(c, step))
			return &c->shown;
	if (err->code)
		return NULL;
	return ends_with_exit(c, streams_end(c)) ? &c->shown : streams_end(c);
}
