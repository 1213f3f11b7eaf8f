/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of turns has from outside, by the number of the turn: console input, where a kick
 * ended a turn, how far an idle machine's clock went while it waited with the host. With virtual
 * time all else follows from these, so a run that is given them again is the same. They are
 * recorded as "feed" events, and given back by machine_config's replay.
 */
#ifndef LOCKSTEP_MACHINE_INPUT_LOG_H
#define LOCKSTEP_MACHINE_INPUT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;

/* The field "source" of a feed. */
enum input_source {
	INPUT_CONSOLE,     /* bytes */
	INPUT_TURN_CUT,    /* value: instructions of all vCPUs by then */
	INPUT_NOT_ENTERED, /* the same; the vCPU was not entered any more */
	INPUT_IDLE,        /* value: guest time that the clock was moved to */
	INPUT_STOP,        /* the run was ended from outside */
};

struct machine_input {
	uint64_t turn;
	enum input_source source;
	uint64_t value;
	const uint8_t *bytes;
	size_t size;
};

/* Tells of one, at the turn that is on. */
void input_log_add(struct machine *machine, enum input_source source, uint64_t value,
		   const uint8_t *bytes, size_t size);
bool input_replaying(const struct machine *machine);
/* The next one of the log, if it is of this turn and source; NULL: there is none. It is done with.
 */
const struct machine_input *input_replay(struct machine *machine, enum input_source source);
/* The recorded run was ended before this turn. */
bool input_replay_stops(const struct machine *machine);
/* There are more, of this turn or later. */
bool input_replay_more(const struct machine *machine);

#endif
