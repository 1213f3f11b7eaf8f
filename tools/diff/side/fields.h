/* SPDX-License-Identifier: Apache-2.0 */
/* The registers that a comparison knows, and reading them from a vCPU by KVM's calls. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_FIELDS_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_FIELDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/engine.h>

#include "tools/diff/side/raw_state.h"

/* One 64-bit value: a register, or a piece of a wider one. */
struct diff_field {
	char name[40];
	const char *manual;
	uint64_t mask; /* bits that are compared */
	uint32_t msr;  /* 0: none */
	unsigned int offset, size;
	bool rights;   /* of the struct kvm_segment there */
	bool left_out; /* different from the start on */
};

struct diff_fields {
	struct diff_field *row;
	unsigned int count, rip, rflags, cs_base;
	const char *untold[RAW_PARTS]; /* calls that one of the engines does not answer; NULL: both
					   do */
};

/* All of them; MSRs that both engines list. */
struct diff_fields *diff_fields_create(struct ls_engine *one, struct ls_engine *other);
void diff_fields_free(struct diff_fields *fields);
/* -1: no such field. */
int diff_fields_find(const struct diff_fields *fields, const char *name);

/* Reads them into values[fields->count]. @synced: as for raw_state_read. What the engine cannot
 * read is 0. */
void diff_fields_read(const struct diff_fields *fields, struct ls_engine *engine, int vcpu,
		      const struct kvm_sync_regs *synced, uint64_t *values);

/* equalise.c, before the first instruction: gives @to what @from has where the architecture leaves
 * the power-on state to the model (x87, SSE, MSRs). An MSR that cannot be made equal, a revision
 * say, is not compared. */
void diff_fields_equalise(struct diff_fields *fields, struct ls_engine *from, int from_vcpu,
			  struct ls_engine *to, int to_vcpu);
/* The same for one that is to become what was recorded: values[fields->count]. */
void diff_fields_equalise_to(struct diff_fields *fields, struct ls_engine *engine, int vcpu,
			     const uint64_t *values);
/* It is compared no longer, and that is told. */
void diff_fields_leave_out(struct diff_fields *fields, unsigned int field);

#endif
