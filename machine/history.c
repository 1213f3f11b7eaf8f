/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/console.h"
#include "machine/internal.h"
#include "machine/ram_pages.h"

/* To a point and from there on anywhere up to the next takes a small part of a second. */
#define POINT_EVERY 20000000u

/* --- beginning and end --- */

static int make_sets(struct machine *machine)
{
	struct history *history = &machine->history;

	if (!history->touched)
		history->touched = ram_pages_none(machine);
	if (!history->written)
		history->written = ram_pages_none(machine);
	return history->touched && history->written ? 0 : -ENOMEM;
}

static int map_original(struct machine *machine, struct ls_error *err)
{
	struct history *history = &machine->history;
	int ret = 0;

	for (int n = 0; n < 2 && machine->config.snapshot && !ret; n++) {
		struct memory_slot slot = machine->memory.ram[n];

		if (!slot.size || history->original[n].host)
			continue;
		ret = memory_map_file(machine->config.snapshot, &slot, err);
		if (!ret)
			history->original[n] = slot;
	}
	return ret;
}

int machine_history_begin(struct machine *machine, struct ls_error *err)
{
	struct history *history = &machine->history;
	int ret;

	history->ending = false;
	if (machine_is_past(machine))
		return 0;
	if (!machine->config.history || !machine->parked)
		return ls_error_set(err, -ENOTSUP, "this run cannot be made again from here");
	history_free_points(history);
	ret = make_sets(machine);
	if (!ret)
		ret = map_original(machine, err);
	if (!ret)
		ret = history_add_point(machine, err);
	history->on = !ret;
	history->looked = machine->turns.executed;
	return ret;
}

static void end(struct history *history)
{
	history_free_points(history);
	history->on = history->ending = false;
}

void machine_history_end(struct machine *machine)
{
	if (machine_is_past(machine))
		machine->history.ending = true;
	else
		end(&machine->history);
}

int history_leave(struct machine *machine, struct ls_error *err)
{
	if (machine_is_past(machine))
		return ls_error_set(
			err, -EBUSY,
			"the machine has been taken back; let it run on to where it was");
	machine_history_end(machine);
	return 0;
}

void history_free(struct machine *machine)
{
	struct history *history = &machine->history;

	end(history);
	for (int n = 0; n < 2; n++)
		if (history->original[n].host)
			munmap(history->original[n].host, history->original[n].size);
	free(history->written);
	free(history->touched);
	free(history->inputs);
	*history = (struct history){0};
}

/* --- going along --- */

void history_note(struct machine *machine, uint64_t gpa)
{
	struct history *history = &machine->history;

	/* Of what was touched before anybody wanted a history there is to be a copy, too. */
	if (!machine->config.history || make_sets(machine))
		return;
	ram_pages_add(history->touched, ram_page_of(machine, gpa));
	ram_pages_add(history->written, ram_page_of(machine, gpa));
}

void history_add_input(struct machine *machine, const struct machine_input *input)
{
	struct history *history = &machine->history;
	size_t room = 2 * history->input_room + 64;
	uint8_t *bytes = malloc(input->size + 1);
	struct machine_input *inputs = history->inputs;

	if (history->input_count == history->input_room)
		inputs = realloc(inputs, room * sizeof(*inputs));
	if (!bytes || !inputs) { /* without it the run is not the same */
		free(bytes);
		end(history);
		return;
	}
	if (history->input_count == history->input_room)
		history->input_room = room;
	history->inputs = inputs;
	if (input->size)
		memcpy(bytes, input->bytes, input->size);
	inputs[history->input_count] = *input;
	inputs[history->input_count++].bytes = bytes;
	history->input_bytes += input->size;
}

static bool is_due(const struct machine *machine)
{
	uint64_t every = machine->config.record_every;

	return machine->turns.executed - machine->history.looked >= (every ? every : POINT_EVERY);
}

/* The present: from here on the run is a new one. */
static void arrive(struct machine *machine)
{
	machine->config.replay = NULL;
	machine->config.replay_count = machine->replayed = 0;
	debug_present(machine);
	if (machine->history.ending)
		end(&machine->history);
}

/* In a replay at the same places, where translations are dropped again. That no point can be taken
 * somewhere is so each time. */
static void take_point(struct machine *machine)
{
	machine->history.looked = machine->turns.executed;
	input_log_add(machine, INPUT_SNAPSHOT, machine->turns.executed, NULL, 0);
	if (machine->history.on)
		history_add_point(machine, NULL);
}

void history_look(struct machine *machine)
{
	struct history *history = &machine->history;
	bool past = machine_is_past(machine);

	if (!history->on)
		return;
	if (past ? input_replay(machine, INPUT_SNAPSHOT) != NULL : is_due(machine))
		take_point(machine);
	if (past && machine->turn >= history->present.turn)
		arrive(machine);
}

uint64_t history_distance(const struct machine *machine, uint64_t executed)
{
	const struct history *history = &machine->history;

	if (!machine_is_past(machine) || machine->turn != history->present.turn)
		return UINT64_MAX;
	return history->present.executed - executed;
}

bool history_executed(struct machine *machine)
{
	const struct history *history = &machine->history;

	if (!machine_is_past(machine) || machine->turn != history->present.turn ||
	    machine->turns.executed < history->present.executed || input_replay_more(machine))
		return false;
	arrive(machine);
	return history->present.cut;
}

/* --- going back --- */

bool machine_has_history(const struct machine *machine)
{
	return machine->history.on;
}

bool machine_is_past(const struct machine *machine)
{
	return machine->history.on && input_replaying(machine);
}

uint64_t machine_history_first(const struct machine *machine)
{
	return machine->history.on ? machine->history.points[0].executed : machine->turns.executed;
}

uint64_t machine_history_last(const struct machine *machine)
{
	return machine_is_past(machine) ? machine->history.present.executed
					: machine->turns.executed;
}

static uint64_t retired_at(const struct history_point *point, unsigned int vcpu)
{
	return vcpu == MACHINE_EVERY_VCPU ? point->executed : point->retired[vcpu];
}

static void leave_present(struct machine *machine)
{
	static const struct machine_input none;
	struct history *history = &machine->history;

	machine_lock(machine);
	console_flush(machine);
	machine_unlock(machine);
	history->present.turn = machine->turn;
	history->present.executed = machine->turns.executed;
	history->present.cut = machine->turns.cut;
	machine->config.replay = history->inputs ? history->inputs : &none;
	machine->config.replay_count = history->input_count;
}

int machine_go_back(struct machine *machine, unsigned int vcpu, uint64_t instructions,
		    struct ls_error *err)
{
	struct history *history = &machine->history;
	size_t which = history->at + 1;
	int ret;

	if (!history->on || !machine->parked)
		return ls_error_set(err, -EBUSY, "the machine cannot be taken back from here");
	while (which && retired_at(&history->points[which - 1], vcpu) > instructions)
		which--;
	if (!which)
		return ls_error_set(err, -ENOENT, "the history does not go back so far");
	if (!machine_is_past(machine))
		leave_present(machine);
	ret = history_restore(machine, which - 1, err);
	if (ret)
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0,
			    "the machine could not be taken back: %s", strerror(-ret));
	return ret;
}
