/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/recorded/recorded.h"

#include <string.h>

#include "tools/diff/recorded/file.h"
#include "tools/size.h"
#include "traces/events.h"

/* --- the head --- */

const char *recorded_text(const struct recorded *recorded, const char *key)
{
	return trace_reader_text(recorded->view.reader, key, 0);
}

uint64_t recorded_number(const struct recorded *recorded, const char *key)
{
	const char *text = recorded_text(recorded, key);
	uint64_t number = 0;

	return text && !number_parse(text, UINT64_MAX, &number) ? number : 0;
}

const char *recorded_engine(const struct recorded *recorded)
{
	const char *text = recorded_text(recorded, "engine");

	return text ? text : "unknown";
}

const char *recorded_version(const struct recorded *recorded)
{
	const char *text = recorded_text(recorded, "version");

	return text ? text : "version unknown";
}

const char *recorded_case(const struct recorded *recorded)
{
	return recorded_text(recorded, "case");
}

/* --- what can be compared --- */

uint64_t recorded_has(const struct trace_reader *reader)
{
	uint64_t events = 0;

	for (size_t n = 0; n < trace_reader_chunks(reader); n++)
		events |= trace_reader_chunk(reader, n)->events;
	return events;
}

static const struct recorded_kind *kind_of(const struct recorded *recorded,
					   const struct diff_options *options)
{
	uint64_t events = recorded_has(recorded->view.reader);
	bool run = recorded_text(recorded, "argument") != NULL;
	bool step = options->any_granularity || options->step;
	const char *granularity = recorded_text(recorded, "granularity");

	if (granularity)
		return strcmp(granularity, "step") ? &recorded_states_exit : &recorded_states_step;
	if (run && step && (events >> TRACE_INSTRUCTION & 1))
		return &recorded_instructions;
	if (run && (events >> TRACE_ENGINE_EXIT & 1))
		return &recorded_exits;
	if (!run && (events >> TRACE_VM_EXIT & 1))
		return &recorded_host;
	return NULL;
}

static void choose_kind(struct recorded *recorded, const struct diff_options *options,
			struct ls_error *err)
{
	recorded->kind = kind_of(recorded, options);
	if (recorded->kind)
		recorded->view.events = recorded->kind->events;
	else
		ls_error_set(
			err, -EINVAL,
			"'%s' has nothing that can be compared: 'lockstep diff --save-trace', "
			"'lockstep run --trace' and 'lockstep trace import' of a trace.dat make "
			"such traces",
			recorded->path);
}

struct recorded *recorded_open(const char *path, const struct diff_options *options,
			       struct ls_error *err)
{
	struct recorded *recorded = g_new0(struct recorded, 1);

	recorded->path = g_strdup(path);
	trace_view_open(&recorded->view, path, err);
	if (!err->code)
		choose_kind(recorded, options, err);
	if (!err->code)
		return recorded;
	recorded_close(recorded);
	return NULL;
}

void recorded_close(struct recorded *recorded)
{
	trace_view_close(&recorded->view);
	traced_run_free(&recorded->run);
	if (recorded->column)
		g_array_unref(recorded->column);
	for (unsigned int n = 0; recorded->of_vcpu && n < recorded->vcpus; n++)
		trace_view_close(&recorded->of_vcpu[n]);
	g_free(recorded->of_vcpu);
	fold_free(&recorded->fold);
	ram_copy_free(&recorded->memory);
	g_free(recorded->registers);
	g_free(recorded->event[0].registers);
	g_free(recorded->event[1].registers);
	g_free(recorded->path);
	g_free(recorded);
}

int recorded_adopt(struct recorded *recorded, struct diff_options *options, struct diff_case *test,
		   struct ls_error *err)
{
	bool step = recorded->kind->step;

	if (!options->any_granularity && options->step != step)
		return ls_error_set(err, -EINVAL, "'%s' was recorded by %s, not by %s",
				    recorded->path, step ? "step" : "exit",
				    options->step ? "step" : "exit");
	options->any_granularity = false;
	options->step = step;
	return recorded->kind->adopt(recorded, options, test, err);
}

const struct machine_config *recorded_machine(const struct recorded *recorded)
{
	return recorded->run.inputs ? &recorded->run.session.config : NULL;
}

uint64_t recorded_wants(const struct recorded *recorded)
{
	return recorded->kind->wants;
}

bool recorded_is_of_several(const struct recorded *recorded)
{
	return recorded->kind == &recorded_exits && recorded->run.session.config.vcpus > 1;
}

bool recorded_is_host(const struct recorded *recorded)
{
	return recorded->kind == &recorded_host;
}

bool recorded_is_stream(const struct recorded *recorded)
{
	return recorded->kind == &recorded_instructions;
}

/* --- the start --- */

void recorded_leave_out(struct recorded *recorded, struct diff_fields *fields, const GArray *column)
{
	g_autofree bool *there = g_new0(bool, fields->count);

	for (guint n = 0; n < column->len; n++) {
		int field = g_array_index(column, int, n);

		if (field >= 0)
			there[field] = true;
	}
	for (unsigned int i = 0; i < fields->count; i++) {
		if (there[i] || !fields->row[i].mask)
			continue;
		/* An MSR that one of the engines does not list is in no live comparison, either. */
		recorded->unlisted += fields->row[i].msr != 0;
		if (fields->row[i].msr)
			fields->row[i].mask = 0;
		else
			diff_fields_leave_out(fields, i);
	}
}

