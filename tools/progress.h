/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work has come, on a terminal, and only there: a line on stderr that is gone
 * afterwards. */
#ifndef LOCKSTEP_TOOLS_PROGRESS_H
#define LOCKSTEP_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	bool shown;
	int64_t next; /* when the line is due */
};

void progress_begin(struct progress *progress);
/* Shows "@what: 40%", now and then; nothing before a second has gone by. */
void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t all);
/* Takes the line away: the work is over, or something else is to be printed. */
void progress_clear(struct progress *progress);

#endif
