/* SPDX-License-Identifier: Apache-2.0 */
/* One body for both directions: @encoding is a constant wherever it is inlined. */
#include "traces/codec.h"

#include <stdlib.h>

#include "traces/codec_model.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* --- columns in either direction --- */

ALWAYS_INLINE void code_bytes(struct columns *columns, bool encoding, enum trace_column which,
			      void *bytes, size_t size)
{
	if (encoding)
		column_put(columns, which, bytes, size);
	else
		column_get(columns, which, bytes, size);
}

ALWAYS_INLINE uint8_t code_byte(struct columns *columns, bool encoding, enum trace_column which,
				uint8_t byte)
{
	code_bytes(columns, encoding, which, &byte, 1);
	return byte;
}

/* The low @size bytes of @value; the others are zero. */
ALWAYS_INLINE uint64_t code_word(struct columns *columns, bool encoding, enum trace_column which,
				 uint64_t value, unsigned int size)
{
	uint64_t word = encoding ? value : 0;

	code_bytes(columns, encoding, which, &word, size);
	return word;
}

static uint64_t code_varint(struct columns *columns, bool encoding, enum trace_column which,
			    uint64_t value)
{
	uint64_t result = 0;
	uint8_t byte;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		byte = (value >> shift & 0x7f) | (shift < 63 && value >> shift >> 7 ? 0x80 : 0);
		byte = code_byte(columns, encoding, which, byte);
		result |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return result;
}

ALWAYS_INLINE uint64_t zigzag(uint64_t value)
{
	return value << 1 ^ (uint64_t)((int64_t)value >> 63);
}

ALWAYS_INLINE uint64_t unzigzag(uint64_t value)
{
	return value >> 1 ^ -(value & 1);
}

ALWAYS_INLINE unsigned int byte_length(uint64_t value)
{
	return value ? (71 - (unsigned int)__builtin_clzll(value)) / 8 : 0;
}

/* --- values --- */

enum {
	WAY_STEP,   /* the old value and what was added to it the last time */
	WAY_LAST,   /* the same as the last time */
	WAY_STRIDE, /* so much more than the last time as that was more than the time before */
	WAY_COPY,   /* another register's value */
	WAY_NAMED,  /* the same, and the register's number is written */
	WAYS
};

ALWAYS_INLINE uint64_t foresee(const struct codec *codec, const struct model_slot *slot,
			       unsigned int way, uint64_t old)
{
	switch (way) {
	case WAY_STEP:
		return old + slot->step;
	case WAY_LAST:
		return slot->last;
	case WAY_STRIDE:
		return slot->last + slot->stride;
	default:
		return codec->reg[slot->source];
	}
}

static unsigned int equal_register(const struct codec *codec, uint64_t value, uint64_t mask)
{
	unsigned int n = 0;

	while (n < 16 && (codec->reg[n] & mask) != value)
		n++;
	return n;
}

static unsigned int choose_way(const struct codec *codec, struct model_slot *slot, uint64_t old,
			       uint64_t value, uint64_t mask)
{
	unsigned int best = WAY_STEP, size = 9;

	for (unsigned int way = 0; way < WAY_NAMED; way++) {
		uint64_t left = (value - foresee(codec, slot, way, old)) & mask;
		unsigned int needs = byte_length(zigzag(left));

		if (needs < size) {
			best = way;
			size = needs;
		}
	}
	if (size > 1) {
		unsigned int n = equal_register(codec, value, mask);

		if (n < 16) {
			slot->source = (uint8_t)n;
			return WAY_NAMED;
		}
	}
	return best;
}

/* A value of the bits of @mask, kept in @slot. */
ALWAYS_INLINE uint64_t code_value(struct codec *codec, struct columns *columns, bool encoding,
				  enum trace_column lengths, struct model_slot *slot, uint64_t old,
				  uint64_t value, uint64_t mask)
{
	unsigned int way = slot->way, size;
	uint64_t left = 0;
	uint8_t head;

	if (encoding) {
		left = (value - foresee(codec, slot, way, old)) & mask;
		if (left) {
			way = choose_way(codec, slot, old, value, mask);
			left = way == WAY_NAMED ? 0
						: (value - foresee(codec, slot, way, old)) & mask;
		}
	}
	size = byte_length(zigzag(left));
	head = code_byte(columns, encoding, lengths,
			 (uint8_t)(size | (way == slot->way ? 0 : (way + 1) << 4)));
	if (!encoding) {
		size = head & 15;
		way = head >> 4 ? (head >> 4) - 1 : slot->way;
		if (size > 8 || way >= WAYS) {
			columns->failed = true;
			return 0;
		}
	}
	if (way == WAY_NAMED) {
		slot->source = code_byte(columns, encoding, lengths + 1, slot->source) & 15;
		way = WAY_COPY;
	}
	if (encoding && size)
		code_word(columns, true, lengths + 1, zigzag(left), size);
	if (!encoding) {
		left = size ? unzigzag(code_word(columns, false, lengths + 1, 0, size)) : 0;
		value = (foresee(codec, slot, way, old) + left) & mask;
	}
	slot->step = value - old;
	slot->stride = value - slot->last;
	slot->last = value;
	slot->way = (uint8_t)way;
	return value;
}

