/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one step, as both sides recorded them. */
#include <inttypes.h>
#include <string.h>

#include "tools/diff/comparison.h"
#include "traces/events.h"
#include "traces/record.h"

/* --- which of them --- */

/* How the engine is run is not the guest's. */
static bool is_own(const uint64_t *record)
{
	const struct trace_fields_ENGINE_EXIT *exit = (const void *)(record + 2);

	switch (LS_TRACE_EVENT(record[0])) {
	case TRACE_ENGINE_EXIT:
		return exit->reason != KVM_EXIT_IO && exit->reason != KVM_EXIT_MMIO;
	case TRACE_ENGINE_ENTRY:
	case TRACE_MEMORY_SLOT:
	case TRACE_FEED:
	case TRACE_SNAPSHOT:
		return true;
	default:
		return LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT;
	}
}

static unsigned int chosen(const struct diff_records *records, uint64_t kinds, GPtrArray *into)
{
	const uint64_t *at = records->at;
	unsigned int count = 0;

	for (; at < records->end; at += LS_TRACE_WORDS(at[0])) {
		if (!(kinds >> LS_TRACE_EVENT(at[0]) & 1) || is_own(at))
			continue;
		count++;
		if (into)
			g_ptr_array_add(into, g_memdup2(at, 8 * (size_t)LS_TRACE_WORDS(at[0])));
	}
	return count;
}

/* --- two of them --- */

static bool word_differs(struct comparison *c, const char *name, uint64_t ref, uint64_t dut)
{
	if (ref == dut)
		return false;
	diff_verdict(c->result, DIFF_DIFFERENT, "%s differs", name);
	comparison_add_value(c, name, ref, dut, "", true);
	return true;
}

static bool store_differs(struct comparison *c, unsigned int number, const uint64_t *ref,
			  const uint64_t *dut)
{
	g_autofree char *address = g_strdup_printf("store %u: address", number);
	g_autofree char *size = g_strdup_printf("store %u: bytes", number);
	bool differs =
		word_differs(c, address, ref[0], dut[0]) | word_differs(c, size, ref[1], dut[1]);

	for (uint64_t n = 0; n < (MIN(ref[1], dut[1]) + 7) / 8 && !differs; n++) {
		g_autofree char *value = g_strdup_printf("memory 0x%" PRIx64, ref[0] + 8 * n);

		differs = word_differs(c, value, ref[2 + n], dut[2 + n]);
	}
	return differs;
}

/* Registers are compared as state. */
static bool instruction_differs(struct comparison *c, const uint64_t *ref, const uint64_t *dut)
{
	struct trace_instruction a, b;
	const uint64_t *store[2];
	bool differs;

	trace_instruction_parse(ref, &a);
	trace_instruction_parse(dut, &b);
	differs = word_differs(c, "instruction at", ref[2], dut[2]);
	differs |= word_differs(c, "its bytes", ref[3], dut[3]);
	differs |= word_differs(c, "its bytes 8 to 15", ref[4], dut[4]);
	differs |= word_differs(c, "retired", LS_TRACE_FLAGS(ref[0]), LS_TRACE_FLAGS(dut[0]));
	differs |= word_differs(c, "instructions before", ref[1], dut[1]);
	differs |= word_differs(c, "stores", a.stores, b.stores);
	store[0] = a.store;
	store[1] = b.store;
	for (unsigned int n = 0; n < MIN(a.stores, b.stores); n++) {
		differs |= store_differs(c, n, store[0], store[1]);
		store[0] = trace_store_next(store[0]);
		store[1] = trace_store_next(store[1]);
	}
	return differs;
}

static bool event_differs(struct comparison *c, const uint64_t *ref, const uint64_t *dut)
{
	const struct trace_event_info *info = &trace_events[LS_TRACE_EVENT(ref[0])];
	unsigned int fields = MIN(info->field_count, LS_TRACE_WORDS(dut[0]) - 2);
	bool differs = false;

	for (unsigned int i = 0; i < fields; i++) {
		g_autofree char *name = g_strdup_printf("%s: %s", info->name, info->fields[i].name);

		if (strcmp(info->fields[i].name, "time"))
			differs |= word_differs(c, name, ref[2 + i], dut[2 + i]);
	}
	return differs;
}

static const char *kind_of(const uint64_t *record)
{
	return record ? trace_events[LS_TRACE_EVENT(record[0])].name : "nothing";
}

