/* SPDX-License-Identifier: Apache-2.0 */
/* One event of each side, compared. */
#include <inttypes.h>
#include <string.h>

#include "machine/memory.h"
#include "tools/diff/describe.h"
#include "tools/diff/side/gates.h"
#include "tools/diff/streams.h"

#define WORDS_SHOWN 8

void comparison_add_value(struct comparison *c, const char *field, uint64_t ref, uint64_t dut,
			  const char *manual, bool differs)
{
	struct diff_value *value = g_new0(struct diff_value, 1);

	*value = (struct diff_value){g_strdup(field), {ref, dut}, manual, differs};
	g_ptr_array_add(c->result->values, value);
}

/* Where a trace of a run has no more events, the run was over. */
static bool ended_both(const struct diff_event *ref, const struct diff_event *dut)
{
	return ref->exit.reason == DIFF_END && dut->exit.reason == DIFF_TORN && !dut->exit.value &&
	       (dut->partial || dut->by_records);
}

static bool same_partial(const struct machine_exit *a, const struct machine_exit *b)
{
	if (a->reason != b->reason)
		return false;
	if (a->reason == DIFF_HOST_EXIT)
		return a->address == b->address && a->value == b->value;
	if (a->reason != KVM_EXIT_IO && a->reason != KVM_EXIT_MMIO)
		return true;
	return a->address == b->address && a->size == b->size && a->write == b->write &&
	       (!a->write || a->value == b->value);
}

static bool same_exit(const struct diff_event *a, const struct diff_event *b)
{
	if (b->exit.reason == DIFF_TORN)
		return ended_both(a, b);
	if (b->partial)
		return same_partial(&a->exit, &b->exit);
	return a->exit.reason == b->exit.reason && a->exit.size == b->exit.size &&
	       a->exit.count == b->exit.count && a->exit.write == b->exit.write &&
	       (is_step(a) || a->exit.address == b->exit.address) &&
	       a->exit.value == b->exit.value &&
	       (a->exit.reason != DIFF_END || (a->end == b->end && a->code == b->code));
}

/* All that a trace may have of it. */
static void add_exit_values(struct comparison *c)
{
	const struct machine_exit *a = &c->now[REF]->exit, *b = &c->now[DUT]->exit;

	comparison_add_value(c, "exit reason", a->reason, b->reason, "", a->reason != b->reason);
	comparison_add_value(c, "exit address", a->address, b->address, "",
			     a->address != b->address);
	comparison_add_value(c, "exit size", a->size, b->size, "", a->size != b->size);
	comparison_add_value(c, "exit value", a->value, b->value, "", a->value != b->value);
}

/* After a shutdown the processor's state is undefined (APM 2:15.14.3). */
static bool has_state(const struct diff_event *event)
{
	return event->exit.reason != KVM_EXIT_SHUTDOWN &&
	       event->exit.reason != KVM_EXIT_FAIL_ENTRY &&
	       !(event->exit.reason == DIFF_END && event->end == MACHINE_END_SHUTDOWN);
}

static bool tells_state(const struct diff_event *dut)
{
	return !dut->partial && dut->exit.reason != DIFF_TORN;
}

/* Bits of the field that differ and may not. */
static uint64_t field_differs(struct comparison *c, unsigned int i)
{
	const struct diff_field *row = &c->fields->row[i];
	uint64_t bits = (registers_of(c, REF)[i] ^ registers_of(c, DUT)[i]) & row->mask;

	if (i == c->fields->rflags) {
		c->undefined &= bits;
		bits &= ~c->undefined;
		/* KVM_GET_REGS hides TF, the guest's own, too, while KVM steps by it. */
		if (c->by_trap)
			bits &= ~FLAG_TF;
	}
	return bits;
}

bool pair_same_registers(const struct comparison *c)
{
	const uint64_t *ref = registers_of(c, REF), *dut = registers_of(c, DUT);

	for (unsigned int i = 0; i < c->fields->count; i++)
		if ((ref[i] ^ dut[i]) & c->fields->row[i].mask)
			return false;
	return true;
}

