/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching and decoding a trace. */
#ifndef LOCKSTEP_SIM_CPU_TRACE_BUILD_H
#define LOCKSTEP_SIM_CPU_TRACE_BUILD_H

#include "sim/cpu/trace_cache.h"

/* Where RIP's byte lies. */
struct fetch_page {
	u64 linear;
	u64 gpa;
	const u8 *host; /* the byte itself; readable to the end of its 4 KiB page */
	bool cacheable; /* in a memory slot */
};

/* Translates RIP for fetching. Raises #GP(0) beyond the segment limit or non-canonical, #PF. */
void fetch_translate(struct cpu *cpu, struct fetch_page *page);

/* True if @bytes from RIP on lie within CS's limit (always in 64-bit mode). */
bool fetch_within_limit(const struct cpu *cpu, unsigned int bytes);

/* Decodes up to @limit instructions into @trace. False if already the first one crosses into the
 * next page. */
bool trace_build(struct cpu *cpu, const struct fetch_page *page, unsigned int limit,
		 struct trace *trace);
/* One instruction whose bytes may lie in two pages, or outside memory slots. */
void trace_build_crossing(struct cpu *cpu, const struct fetch_page *page, struct trace *trace);

#endif
