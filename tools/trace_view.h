/* SPDX-License-Identifier: Apache-2.0 */
/* A trace file with the part of it that is asked for, as the `lockstep trace` commands share it. */
#ifndef LOCKSTEP_TOOLS_TRACE_VIEW_H
#define LOCKSTEP_TOOLS_TRACE_VIEW_H

#include <glib.h>

#include "machine/symbols.h"
#include "tools/progress.h"
#include "traces/reader.h"

struct trace_view {
	struct trace_reader *reader;
	/* options; owned */
	char *from_text, *to_text, *events_text, *vcpu_text, *limit_text, *level_text;
	char **symbol_files;
	/* made of them */
	uint64_t from, to, events, vcpu, limit, level; /* vcpu, level: UINT64_MAX for all */
	struct symbols symbols;
	bool snapshots; /* they are wanted, too */
	bool long_work; /* nothing is printed meanwhile: how far it has come is shown */
	/* while it is read */
	struct trace_cursor *cursor;
	size_t chunk; /* the next one */
	bool in_chunk;
	uint64_t only, left;     /* the vCPU, UINT64_MAX for all; records within the limit */
	unsigned int rights_row; /* of the state table: CS access rights */
	unsigned int code_bits;  /* of the vCPU at the record: 16, 32 or 64; 0: unknown */
	size_t chunks_read;
	struct progress progress;
	bool bad_options; /* what went wrong */
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
		{"level",                                                                           \
		 0,                                                                                 \
		 0,                                                                                 \
		 G_OPTION_ARG_STRING,                                                               \
		 &(view)->level_text,                                                               \
		 "Only what runs at hypervisor level N, with the VM entries and exits to and "      \
		 "from "                                                                            \
		 "it: 1 the machine, 2 its hypervisor's guests",                                    \
		 "N"},                                                                              \
	{                                                                                           \
		"symbols", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &(view)->symbol_files,                \
			"Names of functions, from an ELF file or a System.map (repeatable)",        \
			"FILE"                                                                      \
	}

int trace_view_open(struct trace_view *view, const char *path, struct ls_error *err);
void trace_view_close(struct trace_view *view);
/* The exit status: says what is in @err, if anything is. */
int trace_view_status(const struct trace_view *view, const struct ls_error *err);
unsigned int trace_view_vcpus(const struct trace_view *view);
/* The next record that is asked for, in the order of the file, or of the vCPU that the view was
 * rewound to; valid until the next call. False at the end, or with *err filled. */
bool trace_view_next(struct trace_view *view, unsigned int *vcpu, const uint64_t **record,
		     struct ls_error *err);
/* From the beginning, @vcpu only; none if the options ask for another. */
void trace_view_rewind(struct trace_view *view, unsigned int vcpu);
/* The same from the chunk on in which it has retired @count instructions. */
void trace_view_rewind_to(struct trace_view *view, unsigned int vcpu, uint64_t count);
/* "main+0x10", or "" with no symbol there. */
const char *trace_view_symbol(const struct trace_view *view, uint64_t address, char *text,
			      size_t size);
/* "YMM3[1]", "CS base": for the key of a state pair. */
const char *trace_view_state(const struct trace_view *view, uint64_t key, char *text, size_t size);
/* The name of a control block's field, as the head has it; NULL: it has none. */
const char *trace_view_control(const struct trace_view *view, uint64_t vendor, uint64_t field);

#endif
