/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/side.h"

#include <errno.h>
#include <string.h>

#include "tools/diff/side/internal.h"

void side_read_vcpu(struct side *side, unsigned int vcpu, uint64_t *registers)
{
	diff_fields_read(side->fields, machine_engine(side->machine),
			 machine_vcpu(side->machine, vcpu), NULL, registers);
}

/* --- registers that a run leaves in struct kvm_run --- */

#define SYNCED (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)

static void sync_registers(struct side *side)
{
	struct ls_engine *engine = machine_engine(side->machine);
	int has = ls_ioctl(engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS);

	side->syncs = has > 0 && (has & SYNCED) == SYNCED;
	for (unsigned int n = 0; side->syncs && n < side->vcpus; n++)
		machine_vcpu_run(side->machine, n)->kvm_valid_regs = SYNCED;
}

/* Right behind a run, and with nothing set since. */
static void read_after_run(struct side *side, unsigned int vcpu, uint64_t *registers)
{
	const struct kvm_run *run = machine_vcpu_run(side->machine, vcpu);

	diff_fields_read(side->fields, machine_engine(side->machine),
			 machine_vcpu(side->machine, vcpu), side->syncs ? &run->s.regs : NULL,
			 registers);
}

/* --- events --- */

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) && errno == EINTR)
		;
}

void side_show(struct side *side, struct diff_event *event)
{
	const struct diff_fields *fields = side->fields;
	uint64_t *registers = event->registers + event->vcpu * fields->count;

	event->number = side->events++;
	memset(event->bytes, 0, sizeof(event->bytes));
	event->physical_rip = NOT_MAPPED;
	event->linear_rip = registers[fields->rip] + registers[fields->cs_base];
	if (!side->records) {
		g_array_set_size(side->memory.changed, 0);
		memory_hash_update(&side->memory, side->machine);
	}
	event->memory = side->memory.sum;
	if (side->keeps_written && event->exit.reason == KVM_EXIT_IO &&
	    event->exit.address == side->from_port)
		machine_written_restart(side->machine);
	if (!g_atomic_int_compare_and_exchange(&side->turn, MACHINE_RUNS, EVENT_SHOWN))
		return;
	sem_post(&side->shown);
	wait_for(&side->asked);
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
	uint64_t *registers;

	if (side->vcpus > 1 && !side->shows_all)
		return;
	event->exit = *exit;
	event->vcpu = vcpu;
	registers = event->registers + vcpu * side->fields->count;
	if (side_pull_out(side, &event->exit))
		side_read_vcpu(side, vcpu, registers);
	else
		read_after_run(side, vcpu, registers);
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

	sem_init(&side->asked, 0, 0);
	sem_init(&side->shown, 0, 0);
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
	sync_registers(side);
	return side;
}

static void side_go(struct side *side, enum turn turn)
{
	g_atomic_int_set(&side->turn, turn);
	if (side->thread)
		sem_post(&side->asked);
	else
		side->thread = g_thread_new("side", side_run, side);
}

/* False: it took too long. */
static bool side_wait(struct side *side, double seconds)
{
	gint64 end = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
	const struct timespec until = {.tv_sec = end / G_USEC_PER_SEC,
				       .tv_nsec = end % G_USEC_PER_SEC * 1000};
	int ret;

	do {
		ret = sem_clockwait(&side->shown, CLOCK_MONOTONIC, &until);
	} while (ret && errno == EINTR);
	return !ret;
}

const struct diff_event *side_next(struct side *side, double seconds, struct ls_error *err)
{
	bool shown = side->ended;

	if (!shown) {
		side_go(side, MACHINE_RUNS);
		shown = side_wait(side, seconds);
	}
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
		side_go(side, CLOSING);
		g_thread_join(side->thread);
	}
	machine_destroy(side->machine);
	memory_hash_free(&side->memory);
	for (int n = 0; n < 2; n++)
		g_free(side->event[n].registers);
	g_free(side->records);
	sem_destroy(&side->asked);
	sem_destroy(&side->shown);
	g_free(side);
}
