/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the two machines of a comparison. It runs on a thread of its own and stops at each event
 * until it is asked for the next, so that both stand still while they are compared.
 */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_H

#include "machine/machine.h"
#include "tools/diff/fields.h"

/* The run is over: not one of KVM's exits. */
#define DIFF_END 0x4c53f000u

struct diff_event {
	uint64_t number; /* from 0 */
	struct machine_exit exit;
	enum machine_end end; /* with reason DIFF_END */
	int code;
	unsigned int vcpu;
	uint64_t linear_rip;
	uint8_t bytes[15];   /* of the instruction at RIP, where they could be read */
	uint64_t memory;     /* hash of RAM */
	uint64_t *registers; /* of all vCPUs, each fields->count; only of `vcpu` unless it is the
				end */
};

struct side;

/* @config is borrowed until the side is closed; what it lacks for a comparison is filled in. */
struct side *side_create(struct machine_config *config, const struct diff_fields *fields,
			 struct ls_error *err);
/* Runs on to the next event, for at most @seconds; owned by the side, valid until the call after
 * the next. NULL with *err: the engine could not run it, or it took too long. After the end: the
 * end. */
const struct diff_event *side_next(struct side *side, double seconds, struct ls_error *err);
struct machine *side_machine(struct side *side);
const char *side_text(const struct side *side); /* how it ended */
void side_close(struct side *side);

#endif
