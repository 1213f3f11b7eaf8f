/* SPDX-License-Identifier: Apache-2.0 */
/* --dut trace:PATH: which trace belongs to which case. */
#ifndef LOCKSTEP_TOOLS_DIFF_TRACED_H
#define LOCKSTEP_TOOLS_DIFF_TRACED_H

#include "tools/diff/compare.h"

/* @path is a trace, or a folder with CASE.trace of each. Without @tests (struct diff_case) those
 * that there are traces of are added. What is zero of them and of @options comes from the traces.
 * *about, to be freed: the engine that was recorded. */
int traced_collect(const char *path, GPtrArray *tests, struct diff_options *options, char **about,
		   struct ls_error *err);

#endif
