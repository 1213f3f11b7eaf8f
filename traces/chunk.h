/* SPDX-License-Identifier: Apache-2.0 */
/* One vCPU's records on their way into chunks. */
#ifndef LOCKSTEP_TRACES_CHUNK_H
#define LOCKSTEP_TRACES_CHUNK_H

#include <lockstep/trace.h>

#include "traces/codec.h"
#include "traces/format.h"

/* A finished chunk: head, numbers and compressed columns, as in the file. */
struct chunk {
	struct chunk *next;
	struct chunk_head head;
	size_t size;
	uint8_t bytes[];
};

struct chunk_maker;

struct chunk_maker *chunk_maker_create(unsigned int vcpu, uint32_t records_max);
void chunk_maker_destroy(struct chunk_maker *maker);
/* Adds a record; of one with LS_TRACE_SNAPSHOT only the state. A chunk if it is full with that;
 * NULL: not yet, or *failed with no memory. */
struct chunk *chunk_maker_add(struct chunk_maker *maker, const uint64_t *record, bool *failed);
/* The chunk that was begun; NULL: none, or *failed. */
struct chunk *chunk_maker_finish(struct chunk_maker *maker, bool *failed);

#endif
