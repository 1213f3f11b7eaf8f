/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/chunk.h"

#include <stdlib.h>
#include <zstd.h>

#include "traces/events.h"

#define COMPRESSION          1
#define COMPRESSION_OF_PAGES (-20) /* of snapshots: many bytes at once, which the run waits for */
#define STATES_MAX           900u  /* other state that is kept for snapshots */
#define COLUMNS_ENOUGH       (16u << 20)
#define PAGES_ENOUGH         64u /* compressed while they are in a cache */

struct chunk_maker {
	struct codec *codec;
	struct columns columns;
	ZSTD_CCtx *zstd;
	uint8_t *raw;
	size_t raw_room;
	uint32_t records_max;
	struct chunk_head head;
	uint32_t number[LS_TRACE_EVENTS_MAX];
	bool snapshot; /* the chunk has the state at its first instruction */
	uint64_t reg[LS_TRACE_GENERAL];
	struct {
		uint64_t key, value;
	} state[STATES_MAX];
	unsigned int states;
};

struct chunk_maker *chunk_maker_create(unsigned int vcpu, uint32_t records_max)
{
	struct chunk_maker *maker = calloc(1, sizeof(*maker));

	if (!maker)
		return NULL;
	maker->head.vcpu = vcpu;
	maker->records_max = records_max;
	maker->codec = codec_create();
	maker->zstd = ZSTD_createCCtx();
	if (!maker->codec || !maker->zstd) {
		chunk_maker_destroy(maker);
		return NULL;
	}
	return maker;
}

void chunk_maker_destroy(struct chunk_maker *maker)
{
	if (!maker)
		return;
	codec_destroy(maker->codec);
	ZSTD_freeCCtx(maker->zstd);
	columns_free(&maker->columns);
	free(maker->raw);
	free(maker);
}

/* --- snapshots --- */

/* By key, so that a snapshot does not depend on the order of changes. */
static void note_state(struct chunk_maker *maker, uint64_t key, uint64_t value)
{
	unsigned int n = 0;

	while (n < maker->states && maker->state[n].key < key)
		n++;
	if (n == maker->states || maker->state[n].key != key) {
		if (maker->states == STATES_MAX)
			return;
		memmove(&maker->state[n + 1], &maker->state[n],
			(maker->states - n) * sizeof(maker->state[0]));
		maker->states++;
	}
	maker->state[n].key = key;
	maker->state[n].value = value;
}

/* Keeps what @record says of the vCPU's state. */
static void note_states(struct chunk_maker *maker, const uint64_t *record)
{
	unsigned int states = (unsigned int)(record[5] >> 32) & 0xffff;
	const uint64_t *at = record + LS_TRACE_INSTRUCTION_WORDS;

	for (uint32_t given = (uint32_t)record[5]; given; given &= given - 1)
		maker->reg[__builtin_ctz(given)] = *at++;
	for (; states; states--, at += 2)
		note_state(maker, at[0], at[1]);
}

/* The state before @record, as a record. */
static void write_snapshot(struct chunk_maker *maker, const uint64_t *record)
{
	uint64_t snapshot[LS_TRACE_RECORD_MAX], *at = snapshot + LS_TRACE_INSTRUCTION_WORDS;

	snapshot[1] = record[1];
	snapshot[2] = snapshot[3] = snapshot[4] = 0;
	snapshot[5] = 0;
	for (unsigned int n = 0; n < LS_TRACE_GENERAL; n++)
		if (maker->reg[n]) {
			snapshot[5] |= 1u << n;
			*at++ = maker->reg[n];
		}
	for (unsigned int n = 0; n < maker->states; n++) {
		if (!maker->state[n].value)
			continue;
		*at++ = maker->state[n].key;
		*at++ = maker->state[n].value;
		snapshot[5] += UINT64_C(1) << 32;
	}
	snapshot[0] = LS_TRACE_HEAD(TRACE_INSTRUCTION, LS_TRACE_SNAPSHOT, at - snapshot);
	codec_encode(maker->codec, &maker->columns, snapshot);
	maker->head.records++;
	maker->number[TRACE_INSTRUCTION]++;
	maker->snapshot = true;
}

