/* SPDX-License-Identifier: Apache-2.0 */
/* What a side is made of; between side.c, stop.c, records.c and present.c. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_INTERNAL_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_INTERNAL_H

#include <semaphore.h>

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
	bool shows_all;             /* exits of several vCPUs, too */
	bool keeps_written;         /* machine_written_keep */
	uint16_t from_port;         /* behind this access the payload proper begins */
	struct diff_event event[2]; /* the last and the one before */
	uint64_t events;
	GThread *thread;
	struct machine_result result;
	struct ls_error err;
	bool ended, failed;
	struct side_records *records; /* of each vCPU; NULL: it stops at exits */
	struct {
		uint8_t *bytes, was[2];
	} planted[PLANTS];
	unsigned int plants;

	gint turn;          /* enum turn */
	sem_t asked, shown; /* two calls of the kernel's for each event: in the lab these count */
	bool syncs;         /* a run leaves registers in struct kvm_run */
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

/* stop.c: memory is as it was before side_stop_at; if the exit is of that, it becomes the step's,
 * and registers are set: true. */
bool side_pull_out(struct side *side, struct machine_exit *exit);

/* records.c: the vCPUs record these events. -ENOTSUP: the engine does not tell of instructions. */
int side_watch(struct side *side, uint64_t events, struct ls_error *err);
/* The run is over: what they have not shown yet. */
void side_watch_end(struct side *side);

#endif
