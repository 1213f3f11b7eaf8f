/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a trace file. A file without an index (of a run that was killed) is read up to its last
 * whole chunk. Whatever is damaged is said in *err, and nothing that the file holds can do harm.
 */
#ifndef LOCKSTEP_TRACES_READER_H
#define LOCKSTEP_TRACES_READER_H

#include <lockstep/error.h>
#include <lockstep/trace.h>

#include "traces/format.h"

struct trace_reader;
struct trace_cursor;

struct trace_reader *trace_reader_open(const char *path, struct ls_error *err);
void trace_reader_close(struct trace_reader *reader);
/* The value of the @n-th line of the head's text with @key, NULL: there are no more. */
const char *trace_reader_text(const struct trace_reader *reader, const char *key, unsigned int n);
/* The @n-th line of all; NULL: there are no more. */
const char *trace_reader_line(const struct trace_reader *reader, unsigned int n);
/* It was not closed: the run was killed, or still goes on. */
bool trace_reader_unfinished(const struct trace_reader *reader);

/* --- the index --- */

size_t trace_reader_chunks(const struct trace_reader *reader);
const struct chunk_head *trace_reader_chunk(const struct trace_reader *reader, size_t chunk);
/* How many records of @event are in it. */
uint32_t trace_reader_number(const struct trace_reader *reader, size_t chunk, unsigned int event);
/* The first chunk from @from on, of @vcpu, that ends at or after @count instructions and has one of
 * the events of the bit set; trace_reader_chunks() if there is none. */
size_t trace_reader_seek(const struct trace_reader *reader, size_t from, unsigned int vcpu,
			 uint64_t count, uint64_t events);

/* --- records --- */

struct trace_cursor *trace_cursor_open(struct trace_reader *reader, struct ls_error *err);
void trace_cursor_close(struct trace_cursor *cursor);
/* Goes to the first record of @chunk. */
int trace_cursor_chunk(struct trace_cursor *cursor, size_t chunk, struct ls_error *err);
/* The next record of the chunk, valid until the next call; NULL at its end, or with *err filled. */
const uint64_t *trace_cursor_next(struct trace_cursor *cursor, struct ls_error *err);

#endif
