/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of a comparison by the records of a trace, whose head names the state table's rows.
 */
#ifndef LOCKSTEP_TOOLS_DIFF_STREAM_FOLD_H
#define LOCKSTEP_TOOLS_DIFF_STREAM_FOLD_H

#include "tools/diff/side/fields.h"

/* Where in a comparison's fields the values of records are. */
struct fold {
	const struct diff_fields *fields;
	/* By row, element and part: int, the field, or -1. Behind the rows: those that are made of
	 * several. */
	GArray *column;
	unsigned int rows;
	unsigned int significands, exponents; /* rows of x87's */
	unsigned int fsw, stack[16];          /* fields: FSW, ST(0) to ST(7) in halves */
};

void fold_start(struct fold *fold, const struct diff_fields *fields);
/* The next row of the state table. @engine tells which of its rows are of events. */
void fold_add_row(struct fold *fold, struct ls_engine *engine, const char *row);
/* There are no more. */
void fold_finish(struct fold *fold);
void fold_free(struct fold *fold);

/* One vCPU's registers by now, and R0 to R7 of the x87, as the table has them. */
struct folded {
	uint64_t *registers; /* fields->count */
	uint64_t x87[8][2];
};

/* @record: of an instruction. */
void fold_take(const struct fold *fold, struct folded *to, const uint64_t *record);

#endif
