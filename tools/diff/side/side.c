/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/side/side.h"

#include <string.h>

#include "machine/memory.h"
#include "tools/diff/side/memory.h"

#define DR6_TRAPS  UINT64_C(0x200f) /* BD, B3 to B0 */
#define DR7_GD     UINT64_C(0x2000)
#define PAGE       4096u
#define VECTOR_DB  1
#define PLANTS     40
#define STOP_PORT  0xee /* nobody's */
#define NOT_MAPPED UINT64_MAX
#define GUESTDBG   (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)

enum turn { MACHINE_RUNS, EVENT_SHOWN, CLOSING };

struct side {
	struct machine *machine;
	const struct diff_fields *fields;
	unsigned int vcpus;
	struct memory_hash memory;
	bool keeps_written;         /* machine_written_keep */
	uint16_t from_port;         /* behind this access the payload proper begins */
	struct diff_event event[2]; /* the last and the one before */
	uint64_t events;
	GThread *thread;
	struct machine_result result;
	struct ls_error err;
	bool ended, failed;
	/* after each instruction */
	struct ls_trace_sink sink;
	uint64_t *records; /* NULL: it stops at exits */
	uint64_t first;    /* instructions, before the first stop that is shown */
	struct {
		uint8_t *bytes, was[2];
	} planted[PLANTS];
	unsigned int plants;

	GMutex lock;
	GCond changed;
	enum turn turn;
};

uint8_t *side_linear_ptr(struct side *side, uint64_t linear, uint64_t *gpa)
{
	struct kvm_translation at = {.linear_address = linear};

	*gpa = NOT_MAPPED;
	if (ls_ioctl_ptr(machine_engine(side->machine), machine_vcpu(side->machine, 0),
			 KVM_TRANSLATE, &at) < 0 ||
	    !at.valid)
		return NULL;
	*gpa = at.physical_address;
	return machine_memory_ptr(side->machine, at.physical_address, 1);
}

unsigned int side_read(struct side *side, uint64_t linear, void *to, unsigned int size)
{
	unsigned int done = 0;

	while (done < size) {
		unsigned int left = PAGE - ((linear + done) & (PAGE - 1)),
			     n = MIN(size - done, left);
		uint64_t gpa;
		const uint8_t *from = side_linear_ptr(side, linear + done, &gpa);

		if (!from)
			break;
		memcpy((uint8_t *)to + done, from, n);
		done += n;
	}
	return done;
}

void side_read_instruction(struct side *side)
{
	struct diff_event *event = &side->event[(side->events - 1) & 1];

	memset(event->bytes, 0, sizeof(event->bytes));
	side_linear_ptr(side, event->linear_rip, &event->physical_rip);
	side_read(side, event->linear_rip, event->bytes, sizeof(event->bytes));
}

static void read_vcpu(struct side *side, unsigned int vcpu, uint64_t *registers)
{
	diff_fields_read(side->fields, machine_engine(side->machine),
			 machine_vcpu(side->machine, vcpu), registers);
}

/* --- stepping --- */

static int set_debug(struct side *side, uint32_t control)
{
	struct kvm_guest_debug debug = {.control = control};

	return ls_ioctl_ptr(machine_engine(side->machine), machine_vcpu(side->machine, 0),
			    KVM_SET_GUEST_DEBUG, &debug);
}

void side_stop_at(struct side *side, uint64_t linear, uint64_t physical)
{
	static const uint8_t out[] = {0xe6, STOP_PORT}; /* OUT imm8, AL */
	uint8_t *bytes = (linear & (PAGE - 1)) + sizeof(out) > PAGE
				 ? NULL
				 : machine_memory_ptr(side->machine, physical, sizeof(out));

	if (!bytes || side->plants == PLANTS)
		return;
	memcpy(side->planted[side->plants].was, bytes, sizeof(out));
	memcpy(bytes, out, sizeof(out));
	side->planted[side->plants++].bytes = bytes;
}

void side_run_on(struct side *side)
{
	set_debug(side, 0);
}

/* The OUT has been done: back before it. */
static void step_back(struct side *side, struct machine_exit *exit)
{
	struct ls_engine *engine = machine_engine(side->machine);
	int vcpu = machine_vcpu(side->machine, 0);
	struct kvm_regs regs;

	*exit = (struct machine_exit){.reason = KVM_EXIT_DEBUG, .count = VECTOR_DB};
	ls_ioctl_ptr(engine, vcpu, KVM_GET_REGS, &regs);
	regs.rip -= sizeof(side->planted[0].was);
	ls_ioctl_ptr(engine, vcpu, KVM_SET_REGS, &regs);
	set_debug(side, GUESTDBG);
}

static void pull_out(struct side *side, struct machine_exit *exit)
{
	bool stopped = side->plants && exit->reason == KVM_EXIT_IO && exit->address == STOP_PORT;

	while (side->plants) { /* they may overlap */
		side->plants--;
		memcpy(side->planted[side->plants].bytes, side->planted[side->plants].was,
		       sizeof(side->planted[0].was));
	}
	if (stopped)
		step_back(side, exit);
}

