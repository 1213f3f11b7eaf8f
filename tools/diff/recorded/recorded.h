/* SPDX-License-Identifier: Apache-2.0 */
/* The engine under test, as a trace has it: what it did, and what is known of its machine. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_RECORDED_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_RECORDED_H

#include "tools/diff/compare.h"
#include "tools/diff/side/side.h"

struct fold;
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
/* The events that the reference runs on to record; 0: it stops as ever. */
uint64_t recorded_wants(const struct recorded *recorded);
/* Exits of several vCPUs are compared, each one's apart. */
bool recorded_is_of_several(const struct recorded *recorded);

/* Before the reference's first instruction: makes its machine that of the trace. Fields that the
 * trace does not have are left out. */
int recorded_start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		   struct ls_error *err);
/* As side_next: what is to be compared with the reference's present event. Where the file ends
 * before the run did, the event's reason is DIFF_TORN. */
const struct diff_event *recorded_next(struct recorded *recorded,
				       const struct diff_event *reference, struct ls_error *err);

/* Its events are instructions, with all that came with each. */
bool recorded_is_stream(const struct recorded *recorded);
/* What the records are called. */
const struct fold *recorded_fold(const struct recorded *recorded);
/* The vCPU's next record; NULL: there are no more, or *err is filled. */
const uint64_t *recorded_vcpu_record(struct recorded *recorded, unsigned int vcpu,
				     struct ls_error *err);
/* Instructions of the vCPU before the first that it tells of. */
uint64_t recorded_begin(const struct recorded *recorded, unsigned int vcpu);
/* The kinds of records that there could be. */
uint64_t recorded_events(const struct recorded *recorded);

/* What the present event lacks: the instruction that is next, its bytes, or where it is, too. */
void recorded_give_instruction(struct recorded *recorded, const struct diff_event *from);
void recorded_give_bytes(struct recorded *recorded, const uint8_t *bytes);
void recorded_give_rip(struct recorded *recorded, const struct diff_event *from);
/* What was not compared: lines for the report, char *. */
void recorded_tell(const struct recorded *recorded, GPtrArray *lines);

/* RAM by the present event, @size bytes; NULL: the trace does not tell. */
const uint8_t *recorded_memory(const struct recorded *recorded, uint64_t gpa, uint64_t size);

/* Its events are exits of a host's processor. */
bool recorded_is_host(const struct recorded *recorded);
/* The exit that a host's processor has at this instruction of the reference's; false: none that is
 * compared. */
bool recorded_host_exit(struct recorded *recorded, const struct ls_instruction *instruction,
			uint64_t rip, struct diff_event *event);

#endif
