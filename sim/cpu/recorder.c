/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/recorder.h"
#include "sim/cpu/address_space.h"

#include <stdlib.h>

#include "sim/cpu/decode.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/opcode_flags.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/state_table.h"

/* What an instruction may write beside general registers, RIP, RFLAGS and memory. */
enum reach { REACH_GENERAL, REACH_ALL };

#define PLACES_MAX  900u
#define STORE_WORDS 1024u
/* Elements of a REP instruction that lie behind each other are one store up to so many bytes. */
#define STORE_BYTES 4096u

/* 64 bits of the state table that are looked at. */
struct place {
	u64 key;
	const struct state_field *field;
	u16 element, part;
};

struct recorder {
	struct ls_trace_sink *sink;
	struct walk_steps steps;
	/* the instruction that was begun */
	bool begun;
	u8 reach;
	bool all;   /* anything may have changed */
	bool guest; /* it began in a guest */
	u64 rip, bytes[2], count;
	/* the values that the last record left */
	u64 reg[LS_TRACE_GENERAL];
	u64 value[PLACES_MAX];
	/* what it has stored so far, as in a record */
	unsigned int stores, store_words, last_store;
	u64 store[STORE_WORDS];
	unsigned int places;
	struct place place[PLACES_MAX];
};

/* --- the other state --- */

/* A performance counter, whose value is made true whenever a run is left: no place of the guest's.
 */
static bool is_counter(const struct state_field *field)
{
	size_t general = offsetof(struct cpu, msr[MSR_PMC0]);
	size_t fixed = offsetof(struct cpu, msr[MSR_FIXED_CTR0]);

	return (field->offset >= general && field->offset < general + 8 * PMU_GENERAL) ||
	       (field->offset >= fixed && field->offset < fixed + 8 * PMU_FIXED);
}

static bool is_watched(const struct state_field *field)
{
	return field->group != STATE_GENERAL && field->group != STATE_EVENT && !is_counter(field);
}

static void list_places(struct recorder *recorder)
{
	for (unsigned int row = 0; row < state_field_count; row++) {
		const struct state_field *field = &state_fields[row];
		unsigned int elements = field->count ? field->count : 1;
		unsigned int parts = (field->bits + 63u) / 64;

		if (!is_watched(field))
			continue;
		for (unsigned int i = 0; i < elements * parts && recorder->places < PLACES_MAX;
		     i++) {
			struct place *place = &recorder->place[recorder->places++];

			place->field = field;
			place->element = (u16)(i / parts);
			place->part = (u16)(i % parts);
			place->key = LS_TRACE_STATE(row, place->element, place->part);
		}
	}
}

static u64 place_value(const struct cpu *cpu, const struct place *place)
{
	u64 value;

	if (!place->part)
		return state_value(cpu, place->field, place->element);
	__builtin_memcpy(&value,
			 (const u8 *)cpu + place->field->offset +
				 (size_t)place->element * place->field->stride + 8u * place->part,
			 sizeof(value));
	return value;
}

/* --- records --- */

/* Which of RAX to R15 differ from what they were. */
static u32 changed_registers(const struct cpu *cpu, const struct recorder *recorder)
{
	typedef u64 four __attribute__((vector_size(32), aligned(8)));
	u32 changed = 0;

	for (unsigned int n = 0; n < 16; n += 4) {
		four a = *(const four *)&cpu->reg[n], b = *(const four *)&recorder->reg[n];
		typedef double four_doubles __attribute__((vector_size(32)));

		changed |= (u32)__builtin_ia32_movmskpd256((four_doubles)(a != b)) << n;
	}
	return changed;
}

static u64 *put_general(struct cpu *cpu, struct recorder *recorder, u64 *at, u64 *given)
{
	u32 changed = changed_registers(cpu, recorder);
	u64 rflags = cpu_rflags(cpu);

	*given = changed;
	for (; changed; changed &= changed - 1) {
		unsigned int n = (unsigned int)__builtin_ctz(changed);

		*at++ = recorder->reg[n] = cpu->reg[n];
	}
	if (rflags != recorder->reg[LS_TRACE_RFLAGS]) {
		*given |= BIT(LS_TRACE_RFLAGS);
		*at++ = recorder->reg[LS_TRACE_RFLAGS] = rflags;
	}
	return at;
}

