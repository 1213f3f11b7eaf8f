/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor tells its watcher. Nobody watches: cpu->recorder is NULL, and no handler knows
 * of it. Somebody does: traces are built with an op in front of each instruction (MODE_RECORDED),
 * which compares the registers with those before and writes a record; the TLB gives no permission
 * to write, so that every store takes the slow path and is seen.
 */
#ifndef LOCKSTEP_SIM_CPU_RECORDER_H
#define LOCKSTEP_SIM_CPU_RECORDER_H

#include "sim/cpu/op.h"
#include "sim/cpu/opcode_table.h"
#include "traces/events.h"

struct recorder;

/* Begins, changes or (@sink NULL) ends watching. Between runs. False: no memory. */
bool recorder_watch(struct cpu *cpu, struct ls_trace_sink *sink);
struct ls_trace_sink *recorder_sink(const struct cpu *cpu);

/* Makes the op that goes in front of @op, an instruction of @bytes. */
void recorder_op(struct op *record, const struct op *op, const struct opcode_row *row,
		 const u8 *bytes, u32 mode);
/* Why some accesses may not be left to the TLB. */
enum { RECORDER_INSTRUCTIONS = 1, RECORDER_STORES = 2, RECORDER_LOADS = 4 };
ALWAYS_INLINE bool recorder_sees(const struct cpu *cpu, unsigned int what)
{
	return unlikely(cpu->recorder_wants & what);
}

void recorder_load(struct cpu *cpu, u64 linear, u64 gpa, const void *bytes, unsigned int size);
void recorder_store(struct cpu *cpu, u64 linear, u64 gpa, const void *from, unsigned int size);
/* The steps of a walk that is over. */
void recorder_walk(struct cpu *cpu, u64 linear, unsigned int access);
/* Between instructions: the last one's record is written if it is not yet. What comes next may
 * change anything if @all. */
void recorder_settle(struct cpu *cpu, bool all);

/* How many instructions had retired before the one in progress. */
u64 recorder_count(const struct cpu *cpu);

/* RECORD(cpu, EXCEPTION, .vector = 14, ...) */
#define RECORD(cpu, identifier, ...) RECORD_BYTES(cpu, identifier, NULL, 0, __VA_ARGS__)
#define RECORD_BYTES(cpu, identifier, bytes, size, ...)                                            \
	do {                                                                                       \
		if (unlikely((cpu)->recorder))                                                     \
			TRACE_EMIT_FLAGS(recorder_sink(cpu), recorder_count(cpu),                  \
					 (cpu)->guest ? LS_TRACE_GUEST : 0, identifier, bytes,     \
					 size, __VA_ARGS__);                                       \
	} while (0)

#endif
