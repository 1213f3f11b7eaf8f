/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-decoded straight-line code, keyed by guest-physical address and mode. A trace stays within
 * one 4 KiB page. It ends after an instruction that may change what decoding depends on, after an
 * unconditional branch (but for short jumps forward), at the page's edge or at TRACE_MAX instructions;
 * a conditional branch that is not taken goes on inside it.
 */
#ifndef LOCKSTEP_SIM_CPU_TRACE_CACHE_H
#define LOCKSTEP_SIM_CPU_TRACE_CACHE_H

#include "sim/cpu/op.h"

#define TRACE_MAX         32
#define TRACE_INDEX_BITS  15
#define TRACE_WAYS        2
#define TRACE_RECENT_BITS 10
#define TRACE_PAGE_BITS   13
#define TRACE_ARENA       (12u << 20) /* bytes of ops a vCPU keeps; full means start over */
#define TRACE_NOWHERE     UINT64_MAX  /* gpa of a trace that was dropped */

struct trace {
	u64 gpa;   /* of the first byte */
	u32 mode;  /* MODE_* it was decoded in */
	u16 count; /* instructions */
	u16 bytes;
	union {
		struct trace *page_next;       /* other traces of pages with the same hash */
		const struct trace *successor; /* dropped: what was found in its place */
	};
	struct op op[]; /* count, and a pseudo-op that leaves or falls through */
};

struct trace_cache {
	struct trace *index[1u << TRACE_INDEX_BITS][TRACE_WAYS];
	struct trace *page[1u << TRACE_PAGE_BITS];
	const struct trace *recent[1u << TRACE_RECENT_BITS]; /* guesses, by RIP */
	struct trace *nowhere; /* guess of branches that have gone nowhere yet: is at no address */
	u8 *arena;
	size_t used;
	unsigned int max; /* instructions a trace: TRACE_MAX, or 1 with interp.trace=0 */
	u8 scratch[sizeof(struct trace) + (TRACE_MAX + 2) * sizeof(struct op)]
		__attribute__((aligned(16)));
};

bool trace_cache_open(struct cpu *cpu); /* false: no memory */
void trace_cache_close(struct cpu *cpu);
void trace_cache_flush(struct cpu *cpu);
/* A write of @size bytes, within one page, hit code: drops the traces from the lines of 64 bytes
 * that it touched. The one that runs leaves after the instruction that wrote. */
void trace_cache_drop(struct cpu *cpu, u64 gpa, unsigned int size);

/* The pseudo-op behind the last instruction. */
struct op *trace_end(struct trace *trace);

/* The trace at RIP, made if need be; raises what fetching raises. */
const struct trace *trace_get(struct cpu *cpu);
/* The instruction at RIP as a trace of its own, which nothing is linked to. */
const struct trace *trace_get_alone(struct cpu *cpu);
/* The next @limit instructions at RIP, made for one use, valid until the next call. */
const struct trace *trace_get_scratch(struct cpu *cpu, unsigned int limit);

ALWAYS_INLINE u32 trace_hash(u64 gpa, u32 mode)
{
	u64 key = gpa ^ (u64)mode << 20;

	return (key ^ key >> TRACE_INDEX_BITS) & ((1u << TRACE_INDEX_BITS) - 1);
}

ALWAYS_INLINE const struct trace *trace_index_find(const struct trace_cache *cache, u64 gpa,
						   u32 mode)
{
	struct trace *const *bucket = cache->index[trace_hash(gpa, mode)];
	int way;

	for (way = 0; way < TRACE_WAYS; way++)
		if (bucket[way] && bucket[way]->gpa == gpa && bucket[way]->mode == mode)
			return bucket[way];
	return NULL;
}

/* 64-bit code only: the trace at @rip if it exists and the code TLB knows the page. @mode: the
 * current one, perhaps with MODE_ALONE. */
ALWAYS_INLINE const struct trace *trace_find_in(struct cpu *cpu, u64 rip, u32 mode)
{
	const struct tlb_code_entry *entry = tlb_code_slot(&cpu->tlb, rip);

	if (unlikely(entry->tag != tlb_tag(rip, 1, cpu->code_context)))
		return NULL;
	return trace_index_find(cpu->traces, entry->gpa | (rip & PAGE_OFFSET_MASK), mode);
}

ALWAYS_INLINE const struct trace *trace_find(struct cpu *cpu, u64 rip)
{
	return trace_find_in(cpu, rip, cpu->mode);
}

/* Where indirect branches look for the trace at @rip first: a guess, never trusted. */
ALWAYS_INLINE const struct trace **trace_recent(struct cpu *cpu, u64 rip)
{
	return &cpu->traces->recent[(rip ^ rip >> TRACE_RECENT_BITS) &
				    ((1u << TRACE_RECENT_BITS) - 1)];
}

/* 64-bit code only: true if @guess, found in this mode before, is the trace at @rip. */
ALWAYS_INLINE bool trace_is_at(struct cpu *cpu, const struct trace *guess, u64 rip)
{
	const struct tlb_code_entry *entry = tlb_code_slot(&cpu->tlb, rip);

	return likely(entry->tag == tlb_tag(rip, 1, cpu->code_context)) &&
	       likely(guess->gpa == (entry->gpa | (rip & PAGE_OFFSET_MASK)));
}

#endif