int side_give_debug(struct side *side, uint64_t dr6)
{
	struct ls_engine *engine = machine_engine(side->machine);
	int vcpu = machine_vcpu(side->machine, 0), ret;
	struct kvm_debugregs registers;

	ret = ls_ioctl_ptr(engine, vcpu, KVM_GET_DEBUGREGS, &registers);
	if (ret < 0)
		return ret;
	registers.dr6 = (registers.dr6 & ~(DR6_TRAPS & 0xf)) | dr6;
	registers.dr7 &= ~DR7_GD; /* SDM 3B:18.2.4 */
	ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_DEBUGREGS, &registers);
	return ret < 0 ? ret : set_debug(side, GUESTDBG | KVM_GUESTDBG_INJECT_DB);
}

void side_instruction(struct side *side, const uint8_t *bytes, struct ls_instruction *instruction)
{
	struct ls_engine *engine = machine_engine(side->machine);
	const struct diff_event *event = &side->event[(side->events - 1) & 1];

	*instruction = (struct ls_instruction){0};
	if (engine->ext->vcpu_instruction)
		engine->ext->vcpu_instruction(engine, machine_vcpu(side->machine, event->vcpu),
					      bytes, sizeof(event->bytes), instruction);
}

void side_memory_changed(struct side *side, uint64_t gpa)
{
	machine_memory_written(side->machine, gpa, 1);
	memory_hash_page(&side->memory, side->machine, gpa);
	side->event[(side->events - 1) & 1].memory = side->memory.sum;
}

bool side_leave_open(struct side *side, const struct side *other, uint64_t gpa)
{
	uint64_t own = memory_hash_share(&side->memory, gpa);
	uint64_t others = memory_hash_share(&other->memory, gpa);

	side->event[(side->events - 1) & 1].memory += others - own;
	return own != others;
}

/* --- events --- */

/* Fills the event and waits until it has been looked at. */
static void side_show(struct side *side, struct diff_event *event)
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

static struct diff_event *side_slot(struct side *side)
{
	return &side->event[side->events & 1];
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

	/* Several vCPUs are in no order that two engines share. */
	if (side->vcpus > 1)
		return;
	event->exit = *exit;
	pull_out(side, &event->exit);
	event->vcpu = vcpu;
	read_vcpu(side, vcpu, event->registers);
	mask_breakpoints(side, event);
	side_show(side, event);
}

/* --- after each instruction --- */

#define RECORDS_ROOM (1u << 17) /* words; what one instruction brings is far less */

/* Before the first stop: what nobody asked for. */
static void side_forget(struct ls_trace_sink *sink)
{
	sink->at = sink->end - RECORDS_ROOM;
}

static uint64_t side_at(void *opaque, struct machine *machine)
{
	struct side *side = opaque;
	struct diff_event *event = side_slot(side);
	uint64_t retired = machine_retired(machine, 0);

	if (retired >= side->first) {
		event->exit = (struct machine_exit){.reason = KVM_EXIT_DEBUG};
		event->vcpu = 0;
		event->retired = retired;
		read_vcpu(side, 0, event->registers);
		side_show(side, event);
	}
	side_forget(&side->sink);
	return side->turn == CLOSING ? 0 : retired + 1;
}

struct diff_records side_records(const struct side *side)
{
	return (struct diff_records){side->records, side->sink.at};
}

void side_drop_records(struct side *side)
{
	side_forget(&side->sink);
}

static void side_count(struct side *side, struct machine_config *config, uint64_t records)
{
	side->records = g_new(uint64_t, RECORDS_ROOM);
	side->first = config->at_instructions;
	side->sink = (struct ls_trace_sink){.events = records,
					    .at = side->records,
					    .end = side->records + RECORDS_ROOM,
					    .full = side_forget};
	config->at_instructions = MAX(side->first, 1);
	config->at = side_at;
	config->at_opaque = side;
}

static int side_watch(struct side *side, struct ls_error *err)
{
	struct ls_engine *engine = machine_engine(side->machine);

	if (!engine->ext->vcpu_trace || !engine->ext->vcpu_limit)
		return ls_error_set(
			err, -ENOTSUP,
			"engine %s does not tell of its instructions; say --granularity "
			"exit, or another reference",
			engine->ops->name);
	machine_trace(side->machine, 0, &side->sink);
	return 0;
}

static void *side_run(void *opaque)
{
	struct side *side = opaque;
	struct diff_event *event;

	side->failed = machine_run(side->machine, &side->result, &side->err) != 0;
	if (side->records)
		machine_trace(side->machine, 0, NULL); /* the last instruction's, too */
	event = side_slot(side);
	event->exit = (struct machine_exit){.reason = DIFF_END};
	pull_out(side, &event->exit);
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
			 uint64_t records, struct ls_error *err)
{
	struct side *side = g_new0(struct side, 1);

	g_mutex_init(&side->lock);
	g_cond_init(&side->changed);
	side->fields = fields;
	side->turn = EVENT_SHOWN; /* as if it had been: the first side_next starts it */
	if (records) {
		side_count(side, config, records);
	} else {
		config->observe = side_observe;
		config->observe_opaque = side;
		config->log_written = true;
	}
	side->machine = machine_create(config, err);
	if (!side->machine || (records && side_watch(side, err))) {
		side_close(side);
		return NULL;
	}
	side->vcpus = machine_vcpu_count(side->machine);
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
	return &side->event[(side->events - 1) & 1];
}

void side_take_instruction(struct side *side, const struct diff_event *from)
{
	struct diff_event *event = &side->event[(side->events - 1) & 1];

	memcpy(event->bytes, from->bytes, sizeof(event->bytes));
	event->physical_rip = from->physical_rip;
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
