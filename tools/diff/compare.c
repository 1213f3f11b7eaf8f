/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/compare.h"

#include <inttypes.h>
#include <string.h>

#include "machine/memory.h"
#include "tools/diff/describe.h"
#include "tools/diff/expected.h"
#include "tools/diff/history.h"
#include "tools/diff/quirks.h"

#define FLAG_TF    UINT64_C(0x100)
#define START_PORT 0x5a4 /* tools/suite/suite.h */

#define REF 0
#define DUT 1

struct comparison {
	const struct diff_options *options;
	const struct diff_case *test;
	struct diff_result *result;
	struct ls_engine *engine[2]; /* opened to see what they list */
	struct diff_fields *fields;
	struct machine_config config[2];
	struct side *side[2];
	const struct diff_event *now[2];
	struct diff_history history[2];
	char *version;
	bool *used;         /* expected rows, of this case only */
	char *mnemonic;     /* of the instruction that both stood at before */
	uint64_t undefined; /* flags that may differ for now */
	const char *first;  /* what differs first where they part */
	uint64_t first_bits;
	bool lenient;     /* the engine under test is hardware: quirks count */
	bool memory_late; /* it differed at the step before */
};

__attribute__((format(printf, 3, 4))) static void
verdict(struct diff_result *result, enum diff_verdict is, const char *format, ...)
{
	va_list args;

	if (result->text)
		return;
	va_start(args, format);
	result->text = g_strdup_vprintf(format, args);
	va_end(args);
	result->verdict = is;
}

/* --- one pair of events --- */

static const uint64_t *registers_of(const struct comparison *c, unsigned int who)
{
	return c->now[who]->registers + c->now[who]->vcpu * c->fields->count;
}

static void add_value(struct comparison *c, const char *field, uint64_t ref, uint64_t dut,
		      const char *manual, bool differs)
{
	struct diff_value *value = g_new0(struct diff_value, 1);

	*value = (struct diff_value){g_strdup(field), {ref, dut}, manual, differs};
	g_ptr_array_add(c->result->values, value);
}

static bool is_step(const struct diff_event *event)
{
	return event->exit.reason == KVM_EXIT_DEBUG;
}

static bool same_exit(const struct diff_event *a, const struct diff_event *b)
{
	return a->exit.reason == b->exit.reason && a->exit.size == b->exit.size &&
	       a->exit.count == b->exit.count && a->exit.write == b->exit.write &&
	       a->exit.address == b->exit.address && a->exit.value == b->exit.value &&
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
		/* KVM steps by TF and hides the guest's own. */
		if (c->options->step && c->lenient)
			bits &= ~FLAG_TF;
	}
	return bits;
}

static bool registers_differ(struct comparison *c)
{
	const char *first = NULL;
	unsigned int count = 0;

	if (!has_state(c->now[REF]))
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
		verdict(c->result, DIFF_DIFFERENT, "%s differs%s", first,
			count > 1 ? ", and more" : "");
	return count > 0;
}

/* KVM steps by TF, which a PUSHF or an exception then stores. */
static bool only_tf_differs(struct comparison *c)
{
	uint64_t size = machine_memory_low(side_machine(c->side[REF]));
	const uint64_t *ref = machine_memory_ptr(side_machine(c->side[REF]), 0, size);
	const uint64_t *dut = machine_memory_ptr(side_machine(c->side[DUT]), 0, size);

	for (uint64_t i = 0; i < size / sizeof(*ref); i++)
		if ((ref[i] ^ dut[i]) & ~UINT64_C(0x0000010000000100))
			return false;
	return true;
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
			verdict(c->result, DIFF_DIFFERENT, "memory at 0x%" PRIx64 " differs",
				start + at);
		snprintf(name, sizeof(name), "memory 0x%" PRIx64, start + at);
		add_value(c, name, value[REF], value[DUT], "", true);
	}
	return true;
}

