/* SPDX-License-Identifier: Apache-2.0 */
/* Differences that are known and explained: expected.def. */
#ifndef LOCKSTEP_TOOLS_DIFF_EXPECTED_EXPECTED_H
#define LOCKSTEP_TOOLS_DIFF_EXPECTED_EXPECTED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* How the engine's value stands to the reference's. */
enum expected_relation {
	EXPECTED_IS,     /* a: the reference's, b: the engine's */
	EXPECTED_FLIPS,  /* they differ in just these bits */
	EXPECTED_MOVES,  /* the engine's is the reference's and this, modulo 2^64 */
	EXPECTED_LACKS,  /* the engine's is 0, the reference's is not */
	EXPECTED_WITHIN, /* these bits may differ: the manual leaves them open */
	EXPECTED_OTHER,  /* they differ: the engine's is another host's or build's each time */
};

/* Values of the fields "exit" and "exception" that are no number of the guest's. */
#define EXPECTED_STEPPED  (~UINT64_C(0))     /* a step ended */
#define EXPECTED_NONE     (~UINT64_C(0) - 1) /* no exception was delivered */
#define EXPECTED_RAN_ON   (~UINT64_C(0) - 2) /* no step ended before the next exit */

struct expected_row {
	const char *engine, *version;
	bool step; /* single steps are compared, not exits */
	const char *test, *instruction, *field;
	enum expected_relation relation;
	uint64_t a, b;
	const char *why;
};

extern const struct expected_row expected_rows[];
extern const unsigned int expected_count;

/* The version that rows name: "Linux 6.1 on TCG" is KVM of that kernel in a guest of QEMU's,
 * "without VMX and SVM" one that has neither and runs its guests' code itself or unprivileged; of
 * the host's own processor, its vendor. To be freed. */
char *expected_version(const char *engine);

/* What a row is for. */
struct expected_run {
	const char *engine, *version;
	bool step;
	const char *test;
};

/* What differs: where, and how. */
struct expected_difference {
	const char *instruction; /* that was stepped over; NULL by exit */
	const char *field;
	uint64_t ref, dut;
};

/* The row for this difference, or -1. */
int expected_find(const struct expected_run *run, const struct expected_difference *difference);
bool expected_applies(const struct expected_row *row, const struct expected_run *run);
/* "FSW, 0xb084 here and 0xb884 there". To be freed. */
char *expected_text(const struct expected_row *row);

#endif
