/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/side.h"

#include <string.h>

#include "tools/diff/side/internal.h"

void side_read_vcpu(struct side *side, unsigned int vcpu, uint64_t *registers)
{
	diff_fields_read(side->fields, machine_engine(side->machine),
			 machine_vcpu(side->machine, vcpu), registers);
}

void side_show(struct side *side, struct diff_event *event)
{
	const struct diff_fields *fields = side->fields;
	uint64_t *registers = event->registers + event->vcpu * fields->count;

	event->number = side->events++;
	memset(event->bytes, 0, sizeof(event->bytes));
	event->physical_rip = NOT_MAPPED;
	event->linear_rip = registers[fields->rip] + registers[fields->cs_base];
	if (!side->records)
		memory_hash_update(&side->memory, side->machine);
	event->memory = side->memory.sum;
	if (side->keeps_written && event->exit.reason == KVM_EXIT_IO &&
	    event->exit.address == side->from_port)
		machine_written_restart(side->machine);
	g_mutex_lock(&side->lock);
	if (side->turn != CLOSING)
		side->turn = EVENT_SHOWN;
	g_cond_broadcast(&side->changed);
	while (side->turn == EVENT_SHOWN)
		g_cond_wait(&side->changed, &side->lock);
	g_mutex_unlock(&side->lock);
}

/* B0 to B3 may be set for breakpoints that DR7 does not enable, too (SDM 3B:18.2.3). */
static void mask_breakpoints(struct side *side, struct diff_event *event)
{
	int row = diff_fields_find(side->fields, "DR7");
	uint64_t dr7 = event->registers[event->vcpu * side->fields->count + (unsigned int)row];

	for (unsigned int n = 0; n < 4 && event->exit.reason == KVM_EXIT_DEBUG; n++)
		if (!(dr7 >> 2 * n & 3))
			event->exit.value &= ~(UINT64_C(1) << n);
}

static void side_observe(void *opaque, unsigned int vcpu, const struct machine_exit *exit)
{
	struct side *side = opaque;
	struct diff_event *event = side_slot(side);

	if (side->vcpus > 1 && !side->shows_all)
		return;
	event->exit = *exit;
	side_pull_out(side, &event->exit);
	event->vcpu = vcpu;
	side_read_vcpu(side, vcpu, event->registers + vcpu * side->fields->count);
	mask_breakpoints(side, event);
	side_show(side, event);
}

static void *side_run(void *opaque)
{
	struct side *side = opaque;
	struct diff_event *event;

	side->failed = machine_run(side->machine, &side->result, &side->err) != 0;
	side_watch_end(side);
	event = side_slot(side);
	event->exit = (struct machine_exit){.reason = DIFF_END};
	side_pull_out(side, &event->exit);
	event->end = side->result.end;
	event->code = side->result.code;
	event->vcpu = 0;
	for (unsigned int n = 0; n < side->vcpus; n++)
		side_read_vcpu(side, n, event->registers + n * side->fields->count);
	side->ended = true;
	side_show(side, event);
	return NULL;
}

struct side *side_create(struct machine_config *config, const struct diff_fields *fields,
			 uint64_t records, struct ls_error *err)
{
	struct side *side = g_new0(struct side, 1);

	g_mutex_init(&side->lock);
	g_cond_init(&side->changed);
	side->fields = fields;
	side->turn = EVENT_SHOWN; /* as if it had been: the first side_next starts it */
	if (!records) {
		config->observe = side_observe;
		config->observe_opaque = side;
		config->log_written = true;
	}
	side->machine = machine_create(config, err);
	side->vcpus = side->machine ? machine_vcpu_count(side->machine) : 0;
	if (!side->machine || (records && side_watch(side, records, err))) {
		side_close(side);
		return NULL;
	}
	for (int n = 0; n < 2; n++)
		side->event[n].registers = g_new0(uint64_t, side->vcpus * fields->count);
	if (records)
		return side;
	memory_hash_start(&side->memory, side->machine);
	memory_hash_update(&side->memory, side->machine);
	side->keeps_written = !machine_written_keep(side->machine);
	side->from_port = config->step_from;
	return side;
}

static void side_go(struct side *side, enum turn turn)
{
	side->turn = turn;
	g_cond_broadcast(&side->changed);
	if (!side->thread)
		side->thread = g_thread_new("side", side_run, side);
}

const struct diff_event *side_next(struct side *side, double seconds, struct ls_error *err)
{
	gint64 until = g_get_monotonic_time() + (gint64)(seconds * 1e6);
	bool shown;

	g_mutex_lock(&side->lock);
	if (!side->ended)
		side_go(side, MACHINE_RUNS);
	while (side->turn == MACHINE_RUNS && g_cond_wait_until(&side->changed, &side->lock, until))
		;
	shown = side->turn == EVENT_SHOWN;
	g_mutex_unlock(&side->lock);
	if (!shown) {
		ls_error_set(err, -ETIMEDOUT, "engine %s: nothing happened for %g seconds",
			     machine_engine(side->machine)->ops->name, seconds);
		return NULL;
	}
	if (side->failed) {
		*err = side->err;
		return NULL;
	}
	return side_present(side);
}

void side_show_all(struct side *side)
{
	side->shows_all = true;
}

struct machine *side_machine(struct side *side)
{
	return side->machine;
}

const char *side_text(const struct side *side)
{
	return side->ended ? side->result.text : "";
}

void side_close(struct side *side)
{
	if (side->thread) {
		machine_stop(side->machine);
		g_mutex_lock(&side->lock);
		side_go(side, CLOSING);
		g_mutex_unlock(&side->lock);
		g_thread_join(side->thread);
	}
	machine_destroy(side->machine);
	memory_hash_free(&side->memory);
	for (int n = 0; n < 2; n++)
		g_free(side->event[n].registers);
	g_free(side->records);
	g_mutex_clear(&side->lock);
	g_cond_clear(&side->changed);
	g_free(side);
}