/* --- addresses of stores --- */

enum { WAY_BASE, WAY_NEXT, WAY_BEHIND, WAY_NEAR, ADDRESS_WAYS };

ALWAYS_INLINE uint64_t foresee_address(const struct codec *codec, const struct model_slot *slot,
				       unsigned int way)
{
	switch (way) {
	case WAY_BASE:
		return codec->reg[slot->source] + slot->step;
	case WAY_NEXT:
		return slot->last + slot->stride;
	case WAY_BEHIND:
		return codec->store_end;
	default:
		return codec->reg[slot->source];
	}
}

static unsigned int nearest_register(const struct codec *codec, uint64_t address)
{
	unsigned int best = 4; /* RSP */

	for (unsigned int n = 0; n < 16; n++)
		if (zigzag(address - codec->reg[n]) < zigzag(address - codec->reg[best]))
			best = n;
	return best;
}

ALWAYS_INLINE uint64_t code_address(struct codec *codec, struct columns *columns, bool encoding,
				    struct model_slot *slot, uint64_t address)
{
	unsigned int way = slot->way, size;
	uint64_t left = 0;
	uint8_t head;

	if (encoding) {
		if (address != foresee_address(codec, slot, way))
			for (way = WAY_BASE; way < WAY_NEAR; way++)
				if (address == foresee_address(codec, slot, way))
					break;
		if (way == WAY_NEAR) {
			slot->source = (uint8_t)nearest_register(codec, address);
			left = zigzag(address - codec->reg[slot->source]);
		}
	}
	size = byte_length(left);
	head = code_byte(columns, encoding, COLUMN_STORE,
			 (uint8_t)(size | (way == slot->way ? 0 : (way + 1) << 4)));
	if (!encoding) {
		size = head & 15;
		way = head >> 4 ? (head >> 4) - 1 : slot->way;
		if (size > 8 || way >= ADDRESS_WAYS) {
			columns->failed = true;
			return 0;
		}
	}
	if (way == WAY_NEAR) {
		slot->source = code_byte(columns, encoding, COLUMN_ADDRESS, slot->source) & 15;
		left = code_word(columns, encoding, COLUMN_ADDRESS, left, size);
		address = codec->reg[slot->source] + unzigzag(left);
		way = WAY_BASE;
	} else if (!encoding) {
		address = foresee_address(codec, slot, way);
	}
	slot->step = address - codec->reg[slot->source];
	slot->stride = address - slot->last;
	slot->last = address;
	slot->way = (uint8_t)way;
	return address;
}

/* --- the parts of an instruction --- */

#define HEAD_FORESEEN 0x01 /* it is where control went from the one before the last time */
#define HEAD_KNOWN    0x02 /* its bytes are the same as the last time */
#define HEAD_MASK     0x04 /* it writes more registers than it ever did */
#define HEAD_STATE    0x08
#define HEAD_STORES   0x10 /* other stores than the last time */
#define HEAD_COUNT    0x20
#define HEAD_FLAGS    0x40
#define HEAD_EVENT    0x80 /* not an instruction: the event's number, and the next */
#define HEAD_GUEST    0x40 /* LS_TRACE_GUEST, of other events */

#define ARITHMETIC UINT64_C(0x8d5) /* OF SF ZF AF PF CF */

static uint8_t flags_pack(uint64_t rflags)
{
	return (rflags & 1) | (rflags >> 1 & 2) | (rflags >> 2 & 4) | (rflags >> 3 & 8) |
	       (rflags >> 3 & 16) | (rflags >> 6 & 32);
}

static uint64_t flags_unpack(uint8_t packed)
{
	uint64_t bits = packed;

	return (bits & 1) | (bits & 2) << 1 | (bits & 4) << 2 | (bits & 8) << 3 | (bits & 16) << 3 |
	       (bits & 32) << 6;
}

