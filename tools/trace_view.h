/* SPDX-License-Identifier: Apache-2.0 */
/* A trace file with the part of it that is asked for, as the `lockstep trace` commands share it. */
#ifndef LOCKSTEP_TOOLS_TRACE_VIEW_H
#define LOCKSTEP_TOOLS_TRACE_VIEW_H

#include <glib.h>

#include "machine/symbols.h"
#include "traces/reader.h"

struct trace_view {
	struct trace_reader *reader;
	/* options; owned */
	char *from_text, *to_text, *events_text, *vcpu_text, *limit_text;
	char **symbol_files;
	/* made of them */
	uint64_t from, to, events, vcpu, limit; /* vcpu: UINT64_MAX for all */
	struct symbols symbols;
	/* while a chunk is read */
	unsigned int code_bits; /* of the vCPU at the record: 16, 32 or 64; 0: unknown */
};

/* Those of the options that select records. */
#define TRACE_VIEW_OPTIONS(view)                                                                    \
	{"from",                                                                                    \
	 0,                                                                                         \
	 0,                                                                                         \
	 G_OPTION_ARG_STRING,                                                                       \
	 &(view)->from_text,                                                                        \
	 "Begin where a vCPU has retired N instructions",                                           \
	 "N"},                                                                                      \
		{"to", 0, 0, G_OPTION_ARG_STRING, &(view)->to_text, "End before N instructions",    \
		 "N"},                                                                              \
		{"events",   0, 0, G_OPTION_ARG_STRING, &(view)->events_text, "Only these events",  \
		 "EVENT,..."},                                                                      \
		{"vcpu", 0, 0, G_OPTION_ARG_STRING, &(view)->vcpu_text, "Only this vCPU", "N"},     \
		{"limit", 0, 0, G_OPTION_ARG_STRING, &(view)->limit_text, "Only the first N", "N"}, \
	{                                                                                           \
		"symbols", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &(view)->symbol_files,                \
			"Names of functions, from an ELF file or a System.map (repeatable)",        \
			"FILE"                                                                      \
	}

int trace_view_open(struct trace_view *view, const char *path, struct ls_error *err);
void trace_view_close(struct trace_view *view);
/* Calls @visit with each record that is asked for, but snapshots, in the order of the file; ends
 * with *err filled, or when @visit returns false. */
int trace_view_each(struct trace_view *view,
		    bool (*visit)(struct trace_view *view, void *opaque, unsigned int vcpu,
				  const uint64_t *record),
		    void *opaque, struct ls_error *err);
/* "main+0x10", or "" with no symbol there. */
const char *trace_view_symbol(const struct trace_view *view, uint64_t address, char *text,
			      size_t size);
/* "YMM3[1]", "CS base": for the key of a state pair. */
const char *trace_view_state(const struct trace_view *view, uint64_t key, char *text, size_t size);

#endif
