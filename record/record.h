/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of objects as bytes and back. A table describes an object's fields once, by name; the
 * bytes carry the names, so that those of another version are refused with a line that says which
 * field it is. Numbers are little-endian, as on every host that this runs on.
 */
#ifndef LOCKSTEP_RECORD_RECORD_H
#define LOCKSTEP_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/clock.h>
#include <lockstep/error.h>

enum record_kind {
	RECORD_BYTES, /* @count elements of @size bytes, @stride apart */
	RECORD_SAME,  /* the same, but they must hold what is there already: what the object is */
	RECORD_TIMER, /* a struct ls_timer: its deadline and its place among equal ones */
	RECORD_EACH,  /* @count objects that @table describes, @stride apart */
};

struct record_field {
	const char *name;
	enum record_kind kind;
	size_t offset, size, count, stride;
	const struct record_table *table;
};

struct record_table {
	const char *name;
	uint32_t version; /* of what the fields mean */
	const struct record_field *fields;
	size_t count;
	/* Every record has been read: makes what follows from the fields. May be NULL. */
	int (*loaded)(void *object, struct ls_error *err);
};

#define RECORD_FIELD_(kind_, type, member)                                                         \
	{                                                                                          \
		.name = #member, .kind = kind_, .offset = offsetof(type, member),                  \
		.size = sizeof(((type *)0)->member), .count = 1                                    \
	}
#define RECORD_FIELD(type, member)      RECORD_FIELD_(RECORD_BYTES, type, member)
#define RECORD_FIELD_SAME(type, member) RECORD_FIELD_(RECORD_SAME, type, member)
#define RECORD_FIELD_TIMER(type, member)                                                           \
	{                                                                                          \
		.name = #member, .kind = RECORD_TIMER, .offset = offsetof(type, member),           \
		.count = 1                                                                         \
	}
/* An object of its own table. */
#define RECORD_FIELD_OBJECT(type, member, table_)                                                  \
	{                                                                                          \
		.name = #member, .kind = RECORD_EACH, .offset = offsetof(type, member),            \
		.count = 1, .table = table_                                                        \
	}
/* An array of them. */
#define RECORD_FIELD_EACH(type, member, table_)                                                    \
	{                                                                                          \
		.name = #member, .kind = RECORD_EACH, .offset = offsetof(type, member),            \
		.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]),             \
		.stride = sizeof(((type *)0)->member[0]), .table = table_                          \
	}
/* One member of each struct of an array. */
#define RECORD_FIELD_OF_EACH(type, array, member)                                                  \
	{                                                                                          \
		.name = #array "." #member, .kind = RECORD_BYTES,                                  \
		.offset = offsetof(type, array[0].member),                                         \
		.size = sizeof(((type *)0)->array[0].member),                                      \
		.count = sizeof(((type *)0)->array) / sizeof(((type *)0)->array[0]),               \
		.stride = sizeof(((type *)0)->array[0])                                            \
	}
/* A table over an array of fields. */
#define RECORD_FIELDS(array) .fields = array, .count = sizeof(array) / sizeof((array)[0])

/* Bytes that grow. Running out of memory is remembered, and said once, at the end. */
struct record_buffer {
	uint8_t *bytes;
	size_t size, room;
	bool failed;
};
void record_put(struct record_buffer *buffer, const void *bytes, size_t size);
void record_put_u64(struct record_buffer *buffer, uint64_t value);
void record_put_string(struct record_buffer *buffer, const char *text);
void record_buffer_free(struct record_buffer *buffer);

/* What is left to read. */
struct record_reader {
	const uint8_t *bytes;
	size_t size;
};
/* NULL if so much isn't left. */
const void *record_take(struct record_reader *reader, size_t size);
/* False if they aren't there, or the text has no room. */
bool record_take_u64(struct record_reader *reader, uint64_t *value);
bool record_take_string(struct record_reader *reader, char *text, size_t room);

/* One object, without what follows from its fields. Timers go onto @clock. The line that says what
 * was wrong names the table and the field. */
void record_encode(struct record_buffer *to, const struct record_table *table, const void *object);
int record_decode(struct record_reader *from, const struct record_table *table, void *object,
		  struct ls_clock *clock, struct ls_error *err);

#endif
