/* SPDX-License-Identifier: Apache-2.0 */
/* Which cases two engines can run. */
#ifndef LOCKSTEP_TOOLS_DIFF_CHOOSE_H
#define LOCKSTEP_TOOLS_DIFF_CHOOSE_H

#include "tools/diff/compare.h"

/* Whether the file is user-mode code. 0 or -errno. */
int diff_payload_is_user(const char *path, bool *user, struct ls_error *err);
/* Takes out of @tests (struct diff_case) the cases that one of the engines cannot begin, and adds
 * to @left_out a line for each engine that says how many, and why. -ENOTSUP with *err: a payload
 * that was named is among them, or nothing is left; or an engine does not work here. */
int diff_leave_out(GPtrArray *tests, const struct ls_engine_ops *const engine[2],
		   GPtrArray *left_out, struct ls_error *err);

#endif
