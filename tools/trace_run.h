/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of a run: from its specification to the sinks of a machine's vCPUs, and to its end. */
#ifndef LOCKSTEP_TOOLS_TRACE_RUN_H
#define LOCKSTEP_TOOLS_TRACE_RUN_H

#include <stdbool.h>

#include "machine/machine.h"
#include "tools/trace_spec.h"
#include "traces/writer.h"

/* @arguments: lines "argument TEXT", by which the run can be made again; may be NULL. Begins the
 * file and watches every vCPU of @machine, which does not run yet. NULL with *err filled. */
struct trace_writer *trace_run_begin(const struct trace_spec *spec, struct machine *machine,
				     const char *arguments, struct ls_error *err);
/* Ends watching and the file. */
int trace_run_end(struct trace_writer *writer, struct machine *machine, struct ls_error *err);

/* Nothing was recorded, as the trigger never came. After the end. */
bool trace_run_missed(const struct trace_spec *spec);

#endif
