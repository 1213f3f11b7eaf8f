/* SPDX-License-Identifier: Apache-2.0 */
/* A trace that stands in for an engine under test; between recorded*.c. */
#ifndef LOCKSTEP_TOOLS_DIFF_RECORDED_FILE_H
#define LOCKSTEP_TOOLS_DIFF_RECORDED_FILE_H

#include <limits.h>

#include "machine/cpu_model.h"
#include "tools/diff/recorded/ram_copy.h"
#include "tools/diff/recorded/recorded.h"
#include "tools/diff/stream/fold.h"
#include "tools/trace_view.h"
#include "tools/traced_run.h"

#define ANY_VCPU UINT_MAX

/* What can be compared of a trace, by what there is in it. */
struct recorded_kind {
	uint64_t events; /* that are read */
	bool step;
	/* The reference runs on and records these; 0: it stops at exits, or as it is stepped. */
	uint64_t wants;
	/* Fills what is zero of the options and the case, and the machine. */
	int (*adopt)(struct recorded *recorded, struct diff_options *options,
		     struct diff_case *test, struct ls_error *err);
	/* Before the reference's first instruction. NULL: nothing to do. */
	int (*start)(struct recorded *recorded, struct diff_fields *fields,
		     struct machine *reference, struct ls_error *err);
	/* What is not compared, in words. NULL: nothing but what recorded_start says. */
	void (*tell)(const struct recorded *recorded, GPtrArray *lines);
	/* The next event, of event->vcpu where several are told apart; its reason stays DIFF_TORN
	 * if there are no more. NULL: streams.c reads the records. */
	int (*take)(struct recorded *recorded, struct diff_event *event, struct ls_error *err);
};

extern const struct recorded_kind recorded_states_exit, recorded_states_step, recorded_exits,
	recorded_instructions, recorded_host;

struct recorded {
	char *path;
	struct trace_view view;
	const struct recorded_kind *kind;
	const struct diff_fields *fields;
	unsigned int vcpus;
	struct diff_event event[2];
	uint64_t events;
	uint64_t *registers;    /* of all vCPUs, by now */
	struct ram_copy memory; /* by now, if the trace tells what changes */
	unsigned int unlisted;  /* MSRs of the reference that are not in it */
	bool ended;
	GArray *column;        /* of what the file names the field, -1: none here */
	const uint64_t *ahead; /* a record that was read and not used yet */
	/* of a run */
	struct traced_run run;
	struct trace_view *of_vcpu; /* each one's records */
	struct fold fold;           /* by instruction: what they tell of registers */
	/* of a host */
	bool svm;
	uint64_t reasons;    /* bit set of the rows of host.c's table that it has */
	uint64_t passed;     /* exits that don't */
	bool string;         /* the last one is of INS or OUTS, and may come again */
	uint64_t string_rip; /* there */
};

/* Of a run: its machine. */
int recorded_adopt_run(struct recorded *recorded, struct diff_options *options,
		       struct diff_case *test, struct ls_error *err);

/* The kinds of records that are in it. */
uint64_t recorded_has(const struct trace_reader *reader);
const char *recorded_text(const struct recorded *recorded, const char *key);
uint64_t recorded_number(const struct recorded *recorded, const char *key);
int recorded_damaged(const struct recorded *recorded, struct ls_error *err);
/* NULL at the end, or with *err filled. */
const uint64_t *recorded_record(struct recorded *recorded, struct ls_error *err);
/* The recorded CPUID leaves, if there are any, become the vCPU's. */
int recorded_give_leaves(const struct recorded *recorded, struct machine *machine,
			 unsigned int vcpu, struct ls_error *err);
/* The present event has the registers of by now. */
void recorded_show(struct recorded *recorded);
/* Fields that no entry of @column names are left out. */
void recorded_leave_out(struct recorded *recorded, struct diff_fields *fields,
			const GArray *column);
/* Each vCPU's records are read apart, by recorded_vcpu_record. */
int recorded_open_vcpus(struct recorded *recorded, struct ls_error *err);

#endif
