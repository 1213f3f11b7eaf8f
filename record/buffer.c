/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow, and bytes that are taken one value after the other. */
#include <stdlib.h>
#include <string.h>

#include "record/record.h"

static bool buffer_grow(struct record_buffer *buffer, size_t size)
{
	size_t room = buffer->room ? buffer->room : 256;
	uint8_t *bytes;

	if (buffer->failed || size <= buffer->room - buffer->size)
		return !buffer->failed;
	while (room - buffer->size < size)
		room *= 2;
	bytes = realloc(buffer->bytes, room);
	buffer->failed = !bytes;
	if (bytes) {
		buffer->bytes = bytes;
		buffer->room = room;
	}
	return bytes;
}

void record_put(struct record_buffer *buffer, const void *bytes, size_t size)
{
	if (!size || !buffer_grow(buffer, size))
		return;
	memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
}

void record_put_u64(struct record_buffer *buffer, uint64_t value)
{
	record_put(buffer, &value, sizeof(value));
}

void record_put_string(struct record_buffer *buffer, const char *text)
{
	record_put_u64(buffer, strlen(text));
	record_put(buffer, text, strlen(text));
}

void record_buffer_free(struct record_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct record_buffer){0};
}

const void *record_take(struct record_reader *reader, size_t size)
{
	const void *bytes = reader->bytes;

	if (size > reader->size)
		return NULL;
	reader->bytes += size;
	reader->size -= size;
	return bytes;
}

bool record_take_u64(struct record_reader *reader, uint64_t *value)
{
	const void *bytes = record_take(reader, sizeof(*value));

	if (bytes)
		memcpy(value, bytes, sizeof(*value));
	return bytes;
}

bool record_take_string(struct record_reader *reader, char *text, size_t room)
{
	const void *bytes = NULL;
	uint64_t length;

	if (record_take_u64(reader, &length) && length < room)
		bytes = record_take(reader, length);
	if (!bytes)
		return false;
	memcpy(text, bytes, length);
	text[length] = 0;
	return true;
}
