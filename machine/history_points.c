/* SPDX-License-Identifier: Apache-2.0 */
/* The points that a run can go back to: taken, thinned out by their distance, restored. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/console.h"
#include "machine/history.h"
#include "machine/image.h"
#include "machine/internal.h"
#include "machine/ram_pages.h"
#include "machine/recording.h"

#define POINTS_MAX 96u
#define BUDGET     (UINT64_C(256) << 20) /* beside the first point's memory */

static void note_nothing(void *opaque, uint64_t gpa, const uint8_t *bytes)
{
	(void)opaque;
	(void)gpa;
	(void)bytes;
}

/* --- one point --- */

static void free_point(struct history_point *point)
{
	free(point->retired);
	free(point->unread);
	if (point->image)
		machine_image_free(point->image);
	free(point->image);
	history_pages_free(&point->pages);
	*point = (struct history_point){0};
}

static int copy_unread(struct machine *machine, struct history_point *point)
{
	point->unread_size = console_unread(machine);
	point->unread = malloc(point->unread_size + 1);
	if (point->unread)
		console_copy_unread(machine, point->unread);
	return point->unread ? 0 : -ENOMEM;
}

static int copy_counts(struct machine *machine, struct history_point *point)
{
	point->executed = machine->turns.executed;
	point->retired = calloc(machine->vcpu_count, sizeof(*point->retired));
	for (unsigned int n = 0; n < machine->vcpu_count && point->retired; n++)
		point->retired[n] = vcpu_instructions(&machine->vcpus[n]);
	return point->retired ? 0 : -ENOMEM;
}

/* The image first: a hypervisor's control block goes to memory with it. */
static int fill(struct machine *machine, struct history_point *point, struct ls_error *err)
{
	struct history *history = &machine->history;
	int ret;

	point->image = calloc(1, sizeof(*point->image));
	ret = point->image ? machine_image_capture(machine, point->image, err) : -ENOMEM;
	if (!ret) {
		machine_image_keep_own(point->image);
		ret = machine_written(machine, note_nothing, NULL);
	}
	if (!ret)
		ret = history_pages_copy(machine,
					 history->count ? history->written : history->touched,
					 &point->pages);
	if (!ret)
		ret = copy_counts(machine, point);
	if (!ret)
		ret = copy_unread(machine, point);
	point->request = atomic_load(&machine->request);
	point->input = input_replaying(machine) ? machine->replayed : history->input_count;
	if (ret)
		free_point(point);
	return ret;
}

/* --- few enough --- */

static uint64_t size_of(const struct history *history)
{
	uint64_t size = history->input_bytes + history->input_count * sizeof(*history->inputs);

	for (size_t i = 0; i < history->count; i++) {
		size += machine_image_size(history->points[i].image);
		if (i)
			size += history->points[i].pages.full * RAM_PAGE;
	}
	return size;
}

static void drop_inputs(struct history *history, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		history->input_bytes -= history->inputs[i].size;
		free((void *)history->inputs[i].bytes);
	}
	history->input_count -= count;
	if (history->input_count)
		memmove(history->inputs, history->inputs + count,
			history->input_count * sizeof(*history->inputs));
	for (size_t i = 0; i < history->count; i++)
		history->points[i].input -= count;
}

/* Not the last one, nor the one that the machine is behind. */
static bool drop_point(struct history *history, size_t i)
{
	struct history_point *point = &history->points[i];

	if (history_pages_merge(&point->pages, &point[1].pages))
		return false;
	free_point(point);
	history->count--;
	memmove(point, point + 1, (history->count - i) * sizeof(*point));
	if (i < history->at)
		history->at--;
	return true;
}

/* The one that is missed least: between two that are near each other for how far away they are. */
static size_t least_missed(const struct machine *machine)
{
	const struct history *history = &machine->history;
	uint64_t now = machine->turns.executed;
	double least = 0;
	size_t which = 0;

	for (size_t i = 1; i + 1 < history->count; i++) {
		const struct history_point *point = &history->points[i];
		uint64_t away =
			point->executed > now ? point->executed - now : now - point->executed;
		double gap = (double)(point[1].executed - point[-1].executed) / (double)(away + 1);

		if (i != history->at && (!which || gap < least)) {
			least = gap;
			which = i;
		}
	}
	return which;
}

