/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of what one side of a comparison did, to be compared with later: --dut trace:FILE. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_SAVED_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_SAVED_H

#include "tools/diff/side/side.h"

struct saved;

/* @text: the head's lines about the run; the compared fields are added. NULL: *err says why. */
struct saved *saved_open(const char *path, const char *text, const struct diff_fields *fields,
			 unsigned int vcpus, struct ls_error *err);
/* Where the machine's vCPUs stand before their first instruction. */
void saved_start(struct saved *saved, struct machine *machine);
/* The side's present event, with the memory that changed before it. */
void saved_add(struct saved *saved, const struct diff_event *event, struct side *side);
int saved_close(struct saved *saved, struct ls_error *err);

/* A vCPU's CPUID leaves, a line each. */
void saved_append_leaves(GString *text, struct machine *machine, unsigned int vcpu);
/* Of the payload's file, by which a trace tells another build from its own. */
uint64_t saved_image_hash(const char *path);

#endif
