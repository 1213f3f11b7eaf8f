/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a run has been, kept in memory so that the machine can be taken back: points, which are
 * snapshots between two turns, each with the pages of RAM that were written since the one before
 * (history_pages.h), and the inputs between them (input_log.h). From a point the machine does the
 * same again, up to where it was when it was taken back, the present; until then it is as in any
 * replay: nothing leaves it, and what comes from outside waits. Points become rarer with their
 * distance, and the first ones are given up, so that the history keeps to a budget beside a copy of
 * the memory that the guest has touched.
 */
#ifndef LOCKSTEP_MACHINE_HISTORY_H
#define LOCKSTEP_MACHINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

#include "machine/history_pages.h"
#include "machine/input_log.h"
#include "machine/memory.h"

struct history_point;

struct history {
	bool on;
	bool ending; /* with the present */
	struct history_point *points;
	size_t count, room;
	size_t at;         /* the last point that the machine is behind */
	uint64_t *written; /* pages, since then */
	uint64_t *touched; /* pages, since the machine was made */
	uint64_t looked;   /* instructions of all vCPUs when a point was last taken, or tried */
	struct machine_input *inputs; /* whose bytes are owned */
	size_t input_count, input_room, input_bytes;
	struct {
		uint64_t turn, executed;
		bool cut;               /* within that turn */
	} present;                      /* while it is not there */
	struct memory_slot original[2]; /* RAM as the file has it that the machine went on from */
};

/* machine.h has what a debugger asks for. */

/* Between two turns: takes a point if one is due, and notices the present. */
void history_look(struct machine *machine);
/* The page has been written. */
void history_note(struct machine *machine, uint64_t gpa);
/* An input has come; its bytes are copied. */
void history_add_input(struct machine *machine, const struct machine_input *input);
/* Instructions until the present, if it is within this turn, of which @executed are over. */
uint64_t history_distance(const struct machine *machine, uint64_t executed);
/* The turn is over or cut. True: the present is reached, and the turn goes on. */
bool history_executed(struct machine *machine);
/* The state is looked at in a way that a run made again would not know of: the history ends. 0, or
 * -errno in the past, where it may not. */
int history_leave(struct machine *machine, struct ls_error *err);
void history_free(struct machine *machine);

/* --- history_points.c --- */

struct history_point {
	uint64_t executed;
	uint64_t *retired; /* of each vCPU */
	int request;       /* enum machine_request */
	size_t input;      /* of history.inputs, the next one */
	struct machine_image *image;
	struct history_pages pages; /* written since the point before */
	uint8_t *unread;            /* of the console's input */
	size_t unread_size;
};

/* Puts one behind the machine's, or in the place of the one that is here already, and thins them
 * out. 0 or -errno with none put. */
int history_add_point(struct machine *machine, struct ls_error *err);
/* The machine stands at that one. 0 or -errno: it is a ruin. */
int history_restore(struct machine *machine, size_t point, struct ls_error *err);
void history_free_points(struct history *history);

#endif