/* --- chunks --- */

static bool gather(struct chunk_maker *maker)
{
	size_t size = COLUMNS * sizeof(uint32_t) + columns_size(&maker->columns);
	uint8_t *at;

	if (maker->raw_room < size) {
		free(maker->raw);
		maker->raw_room = size + size / 4;
		maker->raw = malloc(maker->raw_room);
	}
	if (!maker->raw || maker->columns.failed)
		return false;
	maker->head.raw_size = (uint32_t)size;
	at = maker->raw + COLUMNS * sizeof(uint32_t);
	for (int i = 0; i < COLUMNS; i++) {
		const struct column *column = &maker->columns.column[i];
		uint32_t used = (uint32_t)column->used;

		memcpy(maker->raw + i * sizeof(used), &used, sizeof(used));
		if (used)
			memcpy(at, column->bytes, used);
		at += used;
	}
	return true;
}

static struct chunk *compress(struct chunk_maker *maker)
{
	size_t numbers = 4 * (size_t)__builtin_popcountll(maker->head.events), size;
	struct chunk *chunk =
		malloc(sizeof(*chunk) + numbers + ZSTD_compressBound(maker->head.raw_size));
	uint32_t *number;

	if (!chunk)
		return NULL;
	number = (uint32_t *)chunk->bytes;
	for (uint64_t events = maker->head.events; events; events &= events - 1)
		*number++ = maker->number[__builtin_ctzll(events)];
	ZSTD_CCtx_setParameter(maker->zstd, ZSTD_c_compressionLevel,
			       maker->number[TRACE_SNAPSHOT] ? COMPRESSION_OF_PAGES : COMPRESSION);
	size = ZSTD_compress2(maker->zstd, chunk->bytes + numbers,
			      ZSTD_compressBound(maker->head.raw_size), maker->raw,
			      maker->head.raw_size);
	if (ZSTD_isError(size)) {
		free(chunk);
		return NULL;
	}
	maker->head.magic = CHUNK_MAGIC;
	maker->head.size = (uint32_t)size;
	maker->head.body = format_check(chunk->bytes + numbers, size);
	chunk->next = NULL;
	chunk->head = maker->head;
	chunk->head.check = format_check_chunk(&maker->head, (const uint32_t *)chunk->bytes);
	chunk->size = numbers + size;
	return chunk;
}

struct chunk *chunk_maker_finish(struct chunk_maker *maker, bool *failed)
{
	struct chunk *chunk;

	if (!maker->head.records)
		return NULL;
	chunk = gather(maker) ? compress(maker) : NULL;
	if (!chunk)
		*failed = true;
	maker->head.records = 0;
	maker->head.events = 0;
	memset(maker->number, 0, sizeof(maker->number));
	maker->snapshot = false;
	codec_restart(maker->codec);
	columns_clear(&maker->columns);
	return chunk;
}

struct chunk *chunk_maker_add(struct chunk_maker *maker, const uint64_t *record, bool *failed)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);

	if (event == TRACE_INSTRUCTION && (LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT)) {
		note_states(maker, record);
		return NULL;
	}
	if (!maker->head.records)
		maker->head.first = record[1];
	if (event == TRACE_INSTRUCTION) {
		if (!maker->snapshot)
			write_snapshot(maker, record);
		note_states(maker, record);
	}
	codec_encode(maker->codec, &maker->columns, record);
	maker->head.last = record[1];
	maker->head.events |= UINT64_C(1) << event;
	maker->head.records++;
	maker->number[event]++;
	if (maker->head.records >= maker->records_max || codec_full(maker->codec) ||
	    maker->number[TRACE_SNAPSHOT] >= PAGES_ENOUGH ||
	    (maker->head.records % 256 == 0 && columns_size(&maker->columns) >= COLUMNS_ENOUGH))
		return chunk_maker_finish(maker, failed);
	return NULL;
}
