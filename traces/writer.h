/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a trace file. Each vCPU has a sink; what they fill is encoded, compressed and written by
 * a thread. The same records give the same file, however the threads run.
 */
#ifndef LOCKSTEP_TRACES_WRITER_H
#define LOCKSTEP_TRACES_WRITER_H

#include <lockstep/error.h>
#include <lockstep/trace.h>

struct trace_writer;

/* What the file begins with. */
enum trace_trigger {
	TRACE_FROM_START,
	TRACE_FROM_COUNT, /* a vCPU has retired so many instructions */
	TRACE_FROM_EVENT, /* of that number */
	TRACE_FROM_RIP,   /* the instruction at that address */
};

/* Bit set of the events by which a writer sees it. */
uint64_t trace_trigger_events(enum trace_trigger trigger, uint64_t value);

struct trace_writer_config {
	const char *path;
	unsigned int vcpus;
	uint64_t events; /* bit set of those that are wanted */
	uint64_t keep;   /* a ring: at least so many of the last records of all; 0: everything */
	enum trace_trigger trigger;
	uint64_t trigger_value;
	uint64_t until;   /* no record of a vCPU that has retired so many instructions; 0: no end */
	const char *text; /* lines "KEY VALUE" about the run; may be NULL */
};

/* Begins the file. NULL: *err says why. */
struct trace_writer *trace_writer_open(const struct trace_writer_config *config,
				       struct ls_error *err);
struct ls_trace_sink *trace_writer_sink(struct trace_writer *writer, unsigned int vcpu);
/* Writes what is left and the index, and frees @writer. 0, or -errno with *err filled if any write
 * has failed. */
int trace_writer_close(struct trace_writer *writer, struct ls_error *err);

#endif
