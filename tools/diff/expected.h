/* SPDX-License-Identifier: Apache-2.0 */
/* Differences that are known and explained: expected.def. */
#ifndef LOCKSTEP_TOOLS_DIFF_EXPECTED_H
#define LOCKSTEP_TOOLS_DIFF_EXPECTED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct expected_row {
	const char *engine, *version;
	bool step; /* single steps are compared, not exits */
	const char *test, *field;
	uint64_t bits; /* of the field, that may differ */
	const char *why;
};

extern const struct expected_row expected_rows[];
extern const unsigned int expected_count;

/* The version that rows name: "Linux 6.1 on TCG" is KVM of that kernel in a guest of QEMU's; of the host's
 * own processor, its vendor. To be freed. */
char *expected_version(const char *engine);

/* What a row is for. */
struct expected_run {
	const char *engine, *version;
	bool step;
	const char *test;
};

/* The row for this first difference, or -1. */
int expected_find(const struct expected_run *run, const char *field, uint64_t differing);
bool expected_applies(const struct expected_row *row, const struct expected_run *run);

#endif
