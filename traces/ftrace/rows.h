/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of export.def: how an event of ftrace is made of a record, and what its bytes are. */
#ifndef LOCKSTEP_TRACES_FTRACE_ROWS_H
#define LOCKSTEP_TRACES_FTRACE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "traces/events.h"

#define FTRACE_ROW_FIELDS 8

/* What events of ftrace begin with. */
struct ftrace_common {
	uint16_t common_type;
	uint8_t common_flags, common_preempt_count;
	int common_pid;
};

/* What a record alone does not say. */
struct ftrace_context {
	unsigned int vcpu;
	uint64_t rip; /* of the last entry */
};

/* An event's bytes, as the file describes them. */
struct ftrace_layout {
	size_t size;
	unsigned int fields;
	struct {
		const char *type, *name;
		size_t offset, size;
		bool is_signed;
	} field[FTRACE_ROW_FIELDS];
};

struct ftrace_row {
	const char *name, *print;
	enum trace_event event;
	size_t fields_size; /* of the record */
	void (*fill)(void *to, const void *fields, const struct ftrace_context *x);
	void (*describe)(struct ftrace_layout *to);
};

extern const struct ftrace_row ftrace_row[];
extern const unsigned int ftrace_row_count;

#endif
