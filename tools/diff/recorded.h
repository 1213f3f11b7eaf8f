/* SPDX-License-Identifier: Apache-2.0 */
/* The engine under test, as a trace has it: what it did, and what is known of its machine. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_H

#include "tools/diff/compare.h"
#include "tools/diff/side.h"

struct recorded;

/* NULL: *err says why, in a line. */
struct recorded *recorded_open(const char *path, struct ls_error *err);
void recorded_close(struct recorded *recorded);

/* Of the run: the engine, and its version as the tables of known differences name it. */
const char *recorded_engine(const struct recorded *recorded);
const char *recorded_version(const struct recorded *recorded);
/* The suite's case that it is of; NULL: a payload. */
const char *recorded_case(const struct recorded *recorded);
/* Fills what is zero of @options and @test; -EINVAL if something else is there than what the run
 * had. */
int recorded_adopt(const struct recorded *recorded, struct diff_options *options,
		   struct diff_case *test, struct ls_error *err);

/* Before the reference's first instruction: makes its machine that of the trace. Fields that the
 * trace does not have are left out. */
int recorded_equalise(struct recorded *recorded, struct diff_fields *fields,
		      struct machine *reference, struct ls_error *err);
/* Of the reference's MSRs, how many the trace does not have. */
unsigned int recorded_unlisted(const struct recorded *recorded);
/* As side_next. Where the file ends before the run did, the event's reason is DIFF_TORN. */
const struct diff_event *recorded_next(struct recorded *recorded, struct ls_error *err);
/* The instruction that is next in the present event. */
void recorded_give_instruction(struct recorded *recorded, const struct diff_event *from);
void recorded_give_bytes(struct recorded *recorded, const uint8_t *bytes);

#endif
