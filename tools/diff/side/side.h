/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the two machines of a comparison. It runs on a thread of its own and stops at each event
 * until it is asked for the next, so that both stand still while they are compared.
 */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_SIDE_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_SIDE_H

#include <lockstep/extension.h>

#include "machine/machine.h"
#include "tools/diff/side/fields.h"

/* Not KVM's exits: the run is over; it has not begun; a trace has no event here, though it has
 * later ones (value 1) or none. */
#define DIFF_END   0x4c53f000u
#define DIFF_START 0x4c53f001u
#define DIFF_TORN  0x4c53f002u
/* An exit of a host's processor: its reason is the value, its RIP the address. */
#define DIFF_HOST_EXIT 0x4c53f003u
/* Nothing for a comparison: the vCPU has told more of what it did. */
#define DIFF_RECORDS 0x4c53f004u

struct diff_event {
	uint64_t number; /* from 0 */
	struct machine_exit exit;
	enum machine_end end; /* with reason DIFF_END */
	int code;
	unsigned int vcpu;
	uint64_t linear_rip, physical_rip; /* physical: UINT64_MAX if it is not mapped */
	uint8_t bytes[15];                 /* of the instruction at RIP, once it has been read */
	uint64_t memory;                   /* hash of RAM */
	/* Of a trace: there is neither state nor what was read or how often; it is made of records,
	 * and the instruction is the one that is over, not the next. */
	bool partial, by_records;
	uint64_t *registers; /* of all vCPUs, each fields->count; only of `vcpu` unless it is the
				end */
};

/* Records of a trace, one behind the other. */
struct diff_records {
	const uint64_t *at, *end;
};

struct side;

/* @config is borrowed until the side is closed; what it lacks for a comparison is filled in.
 * @records: bit set of trace events; if there are any, the side runs on and its events, all but the
 * end, are DIFF_RECORDS, with records of these; else it stops at exits. */
struct side *side_create(struct machine_config *config, const struct diff_fields *fields,
			 uint64_t records, struct ls_error *err);
/* Exits of several vCPUs are events, too. (Else of these only the end is, for they are in no order
 * that two engines share.) */
void side_show_all(struct side *side);
/* Those of the present event's vCPU. */
struct diff_records side_records(const struct side *side);
/* Runs on to the next event, for at most @seconds; owned by the side, valid until the call after
 * the next. NULL with *err: the engine could not run it, or it took too long. After the end: the
 * end. */
const struct diff_event *side_next(struct side *side, double seconds, struct ls_error *err);
/* The step ends at the latest before the instruction there, at CPL 0, also if no trap does: an OUT
 * takes its place until the next event. (Not an INT3, which QEMU lets no hypervisor intercept.) At
 * several places, if it is called again. */
void side_stop_at(struct side *side, uint64_t linear, uint64_t physical);
/* Up to the next event it is not stepped. */
void side_run_on(struct side *side);
/* What KVM_EXIT_DEBUG showed was the guest's own: #DB with these bits of DR6. 0 or -errno. */
int side_give_debug(struct side *side, uint64_t dr6);
/* Pages of RAM that changed between the event before and the present one: uint64_t, addresses. */
const GArray *side_changed(const struct side *side);
/* Memory of the present event, changed by the caller. */
void side_memory_changed(struct side *side, uint64_t gpa);
/* Whatever that page holds, the present event's hash is as if it were the other's. Whether they
 * differ. */
bool side_leave_open(struct side *side, const struct side *other, uint64_t gpa);
/* What the 15 bytes are in the present event's mode. Its mnemonic is NULL if the engine has no
 * table. */
void side_instruction(struct side *side, const uint8_t *bytes, struct ls_instruction *instruction);
/* A linear address by the present event's page tables; NULL: not mapped, or not RAM. */
uint8_t *side_linear_ptr(struct side *side, uint64_t linear, uint64_t *gpa);
/* Fills the present event's bytes and physical_rip: by the guest's page tables, where KVM_TRANSLATE
 * may set accessed bits, or as the other side has them. */
void side_read_instruction(struct side *side);
void side_take_instruction(struct side *side, const struct diff_event *from);
/* Memory there, up to what is not mapped; how much that is. */
unsigned int side_read(struct side *side, uint64_t linear, void *to, unsigned int size);
struct machine *side_machine(struct side *side);
const char *side_text(const struct side *side); /* how it ended */
void side_close(struct side *side);

#endif
