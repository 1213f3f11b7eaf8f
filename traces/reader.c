/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "traces/codec.h"
#include "traces/events.h"
#include "traces/index.h"

struct trace_reader {
	const uint8_t *bytes;
	uint64_t size;
	char *path;
	char *text; /* lines, each a string */
	size_t text_size;
	uint64_t body; /* where the chunks begin */
	struct trace_index index;
};

static int damaged(const struct trace_reader *reader, struct ls_error *err, const char *what)
{
	return ls_error_set(err, -EBADMSG, "'%s' is no whole trace: %s", reader->path, what);
}

/* --- opening --- */

static int map_file(struct trace_reader *reader, struct ls_error *err)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC), failure = 0;
	struct stat status;
	void *bytes = MAP_FAILED;

	if (fd < 0 || fstat(fd, &status)) {
		failure = -errno;
	} else if (!S_ISREG(status.st_mode)) {
		failure = -EINVAL;
	} else if (status.st_size) {
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		failure = bytes == MAP_FAILED ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (failure)
		return ls_error_set(err, failure, "cannot read the trace '%s': %s", reader->path,
				    strerror(-failure));
	if (bytes == MAP_FAILED)
		return damaged(reader, err, "it is empty");
	reader->bytes = bytes;
	reader->size = (uint64_t)status.st_size;
	return 0;
}

/* A later version may have added events and fields behind those that are known here. */
static int check_events(const struct trace_reader *reader, struct ls_error *err)
{
	const char *name;

	for (unsigned int n = 0; (name = trace_reader_text(reader, "event", n)); n++)
		if (n < TRACE_EVENTS && strcmp(name, trace_events[n].name))
			return damaged(reader, err, "its events are not those of this version");
	return 0;
}

static char *copy_text(const uint8_t *from, size_t size)
{
	char *text = malloc(size + 1);

	if (text) {
		memcpy(text, from, size);
		text[size] = '\0';
	}
	return text;
}

static int read_head(struct trace_reader *reader, struct ls_error *err)
{
	struct file_head head;

	if (reader->size < sizeof(head))
		return damaged(reader, err, "it is too short");
	memcpy(&head, reader->bytes, sizeof(head));
	if (head.magic != FILE_MAGIC)
		return damaged(reader, err,
			       "it does not begin as one; was it made by "
			       "'lockstep run --trace'?");
	if (head.version != FORMAT_VERSION)
		return ls_error_set(err, -ENOTSUP,
				    "'%s' has version %u of the format, and this program reads "
				    "version %u",
				    reader->path, head.version, FORMAT_VERSION);
	if (head.text_size > reader->size - sizeof(head))
		return damaged(reader, err, "it ends within its head");
	if (head.check != format_check(reader->bytes + sizeof(head), head.text_size))
		return damaged(reader, err, "its head is damaged");
	reader->text = copy_text(reader->bytes + sizeof(head), head.text_size);
	reader->text_size = head.text_size;
	reader->body = sizeof(head) + head.text_size;
	if (!reader->text)
		return ls_error_set(err, -ENOMEM, "no memory for the trace '%s'", reader->path);
	for (size_t i = 0; i < reader->text_size; i++)
		if (reader->text[i] == '\n')
			reader->text[i] = '\0';
	return check_events(reader, err);
}

struct trace_reader *trace_reader_open(const char *path, struct ls_error *err)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));

	if (!reader || !(reader->path = strdup(path))) {
		free(reader);
		ls_error_set(err, -ENOMEM, "no memory for the trace '%s'", path);
		return NULL;
	}
	if (map_file(reader, err) || read_head(reader, err)) {
		trace_reader_close(reader);
		return NULL;
	}
	if (!trace_index_build(&reader->index, reader->bytes, reader->size, reader->body)) {
		ls_error_set(err, -ENOMEM, "no memory for the trace '%s'", path);
		trace_reader_close(reader);
		return NULL;
	}
	return reader;
}

void trace_reader_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	if (reader->bytes)
		munmap((void *)reader->bytes, reader->size);
	trace_index_free(&reader->index);
	free(reader->text);
	free(reader->path);
	free(reader);
}

const char *trace_reader_text(const struct trace_reader *reader, const char *key, unsigned int n)
{
	size_t length = strlen(key);
	const char *line = reader->text, *end = line + reader->text_size;

	for (; line < end; line += strlen(line) + 1)
		if (!strncmp(line, key, length) && line[length] == ' ' && !n--)
			return line + length + 1;
	return NULL;
}

const char *trace_reader_line(const struct trace_reader *reader, unsigned int n)
{
	const char *line = reader->text, *end = line + reader->text_size;

	for (; line < end && n; n--)
		line += strlen(line) + 1;
	return line < end ? line : NULL;
}

bool trace_reader_unfinished(const struct trace_reader *reader)
{
	return !reader->index.finished;
}

/* --- the index --- */

