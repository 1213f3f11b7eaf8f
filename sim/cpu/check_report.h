/* SPDX-License-Identifier: Apache-2.0 */
/* Why a control block is refused, in words. */
#ifndef LOCKSTEP_SIM_CPU_CHECK_REPORT_H
#define LOCKSTEP_SIM_CPU_CHECK_REPORT_H

#include <stdio.h>

#include "sim/cpu/check.h"

/* One line for a log: the row that failed, what it found and wanted, and all others of its group
 * and of those behind it that would fail, too. */
void check_report_failure(struct check_inputs *in, const struct check_row *row, char *text,
			  size_t size);

#define CHECK_INPUT_WORDS 16

struct check_tally {
	unsigned int passed, failed, unknown;
	const struct check_row *first; /* that failed */
	u64 missing[CHECK_INPUT_WORDS];
};

/* Judges all rows from group @from on: a paragraph for each that fails, then the verdict. */
void check_report_all(struct check_inputs *in, u8 from, struct check_tally *tally, FILE *to);
/* How many passed and failed, and what was missing. */
void check_report_tally(const struct check_table *table, const struct check_tally *tally, FILE *to);

#endif