static bool registers_differ(struct comparison *c)
{
	const char *first = NULL;
	unsigned int count = 0;

	if (!has_state(c->now[REF]) || !tells_state(c->now[DUT]))
		return false;
	for (unsigned int i = 0; i < c->fields->count; i++) {
		const struct diff_field *row = &c->fields->row[i];

		uint64_t bits = field_differs(c, i);

		if (!bits)
			continue;
		comparison_add_value(c, row->name, registers_of(c, REF)[i], registers_of(c, DUT)[i],
				     row->manual, true);
		first = first ? first : row->name;
		count++;
	}
	if (count)
		diff_verdict(c->result, DIFF_DIFFERENT, "%s differs%s", first,
			     count > 1 ? ", and more" : "");
	return count > 0;
}

/* --- memory --- */

/* Eight bytes that differ. More than a few are as good as all. */
static void add_word(struct comparison *c, uint64_t gpa, const uint8_t *ref, const uint8_t *dut)
{
	uint64_t value[2];
	char name[40];

	memcpy(&value[REF], ref, 8);
	memcpy(&value[DUT], dut, 8);
	if (value[REF] == value[DUT])
		return;
	c->more |= c->words == WORDS_SHOWN;
	if (c->words == WORDS_SHOWN)
		return;
	c->words++;
	diff_verdict(c->result, DIFF_DIFFERENT, "memory at 0x%" PRIx64 " differs", gpa);
	snprintf(name, sizeof(name), "memory 0x%" PRIx64, gpa);
	comparison_add_value(c, name, value[REF], value[DUT], "", true);
}

static void add_words(struct comparison *c, uint64_t start, uint64_t size)
{
	const uint8_t *ref = machine_memory_ptr(side_machine(c->side[REF]), start, size);
	const uint8_t *dut = c->recorded
				     ? recorded_memory(c->recorded, start, size)
				     : machine_memory_ptr(side_machine(c->side[DUT]), start, size);

	if (!dut)
		return;
	for (uint64_t at = 0; at < size; at += 8)
		if (memcmp(ref + at, dut + at, 8) &&
		    ((start + at) & ~(uint64_t)0xfff) != c->open_page)
			add_word(c, start + at, ref + at, dut + at);
}

static bool memory_differs(struct comparison *c)
{
	struct machine *machine = side_machine(c->side[REF]);

	if (c->now[REF]->memory == c->now[DUT]->memory || !tells_state(c->now[DUT]))
		return false;
	add_words(c, 0, machine_memory_low(machine));
	if (machine_memory_high(machine))
		add_words(c, MEMORY_HIGH_START, machine_memory_high(machine));
	if (c->recorded && !c->words) {
		diff_verdict(c->result, DIFF_DIFFERENT, "memory differs");
		comparison_add_value(c, MEMORY_HASH, c->now[REF]->memory, c->now[DUT]->memory, "",
				     true);
	}
	return true;
}

/* --- exits --- */

static int entered(const struct comparison *c, unsigned int who)
{
	/* What a trace's guest has in memory is what the reference's has, up to here. */
	struct side *side = c->side[who] ? c->side[who] : c->side[REF];

	if (c->now[who]->by_records)
		return stream_vector(streams_present(c, who));
	return is_step(c->now[who]) ? gate_entered(side, c->fields, c->now[who]) : -1;
}

void pair_exceptions(const struct comparison *c, int vector[2])
{
	vector[REF] = entered(c, REF);
	/* Only the reference can tell where a handler's first instruction ends. */
	vector[DUT] = is_step(c->now[DUT]) && !c->now[DUT]->by_records &&
				      c->now[DUT]->linear_rip == c->now[REF]->linear_rip
			      ? vector[REF]
			      : entered(c, DUT);
}

static uint64_t exit_value(const struct diff_event *event)
{
	return is_step(event) ? EXPECTED_STEPPED : event->exit.value;
}