static bool memory_differs(struct comparison *c)
{
	struct machine *machine = side_machine(c->side[REF]);

	if (c->now[REF]->memory == c->now[DUT]->memory) {
		c->memory_late = false;
		return false;
	}
	/* Accessed bits may be set when an instruction is fetched, or before (SDM 3A:4.8). */
	if (c->options->step && c->lenient && !c->memory_late && is_step(c->now[DUT])) {
		c->memory_late = true;
		return false;
	}
	if (c->options->step && c->lenient && only_tf_differs(c))
		return false;
	differs(c, "memory", 0);
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
	verdict(c->result, DIFF_DIFFERENT, "%s on %s, %s on %s", ref, c->options->engine[REF]->name,
		dut, c->options->engine[DUT]->name);
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

static bool pair_differs(struct comparison *c)
{
	/* All of them: one may explain the other. */
	bool exits = exits_differ(c), registers = registers_differ(c), memory = memory_differs(c);

	if (!exits && !registers && !memory)
		return false;
	add_orientation(c);
	return true;
}

/* --- the run --- */

static bool next(struct comparison *c, unsigned int who)
{
	struct ls_error err = {0};

	c->now[who] = side_next(c->side[who], c->options->seconds, &err);
	if (!c->now[who]) {
		verdict(c->result, DIFF_FAILED, "%s", err.text);
		return false;
	}
	history_add(&c->history[who], c->now[who]);
	return true;
}

/* The reference's steps that the engine under test did not stop at: KVM's end where an exception is
 * delivered, until it leaves the guest for another reason. */
static bool catch_up(struct comparison *c)
{
	while (is_step(c->now[REF]) && !is_step(c->now[DUT])) {
		c->result->merged++;
		if (!next(c, REF))
			return false;
	}
	return true;
}

/* One engine made a step of its own after an instruction with a quirk: its next is where both meet
 * again. The one that is behind stands at the instruction that the other has done. */
static bool align(struct comparison *c)
{
	if (!c->options->step || !c->lenient || same_exit(c->now[REF], c->now[DUT]))
		return true;
	if (!is_step(c->now[DUT]))
		return catch_up(c);
	if (!is_step(c->now[REF]) || !c->mnemonic || !quirk_merges(c->mnemonic))
		return true;
	c->result->merged++;
	return next(c, c->now[REF]->linear_rip < c->now[DUT]->linear_rip ? REF : DUT);
}

static void remember_instruction(struct comparison *c)
{
	if (!c->options->step)
		return;
	g_free(c->mnemonic);
	c->mnemonic = describe_mnemonic(c->fields, c->now[REF]);
}

static void compare_events(struct comparison *c)
{
	for (;;) {
		if (!next(c, REF) || !next(c, DUT) || !align(c))
			return;
		if (c->mnemonic)
			c->undefined |= quirk_undefined(c->mnemonic);
		c->result->events++;
		if (pair_differs(c) || c->now[REF]->exit.reason == DIFF_END)
			return;
		remember_instruction(c);
	}
}

/* A difference that has a row is none; a row that showed no difference is one. */
static void settle_expected(struct comparison *c, bool *used)
{
	const char *engine = c->options->engine[DUT]->name;
	struct diff_result *result = c->result;
	int found =
		c->first && result->verdict == DIFF_DIFFERENT
			? expected_find(engine, c->version, c->test->name, c->first, c->first_bits)
			: -1;

	if (found >= 0) {
		used[found] = true;
		result->declared++;
		result->verdict = DIFF_EQUAL;
		return;
	}
	for (unsigned int i = 0; i < expected_count; i++) {
		const struct expected_row *row = &expected_rows[i];

		if (result->verdict == DIFF_EQUAL && !c->options->step &&
		    expected_applies(row, engine, c->version, c->test->name))
			verdict(result, DIFF_DIFFERENT,
				"the expected difference in %s did not show; take its row out of "
				"expected.def",
				row->field);
	}
}

static bool open_engines(struct comparison *c)
{
	struct ls_error err = {0};

	for (unsigned int who = REF; who <= DUT; who++) {
		c->engine[who] = c->options->engine[who]->open(&err);
		if (!c->engine[who]) {
			verdict(c->result, DIFF_FAILED, "%s", err.text);
			return false;
		}
	}
	c->lenient = !c->engine[DUT]->ext->vcpu_limit;
	c->fields = diff_fields_create(c->engine[REF], c->engine[DUT]);
	return true;
}

static void equalise(struct comparison *c)
{
	struct machine *ref = side_machine(c->side[REF]), *dut = side_machine(c->side[DUT]);

	for (unsigned int n = 0; n < machine_vcpu_count(ref); n++)
		diff_fields_equalise(c->fields, machine_engine(ref), machine_vcpu(ref, n),
				     machine_engine(dut), machine_vcpu(dut, n));
	for (unsigned int i = 0; i < DIFF_PARTS; i++)
		if (c->fields->untold[i])
			g_ptr_array_add(c->result->left_out, g_strdup(c->fields->untold[i]));
	for (unsigned int i = 0; i < c->fields->count; i++)
		if (c->fields->row[i].left_out)
			g_ptr_array_add(c->result->left_out, g_strdup(c->fields->row[i].name));
}

static bool build_sides(struct comparison *c)
{
	struct ls_error err = {0};

	for (unsigned int who = REF; who <= DUT; who++) {
		c->config[who] = (struct machine_config){
			.engine = c->options->engine[who],
			.peer = c->options->engine[!who],
			.models = c->options->engine[REF],
			.cpu = c->options->cpu,
			.vcpus = c->test->vcpus,
			.memory = c->options->memory,
			.boot = MACHINE_BOOT_PAYLOAD,
			.kernel = c->test->image,
			.append = c->test->append,
			.exit_port = true,
			.exit_port_base = 0xf4,
			.no_pci = true,
			.no_reboot = true,
			.epoch = MACHINE_DEFAULT_EPOCH,
			.single_step = c->options->step,
			.step_from = c->test->theme ? START_PORT : 0,
			.params = c->options->params[who],
			.param_count = c->options->param_count[who],
		};
		c->side[who] = side_create(&c->config[who], c->fields, &err);
		if (!c->side[who]) {
			verdict(c->result, DIFF_FAILED, "%s", err.text);
			return false;
		}
		history_start(&c->history[who], c->fields, c->options->timeline);
	}
	equalise(c);
	return true;
}

static void close_all(struct comparison *c)
{
	for (unsigned int who = REF; who <= DUT; who++) {
		if (c->history[who].events)
			c->result->moments[who] = history_finish(&c->history[who]);
		if (c->side[who])
			side_close(c->side[who]);
		if (c->engine[who])
			c->engine[who]->ops->close(c->engine[who], LS_SYSTEM);
	}
	diff_fields_free(c->fields);
	g_free(c->version);
	g_free(c->mnemonic);
}

static void value_free(void *opaque)
{
	struct diff_value *value = opaque;

	g_free(value->field);
	g_free(value);
}

struct diff_result *diff_compare(const struct diff_options *options, const struct diff_case *test,
				 bool *used)
{
	struct diff_result *result = g_new0(struct diff_result, 1);
	struct comparison c = {.options = options, .test = test, .result = result};
	int64_t start = g_get_monotonic_time();

	result->test = test;
	result->left_out = g_ptr_array_new_with_free_func(g_free);
	result->values = g_ptr_array_new_with_free_func(value_free);
	result->command = test->theme
				  ? g_strdup_printf("%s --case %s", options->command, test->name)
				  : g_strdup_printf("%s %s", options->command, test->image);
	c.version = expected_version(options->engine[DUT]->name);
	if (open_engines(&c) && build_sides(&c))
		compare_events(&c);
	settle_expected(&c, used);
	close_all(&c);
	result->wall_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	return result;
}

void diff_result_free(struct diff_result *result)
{
	if (!result)
		return;
	g_free(result->text);
	g_free(result->command);
	g_free(result->unsteady);
	g_ptr_array_unref(result->values);
	g_ptr_array_unref(result->left_out);
	for (unsigned int who = REF; who <= DUT; who++)
		if (result->moments[who])
			g_ptr_array_unref(result->moments[who]);
	g_free(result);
}

void diff_case_free(struct diff_case *test)
{
	g_free(test->name);
	g_free(test->purpose);
	g_free(test->theme);
	g_free(test->image);
	g_free(test->append);
	g_free(test);
}
