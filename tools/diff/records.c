/* SPDX-License-Identifier: Apache-2.0 */
/* The records of one step, as both sides have them. */
#include <inttypes.h>
#include <string.h>

#include "tools/diff/streams.h"
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

/* Before a vCPU's first instruction: its whole state, which is compared as registers. */
static bool is_start(const struct stream *stream, const uint64_t *record)
{
	return !stream->begun && LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION && !record[2];
}

/* The next record of the step that both could have, from word *@at on; NULL: there is none. */
static const uint64_t *next_of(const struct stream *stream, uint64_t kinds, guint *at)
{
	while (*at < stream->group->len) {
		const uint64_t *record = &g_array_index(stream->group, uint64_t, *at);

		*at += LS_TRACE_WORDS(record[0]);
		if ((kinds >> LS_TRACE_EVENT(record[0]) & 1) && !is_own(record) &&
		    !is_start(stream, record))
			return record;
	}
	return NULL;
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
		     diff_side_label(c->options, REF), kind_of(dut),
		     diff_side_label(c->options, DUT));
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

bool records_differ(struct comparison *c)
{
	const struct stream *ref = streams_present(c, REF), *dut = streams_present(c, DUT);
	uint64_t kinds = streams_kinds(c);
	guint ref_at = 0, dut_at = 0;
	const uint64_t *a, *b;

	do {
		a = next_of(ref, kinds, &ref_at);
		b = next_of(dut, kinds, &dut_at);
		if ((a || b) && record_differs(c, a, b))
			return true;
	} while (a && b);
	return false;
}
