/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check is a row: what the architecture asks of a control block before it enters a guest, one
 * rule a row, judged in the manual's groups. The same rows decide a VM entry here, name the rule
 * behind a failed one, and judge a dump that lacks half of the values: then the verdict is
 * CHECK_UNKNOWN, and the value that was missing is named.
 *
 * A predicate reads its inputs through check_input only, which notes them; so what a row depends on
 * is never written down twice.
 */
#ifndef LOCKSTEP_SIM_CPU_CHECK_H
#define LOCKSTEP_SIM_CPU_CHECK_H

#include "mmu/types.h"

enum check_verdict { CHECK_PASS, CHECK_FAIL, CHECK_UNKNOWN };

struct check_inputs;

typedef bool check_predicate(struct check_inputs *in);

struct check_row {
	const char *identifier;   /* "guest-cr0-fixed": how a trace, a test and a user name it */
	const char *manual;       /* "SDM 3C:27.3.1.1" */
	const char *rule;         /* what is wanted */
	u8 group;                 /* the vendor's; groups are judged in rising order */
	u8 outcome;               /* the vendor's: how a failure shows */
	u16 subject;              /* the input that is to blame */
	check_predicate *applies; /* NULL: always */
	check_predicate *holds;
};

/* One kind of control block: its inputs by number, and its rows in order of their groups. */
struct check_table {
	const struct check_row *rows;
	unsigned int count;
	const char *(*input_name)(unsigned int input);
	const char *(*group_name)(u8 group);
	const char *(*outcome_name)(u8 outcome);
};

#define CHECK_READS   16
#define CHECK_NOTHING 0xffff

/* Makes a mutant for the tests of the rows: that row's predicate says what it is told to. */
struct check_mutant {
	const struct check_row *row;
	bool holds;
};

struct check_inputs {
	const struct check_table *table;
	u64 *value;       /* of each input */
	const u64 *known; /* a bit an input; NULL: all are */
	/* Gets an input that is not known, or says that it can't be had. May be NULL. */
	bool (*fetch)(struct check_inputs *in, unsigned int input, u64 *value);
	const struct check_mutant *mutant; /* NULL: none */
	/* What the last row judged has read, and what of it was missing (CHECK_NOTHING). */
	u16 read[CHECK_READS];
	u8 reads;
	u16 missing;
};

u64 check_input_fetch(struct check_inputs *in, unsigned int input);

/* The value of an input, for predicates. 0 if it is missing: the verdict is then unknown anyway. */
ALWAYS_INLINE u64 check_input(struct check_inputs *in, unsigned int input)
{
	if (in->reads < CHECK_READS)
		in->read[in->reads++] = input;
	if (in->known && !(in->known[input / 64] >> input % 64 & 1))
		return check_input_fetch(in, input);
	return in->value[input];
}

enum check_verdict check_judge(struct check_inputs *in, const struct check_row *row);

/* The first row, from row number @from on, that fails in a group below @end; NULL if none does. */
const struct check_row *check_first_failure(struct check_inputs *in, unsigned int from,
					    unsigned int end);
/* The next one behind @row that fails, too; NULL if none does. */
const struct check_row *check_next_failure(struct check_inputs *in, const struct check_row *row);
const struct check_row *check_find(const struct check_table *table, const char *identifier);

/* "guest CR0 = 0x…, …": what the row judged last has read. */
void check_describe(const struct check_inputs *in, char *text, size_t size);

#endif
