/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks fill buffers; a full one is queued and an empty one taken, and if there is none the vCPU
 * waits. One thread takes them in the order in which they were queued. Either sleeps until there
 * is much to do: to be woken for each buffer costs both sides more than the buffer's records.
 */
#include "traces/writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "traces/chunk.h"
#include "traces/events.h"

#define BUFFER_WORDS  (1u << 16)
#define CHUNK_RECORDS (1u << 18)
#define SPARE_BUFFERS 32u
#define BATCH         (SPARE_BUFFERS / 4) /* queued, or empty again, before anybody is woken */

struct buffer {
	struct buffer *next;
	unsigned int vcpu;
	size_t used;
	uint64_t words[BUFFER_WORDS];
};

struct stream {
	struct ls_trace_sink sink; /* first: a sink is its stream */
	struct trace_writer *writer;
	struct buffer *buffer;
	struct chunk_maker *maker;
};

struct chunk_place {
	uint64_t offset;
	struct chunk *chunk; /* with an empty body */
};

struct trace_writer {
	int fd;
	uint64_t offset;
	uint64_t wanted;            /* events; others only show the trigger, and state */
	uint64_t keep, kept;        /* records */
	enum trace_trigger trigger; /* TRACE_FROM_START once it has come */
	uint64_t trigger_value, until;
	struct chunk *first, **end; /* of a ring */
	struct chunk_place *index;
	size_t chunks, room;
	int failure; /* -errno */
	char *path;

	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t filled, emptied;
	struct buffer *free, *queue, **queue_end;
	unsigned int spare, queued;
	bool over;

	unsigned int vcpus;
	struct stream stream[];
};

/* --- the file --- */

static void write_bytes(struct trace_writer *writer, const void *bytes, size_t size)
{
	while (size && !writer->failure) {
		ssize_t n = write(writer->fd, bytes, size);

		if (n < 0 && errno != EINTR)
			writer->failure = -errno;
		if (n <= 0)
			continue;
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
		writer->offset += (uint64_t)n;
	}
}

/* Takes @chunk; keeps what the index needs of it. */
static void write_chunk(struct trace_writer *writer, struct chunk *chunk)
{
	size_t numbers = 4 * (size_t)__builtin_popcountll(chunk->head.events);
	struct chunk *small;

	if (writer->chunks == writer->room) {
		size_t room = 2 * writer->room + 64;
		struct chunk_place *index = realloc(writer->index, room * sizeof(*index));

		if (!index) {
			writer->failure = -ENOMEM;
			free(chunk);
			return;
		}
		writer->index = index;
		writer->room = room;
	}
	writer->index[writer->chunks].offset = writer->offset;
	write_bytes(writer, &chunk->head, sizeof(chunk->head));
	write_bytes(writer, chunk->bytes, chunk->size);
	small = realloc(chunk, sizeof(*chunk) + numbers);
	writer->index[writer->chunks++].chunk = small ? small : chunk;
}

static void write_index(struct trace_writer *writer)
{
	struct file_tail tail = {.index = writer->offset, .magic = TAIL_MAGIC};
	size_t size = 0;
	uint8_t *bytes, *at;

	for (size_t i = 0; i < writer->chunks; i++)
		size += sizeof(uint64_t) + sizeof(struct chunk_head) +
			4 * (size_t)__builtin_popcountll(writer->index[i].chunk->head.events);
	bytes = at = malloc(size + 1);
	if (!bytes) {
		writer->failure = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < writer->chunks; i++) {
		const struct chunk *chunk = writer->index[i].chunk;
		size_t numbers = 4 * (size_t)__builtin_popcountll(chunk->head.events);

		memcpy(at, &writer->index[i].offset, sizeof(uint64_t));
		memcpy(at + sizeof(uint64_t), &chunk->head, sizeof(chunk->head));
		at += sizeof(uint64_t) + sizeof(chunk->head);
		memcpy(at, chunk->bytes, numbers);
		at += numbers;
	}
	tail.index_size = size;
	tail.check = format_check(bytes, size);
	write_bytes(writer, bytes, size);
	write_bytes(writer, &tail, sizeof(tail));
	free(bytes);
}

/* --- chunks --- */

static void ring_drop(struct trace_writer *writer)
{
	while (writer->first && writer->kept - writer->first->head.records >= writer->keep) {
		struct chunk *chunk = writer->first;

		writer->first = chunk->next;
		if (!writer->first)
			writer->end = &writer->first;
		writer->kept -= chunk->head.records;
		free(chunk);
	}
}

static void take_chunk(struct trace_writer *writer, struct chunk *chunk)
{
	if (!chunk)
		return;
	if (!writer->keep) {
		write_chunk(writer, chunk);
		return;
	}
	*writer->end = chunk;
	writer->end = &chunk->next;
	writer->kept += chunk->head.records;
	ring_drop(writer);
}

