/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping traces: index, arena, and dropping what a write has changed. */
#include <stdlib.h>

#include "sim/cpu/code_guard.h"
#include "sim/cpu/decode.h"
#include "sim/cpu/memory.h"
#include "sim/cpu/pseudo_op.h"
#include "sim/cpu/trace_build.h"
#include "sim/cpu/trace_cache.h"

#define GUARD_AHEAD 192 /* most traces are shorter */

static size_t trace_bytes(unsigned int count)
{
	return sizeof(struct trace) + (count + 1) * sizeof(struct op);
}

/* With one that records in front of each instruction. */
struct op *trace_end(struct trace *trace)
{
	return &trace->op[trace->mode & MODE_RECORDED ? 2 * trace->count : trace->count];
}

static void recent_clear(struct trace_cache *cache)
{
	for (size_t n = 0; n < ARRAY_SIZE(cache->recent); n++)
		cache->recent[n] = cache->nowhere;
}

static void return_stack_clear(struct cpu *cpu)
{
	unsigned int n;

	for (n = 0; n < RETURN_STACK; n++)
		cpu->return_point[n] = cpu->traces->nowhere->op;
}

void trace_cache_flush(struct cpu *cpu)
{
	struct trace_cache *cache = cpu->traces;

	__builtin_memset(cache->index, 0, sizeof(cache->index));
	__builtin_memset(cache->page, 0, sizeof(cache->page));
	cache->used = 0;
	recent_clear(cache);
	return_stack_clear(cpu);
}

bool trace_cache_open(struct cpu *cpu)
{
	struct trace_cache *cache = cpu->traces = calloc(1, sizeof(*cache));

	if (!cache)
		return false;
	cache->arena = malloc(TRACE_ARENA);
	cache->nowhere = calloc(1, trace_bytes(0));
	cache->max = TRACE_MAX;
	if (!cache->arena || !cache->nowhere) {
		trace_cache_close(cpu);
		return false;
	}
	cache->nowhere->gpa = TRACE_NOWHERE;
	cache->nowhere->op[0].disp = (s64)cache->nowhere;
	recent_clear(cache);
	return_stack_clear(cpu);
	return true;
}

void trace_cache_close(struct cpu *cpu)
{
	if (!cpu->traces)
		return;
	free(cpu->traces->arena);
	free(cpu->traces->nowhere);
	free(cpu->traces);
	cpu->traces = NULL;
}

static struct trace **page_list(struct trace_cache *cache, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	return &cache->page[(gfn ^ gfn >> TRACE_PAGE_BITS) & ((1u << TRACE_PAGE_BITS) - 1)];
}

static void unindex(struct trace_cache *cache, const struct trace *trace)
{
	struct trace **bucket = cache->index[trace_hash(trace->gpa, trace->mode)];
	int way;

	for (way = 0; way < TRACE_WAYS; way++)
		if (bucket[way] == trace)
			bucket[way] = NULL;
}

/* The arena is not reused until it is flushed, so a running trace may be changed under its
 * handlers: the next one leaves. Traces of the same page may still lead to its first op. */
static void retire(struct cpu *cpu, struct trace *trace)
{
	unsigned int n;

	unindex(cpu->traces, trace);
	trace->gpa = TRACE_NOWHERE;
	trace->successor = cpu->traces->nowhere;
	trace->op[0].fn = pseudo_op_replaced;
	for (n = 1; &trace->op[n] <= trace_end(trace); n++)
		trace->op[n].fn = pseudo_op_stale;
	cpu->stats.traces_dropped++;
}

static bool overlaps(const struct trace *trace, u64 first, u64 last)
{
	return trace->gpa <= last && trace->gpa + trace->bytes > first;
}

