/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/columns.h"

#include <stdlib.h>

void columns_clear(struct columns *columns)
{
	for (int i = 0; i < COLUMNS; i++)
		columns->column[i].used = 0;
	columns->failed = false;
}

void columns_free(struct columns *columns)
{
	for (int i = 0; i < COLUMNS; i++)
		free(columns->column[i].bytes);
	*columns = (struct columns){0};
}

size_t columns_size(const struct columns *columns)
{
	size_t size = 0;

	for (int i = 0; i < COLUMNS; i++)
		size += columns->column[i].used;
	return size;
}

bool column_grow(struct columns *columns, enum trace_column which, size_t size)
{
	struct column *column = &columns->column[which];
	size_t room = 2 * column->room + size + 4096;
	uint8_t *bytes = realloc(column->bytes, room);

	if (!bytes) {
		columns->failed = true;
		return false;
	}
	column->bytes = bytes;
	column->room = room;
	return true;
}
