/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FIRST_US 1000000
#define EVERY_US 200000

#define CLEAR "\r\033[K" /* ECMA-48: erases the line */

void progress_begin(struct progress *progress)
{
	*progress = (struct progress){
		.on = isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb"),
		.next = g_get_monotonic_time() + FIRST_US,
	};
}

void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t all)
{
	int64_t now;

	if (!progress->on || !all)
		return;
	now = g_get_monotonic_time();
	if (now < progress->next)
		return;
	progress->next = now + EVERY_US;
	progress->shown = true;
	fprintf(stderr, CLEAR "%s: %" PRIu64 "%%", what, 100 * done / all);
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		fputs(CLEAR, stderr);
	progress->shown = false;
}
