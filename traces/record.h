/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an "instruction" record (trace.h). */
#ifndef LOCKSTEP_TRACES_RECORD_H
#define LOCKSTEP_TRACES_RECORD_H

#include "traces/events.h"

struct trace_instruction {
	uint64_t rip;
	const uint8_t *bytes;
	unsigned int length; /* 0: no instruction */
	uint32_t changed;    /* general registers */
	const uint64_t *values;
	unsigned int states;
	const uint64_t *state; /* pairs */
	unsigned int stores;
	const uint64_t *store; /* address, size, bytes */
};

static inline void trace_instruction_parse(const uint64_t *record, struct trace_instruction *to)
{
	to->rip = record[2];
	to->bytes = (const uint8_t *)(record + 3);
	to->length = (unsigned int)(record[4] >> 56);
	to->changed = (uint32_t)record[5];
	to->values = record + LS_TRACE_INSTRUCTION_WORDS;
	to->states = (unsigned int)(record[5] >> 32) & 0xffff;
	to->state = to->values + __builtin_popcount(to->changed);
	to->stores = (unsigned int)(record[5] >> 48);
	to->store = to->state + 2 * to->states;
}

/* The store behind @store. */
static inline const uint64_t *trace_store_next(const uint64_t *store)
{
	return store + 2 + (store[1] + 7) / 8;
}

#endif
