/* SPDX-License-Identifier: Apache-2.0 */
/* The engine under test, as a trace has it: what it did, and what is known of its machine. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_RECORDED_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_RECORDED_H

#include "tools/diff/compare.h"
#include "tools/diff/side/side.h"

struct recorded;

/* @options: the granularity that is asked for. NULL: *err says why, in a line. */
struct recorded *recorded_open(const char *path, const struct diff_options *options,
			       struct ls_error *err);
void recorded_close(struct recorded *recorded);

/* Of the run: the engine, and its version as the tables of known differences name it. */
const char *recorded_engine(const struct recorded *recorded);
const char *recorded_version(const struct recorded *recorded);
/* The suite's case that it is of; NULL: a payload. */
const char *recorded_case(const struct recorded *recorded);
/* Fills what is zero of @options and @test; -EINVAL if something else is there than what the run
 * had. */
int recorded_adopt(struct recorded *recorded, struct diff_options *options, struct diff_case *test,
		   struct ls_error *err);
/* Once it has been adopted: the machine of the run; NULL if it is the one that lockstep diff makes.
 */
const struct machine_config *recorded_machine(const struct recorded *recorded);
/* The events for which the reference stops after each instruction; 0: it stops as ever. The first
 * such stop is behind the instruction of that number. */
uint64_t recorded_wants(const struct recorded *recorded);
uint64_t recorded_begin(const struct recorded *recorded);

/* Before the reference's first instruction: makes its machine that of the trace. Fields that the
 * trace does not have are left out. */
int recorded_start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		   struct ls_error *err);
/* Where the reference stands before the first event, with its registers. */
int recorded_level(struct recorded *recorded, struct diff_fields *fields, const uint64_t *registers,
		   struct ls_error *err);
/* As side_next. Where the file ends before the run did, the event's reason is DIFF_TORN. */
const struct diff_event *recorded_next(struct recorded *recorded, struct ls_error *err);
/* The records of the present event, and which kinds of them there could be. */
struct diff_records recorded_records(const struct recorded *recorded);
uint64_t recorded_events(const struct recorded *recorded);
/* One record more for the present event, if it is none of the next instruction's (and one of
 * changed registers, if that is wanted). */
bool recorded_extend(struct recorded *recorded, bool registers, struct ls_error *err);
/* What the present event lacks: the instruction that is next, its bytes, or where it is, too. */
void recorded_give_instruction(struct recorded *recorded, const struct diff_event *from);
void recorded_give_bytes(struct recorded *recorded, const uint8_t *bytes);
void recorded_give_rip(struct recorded *recorded, const struct diff_event *from);
/* What was not compared: lines for the report, char *. */
void recorded_tell(const struct recorded *recorded, GPtrArray *lines);

/* Its events are exits of a host's processor. */
bool recorded_is_host(const struct recorded *recorded);
/* The exit that a host's processor has at this instruction of the reference's; false: none that is
 * compared. */
bool recorded_host_exit(struct recorded *recorded, const struct ls_instruction *instruction,
			uint64_t rip, struct diff_event *event);

#endif