static bool triggers(const struct trace_writer *writer, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);

	switch (writer->trigger) {
	case TRACE_FROM_COUNT:
		return record[1] >= writer->trigger_value;
	case TRACE_FROM_EVENT:
		return event == writer->trigger_value;
	case TRACE_FROM_RIP:
		return event == TRACE_INSTRUCTION && record[2] == writer->trigger_value &&
		       record[4] >> 56;
	default:
		return true;
	}
}

uint64_t trace_trigger_events(enum trace_trigger trigger, uint64_t value)
{
	if (trigger == TRACE_FROM_RIP)
		return UINT64_C(1) << TRACE_INSTRUCTION;
	return trigger == TRACE_FROM_EVENT ? UINT64_C(1) << value : 0;
}

/* From the trigger on, and of those that are wanted. */
static bool is_kept(struct trace_writer *writer, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);

	/* By the feeds the run can be made again, from its start. */
	if (event == TRACE_FEED)
		return true;
	if (!triggers(writer, record))
		return false;
	writer->trigger = TRACE_FROM_START;
	return writer->wanted >> event & 1;
}

/* Of an instruction that is not kept the vCPU's state is. */
static void take_record(struct trace_writer *writer, struct chunk_maker *maker, uint64_t *record,
			bool *failed)
{
	if (writer->until && record[1] >= writer->until)
		return;
	if (!is_kept(writer, record)) {
		if (LS_TRACE_EVENT(record[0]) != TRACE_INSTRUCTION)
			return;
		record[0] |= LS_TRACE_HEAD(0, LS_TRACE_SNAPSHOT, 0);
	}
	take_chunk(writer, chunk_maker_add(maker, record, failed));
}

static void take_buffer(struct trace_writer *writer, struct buffer *buffer)
{
	uint64_t *at = buffer->words, *end = at + buffer->used;
	bool failed = false;

	for (; at < end && LS_TRACE_WORDS(*at) && !failed; at += LS_TRACE_WORDS(*at))
		take_record(writer, writer->stream[buffer->vcpu].maker, at, &failed);
	if (failed)
		writer->failure = -ENOMEM;
}

/* --- the thread --- */

static struct buffer *next_buffer(struct trace_writer *writer)
{
	struct buffer *buffer;

	pthread_mutex_lock(&writer->lock);
	if (!writer->queue)
		while (writer->queued < BATCH && !writer->over)
			pthread_cond_wait(&writer->filled, &writer->lock);
	buffer = writer->queue;
	if (buffer) {
		writer->queued--;
		writer->queue = buffer->next;
		if (!writer->queue)
			writer->queue_end = &writer->queue;
	}
	pthread_mutex_unlock(&writer->lock);
	return buffer;
}

/* Under the lock. */
static void give_back(struct trace_writer *writer, struct buffer *buffer)
{
	buffer->next = writer->free;
	writer->free = buffer;
	if (++writer->spare == BATCH)
		pthread_cond_broadcast(&writer->emptied);
}

static void *run(void *opaque)
{
	struct trace_writer *writer = opaque;
	struct buffer *buffer;

	while ((buffer = next_buffer(writer))) {
		take_buffer(writer, buffer);
		pthread_mutex_lock(&writer->lock);
		give_back(writer, buffer);
		pthread_mutex_unlock(&writer->lock);
	}
	return NULL;
}

/* Under the lock. */
static void queue(struct stream *stream)
{
	struct trace_writer *writer = stream->writer;
	struct buffer *buffer = stream->buffer;

	buffer->used = (size_t)(stream->sink.at - buffer->words);
	buffer->vcpu = (unsigned int)(stream - writer->stream);
	buffer->next = NULL;
	*writer->queue_end = buffer;
	writer->queue_end = &buffer->next;
	if (++writer->queued == BATCH)
		pthread_cond_signal(&writer->filled);
}

static void begin(struct stream *stream, struct buffer *buffer)
{
	stream->buffer = buffer;
	stream->sink.at = buffer->words;
	stream->sink.end = buffer->words + BUFFER_WORDS;
}

static void sink_full(struct ls_trace_sink *sink)
{
	struct stream *stream = (struct stream *)sink;
	struct trace_writer *writer = stream->writer;
	struct buffer *buffer;

	pthread_mutex_lock(&writer->lock);
	queue(stream);
	if (!writer->free)
		while (writer->spare < BATCH)
			pthread_cond_wait(&writer->emptied, &writer->lock);
	buffer = writer->free;
	writer->free = buffer->next;
	writer->spare--;
	pthread_mutex_unlock(&writer->lock);
	begin(stream, buffer);
}

/* --- its life --- */

static void destroy(struct trace_writer *writer)
{
	for (unsigned int i = 0; i < writer->vcpus; i++) {
		chunk_maker_destroy(writer->stream[i].maker);
		free(writer->stream[i].buffer);
	}
	for (struct buffer *buffer = writer->free, *next; buffer; buffer = next) {
		next = buffer->next;
		free(buffer);
	}
	for (size_t i = 0; i < writer->chunks; i++)
		free(writer->index[i].chunk);
	free(writer->index);
	if (writer->fd >= 0)
		close(writer->fd);
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->filled);
	pthread_cond_destroy(&writer->emptied);
	free(writer->path);
	free(writer);
}

