/* SPDX-License-Identifier: Apache-2.0 */
/* What one side did: its last events, or all of them, for a report. */
#ifndef LOCKSTEP_TOOLS_DIFF_HISTORY_H
#define LOCKSTEP_TOOLS_DIFF_HISTORY_H

#include "tools/diff/compare.h"
#include "tools/diff/side/side.h"

#define HISTORY_LAST 6
#define HISTORY_MOST 2000

struct diff_history {
	const struct diff_fields *fields;
	GPtrArray *events; /* copies, struct diff_event */
	unsigned int keep;
	bool several; /* vCPUs: which of them did it is told */
};

void history_start(struct diff_history *history, const struct diff_fields *fields, bool all,
		   bool several);
void history_add(struct diff_history *history, const struct diff_event *event);
/* Them in words: struct diff_moment. Frees the history. */
GPtrArray *history_finish(struct diff_history *history);

#endif
