/* SPDX-License-Identifier: Apache-2.0 */
/* One event of each side, compared. */
#include <inttypes.h>
#include <string.h>

#include "machine/memory.h"
#include "tools/diff/comparison.h"
#include "tools/diff/describe.h"

static void add_value(struct comparison *c, const char *field, uint64_t ref, uint64_t dut,
		      const char *manual, bool differs)
{
	struct diff_value *value = g_new0(struct diff_value, 1);

	*value = (struct diff_value){g_strdup(field), {ref, dut}, manual, differs};
	g_ptr_array_add(c->result->values, value);
}

static bool same_exit(const struct diff_event *a, const struct diff_event *b)
{
	return a->exit.reason == b->exit.reason && a->exit.size == b->exit.size &&
	       a->exit.count == b->exit.count && a->exit.write == b->exit.write &&
	       (is_step(a) || a->exit.address == b->exit.address) &&
	       a->exit.value == b->exit.value &&
	       (a->exit.reason != DIFF_END || (a->end == b->end && a->code == b->code));
}

/* After a shutdown the processor's state is undefined (APM 2:15.14.3). */
static bool has_state(const struct diff_event *event)
{
	return event->exit.reason != KVM_EXIT_SHUTDOWN &&
	       event->exit.reason != KVM_EXIT_FAIL_ENTRY &&
	       !(event->exit.reason == DIFF_END && event->end == MACHINE_END_SHUTDOWN);
}

/* What differs, and may as far as quirks go; the first of it is what a row of expected.def names.
 */
static void differs(struct comparison *c, const char *what, uint64_t bits)
{
	if (c->first)
		return;
	c->first = what;
	c->first_bits = bits;
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

static bool registers_differ(struct comparison *c)
{
	const char *first = NULL;
	unsigned int count = 0;

	if (!has_state(c->now[REF]) || c->now[DUT]->exit.reason == DIFF_TORN)
		return false;
	for (unsigned int i = 0; i < c->fields->count; i++) {
		const struct diff_field *row = &c->fields->row[i];

		uint64_t bits = field_differs(c, i);

		if (!bits)
			continue;
		differs(c, row->name, bits);
		add_value(c, row->name, registers_of(c, REF)[i], registers_of(c, DUT)[i],
			  row->manual, true);
		first = first ? first : row->name;
		count++;
	}
	if (count)
		diff_verdict(c->result, DIFF_DIFFERENT, "%s differs%s", first,
			     count > 1 ? ", and more" : "");
	return count > 0;
}

static bool memory_differs_at(struct comparison *c, uint64_t start, uint64_t size)
{
	const uint8_t *ref = machine_memory_ptr(side_machine(c->side[REF]), start, size);
	const uint8_t *dut = machine_memory_ptr(side_machine(c->side[DUT]), start, size);
	uint64_t at = 0;

	while (at < size && ref[at] == dut[at])
		at++;
	if (at == size)
		return false;
	at &= ~UINT64_C(7);
	for (unsigned int rows = 0; rows < 8 && at < size; at += 8) {
		uint64_t value[2];
		char name[40];

		memcpy(&value[REF], ref + at, 8);
		memcpy(&value[DUT], dut + at, 8);
		if (value[REF] == value[DUT])
			continue;
		if (!rows++)
			diff_verdict(c->result, DIFF_DIFFERENT, "memory at 0x%" PRIx64 " differs",
				     start + at);
		snprintf(name, sizeof(name), "memory 0x%" PRIx64, start + at);
		add_value(c, name, value[REF], value[DUT], "", true);
	}
	return true;
}

static bool memory_differs(struct comparison *c)
{
	struct machine *machine = side_machine(c->side[REF]);

	if (c->now[REF]->memory == c->now[DUT]->memory || c->now[DUT]->exit.reason == DIFF_TORN)
		return false;
	differs(c, "memory", 0);
	if (c->recorded) {
		diff_verdict(c->result, DIFF_DIFFERENT, "memory differs");
		add_value(c, "memory hash", c->now[REF]->memory, c->now[DUT]->memory, "", true);
		return true;
	}
	return memory_differs_at(c, 0, machine_memory_low(machine)) ||
	       (machine_memory_high(machine) &&
		memory_differs_at(c, MEMORY_HIGH_START, machine_memory_high(machine)));
}

static bool exits_differ(struct comparison *c)
{
	g_autofree char *ref = NULL, *dut = NULL;

	if (same_exit(c->now[REF], c->now[DUT]))
		return false;
	ref = describe_event(c->now[REF]);
	dut = describe_event(c->now[DUT]);
	differs(c, "exit",
		c->now[REF]->exit.reason == c->now[DUT]->exit.reason
			? c->now[REF]->exit.value ^ c->now[DUT]->exit.value
			: ~UINT64_C(0));
	diff_verdict(c->result, DIFF_DIFFERENT, "%s on %s, %s on %s", ref,
		     diff_side_name(c->options, REF), dut, diff_side_name(c->options, DUT));
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
			add_value(c, names[i], registers_of(c, REF)[row], registers_of(c, DUT)[row],
				  c->fields->row[row].manual, false);
	}
}

bool pair_differs(struct comparison *c)
{
	/* All of them: one may explain the other. */
	bool exits = exits_differ(c), registers = registers_differ(c), memory = memory_differs(c);

	if (!exits && !registers && !memory)
		return false;
	add_orientation(c);
	return true;
}