/* What a reader has to know to make sense of the numbers. */
static void write_head(struct trace_writer *writer, const struct trace_writer_config *config)
{
	struct file_head head = {.magic = FILE_MAGIC, .version = FORMAT_VERSION};
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to) {
		writer->failure = -ENOMEM;
		return;
	}
	fprintf(to, "%s", config->text ? config->text : "");
	for (unsigned int n = 0; n < TRACE_EVENTS; n++) {
		fprintf(to, "event %s\n", trace_events[n].name);
		for (unsigned int i = 0; i < trace_events[n].field_count; i++)
			fprintf(to, "field %s\n", trace_events[n].fields[i].name);
	}
	if (fclose(to)) {
		writer->failure = -ENOMEM;
		return;
	}
	head.text_size = (uint32_t)size;
	head.check = format_check(text, size);
	write_bytes(writer, &head, sizeof(head));
	write_bytes(writer, text, size);
	free(text);
}

static bool add_buffer(struct trace_writer *writer)
{
	struct buffer *buffer = malloc(sizeof(*buffer));

	if (!buffer)
		return false;
	give_back(writer, buffer);
	return true;
}

static bool create_streams(struct trace_writer *writer, const struct trace_writer_config *config)
{
	uint64_t records = config->keep / 4;

	if (!config->keep || records > CHUNK_RECORDS)
		records = CHUNK_RECORDS;
	for (unsigned int i = 0; i < SPARE_BUFFERS; i++)
		if (!add_buffer(writer))
			return false;
	for (unsigned int i = 0; i < config->vcpus; i++) {
		struct stream *stream = &writer->stream[i];
		struct buffer *buffer = malloc(sizeof(*buffer));

		writer->vcpus = i + 1;
		stream->maker = chunk_maker_create(i, (uint32_t)(records < 1024 ? 1024 : records));
		if (!stream->maker || !buffer) {
			free(buffer);
			return false;
		}
		stream->writer = writer;
		stream->sink.events = config->events |
				      trace_trigger_events(config->trigger, config->trigger_value);
		stream->sink.full = sink_full;
		begin(stream, buffer);
	}
	return true;
}

struct trace_writer *trace_writer_open(const struct trace_writer_config *config,
				       struct ls_error *err)
{
	struct trace_writer *writer =
		calloc(1, sizeof(*writer) + config->vcpus * sizeof(writer->stream[0]));

	if (!writer) {
		ls_error_set(err, -ENOMEM, "no memory for a trace");
		return NULL;
	}
	writer->fd = open(config->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	writer->path = strdup(config->path);
	writer->wanted = config->events;
	writer->keep = config->keep;
	writer->trigger = config->trigger;
	writer->trigger_value = config->trigger_value;
	writer->until = config->until;
	writer->end = &writer->first;
	writer->queue_end = &writer->queue;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->filled, NULL);
	pthread_cond_init(&writer->emptied, NULL);
	if (writer->fd < 0)
		ls_error_set(err, -errno,
			     "cannot write the trace '%s': %s; name a file in a folder you may "
			     "write to",
			     config->path, strerror(errno));
	else if (!writer->path || !create_streams(writer, config) ||
		 pthread_create(&writer->thread, NULL, run, writer))
		ls_error_set(err, -ENOMEM, "no memory for the trace '%s'", config->path);
	else
		writer->threaded = true;
	if (!writer->threaded) {
		destroy(writer);
		return NULL;
	}
	write_head(writer, config);
	return writer;
}

struct ls_trace_sink *trace_writer_sink(struct trace_writer *writer, unsigned int vcpu)
{
	return &writer->stream[vcpu].sink;
}

/* The thread writes what is queued, and ends. */
static void drain(struct trace_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	for (unsigned int i = 0; i < writer->vcpus; i++) {
		queue(&writer->stream[i]);
		writer->stream[i].buffer = NULL;
	}
	writer->over = true;
	pthread_cond_signal(&writer->filled);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
}

int trace_writer_close(struct trace_writer *writer, struct ls_error *err)
{
	bool failed = false;
	int failure;

	drain(writer);
	for (unsigned int i = 0; i < writer->vcpus; i++)
		take_chunk(writer, chunk_maker_finish(writer->stream[i].maker, &failed));
	for (struct chunk *chunk = writer->first, *next; chunk; chunk = next) {
		next = chunk->next;
		write_chunk(writer, chunk);
	}
	write_index(writer);
	failure = failed ? -ENOMEM : writer->failure;
	if (failure)
		ls_error_set(err, failure, "cannot write the trace '%s': %s", writer->path,
			     strerror(-failure));
	destroy(writer);
	return failure;
}
