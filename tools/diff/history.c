/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/history.h"

#include <inttypes.h>

#include "tools/diff/describe.h"

static void event_free(void *opaque)
{
	struct diff_event *event = opaque;

	g_free(event->registers);
	g_free(event);
}

static void moment_free(void *opaque)
{
	struct diff_moment *moment = opaque;

	g_free(moment->what);
	g_free(moment->instruction);
	g_ptr_array_unref(moment->changed);
	g_free(moment);
}

void history_start(struct diff_history *history, const struct diff_fields *fields, bool all,
		   bool several)
{
	history->several = several;
	history->fields = fields;
	history->events = g_ptr_array_new_with_free_func(event_free);
	history->keep = all ? HISTORY_MOST : HISTORY_LAST;
}

void history_add(struct diff_history *history, const struct diff_event *event)
{
	struct diff_event *copy = g_memdup2(event, sizeof(*event));

	copy->registers = g_memdup2(event->registers + event->vcpu * history->fields->count,
				    history->fields->count * sizeof(uint64_t));
	if (history->events->len == history->keep)
		g_ptr_array_remove_index(history->events, 0);
	g_ptr_array_add(history->events, copy);
}

static GPtrArray *changes(const struct diff_fields *fields, const struct diff_event *before,
			  const struct diff_event *now)
{
	GPtrArray *changed = g_ptr_array_new_with_free_func(g_free);

	for (unsigned int i = 0; i < fields->count; i++) {
		if (before ? before->registers[i] == now->registers[i] : !now->registers[i])
			continue;
		g_ptr_array_add(changed, g_strdup(fields->row[i].name));
		g_ptr_array_add(changed, g_strdup_printf("0x%" PRIx64, now->registers[i]));
	}
	return changed;
}

/* The same vCPU's before the event @at. */
static const struct diff_event *event_before(const struct diff_history *history, guint at)
{
	const struct diff_event *event = g_ptr_array_index(history->events, at), *before;

	while (at--) {
		before = g_ptr_array_index(history->events, at);
		if (before->vcpu == event->vcpu)
			return before;
	}
	return NULL;
}

static char *describe(const struct diff_history *history, const struct diff_event *event)
{
	g_autofree char *what = describe_event(event);

	return history->several ? g_strdup_printf("vCPU %u: %s", event->vcpu, what)
				: g_steal_pointer(&what);
}

GPtrArray *history_finish(struct diff_history *history)
{
	GPtrArray *moments = g_ptr_array_new_with_free_func(moment_free);

	for (guint i = 0; i < history->events->len; i++) {
		const struct diff_event *event = g_ptr_array_index(history->events, i);
		struct diff_moment *moment = g_new0(struct diff_moment, 1);

		moment->number = event->number;
		moment->linear_rip = event->linear_rip;
		moment->what = describe(history, event);
		moment->over = event->by_records;
		moment->instruction = describe_instruction(history->fields, event);
		moment->changed = changes(history->fields, event_before(history, i), event);
		g_ptr_array_add(moments, moment);
	}
	g_ptr_array_unref(history->events);
	return moments;
}