#define FLAGS_WHOLE 0x80

ALWAYS_INLINE uint64_t code_rflags(struct codec *codec, struct columns *columns, bool encoding,
				   struct model_entry *entry, uint64_t value)
{
	uint64_t old = codec->reg[LS_TRACE_RFLAGS];
	bool whole = encoding && ((value ^ old) & ~ARITHMETIC);
	uint8_t byte = whole ? FLAGS_WHOLE : flags_pack(value) ^ entry->arithmetic;

	byte = code_byte(columns, encoding, COLUMN_FLAGS, byte);
	if (byte & FLAGS_WHOLE)
		value = code_word(columns, encoding, COLUMN_FLAGS, value, 8);
	else if (!encoding)
		value = (old & ~ARITHMETIC) | flags_unpack((byte ^ entry->arithmetic) & 63);
	entry->arithmetic = flags_pack(value);
	return value;
}

/* Where the instruction is, and its bytes. NULL: nonsense, or no room. */
ALWAYS_INLINE struct model_entry *code_place(struct codec *codec, struct columns *columns,
					     bool encoding, uint8_t head, uint64_t *record)
{
	struct model_entry *last = &codec->entry[codec->last], *entry;
	uint64_t beyond = last->rip + (last->code[1] >> 56), left;
	uint32_t *bucket;

	if (head & HEAD_FORESEEN) {
		codec->last = last->next;
		entry = &codec->entry[last->next];
		if (!encoding)
			memcpy(record + 2, &entry->rip, 3 * sizeof(uint64_t));
		return entry;
	}
	left = code_varint(columns, encoding, COLUMN_RIP, zigzag(record[2] - beyond));
	if (!encoding)
		record[2] = beyond + unzigzag(left);
	bucket = model_bucket(codec, record[2]);
	if (head & HEAD_KNOWN) {
		entry = &codec->entry[*bucket];
		if (!encoding)
			memcpy(record + 3, entry->code, sizeof(entry->code));
	} else {
		uint8_t length = (uint8_t)(record[4] >> 56);

		entry = model_add(codec, bucket, record[2]);
		length = code_byte(columns, encoding, COLUMN_CODE, length);
		if (!entry || length > 15)
			return NULL;
		if (!encoding)
			record[3] = record[4] = 0;
		code_bytes(columns, encoding, COLUMN_CODE, record + 3, length);
		record[4] = (record[4] & ~(UINT64_C(0xff) << 56)) | (uint64_t)length << 56;
		memcpy(entry->code, record + 3, sizeof(entry->code));
	}
	last->next = codec->last = *bucket;
	return entry;
}

ALWAYS_INLINE uint64_t *code_registers(struct codec *codec, struct columns *columns, bool encoding,
				       struct model_entry *entry, uint64_t *record)
{
	uint32_t given = (uint32_t)record[5], changed = 0;
	uint64_t *at = record + LS_TRACE_INSTRUCTION_WORDS;
	unsigned int rank = 0;

	for (uint32_t mask = entry->mask; mask; mask &= mask - 1, rank++) {
		unsigned int n = (unsigned int)__builtin_ctz(mask);
		uint64_t old = codec->reg[n];
		uint64_t value = encoding && (given >> n & 1) ? *at++ : old;

		if (n == LS_TRACE_RFLAGS)
			value = code_rflags(codec, columns, encoding, entry, value);
		else
			value = code_value(codec, columns, encoding, COLUMN_LENGTH,
					   &entry->reg[rank % MODEL_SLOTS], old, value, UINT64_MAX);
		if (!encoding && value != old) {
			*at++ = value;
			changed |= 1u << n;
		}
		codec->reg[n] = value;
	}
	if (!encoding)
		record[5] |= changed;
	return at;
}

ALWAYS_INLINE uint64_t *code_states(struct columns *columns, bool encoding, uint64_t *record,
				    uint64_t *at)
{
	unsigned int n = (unsigned int)(record[5] >> 32) & 0xffff;

	n = (unsigned int)code_varint(columns, encoding, COLUMN_STATE, n);
	if (n > (LS_TRACE_RECORD_MAX / 2 - 64) / 2) {
		columns->failed = true;
		return at;
	}
	for (unsigned int i = 0; i < n; i++, at += 2) {
		at[0] = code_varint(columns, encoding, COLUMN_STATE, at[0]);
		at[1] = code_word(columns, encoding, COLUMN_STATE, at[1], 8);
	}
	if (!encoding)
		record[5] |= (uint64_t)n << 32;
	return at;
}

