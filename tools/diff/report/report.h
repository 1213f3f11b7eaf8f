/* SPDX-License-Identifier: Apache-2.0 */
/* What `lockstep diff` has found, in four forms. */
#ifndef LOCKSTEP_TOOLS_DIFF_REPORT_REPORT_H
#define LOCKSTEP_TOOLS_DIFF_REPORT_REPORT_H

#include "tools/diff/compare.h"

struct diff_report {
	const struct diff_options *options;
	const char *version;      /* of the engine under test */
	const GPtrArray *results; /* struct diff_result */
	const struct diff_used *used;
	const GPtrArray *left_out; /* lines: cases that were not run, and why */
	unsigned int equal, different, failed, declared; /* cases */
	uint64_t events;
	double wall_seconds;
};

/* One case that is not equal, with all that is known. */
void report_text_result(GString *text, const struct diff_options *options,
			const struct diff_result *result, bool colour);
/* Lines: what was left out, could not run, or was declared, and the quirks. */
void report_text_notes(GString *text, const struct diff_report *report);
/* The table that closes a run, with these. */
void report_text_summary(GString *text, const struct diff_report *report, bool colour);
void report_json(GString *text, const struct diff_report *report);
void report_junit(GString *text, const struct diff_report *report);
void report_html(GString *text, const struct diff_report *report);

#endif