static u64 *put_other(const struct cpu *cpu, struct recorder *recorder, u64 *at, u64 *given)
{
	for (unsigned int n = 0; n < recorder->places; n++) {
		u64 value = place_value(cpu, &recorder->place[n]);

		if (value == recorder->value[n])
			continue;
		*at++ = recorder->place[n].key;
		*at++ = recorder->value[n] = value;
		*given += BIT(32);
	}
	return at;
}

/* Writes what happened since the last record. An instruction that neither retired nor changed a
 * register did not happen: it will be run again, or has faulted. */
static void write_record(struct cpu *cpu, struct recorder *recorder, bool retired, bool more)
{
	u64 *record = ls_trace_room(recorder->sink);
	u64 *at = record + LS_TRACE_INSTRUCTION_WORDS, given;

	at = put_general(cpu, recorder, at, &given);
	if (unlikely(recorder->all || recorder->reach))
		at = put_other(cpu, recorder, at, &given);
	if (!retired && !more && !given && (recorder->begun || !recorder->stores)) {
		recorder->stores = recorder->store_words = 0;
		return;
	}
	if (recorder->stores) {
		__builtin_memcpy(at, recorder->store, recorder->store_words * sizeof(*at));
		at += recorder->store_words;
		given |= (u64)recorder->stores << 48;
		recorder->stores = recorder->store_words = 0;
	}
	record[0] = LS_TRACE_HEAD(TRACE_INSTRUCTION,
				  (retired ? LS_TRACE_RETIRED : 0) |
					  (recorder->guest ? LS_TRACE_GUEST : 0),
				  at - record);
	record[1] = recorder->count;
	record[2] = recorder->begun ? recorder->rip : 0;
	record[3] = recorder->begun ? recorder->bytes[0] : 0;
	record[4] = recorder->begun ? recorder->bytes[1] : 0;
	record[5] = given;
	recorder->sink->at = at;
}

/* @count: instructions retired by now. */
static void finish(struct cpu *cpu, struct recorder *recorder, u64 count)
{
	bool retired = recorder->begun && count != recorder->count;

	if (!recorder->begun) {
		recorder->count = count;
		recorder->guest = cpu->guest;
	}
	if (recorder->begun || recorder->all || recorder->stores)
		write_record(cpu, recorder, retired, false);
	recorder->begun = recorder->all = false;
}

static NOINLINE void step(struct cpu *cpu, const struct op *op)
{
	struct recorder *recorder = cpu->recorder;
	u64 count = cpu_retired(cpu) + op->number;

	finish(cpu, recorder, count);
	recorder->begun = true;
	recorder->guest = cpu->guest;
	recorder->reach = op->is4;
	recorder->rip = OP_RIP(cpu, op);
	recorder->bytes[0] = op->imm;
	recorder->bytes[1] = (u64)op->disp;
	recorder->count = count;
}

static HANDLER(record_instruction)
{
	step(cpu, op);
	NEXT;
}

void recorder_settle(struct cpu *cpu, bool all)
{
	struct recorder *recorder = cpu->recorder;

	if (!recorder_sees(cpu, RECORDER_INSTRUCTIONS))
		return;
	finish(cpu, recorder, cpu_retired(cpu));
	recorder->all = all;
}

/* --- stores --- */

u64 recorder_count(const struct cpu *cpu)
{
	if (cpu->recorder->begun)
		return cpu->recorder->count;
	return cpu_retired(cpu) + (cpu->op ? cpu->op->number : 0);
}

static void record_access(struct cpu *cpu, u64 linear, u64 gpa, const void *bytes,
			  unsigned int size, bool write)
{
	u64 value = 0;

	__builtin_memcpy(&value, bytes, size < sizeof(value) ? size : sizeof(value));
	RECORD(cpu, MEMORY_ACCESS, .linear = linear, .address = gpa, .size = size, .write = write,
	       .value = value);
}

void recorder_load(struct cpu *cpu, u64 linear, u64 gpa, const void *bytes, unsigned int size)
{
	record_access(cpu, linear, gpa, bytes, size, false);
}

void recorder_walk(struct cpu *cpu, u64 linear, unsigned int access)
{
	struct walk_steps *steps = cpu->walk.steps;

	for (unsigned int n = 0; n < steps->count; n++) {
		const struct walk_step *step = &steps->step[n];

		RECORD(cpu, WALK_STEP, .linear = linear, .access = access, .level = step->level,
		       .address = step->address, .entry = step->entry, .second = step->second,
		       .translated = step->translated);
	}
	steps->count = 0;
}

static bool extends_last(const struct recorder *recorder, u64 linear, unsigned int size)
{
	const u64 *last = &recorder->store[recorder->last_store];

	return recorder->stores && size <= 8 && last[0] + last[1] == linear &&
	       last[1] % 8 + size <= 8 && last[1] + size <= STORE_BYTES;
}