/* Several that fit no pattern give their number and sizes. */
static bool stores_as_before(const struct model_entry *entry, unsigned int n, const uint64_t *at)
{
	if (n != entry->stores || n > 2)
		return false;
	for (unsigned int i = 0; i < n; at += 2 + (at[1] + 7) / 8, i++)
		if (at[1] != entry->store_size[i])
			return false;
	return true;
}

ALWAYS_INLINE uint64_t *code_store(struct codec *codec, struct columns *columns, bool encoding,
				   struct model_entry *entry, uint64_t *at)
{
	uint64_t size = at[1];

	at[0] = code_address(codec, columns, encoding, &entry->address, at[0]);
	codec->store_end = at[0] + size;
	if (size && size <= 8) {
		at[2] = code_value(codec, columns, encoding, COLUMN_STORED, &entry->data,
				   entry->rip + (entry->code[1] >> 56), at[2],
				   UINT64_MAX >> (64 - 8 * size));
	} else {
		if (!encoding && size)
			at[2 + (size + 7) / 8 - 1] = 0;
		code_bytes(columns, encoding, COLUMN_DATA, at + 2, size);
	}
	return at + 2 + (size + 7) / 8;
}

ALWAYS_INLINE uint64_t *code_stores(struct codec *codec, struct columns *columns, bool encoding,
				    struct model_entry *entry, uint8_t head, uint64_t *record,
				    uint64_t *at)
{
	unsigned int n = encoding ? (unsigned int)(record[5] >> 48) : entry->stores;

	if (head & HEAD_STORES)
		n = entry->stores = (uint16_t)code_varint(columns, encoding, COLUMN_DATA, n);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t size = encoding ? at[1] : entry->store_size[i & 1];

		if (head & HEAD_STORES)
			size = code_varint(columns, encoding, COLUMN_DATA, size);
		if (size > 8 * LS_TRACE_RECORD_MAX ||
		    at + 2 + (size + 7) / 8 > record + LS_TRACE_RECORD_MAX) {
			columns->failed = true;
			return at;
		}
		entry->store_size[i & 1] = (uint16_t)size;
		at[1] = size;
		at = code_store(codec, columns, encoding, entry, at);
	}
	if (!encoding)
		record[5] |= (uint64_t)n << 48;
	return at;
}

static uint8_t instruction_head(struct codec *codec, const uint64_t *record)
{
	uint32_t index = codec->entry[codec->last].next;
	const struct model_entry *entry = &codec->entry[index];
	uint32_t given = (uint32_t)record[5];
	unsigned int states = (unsigned int)(record[5] >> 32) & 0xffff;
	const uint64_t *stores = record + LS_TRACE_INSTRUCTION_WORDS +
				 (unsigned int)__builtin_popcount(given) + 2 * states;
	uint8_t head = HEAD_FORESEEN;

	if (!index || entry->rip != record[2] || entry->code[0] != record[3] ||
	    entry->code[1] != record[4]) {
		index = *model_bucket(codec, record[2]);
		entry = &codec->entry[index];
		head = index && entry->code[0] == record[3] && entry->code[1] == record[4]
			       ? HEAD_KNOWN
			       : 0;
	}
	if (!head) /* model_add will make a new one */
		return (given ? HEAD_MASK : 0) | (states ? HEAD_STATE : 0) |
		       (record[5] >> 48 ? HEAD_STORES : 0) |
		       (record[1] != codec->count ? HEAD_COUNT : 0) |
		       (LS_TRACE_FLAGS(record[0]) != LS_TRACE_RETIRED ? HEAD_FLAGS : 0);
	return head | (given & ~entry->mask ? HEAD_MASK : 0) | (states ? HEAD_STATE : 0) |
	       (stores_as_before(entry, (unsigned int)(record[5] >> 48), stores) ? 0
										 : HEAD_STORES) |
	       (record[1] != codec->count ? HEAD_COUNT : 0) |
	       (LS_TRACE_FLAGS(record[0]) != entry->flags ? HEAD_FLAGS : 0);
}