static uint64_t exception_value(const struct comparison *c, unsigned int who, int vector)
{
	return !is_step(c->now[who]) ? EXPECTED_RAN_ON
	       : vector < 0          ? EXPECTED_NONE
				     : (uint64_t)vector;
}

/* Of what follows from another way through the code, only that is told. */
static void note_control(struct comparison *c, bool exits)
{
	bool same_reason = c->now[REF]->exit.reason == c->now[DUT]->exit.reason;
	int vector[2] = {-1, -1};

	if (c->config[REF].single_step)
		pair_exceptions(c, vector);
	c->control = (struct expected_difference){.instruction = c->before.instruction.mnemonic};
	if (vector[REF] != vector[DUT]) {
		c->control.field = "exception";
		c->control.ref = exception_value(c, REF, vector[REF]);
		c->control.dut = exception_value(c, DUT, vector[DUT]);
	} else if (!exits && has_state(c->now[REF]) &&
		   registers_of(c, REF)[c->fields->rip] != registers_of(c, DUT)[c->fields->rip]) {
		c->control.field = "RIP";
		c->control.ref = registers_of(c, REF)[c->fields->rip];
		c->control.dut = registers_of(c, DUT)[c->fields->rip];
	} else if (exits) {
		c->control.field = "exit";
		c->control.ref = same_reason ? c->now[REF]->exit.value : exit_value(c->now[REF]);
		c->control.dut = same_reason ? c->now[DUT]->exit.value : exit_value(c->now[DUT]);
	}
}

/* An engine that stops at an instruction which it does not know: the case cannot be run there. */
static bool gave_up(struct comparison *c)
{
	const struct diff_event *dut = c->now[DUT];
	g_autofree char *text = NULL;
	struct ls_instruction instruction;

	if (dut->exit.reason != KVM_EXIT_INTERNAL_ERROR || same_exit(c->now[REF], dut))
		return false;
	text = describe_instruction(c->fields, dut);
	side_instruction(c->side[REF], dut->bytes, &instruction);
	c->result->stopped_at = instruction.mnemonic ? instruction.mnemonic : "an undefined one";
	diff_verdict(c->result, DIFF_FAILED,
		     "engine %s cannot run it: internal error, suberror %" PRIu64 ", at 0x%" PRIx64
		     ": %s",
		     c->dut, dut->exit.value, dut->linear_rip, text);
	return true;
}

static bool exits_differ(struct comparison *c)
{
	g_autofree char *ref = NULL, *dut = NULL;

	if (same_exit(c->now[REF], c->now[DUT]))
		return false;
	ref = describe_event(c->now[REF]);
	dut = describe_event(c->now[DUT]);
	diff_verdict(c->result, DIFF_DIFFERENT, "%s on %s, %s on %s", ref,
		     diff_side_label(c->options, REF), dut, diff_side_label(c->options, DUT));
	return true;
}

/* Where a person looks first. */
static void add_orientation(struct comparison *c)
{
	static const char *const names[] = {"RIP", "RFLAGS", "CS", "RSP", "RAX", "CR2"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		int row = diff_fields_find(c->fields, names[i]);
		bool there = false;

		for (guint n = 0; n < c->result->values->len; n++) {
			const struct diff_value *value = g_ptr_array_index(c->result->values, n);

			there |= !strcmp(value->field, names[i]);
		}
		if (!there)
			comparison_add_value(c, names[i], registers_of(c, REF)[row],
					     registers_of(c, DUT)[row], c->fields->row[row].manual,
					     false);
	}
}

bool pair_differs(struct comparison *c)
{
	bool records, exits, registers, memory;

	if (gave_up(c))
		return true;
	/* All of them: one may explain the other. */
	records =
		c->now[DUT]->by_records && same_exit(c->now[REF], c->now[DUT]) && records_differ(c);
	exits = exits_differ(c);
	registers = registers_differ(c);
	memory = memory_differs(c);
	if (!records && !exits && !registers && !memory)
		return false;
	note_control(c, exits);
	if (c->now[DUT]->partial)
		add_exit_values(c);
	else
		add_orientation(c);
	return true;
}
