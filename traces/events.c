/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/events.h"

static const struct trace_field fields[] = {
#define EVENT(identifier, name, engines, source, summary)
#define FIELD(name, type, unit) {#name, unit, TRACE_TYPE_##type},
#define END(identifier)
#include "traces/events.def"
#undef EVENT
#undef FIELD
#undef END
};

/* A byte for each field: where those of an event begin in the array. */
struct places {
#define EVENT(identifier, name, engines, source, summary) struct {
#define FIELD(name, type, unit)                           char name;
#define END(identifier)                                                                            \
	}                                                                                          \
	identifier;
#include "traces/events.def"
#undef EVENT
#undef FIELD
#undef END
};

const struct trace_event_info trace_events[TRACE_EVENTS] = {
#define EVENT(identifier, name_, engines_, source_, summary_)                                      \
	[TRACE_##identifier] = {.name = name_,                                                     \
				.source = source_,                                                 \
				.summary = summary_,                                               \
				.engines = TRACE_ENGINE_##engines_,                                \
				.fields = fields + offsetof(struct places, identifier),            \
				.field_count = sizeof(struct trace_fields_##identifier) / 8},
#define FIELD(name, type, unit)
#define END(identifier)
#include "traces/events.def"
#undef EVENT
#undef FIELD
#undef END
};

_Static_assert(TRACE_EVENTS <= LS_TRACE_EVENTS_MAX, "a sink's bit set has a bit for each event");

bool trace_record_time(const uint64_t *record, uint64_t *time)
{
	size_t size = 8 * (size_t)(LS_TRACE_WORDS(record[0]) - 2);

	*time = 0;
#define TIME(event)                                                                                \
	case TRACE_##event:                                                                        \
		if (size >= sizeof(struct trace_fields_##event))                                   \
			*time = ((const struct trace_fields_##event *)(record + 2))->time;         \
		break
	switch (LS_TRACE_EVENT(record[0])) {
		TIME(ENGINE_ENTRY);
		TIME(ENGINE_EXIT);
		TIME(VM_ENTRY);
		TIME(VM_EXIT);
	default:
		break;
	}
#undef TIME
	return *time;
}

uint64_t trace_engine_events(const char *engine)
{
	static const char *const names[] = {"sim", "kvm", "qemu", "native"};
	uint64_t events = 0;

	for (unsigned int bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++)
		for (unsigned int n = 0; n < TRACE_EVENTS && !strcmp(names[bit], engine); n++)
			events |= (uint64_t)(trace_events[n].engines >> bit & 1) << n;
	return events;
}

uint64_t trace_usual_events(void)
{
	const uint64_t bulky = UINT64_C(1) << TRACE_MEMORY_ACCESS | UINT64_C(1) << TRACE_WALK_STEP |
			       UINT64_C(1) << TRACE_TLB_FILL | UINT64_C(1) << TRACE_SNAPSHOT;

	return ((UINT64_C(1) << TRACE_EVENTS) - 1) & ~bulky;
}

enum trace_event trace_event_by_name(const char *name)
{
	enum trace_event event = 0;

	while (event < TRACE_EVENTS && strcmp(trace_events[event].name, name))
		event++;
	return event;
}