static void add_store(struct cpu *cpu, u64 linear, const void *from, unsigned int size)
{
	struct recorder *recorder = cpu->recorder;
	unsigned int words = (size + 7) / 8;
	u64 *at;

	if (extends_last(recorder, linear, size)) {
		u64 *last = &recorder->store[recorder->last_store];

		if (last[1] % 8 == 0 && recorder->store_words == STORE_WORDS) {
			write_record(cpu, recorder, false, true); /* too long: a part ahead */
		} else {
			if (last[1] % 8 == 0)
				recorder->store[recorder->store_words++] = 0;
			__builtin_memcpy((u8 *)(last + 2) + last[1], from, size);
			last[1] += size;
			return;
		}
	}
	if (recorder->store_words + 2 + words > STORE_WORDS)
		write_record(cpu, recorder, false, true);
	recorder->last_store = recorder->store_words;
	at = &recorder->store[recorder->store_words];
	at[0] = linear;
	at[1] = size;
	at[1 + words] = 0;
	__builtin_memcpy(at + 2, from, size);
	recorder->store_words += 2 + words;
	recorder->stores++;
}

void recorder_store(struct cpu *cpu, u64 linear, u64 gpa, const void *from, unsigned int size)
{
	record_access(cpu, linear, gpa, from, size, true);
	if (recorder_sees(cpu, RECORDER_INSTRUCTIONS))
		add_store(cpu, linear, from, size);
}

/* --- ops --- */

static bool reaches_general_only(const struct opcode_row *row, u32 mode)
{
	if (!row || (mode & MODE_CET) || (row->flags & (X87 | MMX | SSE | AVX)))
		return false;
	return (row->flags & (NOFAULT | BRANCH)) ||
	       ((row->flags & USER) && row->gate == FEATURE_BASE);
}

void recorder_op(struct op *record, const struct op *op, const struct opcode_row *row,
		 const u8 *bytes, u32 mode)
{
	u64 code[2] = {0, 0};

	__builtin_memcpy(code, bytes, op->length);
	*record = (struct op){
		.fn = record_instruction,
		.imm = code[0],
		.disp = (s64)(code[1] | (u64)op->length << 56),
		.offset = op->offset,
		.number = op->number,
		.flags = op->flags & OP_CODE64,
		.is4 = reaches_general_only(row, mode) ? REACH_GENERAL : REACH_ALL,
	};
}

/* --- watching --- */

/* The first record has everything that is not 0. */
static void forget_values(struct recorder *recorder)
{
	__builtin_memset(recorder->reg, 0, sizeof(recorder->reg));
	__builtin_memset(recorder->value, 0, sizeof(recorder->value));
	recorder->begun = false;
	recorder->all = true;
	recorder->stores = recorder->store_words = 0;
}

static unsigned int wants_of(const struct ls_trace_sink *sink)
{
	if (ls_trace_wants(sink, TRACE_MEMORY_ACCESS))
		return RECORDER_LOADS | RECORDER_STORES |
		       (ls_trace_wants(sink, TRACE_INSTRUCTION) ? RECORDER_INSTRUCTIONS : 0);
	return ls_trace_wants(sink, TRACE_INSTRUCTION) ? RECORDER_INSTRUCTIONS | RECORDER_STORES
						       : 0;
}

bool recorder_watch(struct cpu *cpu, struct ls_trace_sink *sink)
{
	struct recorder *recorder = cpu->recorder;

	if (recorder)
		recorder_settle(cpu, true);
	if (!sink) {
		free(recorder);
		cpu->recorder = NULL;
		cpu->recorder_wants = 0;
		cpu->walk.steps = NULL;
	} else {
		if (!recorder) {
			recorder = calloc(1, sizeof(*recorder));
			if (!recorder)
				return false;
			list_places(recorder);
			cpu->recorder = recorder;
		}
		recorder->sink = sink;
		cpu->recorder_wants = wants_of(sink);
		cpu->walk.steps = ls_trace_wants(sink, TRACE_WALK_STEP) ? &recorder->steps : NULL;
		forget_values(recorder);
	}
	cpu_drop_tags(cpu); /* no world keeps a tag that hides accesses, or lacks one */
	cpu_update_mode(cpu);
	return true;
}

struct ls_trace_sink *recorder_sink(const struct cpu *cpu)
{
	return cpu->recorder->sink;
}