size_t trace_reader_chunks(const struct trace_reader *reader)
{
	return reader->index.count;
}

const struct chunk_head *trace_reader_chunk(const struct trace_reader *reader, size_t chunk)
{
	return &reader->index.row[chunk].head;
}

uint32_t trace_reader_number(const struct trace_reader *reader, size_t chunk, unsigned int event)
{
	const struct trace_index_row *row = &reader->index.row[chunk];
	uint64_t below = (UINT64_C(1) << event) - 1;
	uint32_t number;

	if (!(row->head.events >> event & 1))
		return 0;
	memcpy(&number,
	       reader->bytes + row->offset + sizeof(row->head) +
		       4 * __builtin_popcountll(row->head.events & below),
	       sizeof(number));
	return number;
}

size_t trace_reader_seek(const struct trace_reader *reader, size_t from, unsigned int vcpu,
			 uint64_t count, uint64_t events)
{
	for (; from < reader->index.count; from++) {
		const struct chunk_head *head = &reader->index.row[from].head;

		if (head->vcpu == vcpu && head->last >= count && (head->events & events))
			break;
	}
	return from;
}

/* --- records --- */

struct trace_cursor {
	struct trace_reader *reader;
	struct codec *codec;
	ZSTD_DCtx *zstd;
	uint8_t *raw;
	size_t room;
	struct columns columns;
	uint32_t left; /* records of the chunk */
	uint64_t record[LS_TRACE_RECORD_MAX];
};

struct trace_cursor *trace_cursor_open(struct trace_reader *reader, struct ls_error *err)
{
	struct trace_cursor *cursor = calloc(1, sizeof(*cursor));

	if (cursor) {
		cursor->reader = reader;
		cursor->codec = codec_create();
		cursor->zstd = ZSTD_createDCtx();
	}
	if (!cursor || !cursor->codec || !cursor->zstd) {
		ls_error_set(err, -ENOMEM, "no memory for the trace '%s'", reader->path);
		trace_cursor_close(cursor);
		return NULL;
	}
	return cursor;
}

void trace_cursor_close(struct trace_cursor *cursor)
{
	if (!cursor)
		return;
	codec_destroy(cursor->codec);
	ZSTD_freeDCtx(cursor->zstd);
	free(cursor->raw);
	free(cursor);
}

/* Points the columns into what was decompressed. */
static bool split_columns(struct trace_cursor *cursor, size_t size)
{
	uint8_t *at = cursor->raw + COLUMNS * sizeof(uint32_t);

	if (size < COLUMNS * sizeof(uint32_t))
		return false;
	size -= COLUMNS * sizeof(uint32_t);
	for (int i = 0; i < COLUMNS; i++) {
		uint32_t used;

		memcpy(&used, cursor->raw + i * sizeof(used), sizeof(used));
		if (used > size)
			return false;
		cursor->columns.column[i] = (struct column){.bytes = at, .room = used};
		at += used;
		size -= used;
	}
	cursor->columns.failed = false;
	return true;
}

static bool decompress(struct trace_cursor *cursor, const struct trace_index_row *row)
{
	const uint8_t *from = cursor->reader->bytes + row->offset + sizeof(row->head) +
			      4 * __builtin_popcountll(row->head.events);
	size_t size;

	if (row->head.raw_size > CHUNK_RAW_MAX ||
	    row->head.body != format_check(from, row->head.size) ||
	    !trace_index_sound(row, cursor->reader->bytes))
		return false;
	if (cursor->room < row->head.raw_size) {
		free(cursor->raw);
		cursor->room = row->head.raw_size;
		cursor->raw = malloc(cursor->room);
	}
	if (!cursor->raw)
		return false;
	size = ZSTD_decompressDCtx(cursor->zstd, cursor->raw, row->head.raw_size, from,
				   row->head.size);
	return size == row->head.raw_size && split_columns(cursor, size);
}

int trace_cursor_chunk(struct trace_cursor *cursor, size_t chunk, struct ls_error *err)
{
	const struct trace_index_row *row = &cursor->reader->index.row[chunk];

	cursor->left = 0;
	if (!decompress(cursor, row))
		return ls_error_set(err, -EBADMSG,
				    "'%s' is no whole trace: chunk %zu, at byte %llu, is damaged",
				    cursor->reader->path, chunk, (unsigned long long)row->offset);
	codec_restart(cursor->codec);
	cursor->left = row->head.records;
	return 0;
}

const uint64_t *trace_cursor_next(struct trace_cursor *cursor, struct ls_error *err)
{
	if (!cursor->left)
		return NULL;
	cursor->left--;
	if (codec_decode(cursor->codec, &cursor->columns, cursor->record))
		return cursor->record;
	cursor->left = 0;
	ls_error_set(err, -EBADMSG, "'%s' is no whole trace: a chunk's records make no sense",
		     cursor->reader->path);
	return NULL;
}
