/* SPDX-License-Identifier: Apache-2.0 */
/* An object is its table's name, its version, the number of fields, and for each of these its name,
 * its size in bytes, and them. */
#include <inttypes.h>
#include <string.h>

#include "record/record.h"

#define NAME_ROOM 64

static size_t field_stride(const struct record_field *field)
{
	return field->stride ? field->stride : field->size;
}

static void encode_bytes(struct record_buffer *to, const struct record_field *field,
			 const uint8_t *at)
{
	for (size_t n = 0; n < field->count; n++)
		record_put(to, at + n * field_stride(field), field->size);
}

static void encode_timer(struct record_buffer *to, const struct ls_timer *timer)
{
	record_put_u64(to, timer->deadline);
	record_put_u64(to, timer->sequence);
}

static void encode_each(struct record_buffer *to, const struct record_field *field,
			const uint8_t *at)
{
	for (size_t n = 0; n < field->count; n++)
		record_encode(to, field->table, at + n * field->stride);
}

static void encode_field(struct record_buffer *to, const struct record_field *field,
			 const void *object)
{
	const void *at = (const uint8_t *)object + field->offset;
	size_t start;
	uint64_t size;

	record_put_string(to, field->name);
	start = to->size;
	record_put_u64(to, 0);
	if (field->kind == RECORD_TIMER)
		encode_timer(to, at);
	else if (field->kind == RECORD_EACH)
		encode_each(to, field, at);
	else
		encode_bytes(to, field, at);
	if (to->failed)
		return;
	size = to->size - start - sizeof(size);
	memcpy(to->bytes + start, &size, sizeof(size));
}

void record_encode(struct record_buffer *to, const struct record_table *table, const void *object)
{
	record_put_string(to, table->name);
	record_put_u64(to, table->version);
	record_put_u64(to, table->count);
	for (size_t i = 0; i < table->count; i++)
		encode_field(to, &table->fields[i], object);
}

/* --- and back --- */

static int decode_bytes(const struct record_field *field, const uint8_t *from, uint8_t *at)
{
	for (size_t n = 0; n < field->count; n++, from += field->size) {
		uint8_t *element = at + n * field_stride(field);

		if (field->kind == RECORD_SAME && memcmp(element, from, field->size))
			return -EINVAL;
		memcpy(element, from, field->size);
	}
	return 0;
}

static void decode_timer(const uint8_t *from, struct ls_timer *timer, struct ls_clock *clock)
{
	uint64_t deadline, sequence;

	memcpy(&deadline, from, sizeof(deadline));
	memcpy(&sequence, from + sizeof(deadline), sizeof(sequence));
	clock->disarm(clock, timer);
	if (deadline != LS_NEVER)
		clock->restore(clock, timer, deadline, sequence);
}

static int decode_each(const struct record_field *field, struct record_reader *from, uint8_t *at,
		       struct ls_clock *clock, struct ls_error *err)
{
	int ret = 0;

	for (size_t n = 0; n < field->count && !ret; n++)
		ret = record_decode(from, field->table, at + n * field->stride, clock, err);
	return ret;
}

static size_t plain_size(const struct record_field *field)
{
	return field->kind == RECORD_TIMER ? 2 * sizeof(uint64_t) : field->count * field->size;
}

static int decode_field(struct record_reader *from, const struct record_table *table,
			const struct record_field *field, void *object, struct ls_clock *clock,
			struct ls_error *err)
{
	uint8_t *at = (uint8_t *)object + field->offset;
	int ret = 0;

	if (field->kind == RECORD_EACH)
		ret = decode_each(field, from, at, clock, err);
	else if (from->size != plain_size(field))
		return ls_error_set(err, -EINVAL, "'%s' of %s has %zu bytes, and here %zu",
				    field->name, table->name, from->size, plain_size(field));
	else if (field->kind == RECORD_TIMER)
		decode_timer(from->bytes, (struct ls_timer *)(void *)at, clock);
	else
		ret = decode_bytes(field, from->bytes, at);
	return ret ? ls_error_set(err, ret, "'%s' of %s is another here", field->name, table->name)
		   : 0;
}

static const struct record_field *field_find(const struct record_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (!strcmp(table->fields[i].name, name))
			return &table->fields[i];
	}
	return NULL;
}

static int decode_fields(struct record_reader *from, const struct record_table *table, void *object,
			 struct ls_clock *clock, struct ls_error *err)
{
	int ret = 0;

	for (size_t i = 0; i < table->count && !ret; i++) {
		const struct record_field *field;
		struct record_reader inner;
		char name[NAME_ROOM];
		uint64_t size;

		if (!record_take_string(from, name, sizeof(name)) || !record_take_u64(from, &size))
			return ls_error_set(err, -EINVAL, "the state of %s ends early",
					    table->name);
		field = field_find(table, name);
		if (!field)
			return ls_error_set(err, -EINVAL, "'%s' of %s is not known here", name,
					    table->name);
		inner = (struct record_reader){record_take(from, size), size};
		if (!inner.bytes)
			return ls_error_set(err, -EINVAL, "the state of %s ends early",
					    table->name);
		ret = decode_field(&inner, table, field, object, clock, err);
	}
	return ret;
}

int record_decode(struct record_reader *from, const struct record_table *table, void *object,
		  struct ls_clock *clock, struct ls_error *err)
{
	char name[NAME_ROOM];
	uint64_t version, count;

	if (!record_take_string(from, name, sizeof(name)) || !record_take_u64(from, &version) ||
	    !record_take_u64(from, &count))
		return ls_error_set(err, -EINVAL, "the state of %s ends early", table->name);
	if (strcmp(name, table->name))
		return ls_error_set(err, -EINVAL, "there is the state of %s where %s's should be",
				    name, table->name);
	if (version != table->version)
		return ls_error_set(err, -EINVAL,
				    "the state of %s is of version %" PRIu64 ", and here it is %u",
				    name, version, table->version);
	if (count != table->count)
		return ls_error_set(err, -EINVAL,
				    "the state of %s has %" PRIu64 " fields, and here %zu", name,
				    count, table->count);
	return decode_fields(from, table, object, clock, err);
}
