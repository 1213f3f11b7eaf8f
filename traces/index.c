/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/index.h"

#include <stdlib.h>

static size_t numbers_size(const struct chunk_head *head)
{
	return 4 * (size_t)__builtin_popcountll(head->events);
}

/* A whole head and its numbers at @at, of which @room bytes may be read. */
static bool head_is_sound(const uint8_t *at, uint64_t room, struct chunk_head *head)
{
	uint32_t numbers[64];

	if (room < sizeof(*head))
		return false;
	memcpy(head, at, sizeof(*head));
	if (head->magic != CHUNK_MAGIC || room - sizeof(*head) < numbers_size(head))
		return false;
	memcpy(numbers, at + sizeof(*head), numbers_size(head));
	return head->check == format_check_chunk(head, numbers);
}

static bool fits(const struct chunk_head *head, uint64_t offset, uint64_t size)
{
	uint64_t needs = sizeof(*head) + numbers_size(head) + head->size;

	return offset <= size && needs <= size - offset;
}

static bool add(struct trace_index *index, uint64_t offset, const struct chunk_head *head)
{
	if (index->count == index->room) {
		size_t room = 2 * index->room + 64;
		struct trace_index_row *row = realloc(index->row, room * sizeof(*row));

		if (!row)
			return false;
		index->row = row;
		index->room = room;
	}
	index->row[index->count++] = (struct trace_index_row){.offset = offset, .head = *head};
	return true;
}

/* True if the file has a sound index; *memory is false if there was none left. */
static bool read_index(struct trace_index *index, const uint8_t *bytes, uint64_t size,
		       uint64_t body, bool *memory)
{
	struct chunk_head head;
	struct file_tail tail;
	uint64_t at, end, offset;

	if (size < body + sizeof(tail))
		return false;
	end = size - sizeof(tail);
	memcpy(&tail, bytes + end, sizeof(tail));
	if (tail.magic != TAIL_MAGIC || tail.index < body || tail.index > end ||
	    tail.index_size != end - tail.index ||
	    tail.check != format_check(bytes + tail.index, tail.index_size))
		return false;
	for (at = tail.index; at < end; at += sizeof(offset) + sizeof(head) + numbers_size(&head)) {
		if (end - at < sizeof(offset))
			return false;
		memcpy(&offset, bytes + at, sizeof(offset));
		if (!head_is_sound(bytes + at + sizeof(offset), end - at - sizeof(offset), &head) ||
		    !fits(&head, offset, tail.index))
			return false;
		*memory = *memory && add(index, offset, &head);
	}
	return true;
}

bool trace_index_build(struct trace_index *index, const uint8_t *bytes, uint64_t size,
		       uint64_t body)
{
	struct chunk_head head;
	bool memory = true;

	index->finished = read_index(index, bytes, size, body, &memory);
	if (index->finished)
		return memory;
	index->count = 0;
	while (memory && head_is_sound(bytes + body, size - body, &head) &&
	       fits(&head, body, size)) {
		memory = add(index, body, &head);
		body += sizeof(head) + numbers_size(&head) + head.size;
	}
	return memory;
}

bool trace_index_sound(const struct trace_index_row *row, const uint8_t *bytes)
{
	size_t size = sizeof(row->head) + numbers_size(&row->head);
	struct chunk_head head;

	return head_is_sound(bytes + row->offset, size, &head) &&
	       !memcmp(&head, &row->head, sizeof(head));
}

void trace_index_free(struct trace_index *index)
{
	free(index->row);
}
