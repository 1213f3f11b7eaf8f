/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of turns has from outside, by the number of the turn: console input, frames, what was
 * read from disk images, where a kick ended a turn, how far an idle machine's clock went while it
 * waited with the host. With virtual time all else follows from these, so a run that is given them
 * again is the same. They are recorded as "feed" events, and given back by machine_config's replay;
 * then no image is opened, and nothing leaves the machine.
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
	INPUT_NET,         /* bytes: a frame for the guest */
	INPUT_DISK,        /* bytes: of a disk's image, as they were read; value: errno, 0 */
	INPUT_DISK_ERROR,  /* value: errno of another request */
	INPUT_SNAPSHOT,    /* one was taken behind this turn: recording.h */
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
/* The machine has been brought to the end of its turn: the log goes on behind it, and of the
 * console input before it the last @unread bytes still wait for the guest. */
void input_replay_from(struct machine *machine, uint64_t unread);

/* A disk's image was read: logs what came, 0 or -errno. */
void input_log_read(struct machine *machine, int result, const uint8_t *bytes, size_t size);
/* The same from the log: 0 or -errno. */
int input_replay_read(struct machine *machine, uint8_t *bytes, size_t size);
/* What became of another request: logs it, or has it from the log. */
int input_disk_result(struct machine *machine, int result);

#endif
