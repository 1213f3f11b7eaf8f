/* SPDX-License-Identifier: Apache-2.0 */
/* The event table (events.def) as C: numbers, a struct of fields for each event, descriptions. */
#ifndef LOCKSTEP_TRACES_EVENTS_H
#define LOCKSTEP_TRACES_EVENTS_H

#include <stddef.h>
#include <string.h>

#include <lockstep/trace.h>

enum trace_event {
#define EVENT(identifier, name, engines, source, summary) TRACE_##identifier,
#define FIELD(name, type, unit)
#define END(identifier)
#include "traces/events.def"
	TRACE_EVENTS
};

/* struct trace_fields_EXCEPTION { uint64_t vector; ... }: the words behind a record's second. */
#undef EVENT
#undef FIELD
#undef END
#define EVENT(identifier, name, engines, source, summary) struct trace_fields_##identifier {
#define FIELD(name, type, unit)                           uint64_t name;
#define END(identifier)                                                                            \
	}                                                                                          \
	;
#include "traces/events.def"
#undef EVENT
#undef FIELD
#undef END

/* How a value is shown. */
enum trace_type {
	TRACE_TYPE_NUMBER,
	TRACE_TYPE_SIGNED,
	TRACE_TYPE_HEX,
	TRACE_TYPE_BOOL,
	TRACE_TYPE_ADDRESS,  /* linear; has a symbol */
	TRACE_TYPE_GPA,      /* guest-physical */
	TRACE_TYPE_VECTOR,   /* of an exception or interrupt */
	TRACE_TYPE_KVM_EXIT, /* KVM_EXIT_* */
	TRACE_TYPE_VENDOR,   /* 0 VMX, 1 SVM */
	TRACE_TYPE_VM_EXIT,  /* by the record's vendor: VMX's basic exit reason, SVM's EXITCODE */
	TRACE_TYPE_VERDICT,  /* 0 pass, 1 fail, 2 unknown */
	TRACE_TYPE_SPACE,    /* an address space, as tlb_flush has it */
	TRACE_TYPE_CONTROL,  /* a field of the record's vendor's control block; named in the head */
	TRACE_TYPE_BYTES,    /* how many bytes follow the fields */
	TRACE_TYPE_TEXT,     /* the same, and they are letters */
	TRACE_TYPES
};

enum trace_engine {
	TRACE_ENGINE_SIM = 1 << 0,
	TRACE_ENGINE_KVM = 1 << 1,
	TRACE_ENGINE_QEMU = 1 << 2,
	TRACE_ENGINE_NATIVE = 1 << 3,
	TRACE_ENGINE_ANY = 0xf,
};

struct trace_field {
	const char *name;
	const char *unit;
	enum trace_type type;
};

struct trace_event_info {
	const char *name, *source, *summary;
	unsigned int engines; /* TRACE_ENGINE_* */
	const struct trace_field *fields;
	unsigned int field_count;
};

extern const struct trace_event_info trace_events[TRACE_EVENTS];

/* The guest's time at the record, in ns, where it tells: its field `time`, which is no deadline. */
bool trace_record_time(const uint64_t *record, uint64_t *time);
/* The bit set of what the engine of that name can produce. */
uint64_t trace_engine_events(const char *engine);

/* Bit set of what is recorded unless told otherwise: all but what there are several of in an
 * instruction. */
uint64_t trace_usual_events(void);
/* TRACE_EVENTS: there is none of that name. */
enum trace_event trace_event_by_name(const char *name);

/* TRACE_EMIT(sink, count, EXCEPTION, .vector = 14, .error_code = 2): a record, if it is wanted. */
#define TRACE_EMIT(sink, count, identifier, ...)                                                   \
	TRACE_EMIT_BYTES(sink, count, identifier, NULL, 0, __VA_ARGS__)
/* The same with @size bytes at the end, whose number is a field of the row. */
#define TRACE_EMIT_BYTES(sink, count, identifier, bytes, size, ...)                                \
	TRACE_EMIT_FLAGS(sink, count, 0, identifier, bytes, size, __VA_ARGS__)
#define TRACE_EMIT_FLAGS(sink, count, flags, identifier, bytes, size, ...)                         \
	do {                                                                                       \
		struct ls_trace_sink *emit_sink = (sink);                                          \
		if (ls_trace_wants(emit_sink, TRACE_##identifier)) {                               \
			const struct trace_fields_##identifier emit_fields = {__VA_ARGS__};        \
			trace_emit(emit_sink, TRACE_##identifier, (flags), (count), &emit_fields,  \
				   sizeof(emit_fields), (bytes), (size));                          \
		}                                                                                  \
	} while (0)

static inline void trace_emit(struct ls_trace_sink *sink, enum trace_event event,
			      unsigned int flags, uint64_t count, const void *fields,
			      size_t fields_size, const void *bytes, size_t size)
{
	uint64_t *at = ls_trace_room(sink), words = 2 + fields_size / 8 + (size + 7) / 8;

	at[0] = LS_TRACE_HEAD(event, flags, words);
	at[1] = count;
	memcpy(at + 2, fields, fields_size);
	if (size) {
		at[words - 1] = 0;
		memcpy((char *)(at + 2) + fields_size, bytes, size);
	}
	sink->at = at + words;
}

#endif
