/* SPDX-License-Identifier: Apache-2.0 */
/* What a side is made of; between side.c, stop.c, counted.c and present.c. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_INTERNAL_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_INTERNAL_H

#include "tools/diff/side/memory.h"
#include "tools/diff/side/side.h"

#define PLANTS     40
#define NOT_MAPPED UINT64_MAX

enum turn { MACHINE_RUNS, EVENT_SHOWN, CLOSING };

struct side {
	struct machine *machine;
	const struct diff_fields *fields;
	unsigned int vcpus;
	struct memory_hash memory;
	bool keeps_written;         /* machine_written_keep */
	uint16_t from_port;         /* behind this access the payload proper begins */
	struct diff_event event[2]; /* the last and the one before */
	uint64_t events;
	GThread *thread;
	struct machine_result result;
	struct ls_error err;
	bool ended, failed;
	/* after each instruction */
	struct ls_trace_sink sink;
	uint64_t *records; /* NULL: it stops at exits */
	uint64_t first;    /* instructions, before the first stop that is shown */
	struct {
		uint8_t *bytes, was[2];
	} planted[PLANTS];
	unsigned int plants;

	GMutex lock;
	GCond changed;
	enum turn turn;
};

static inline struct diff_event *side_present(struct side *side)
{
	return &side->event[(side->events - 1) & 1];
}

/* To be filled for side_show. */
static inline struct diff_event *side_slot(struct side *side)
{
	return &side->event[side->events & 1];
}

/* Fills the event and waits until it has been looked at. */
void side_show(struct side *side, struct diff_event *event);
void side_read_vcpu(struct side *side, unsigned int vcpu, uint64_t *registers);

/* stop.c: memory is as it was before side_stop_at; if the exit is of that, it becomes the step's.
 */
void side_pull_out(struct side *side, struct machine_exit *exit);

/* counted.c: the machine that is to be made stops after each instruction. */
void side_count(struct side *side, struct machine_config *config, uint64_t records);
/* -ENOTSUP: its engine does not tell of instructions. */
int side_watch(struct side *side, struct ls_error *err);

#endif
