/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side.h"

#include <string.h>

#include "machine/memory.h"
#include "tools/diff/memory.h"

enum turn { MACHINE_RUNS, EVENT_SHOWN, CLOSING };

struct side {
	struct machine *machine;
	const struct diff_fields *fields;
	unsigned int vcpus;
	struct memory_hash memory;
	struct diff_event event[2]; /* the last and the one before */
	uint64_t events;
	GThread *thread;
	struct machine_result result;
	struct ls_error err;
	bool ended, failed;

	GMutex lock;
	GCond changed;
	enum turn turn;
};

static void read_bytes(struct side *side, struct diff_event *event)
{
	struct kvm_translation at = {.linear_address = event->linear_rip};
	const uint8_t *bytes;

	memset(event->bytes, 0, sizeof(event->bytes));
	if (ls_ioctl_ptr(machine_engine(side->machine), machine_vcpu(side->machine, event->vcpu),
			 KVM_TRANSLATE, &at) < 0 ||
	    !at.valid)
		return;
	bytes = machine_memory_ptr(side->machine, at.physical_address, sizeof(event->bytes));
	if (bytes)
		memcpy(event->bytes, bytes, sizeof(event->bytes));
}

static void read_vcpu(struct side *side, unsigned int vcpu, uint64_t *registers)
{
	diff_fields_read(side->fields, machine_engine(side->machine),
			 machine_vcpu(side->machine, vcpu), registers);
}

/* Fills the event and waits until it has been looked at. */
static void side_show(struct side *side, struct diff_event *event)
{
	const struct diff_fields *fields = side->fields;
	uint64_t *registers = event->registers + event->vcpu * fields->count;

	event->number = side->events++;
	event->linear_rip = registers[fields->rip] + registers[fields->cs_base];
	read_bytes(side, event);
	memory_hash_update(&side->memory, side->machine);
	event->memory = side->memory.sum;
	g_mutex_lock(&side->lock);
	if (side->turn != CLOSING)
		side->turn = EVENT_SHOWN;
	g_cond_broadcast(&side->changed);
	while (side->turn == EVENT_SHOWN)
		g_cond_wait(&side->changed, &side->lock);
	g_mutex_unlock(&side->lock);
}

static struct diff_event *side_slot(struct side *side)
{
	return &side->event[side->events & 1];
}

static void side_observe(void *opaque, unsigned int vcpu, const struct machine_exit *exit)
{
	struct side *side = opaque;
	struct diff_event *event = side_slot(side);

	/* Several vCPUs are in no order that two engines share. */
	if (side->vcpus > 1)
		return;
	event->exit = *exit;
	event->vcpu = vcpu;
	read_vcpu(side, vcpu, event->registers);
	side_show(side, event);
}

static void *side_run(void *opaque)
{
	struct side *side = opaque;
	struct diff_event *event;

	side->failed = machine_run(side->machine, &side->result, &side->err) != 0;
	event = side_slot(side);
	event->exit = (struct machine_exit){.reason = DIFF_END};
	event->end = side->result.end;
	event->code = side->result.code;
	event->vcpu = 0;
	for (unsigned int n = 0; n < side->vcpus; n++)
		read_vcpu(side, n, event->registers + n * side->fields->count);
	side->ended = true;
	side_show(side, event);
	return NULL;
}

struct side *side_create(struct machine_config *config, const struct diff_fields *fields,
			 struct ls_error *err)
{
	struct side *side = g_new0(struct side, 1);

	g_mutex_init(&side->lock);
	g_cond_init(&side->changed);
	side->fields = fields;
	side->turn = EVENT_SHOWN; /* as if it had been: the first side_next starts it */
	config->observe = side_observe;
	config->observe_opaque = side;
	config->log_written = true;
	side->machine = machine_create(config, err);
	if (!side->machine) {
		side_close(side);
		return NULL;
	}
	side->vcpus = machine_vcpu_count(side->machine);
	for (int n = 0; n < 2; n++)
		side->event[n].registers = g_new0(uint64_t, side->vcpus * fields->count);
	memory_hash_start(&side->memory, side->machine);
	memory_hash_update(&side->memory, side->machine);
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
	return &side->event[(side->events - 1) & 1];
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
	g_mutex_clear(&side->lock);
	g_cond_clear(&side->changed);
	g_free(side);
}
