/* SPDX-License-Identifier: Apache-2.0 */
/* Records for the tests: a small vCPU that runs at random, and one of each event. */
#ifndef LOCKSTEP_TESTS_RECORDS_H
#define LOCKSTEP_TESTS_RECORDS_H

#include <stdlib.h>
#include <string.h>

#include "traces/events.h"

struct records {
	uint64_t seed, count, rip;
	uint64_t reg[LS_TRACE_GENERAL];
	uint64_t field[LS_TRACE_EVENTS_MAX][32]; /* of the last event of each row */
};

static inline uint64_t records_random(struct records *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return r->seed;
}

/* Small, large, and like the one before. */
static inline uint64_t records_value(struct records *r, uint64_t before)
{
	switch (records_random(r) % 4) {
	case 0:
		return records_random(r) % 256;
	case 1:
		return records_random(r);
	case 2:
		return before + 8;
	default:
		return r->reg[records_random(r) % 16];
	}
}

static inline uint64_t *records_store(struct records *r, uint64_t *at)
{
	static const uint64_t sizes[] = {1, 2, 4, 8, 8, 8, 3, 16, 32, 100};
	uint64_t size = sizes[records_random(r) % 10];

	at[0] = records_random(r) % 2 ? r->reg[4] - 8 : records_random(r);
	at[1] = size;
	for (uint64_t i = 0; i < (size + 7) / 8; i++)
		at[2 + i] = records_value(r, 0);
	if (size % 8)
		at[2 + size / 8] &= UINT64_MAX >> (64 - 8 * (size % 8));
	return at + 2 + (size + 7) / 8;
}

/* An instruction of one of 1000 addresses, that has retired, most of the time. */
static inline void records_instruction(struct records *r, uint64_t *record)
{
	uint64_t *at = record + LS_TRACE_INSTRUCTION_WORDS, n;
	bool retired = records_random(r) % 16 != 0, guest = records_random(r) % 32 == 0;

	if (records_random(r) % 8 == 0)
		r->rip = 0xffffffff81000000 + records_random(r) % 1000 * 4;
	record[1] = r->count;
	record[2] = r->rip;
	record[3] = r->rip * 0x9e3779b97f4a7c15 & 0xffffffff;
	record[4] = UINT64_C(4) << 56;
	record[5] = 0;
	for (n = 0; n < LS_TRACE_GENERAL; n++) {
		uint64_t value = records_value(r, r->reg[n]);

		if (n == LS_TRACE_RIP || records_random(r) % 12 || value == r->reg[n])
			continue;
		record[5] |= UINT64_C(1) << n;
		*at++ = r->reg[n] = value;
	}
	for (n = records_random(r) % 64 == 0 ? records_random(r) % 20 : 0; n; n--) {
		*at++ = LS_TRACE_STATE(records_random(r) % 300, n, n % 4);
		*at++ = records_random(r);
		record[5] += UINT64_C(1) << 32;
	}
	for (n = records_random(r) % 8 == 0 ? records_random(r) % 5 : 0; n; n--) {
		at = records_store(r, at);
		record[5] += UINT64_C(1) << 48;
	}
	record[0] = LS_TRACE_HEAD(TRACE_INSTRUCTION,
				  (retired ? LS_TRACE_RETIRED : 0) | (guest ? LS_TRACE_GUEST : 0),
				  at - record);
	r->count += retired;
	r->rip += 4;
}

/* An event of a row, with bytes behind the fields where the row has them. */
static inline void records_event(struct records *r, unsigned int event, uint64_t *record)
{
	const struct trace_event_info *info = &trace_events[event];
	unsigned int words = 2 + info->field_count, bytes = 0;

	record[1] = r->count;
	for (unsigned int i = 0; i < info->field_count; i++) {
		record[2 + i] = records_value(r, r->field[event][i]);
		if (info->fields[i].type == TRACE_TYPE_BYTES ||
		    info->fields[i].type == TRACE_TYPE_TEXT)
			record[2 + i] = bytes = 13;
		r->field[event][i] = record[2 + i];
	}
	for (unsigned int i = 0; i < bytes; i += 8)
		record[words++] = records_random(r) & (i ? 0xffffffffff : UINT64_MAX);
	record[0] = LS_TRACE_HEAD(event, records_random(r) % 2 ? LS_TRACE_GUEST : 0, words);
}

static inline void records_next(struct records *r, uint64_t *record)
{
	unsigned int event = (unsigned int)(records_random(r) % TRACE_EVENTS);

	if (records_random(r) % 8 || event == TRACE_INSTRUCTION)
		records_instruction(r, record);
	else
		records_event(r, event, record);
}

static inline bool records_equal(const uint64_t *a, const uint64_t *b)
{
	return a[0] == b[0] && !memcmp(a, b, 8 * LS_TRACE_WORDS(a[0]));
}

#endif
