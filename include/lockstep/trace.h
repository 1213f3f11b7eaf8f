/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine tells of a run: records of 64-bit words, written into a sink that its user gave
 * it. traces/events.def has the events and their fields. A record is
 *
 *   word 0   event, flags, and the number of words with this one (LS_TRACE_HEAD)
 *   word 1   instructions that the vCPU had retired when it happened
 *   ...      the fields of the event's row, a word each; bytes, where the row has them, at the end
 *
 * The event "instruction" has a layout of its own, because there are so many:
 *
 *   word 2   RIP; 0 where there are no bytes
 *   word 3,4 the instruction's bytes, padded with zeros; bits 63:56 of word 4: how many (0: none;
 * see LS_TRACE_RETIRED) word 5   bits 31:0 registers whose values changed, by the order of the
 * state table's first rows (RAX to R15, RIP, RFLAGS); bits 47:32 other state that changed; bits
 * 63:48 stores
 *   ...      the registers' values; for other state a pair {LS_TRACE_STATE, value}; for each store
 * its linear address, its number of bytes, and these, padded to whole words
 */
#ifndef LOCKSTEP_TRACE_H
#define LOCKSTEP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Most words of a record. */
#define LS_TRACE_RECORD_MAX 4096u
#define LS_TRACE_EVENTS_MAX 64u

#define LS_TRACE_HEAD(event, flags, words)                                                         \
	((uint64_t)(event) | (uint64_t)(flags) << 8 | (uint64_t)(words) << 16)
#define LS_TRACE_EVENT(head) ((unsigned int)(head)&0xff)
#define LS_TRACE_FLAGS(head) ((unsigned int)((head) >> 8) & 0xff)
#define LS_TRACE_WORDS(head) ((unsigned int)((head) >> 16) & 0xffff)

/* Of instructions: it has retired. Without it and with bytes: what it had done when it was broken
 * off (a REP instruction), or the first part of a record that is too long. Without bytes: changes
 * between instructions, by the delivery of an event or from outside. */
#define LS_TRACE_RETIRED 1u
/* Not of the run: the whole state where a chunk begins; registers that it leaves out are 0. */
#define LS_TRACE_SNAPSHOT 2u
/* Of any event: it happened in a guest of the machine's own hypervisor, VMX non-root operation or
 * between VMRUN and #VMEXIT. */
#define LS_TRACE_GUEST 4u

#define LS_TRACE_INSTRUCTION_WORDS 6u
#define LS_TRACE_GENERAL           18u /* registers that word 5 has bits for */
#define LS_TRACE_RIP               16u
#define LS_TRACE_RFLAGS            17u

/* Row of the state table, element of an array, and which 64 bits of it. */
#define LS_TRACE_STATE(row, element, part)                                                         \
	((uint64_t)(row) | (uint64_t)(element) << 16 | (uint64_t)(part) << 32)

/* One vCPU's. Whoever writes appends at `at`, and calls `full` first if less than
 * LS_TRACE_RECORD_MAX words are left before `end`; `full` makes that much room. Used by the thread
 * that runs the vCPU, and by others only while it does not run. */
struct ls_trace_sink {
	uint64_t events; /* bit set of those that are wanted, by number */
	uint64_t *at, *end;
	void (*full)(struct ls_trace_sink *sink);
};

static inline bool ls_trace_wants(const struct ls_trace_sink *sink, unsigned int event)
{
	return sink && (sink->events >> event & 1);
}

/* Where a record may be written. */
static inline uint64_t *ls_trace_room(struct ls_trace_sink *sink)
{
	if (sink->end - sink->at < (intptr_t)LS_TRACE_RECORD_MAX)
		sink->full(sink);
	return sink->at;
}

#endif