static bool kinds_differ(struct comparison *c, const uint64_t *ref, const uint64_t *dut)
{
	if (!strcmp(kind_of(ref), kind_of(dut)))
		return false;
	diff_verdict(c->result, DIFF_DIFFERENT, "%s on %s, %s on %s", kind_of(ref),
		     diff_side_name(c->options, REF), kind_of(dut),
		     diff_side_name(c->options, DUT));
	comparison_add_value(c, "number of the event's kind",
			     ref ? LS_TRACE_EVENT(ref[0]) : UINT64_MAX,
			     dut ? LS_TRACE_EVENT(dut[0]) : UINT64_MAX, "", true);
	return true;
}

static bool record_differs(struct comparison *c, const uint64_t *ref, const uint64_t *dut)
{
	if (kinds_differ(c, ref, dut))
		return true;
	return LS_TRACE_EVENT(ref[0]) == TRACE_INSTRUCTION ? instruction_differs(c, ref, dut)
							   : event_differs(c, ref, dut);
}

/* At the end nothing is left to be told. */
static bool rest_differs(struct comparison *c)
{
	const GPtrArray *ref = c->stream[REF], *dut = c->stream[DUT];

	return kinds_differ(c, ref->len ? g_ptr_array_index(ref, 0) : NULL,
			    dut->len ? g_ptr_array_index(dut, 0) : NULL);
}

/* --- all of them --- */

static bool has_retired(struct diff_records records)
{
	for (; records.at < records.end; records.at += LS_TRACE_WORDS(records.at[0]))
		if (LS_TRACE_EVENT(records.at[0]) == TRACE_INSTRUCTION &&
		    (LS_TRACE_FLAGS(records.at[0]) & LS_TRACE_RETIRED))
			return true;
	return false;
}

/* The deliveries of faults count, too, where one brings the next. */
const struct diff_event *records_next(struct comparison *c, struct ls_error *err)
{
	const struct diff_event *event = side_next(c->side[REF], c->options->seconds, err);

	if (event && event->exit.reason == DIFF_END && c->end_shown)
		side_drop_records(c->side[REF]);
	while (event && event->exit.reason != DIFF_END &&
	       !has_retired(side_records(c->side[REF]))) {
		struct diff_records passed = side_records(c->side[REF]);

		chosen(&passed, recorded_events(c->recorded), c->stream[REF]);
		event = side_next(c->side[REF], c->options->seconds, err);
	}
	/* Behind the last instruction the run may be over at once (a limit): two events all the
	 * same. */
	if (!event || event->exit.reason != DIFF_END || c->end_shown ||
	    !has_retired(side_records(c->side[REF])))
		return event;
	c->end_shown = true;
	c->shown = *event;
	c->shown.exit = (struct machine_exit){.reason = KVM_EXIT_DEBUG};
	return &c->shown;
}

/* What an instruction brought itself, VM entry an event or a task switch a fault, comes behind its
 * record; a fault of the next one comes there, too, but not on the reference by now. */
bool records_level(struct comparison *c, struct ls_error *err)
{
	uint64_t kinds = recorded_events(c->recorded);
	struct diff_records ref = side_records(c->side[REF]);
	unsigned int ahead = c->stream[REF]->len + chosen(&ref, kinds, NULL);
	bool more = true;

	while (more) {
		struct diff_records dut = recorded_records(c->recorded);

		more = c->stream[DUT]->len + chosen(&dut, kinds, NULL) < ahead &&
		       recorded_extend(c->recorded, false, err);
	}
	/* What it changed, the reference's recorder tells only later. */
	if (!err->code && !pair_same_registers(c))
		recorded_extend(c->recorded, true, err);
	return !err->code;
}

/* One side's may be ahead of the other's by what has not been told yet. */
bool records_differ(struct comparison *c)
{
	uint64_t kinds = recorded_events(c->recorded);
	struct diff_records ref = side_records(c->side[REF]), dut = recorded_records(c->recorded);
	guint n = 0;

	chosen(&ref, kinds, c->stream[REF]);
	chosen(&dut, kinds, c->stream[DUT]);
	for (; n < MIN(c->stream[REF]->len, c->stream[DUT]->len); n++)
		if (record_differs(c, g_ptr_array_index(c->stream[REF], n),
				   g_ptr_array_index(c->stream[DUT], n)))
			return true;
	for (unsigned int who = REF; who <= DUT && n; who++)
		g_ptr_array_remove_range(c->stream[who], 0, n);
	return c->now[REF]->exit.reason == DIFF_END && rest_differs(c);
}