void trace_cache_drop(struct cpu *cpu, u64 gpa, unsigned int size)
{
	u64 first = gpa & ~CODE_LINE_MASK, last = (gpa + size - 1) | CODE_LINE_MASK;
	struct trace **link = page_list(cpu->traces, gpa), *trace;

	while ((trace = *link)) {
		if (overlaps(trace, first, last)) {
			*link = trace->page_next;
			retire(cpu, trace);
		} else {
			link = &trace->page_next;
		}
	}
}

static void enter(struct trace_cache *cache, struct trace *trace)
{
	struct trace **bucket = cache->index[trace_hash(trace->gpa, trace->mode)];
	struct trace **list = page_list(cache, trace->gpa);

	bucket[1] = bucket[0];
	bucket[0] = trace;
	trace->page_next = *list;
	*list = trace;
}

/* Bytes count only if they are guarded before they are read: whoever writes them later sees to it
 * that the trace is dropped. */
static bool build_guarded(struct cpu *cpu, const struct fetch_page *page, unsigned int limit,
			  struct trace *trace)
{
	unsigned int room = PAGE_SIZE_4K - (page->gpa & PAGE_OFFSET_MASK);
	unsigned int guarded = room < GUARD_AHEAD ? room : GUARD_AHEAD;

	for (;;) {
		code_guard(cpu, page->gpa, guarded);
		if (!trace_build(cpu, page, limit, trace))
			return false;
		if (likely(trace->bytes <= guarded))
			return true;
		guarded = trace->bytes;
	}
}

static const struct trace *trace_make(struct cpu *cpu, const struct fetch_page *page, u32 mode)
{
	struct trace_cache *cache = cpu->traces;
	unsigned int limit = mode & MODE_ALONE ? 1 : cache->max;
	struct trace *trace;

	if (cache->used + trace_bytes(TRACE_MAX + 1) > TRACE_ARENA)
		trace_cache_flush(cpu);
	trace = (struct trace *)(cache->arena + cache->used);
	if (!build_guarded(cpu, page, limit, trace))
		return NULL;
	trace->mode = mode;
	if (mode & MODE_ALONE)
		trace_end(trace)->fn = pseudo_op_leave;
	cache->used += (trace_bytes(trace_end(trace) - trace->op) + 15) & ~(size_t)15;
	enter(cache, trace);
	cpu->stats.traces_built++;
	return trace;
}

static const struct trace *trace_get_in_mode(struct cpu *cpu, u32 mode)
{
	struct fetch_page page;
	const struct trace *trace;

	fetch_translate(cpu, &page);
	trace = trace_index_find(cpu->traces, page.gpa, mode);
	if (!trace && page.cacheable)
		trace = trace_make(cpu, &page, mode);
	if (trace && fetch_within_limit(cpu, trace->bytes))
		return trace;
	return trace_get_scratch(cpu, 1);
}

ALWAYS_INLINE const struct trace *get(struct cpu *cpu, u32 mode)
{
	const struct trace *trace = NULL;

	if ((mode & MODE_CODE_MASK) == MODE_CODE64)
		trace = trace_find_in(cpu, cpu->reg[REG_RIP], mode);
	return likely(trace) ? trace : trace_get_in_mode(cpu, mode);
}

const struct trace *trace_get(struct cpu *cpu)
{
	return get(cpu, cpu->mode);
}

const struct trace *trace_get_alone(struct cpu *cpu)
{
	return get(cpu, cpu->mode | MODE_ALONE);
}

const struct trace *trace_get_scratch(struct cpu *cpu, unsigned int limit)
{
	struct trace *trace = (struct trace *)cpu->traces->scratch;
	struct fetch_page page;

	fetch_translate(cpu, &page);
	if (limit > TRACE_MAX)
		limit = TRACE_MAX;
	return_stack_clear(cpu); /* it may point into what is overwritten now */
	if (!page.cacheable || !trace_build(cpu, &page, limit, trace))
		trace_build_crossing(cpu, &page, trace);
	trace_end(trace)->fn = pseudo_op_leave;
	return trace;
}