/* Inputs are there until the first point goes. While a run is made again they are not moved. */
static bool drop_first(struct machine *machine)
{
	struct history *history = &machine->history;

	if (!history->at || input_replaying(machine) || !drop_point(history, 0))
		return false;
	drop_inputs(history, history->points[0].input);
	return true;
}

static void thin_out(struct machine *machine)
{
	struct history *history = &machine->history;
	bool dropped = true;

	while (dropped && history->count > 2 &&
	       (history->count > POINTS_MAX || size_of(history) > BUDGET)) {
		uint64_t inputs = history->input_bytes;
		size_t least = least_missed(machine);

		dropped = inputs > BUDGET / 2 || !least ? drop_first(machine)
							: drop_point(history, least);
	}
}

/* --- all of them --- */

static int make_room(struct history *history)
{
	size_t room = 2 * history->room + 8;
	struct history_point *points;

	if (history->count < history->room)
		return 0;
	points = realloc(history->points, room * sizeof(*points));
	if (!points)
		return -ENOMEM;
	history->points = points;
	history->room = room;
	return 0;
}

static void lift(struct machine *machine, bool lift)
{
	if (machine->config.debug_lift)
		machine->config.debug_lift(machine->config.debug_opaque, lift);
}

int history_add_point(struct machine *machine, struct ls_error *err)
{
	struct history *history = &machine->history;
	struct history_point point = {0}, *to;
	size_t next = history->count ? history->at + 1 : 0;
	int ret = make_room(history);

	lift(machine, true);
	if (!ret)
		ret = fill(machine, &point, err);
	lift(machine, false);
	if (ret)
		return ret;
	to = &history->points[next];
	if (next < history->count && to->executed == point.executed && to->input == point.input) {
		free_point(to);
	} else {
		memmove(to + 1, to, (history->count - next) * sizeof(*to));
		history->count++;
	}
	*to = point;
	history->at = next;
	memset(history->written, 0, ram_pages_words(machine) * sizeof(uint64_t));
	thin_out(machine);
	return 0;
}

/* A page that no point has is as it was when the machine was made. */
static void restore_original(struct machine *machine, uint64_t page)
{
	uint64_t gpa = ram_page_gpa(machine, page);
	const struct memory_slot *from = &machine->history.original[gpa >= MEMORY_HIGH_START];

	machine_restore_page(machine, gpa, from->host ? from->host + (gpa - from->gpa) : NULL);
}

static int restore_memory(struct machine *machine, size_t point)
{
	struct history *history = &machine->history;
	int ret = machine_written(machine, note_nothing, NULL);

	for (size_t i = point + 1; i <= history->at; i++)
		for (size_t n = 0; n < history->points[i].pages.count; n++)
			ram_pages_add(history->written, history->points[i].pages.number[n]);
	for (size_t i = point + 1; i--;)
		history_pages_restore(machine, &history->points[i].pages, history->written);
	RAM_PAGES_EACH(machine, history->written, page)
	restore_original(machine, page);
	if (!ret) /* these pages are no news */
		ret = machine_written(machine, note_nothing, NULL);
	memset(history->written, 0, ram_pages_words(machine) * sizeof(uint64_t));
	return ret;
}

int history_restore(struct machine *machine, size_t which, struct ls_error *err)
{
	struct history *history = &machine->history;
	const struct history_point *point = &history->points[which];
	int ret = restore_memory(machine, which);

	console_drop_unread(machine);
	console_put_unread(machine, point->unread, point->unread_size);
	if (!ret)
		ret = machine_image_apply(machine, point->image, err);
	atomic_store(&machine->request, point->request);
	machine->turns.replayed = NULL;
	machine->replayed = point->input;
	history->at = which;
	history->looked = point->executed;
	return ret;
}

void history_free_points(struct history *history)
{
	for (size_t i = 0; i < history->count; i++)
		free_point(&history->points[i]);
	drop_inputs(history, history->input_count);
	free(history->points);
	history->points = NULL;
	history->count = history->room = history->at = 0;
}
