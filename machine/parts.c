/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void parts_add(struct parts *parts, const struct record_table *table, void *object,
	       const char *name, ...)
{
	struct part *part;
	va_list args;

	if (parts->count == parts->room) {
		size_t room = parts->room ? 2 * parts->room : 32;
		struct part *list = realloc(parts->list, room * sizeof(*list));

		if (!list) {
			parts->failed = true;
			return;
		}
		parts->list = list;
		parts->room = room;
	}
	part = &parts->list[parts->count++];
	*part = (struct part){.table = table, .object = object};
	va_start(args, name);
	vsnprintf(part->name, sizeof(part->name), name, args);
	va_end(args);
}

void parts_free(struct parts *parts)
{
	free(parts->list);
	*parts = (struct parts){0};
}

void parts_encode(struct record_buffer *to, const struct parts *parts)
{
	record_put_u64(to, parts->count);
	for (size_t i = 0; i < parts->count; i++) {
		record_put_string(to, parts->list[i].name);
		record_encode(to, parts->list[i].table, parts->list[i].object);
	}
	to->failed |= parts->failed;
}

static const struct part *parts_find(const struct parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (!strcmp(parts->list[i].name, name))
			return &parts->list[i];
	}
	return NULL;
}

static int decode_part(struct record_reader *from, const struct parts *parts,
		       struct ls_clock *clock, struct ls_error *err)
{
	const struct part *part;
	char name[PART_NAME_ROOM];

	if (!record_take_string(from, name, sizeof(name)))
		return ls_error_set(err, -EINVAL, "the devices' state ends early");
	part = parts_find(parts, name);
	if (!part)
		return ls_error_set(err, -EINVAL, "this machine has no device '%s'", name);
	return record_decode(from, part->table, part->object, clock, err);
}

int parts_decode(struct record_reader *from, const struct parts *parts, struct ls_clock *clock,
		 struct ls_error *err)
{
	uint64_t count;
	int ret = 0;

	if (parts->failed)
		return ls_error_set(err, -ENOMEM, "no memory for the devices' state");
	if (!record_take_u64(from, &count))
		return ls_error_set(err, -EINVAL, "the devices' state ends early");
	if (count != parts->count)
		return ls_error_set(err, -EINVAL,
				    "there is the state of %" PRIu64
				    " devices, and this machine has %zu",
				    count, parts->count);
	for (size_t i = 0; i < parts->count && !ret; i++)
		ret = decode_part(from, parts, clock, err);
	for (size_t i = 0; i < parts->count && !ret; i++) {
		const struct part *part = &parts->list[i];

		if (part->table->loaded)
			ret = part->table->loaded(part->object, err);
	}
	return ret;
}
