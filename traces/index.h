/* SPDX-License-Identifier: Apache-2.0 */
/* Where the chunks of a file are: from its index, or by going from chunk to chunk. */
#ifndef LOCKSTEP_TRACES_INDEX_H
#define LOCKSTEP_TRACES_INDEX_H

#include <stdbool.h>

#include "traces/format.h"

struct trace_index_row {
	uint64_t offset; /* of the chunk's head */
	struct chunk_head head;
};

struct trace_index {
	struct trace_index_row *row;
	size_t count, room;
	bool finished; /* the file has its index */
};

/* Every row's chunk lies within @size. False: no memory. */
bool trace_index_build(struct trace_index *index, const uint8_t *bytes, uint64_t size,
		       uint64_t body);
/* The chunk's own head is that of the row, and its numbers are sound. */
bool trace_index_sound(const struct trace_index_row *row, const uint8_t *bytes);
void trace_index_free(struct trace_index *index);

#endif