ALWAYS_INLINE bool code_instruction(struct codec *codec, struct columns *columns, bool encoding,
				    uint8_t head, uint64_t *record)
{
	struct model_entry *entry = code_place(codec, columns, encoding, head, record);
	uint64_t *at;

	if (!entry || entry == codec->entry) {
		columns->failed = true;
		return false;
	}
	if (head & HEAD_COUNT)
		codec->count += unzigzag(code_varint(columns, encoding, COLUMN_COUNT,
						     zigzag(record[1] - codec->count)));
	if (head & HEAD_FLAGS)
		entry->flags = code_byte(columns, encoding, COLUMN_COUNT,
					 (uint8_t)LS_TRACE_FLAGS(record[0]));
	if (head & HEAD_MASK)
		entry->mask |=
			(uint32_t)code_varint(columns, encoding, COLUMN_MASK, (uint32_t)record[5]) &
			((1u << LS_TRACE_GENERAL) - 1);
	if (!encoding) {
		record[1] = codec->count;
		record[5] = 0;
	}
	at = code_registers(codec, columns, encoding, entry, record);
	if (head & HEAD_STATE)
		at = code_states(columns, encoding, record, at);
	at = code_stores(codec, columns, encoding, entry, head, record, at);
	if (!encoding)
		record[0] = LS_TRACE_HEAD(TRACE_INSTRUCTION, entry->flags, at - record);
	codec->count += entry->flags & LS_TRACE_RETIRED;
	return !columns->failed;
}

/* --- other events --- */

ALWAYS_INLINE bool code_event(struct codec *codec, struct columns *columns, bool encoding,
			      uint8_t head, uint64_t *record)
{
	unsigned int event = head & (HEAD_GUEST - 1);
	uint64_t *field;
	unsigned int words = LS_TRACE_WORDS(record[0]);

	words = (unsigned int)code_varint(columns, encoding, COLUMN_EVENT, words);
	if (words < 2 || words > LS_TRACE_RECORD_MAX || event >= LS_TRACE_EVENTS_MAX ||
	    event == TRACE_INSTRUCTION) {
		columns->failed = true;
		return false;
	}
	field = codec->field[event];
	codec->count += unzigzag(
		code_varint(columns, encoding, COLUMN_COUNT, zigzag(record[1] - codec->count)));
	if (!encoding) {
		record[0] = LS_TRACE_HEAD(event, head & HEAD_GUEST ? LS_TRACE_GUEST : 0, words);
		record[1] = codec->count;
	}
	for (unsigned int i = 2; i < words && i - 2 < MODEL_FIELDS; i++) {
		uint64_t left = code_varint(columns, encoding, COLUMN_EVENT,
					    zigzag(record[i] - field[i - 2]));

		if (!encoding)
			record[i] = field[i - 2] + unzigzag(left);
		field[i - 2] = record[i];
	}
	if (words > 2 + MODEL_FIELDS)
		code_bytes(columns, encoding, COLUMN_DATA, record + 2 + MODEL_FIELDS,
			   8 * (size_t)(words - 2 - MODEL_FIELDS));
	return !columns->failed;
}

/* --- records --- */

void codec_encode(struct codec *codec, struct columns *columns, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);
	uint64_t *words = (uint64_t *)record; /* only written when decoding */

	if (event == TRACE_INSTRUCTION) {
		uint8_t head = instruction_head(codec, record);

		code_byte(columns, true, COLUMN_HEAD, head);
		code_instruction(codec, columns, true, head, words);
	} else {
		uint8_t head = HEAD_EVENT | event;

		head |= LS_TRACE_FLAGS(record[0]) & LS_TRACE_GUEST ? HEAD_GUEST : 0;
		code_byte(columns, true, COLUMN_HEAD, head);
		code_event(codec, columns, true, head, words);
	}
}

bool codec_decode(struct codec *codec, struct columns *columns, uint64_t *record)
{
	uint8_t head = code_byte(columns, false, COLUMN_HEAD, 0);

	record[0] = record[1] = 0;
	if (head & HEAD_EVENT)
		return code_event(codec, columns, false, head, record);
	return code_instruction(codec, columns, false, head, record);
}

bool codec_full(const struct codec *codec)
{
	return codec->entries == MODEL_ENTRIES;
}

void codec_restart(struct codec *codec)
{
	memset(codec->reg, 0, sizeof(codec->reg));
	memset(codec->field, 0, sizeof(codec->field));
	memset(codec->hash, 0, sizeof(codec->hash));
	codec->count = codec->store_end = 0;
	codec->last = 0;
	codec->entries = 1;
	codec->entry[0] = (struct model_entry){0};
}

struct codec *codec_create(void)
{
	struct codec *codec = malloc(sizeof(*codec));

	if (codec)
		codec_restart(codec);
	return codec;
}

void codec_destroy(struct codec *codec)
{
	free(codec);
}