void recorded_tell(const struct recorded *recorded, GPtrArray *lines)
{
	if (recorded->unlisted)
		g_ptr_array_add(lines, g_strdup_printf("and %u MSRs that the trace has not",
						       recorded->unlisted));
	if (recorded->kind->tell)
		recorded->kind->tell(recorded, lines);
}

int recorded_start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		   struct ls_error *err)
{
	size_t size;

	recorded->fields = fields;
	recorded->vcpus = machine_vcpu_count(reference);
	size = recorded->vcpus * fields->count;
	recorded->registers = g_new0(uint64_t, size);
	for (int n = 0; n < 2; n++)
		recorded->event[n].registers = g_new0(uint64_t, size);
	return recorded->kind->start ? recorded->kind->start(recorded, fields, reference, err) : 0;
}

/* --- events --- */

int recorded_damaged(const struct recorded *recorded, struct ls_error *err)
{
	return ls_error_set(err, -EBADMSG, "'%s' is damaged: its events make no sense",
			    recorded->path);
}

const uint64_t *recorded_record(struct recorded *recorded, struct ls_error *err)
{
	const uint64_t *record = recorded->ahead;
	unsigned int vcpu;

	recorded->ahead = NULL;
	if (record)
		return record;
	return trace_view_next(&recorded->view, &vcpu, &record, err) ? record : NULL;
}

static struct diff_event *present(struct recorded *recorded)
{
	return &recorded->event[(recorded->events - 1) & 1];
}

void recorded_show(struct recorded *recorded)
{
	const struct diff_fields *fields = recorded->fields;
	struct diff_event *event = present(recorded);
	uint64_t *registers = event->registers;

	memcpy(registers, recorded->registers, recorded->vcpus * fields->count * sizeof(uint64_t));
	registers += event->vcpu * fields->count;
	event->linear_rip = registers[fields->rip] + registers[fields->cs_base];
}

const struct diff_event *recorded_next(struct recorded *recorded,
				       const struct diff_event *reference, struct ls_error *err)
{
	uint64_t *registers;
	struct diff_event *event;

	if (recorded->ended)
		return present(recorded);
	event = &recorded->event[recorded->events & 1];
	registers = event->registers;
	*event = (struct diff_event){.number = recorded->events,
				     .exit = {.reason = DIFF_TORN},
				     .vcpu = reference->exit.reason == DIFF_END ? ANY_VCPU
										: reference->vcpu,
				     .physical_rip = UINT64_MAX,
				     .registers = registers};
	if (recorded->kind->take(recorded, event, err))
		return NULL;
	if (event->vcpu == ANY_VCPU)
		event->vcpu = 0;
	recorded->events++;
	recorded_show(recorded);
	recorded->ended = event->exit.reason == DIFF_END || event->exit.reason == DIFF_TORN;
	return event;
}

/* --- records --- */

int recorded_open_vcpus(struct recorded *recorded, struct ls_error *err)
{
	recorded->of_vcpu = g_new0(struct trace_view, recorded->vcpus);
	for (unsigned int n = 0; n < recorded->vcpus; n++) {
		struct trace_view *view = &recorded->of_vcpu[n];

		if (trace_view_open(view, recorded->path, err))
			return err->code;
		view->events = recorded->kind->events;
		view->snapshots = true;
		trace_view_rewind(view, n);
	}
	return 0;
}

const uint64_t *recorded_vcpu_record(struct recorded *recorded, unsigned int vcpu,
				     struct ls_error *err)
{
	const uint64_t *record;
	unsigned int of;

	return trace_view_next(&recorded->of_vcpu[vcpu], &of, &record, err) ? record : NULL;
}

const struct fold *recorded_fold(const struct recorded *recorded)
{
	return &recorded->fold;
}

/* A chunk's first record is of its first instruction. */
uint64_t recorded_begin(const struct recorded *recorded, unsigned int vcpu)
{
	const struct trace_reader *reader = recorded->view.reader;
	size_t chunk = trace_reader_seek(reader, 0, vcpu, 0, UINT64_MAX);

	return chunk < trace_reader_chunks(reader) ? trace_reader_chunk(reader, chunk)->first : 0;
}

/* Kinds of events that were wanted when it was recorded, as far as that is known. */
uint64_t recorded_events(const struct recorded *recorded)
{
	uint64_t events = 0;
	const char *name;

	for (unsigned int n = 0; (name = trace_reader_text(recorded->view.reader, "recorded", n));
	     n++) {
		enum trace_event event = trace_event_by_name(name);

		if (event < TRACE_EVENTS)
			events |= UINT64_C(1) << event;
	}
	return events ? events : recorded_has(recorded->view.reader);
}

const uint8_t *recorded_memory(const struct recorded *recorded, uint64_t gpa, uint64_t size)
{
	return ram_copy_ptr(&recorded->memory, gpa, size);
}

void recorded_give_bytes(struct recorded *recorded, const uint8_t *bytes)
{
	memcpy(present(recorded)->bytes, bytes, sizeof(present(recorded)->bytes));
}

void recorded_give_instruction(struct recorded *recorded, const struct diff_event *from)
{
	recorded_give_bytes(recorded, from->bytes);
	present(recorded)->physical_rip = from->physical_rip;
}

void recorded_give_rip(struct recorded *recorded, const struct diff_event *from)
{
	const struct diff_fields *fields = recorded->fields;
	struct diff_event *event = present(recorded);
	int rights = diff_fields_find(fields, "CS access rights");

	event->linear_rip = from->linear_rip;
	event->registers[fields->rip] = from->registers[fields->rip];
	if (event->partial) /* so that it can be disassembled */
		event->registers[rights] = from->registers[rights];
	recorded_give_instruction(recorded, from);
}
