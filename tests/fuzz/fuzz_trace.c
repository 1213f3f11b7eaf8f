/* SPDX-License-Identifier: Apache-2.0 */
/* Trace files made of anything: whole ones, and such whose checks are right but whose columns are
 * the input. What the reader gives is within a record's bounds, and what it refuses has a reason.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "traces/columns.h"
#include "traces/events.h"
#include "traces/reader.h"
#include "traces/record.h"

static void touch(const uint64_t *record)
{
	struct trace_instruction insn;
	const uint64_t *store;

	if (LS_TRACE_WORDS(record[0]) < 2 || LS_TRACE_WORDS(record[0]) > LS_TRACE_RECORD_MAX)
		abort();
	if (LS_TRACE_EVENT(record[0]) != TRACE_INSTRUCTION)
		return;
	trace_instruction_parse(record, &insn);
	store = insn.store;
	for (unsigned int n = 0; n < insn.stores; n++)
		store = trace_store_next(store);
	if (store != record + LS_TRACE_WORDS(record[0]))
		abort();
}

static void read_all(struct trace_reader *reader)
{
	struct ls_error err = {0};
	struct trace_cursor *cursor = trace_cursor_open(reader, &err);
	const uint64_t *record;

	for (size_t n = 0; cursor && n < trace_reader_chunks(reader); n++) {
		for (unsigned int event = 0; event < LS_TRACE_EVENTS_MAX; event++)
			trace_reader_number(reader, n, event);
		if (trace_cursor_chunk(cursor, n, &err))
			continue;
		while ((record = trace_cursor_next(cursor, &err)))
			touch(record);
	}
	trace_cursor_close(cursor);
}

/* A file of one chunk, whose columns are equal parts of @data. */
static void wrap(int fd, const uint8_t *data, size_t size)
{
	struct file_head head = {
		.magic = FILE_MAGIC, .version = FORMAT_VERSION, .check = format_check(data, 0)};
	struct chunk_head chunk = {.magic = CHUNK_MAGIC, .records = 1000};
	size_t raw_size = COLUMNS * sizeof(uint32_t) + size, bound = ZSTD_compressBound(raw_size);
	uint8_t *raw = malloc(raw_size), *body = malloc(bound);

	for (size_t n = 0; n < COLUMNS; n++) {
		uint32_t part = (uint32_t)(size / COLUMNS);

		memcpy(raw + n * sizeof(part), &part, sizeof(part));
	}
	memcpy(raw + COLUMNS * sizeof(uint32_t), data, size);
	chunk.raw_size = (uint32_t)raw_size;
	chunk.size = (uint32_t)ZSTD_compress(body, bound, raw, raw_size, 1);
	chunk.body = format_check(body, chunk.size);
	chunk.check = format_check_chunk(&chunk, NULL);
	if (write(fd, &head, sizeof(head)) < 0 || write(fd, &chunk, sizeof(chunk)) < 0 ||
	    write(fd, body, chunk.size) < 0)
		abort();
	free(raw);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trace", 0);
	struct trace_reader *reader;
	struct ls_error err = {0};
	char path[64];

	if (fd < 0 || !size)
		return close(fd), 0;
	if (*data & 3)
		wrap(fd, data + 1, size - 1);
	else if (write(fd, data + 1, size - 1) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = trace_reader_open(path, &err);
	if (reader)
		read_all(reader);
	else if (!err.code)
		abort();
	trace_reader_close(reader);
	close(fd);
	return 0;
}
