/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of a chunk: bytes of one kind beside each other, which compress well. Reading beyond
 * the end of a column gives zeros and is noted.
 */
#ifndef LOCKSTEP_TRACES_COLUMNS_H
#define LOCKSTEP_TRACES_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum trace_column {
	COLUMN_HEAD,    /* a byte for each record */
	COLUMN_COUNT,   /* instruction counts that don't follow from the record before */
	COLUMN_RIP,     /* where control flow was not foreseen */
	COLUMN_CODE,    /* instructions not seen before in this chunk */
	COLUMN_MASK,    /* which registers an instruction writes, when that changes */
	COLUMN_FLAGS,   /* RFLAGS */
	COLUMN_LENGTH,  /* how a register's value was foreseen, and bytes of the difference */
	COLUMN_VALUE,   /* the differences */
	COLUMN_STATE,   /* other state */
	COLUMN_STORE,   /* addresses of stores, as COLUMN_LENGTH */
	COLUMN_ADDRESS, /* as COLUMN_VALUE */
	COLUMN_STORED,  /* what was stored, as COLUMN_LENGTH */
	COLUMN_DATA,    /* as COLUMN_VALUE, or plain bytes */
	COLUMN_EVENT,   /* fields of other events */
	COLUMNS
};

struct column {
	uint8_t *bytes;
	size_t used; /* written, or read so far */
	size_t room; /* allocated, or there to be read */
};

struct columns {
	struct column column[COLUMNS];
	bool failed; /* no memory, or read beyond an end */
};

void columns_clear(struct columns *columns); /* keeps the memory */
void columns_free(struct columns *columns);
size_t columns_size(const struct columns *columns);
/* False, and failed, if there is no memory for @size bytes more. */
bool column_grow(struct columns *columns, enum trace_column which, size_t size);

static inline void column_put(struct columns *columns, enum trace_column which, const void *bytes,
			      size_t size)
{
	struct column *column = &columns->column[which];

	if (column->room - column->used < size && !column_grow(columns, which, size))
		return;
	memcpy(column->bytes + column->used, bytes, size);
	column->used += size;
}

static inline void column_get(struct columns *columns, enum trace_column which, void *bytes,
			      size_t size)
{
	struct column *column = &columns->column[which];

	if (column->room - column->used < size) {
		columns->failed = true;
		memset(bytes, 0, size);
		return;
	}
	memcpy(bytes, column->bytes + column->used, size);
	column->used += size;
}

#endif
