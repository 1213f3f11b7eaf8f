/* SPDX-License-Identifier: Apache-2.0 */
/* The value of --trace: FILE[:EVENT,...][@TRIGGER]. */
#ifndef LOCKSTEP_TOOLS_TRACE_SPEC_H
#define LOCKSTEP_TOOLS_TRACE_SPEC_H

#include <stdint.h>

#include <lockstep/error.h>

#include "traces/writer.h"

struct trace_spec {
	char *path;      /* to be g_free()d */
	uint64_t events; /* bit set */
	uint64_t named;  /* those of them that were asked for by name */
	uint64_t keep;   /* last=N: a ring of so many records; 0: all */
	enum trace_trigger trigger;
	uint64_t trigger_value, until; /* as the writer's */
};

/* What `lockstep trace replay` needs of a run. */
void trace_spec_recording(struct trace_spec *spec, const char *path);
int trace_spec_parse(struct trace_spec *spec, const char *text, struct ls_error *err);
/* The bit set of "exception,cr_access"; 0 with *err filled. */
uint64_t trace_spec_events(const char *list, struct ls_error *err);

#endif
