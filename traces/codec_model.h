/* SPDX-License-Identifier: Apache-2.0 */
/* What both directions of the codec know of the chunk so far. */
#ifndef LOCKSTEP_TRACES_CODEC_MODEL_H
#define LOCKSTEP_TRACES_CODEC_MODEL_H

#include <lockstep/trace.h>

#include "traces/events.h"

#define MODEL_ENTRIES   (1u << 15)
#define MODEL_HASH_BITS 16
#define MODEL_SLOTS     4
#define MODEL_FIELDS    24 /* of other events that are written as differences; the rest is bytes */

/* How a value was foreseen the last time, and what it was. */
struct model_slot {
	uint64_t last;
	uint64_t step; /* from the register's old value, or of an address: from its base register */
	uint64_t stride; /* between the last two values */
	uint8_t way;
	uint8_t source; /* a register that the value is a copy of, or an address's base */
};

/* An instruction at an address. */
struct model_entry {
	uint64_t rip, code[2];
	uint32_t next; /* where control went last; 0: nowhere yet */
	uint32_t mask; /* of the general registers that it has ever changed */
	uint8_t flags, arithmetic;
	uint16_t stores; /* it made last, of these sizes */
	uint16_t store_size[2];
	struct model_slot reg[MODEL_SLOTS];
	struct model_slot address, data;
};

struct codec {
	uint64_t reg[LS_TRACE_GENERAL];
	uint64_t count; /* that is expected of the next record */
	uint64_t store_end;
	uint32_t last; /* the entry before; entry 0 stands for none */
	uint32_t entries;
	uint64_t field[LS_TRACE_EVENTS_MAX][MODEL_FIELDS];
	uint32_t hash[1u << MODEL_HASH_BITS];
	struct model_entry entry[MODEL_ENTRIES];
};

static inline uint32_t *model_bucket(struct codec *codec, uint64_t rip)
{
	uint64_t at = rip * UINT64_C(0x9e3779b97f4a7c15) >> (64 - MODEL_HASH_BITS);

	while (codec->hash[at] && codec->entry[codec->hash[at]].rip != rip)
		at = (at + 1) & ((1u << MODEL_HASH_BITS) - 1);
	return &codec->hash[at];
}

static inline struct model_entry *model_add(struct codec *codec, uint32_t *bucket, uint64_t rip)
{
	struct model_entry *entry;

	if (!*bucket) {
		if (codec->entries == MODEL_ENTRIES)
			return NULL;
		*bucket = codec->entries++;
	}
	entry = &codec->entry[*bucket];
	*entry = (struct model_entry){.rip = rip, .flags = LS_TRACE_RETIRED};
	return entry;
}

#endif
