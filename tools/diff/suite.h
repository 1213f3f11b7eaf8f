/* SPDX-License-Identifier: Apache-2.0 */
/* The cases that are in the command (tools/suite). */
#ifndef LOCKSTEP_TOOLS_DIFF_SUITE_H
#define LOCKSTEP_TOOLS_DIFF_SUITE_H

#include <glib.h>
#include <lockstep/error.h>

/* Adds them to @cases (struct diff_case). 0 or -errno. */
int suite_load(GPtrArray *cases, struct ls_error *err);

#endif
