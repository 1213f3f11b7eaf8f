/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of the machine that has a state, whatever engine is below: objects with the tables
 * that describe them (record/record.h). */
#ifndef LOCKSTEP_MACHINE_PARTS_H
#define LOCKSTEP_MACHINE_PARTS_H

#include "record/record.h"

#define PART_NAME_ROOM 48

struct part {
	char name[PART_NAME_ROOM]; /* one of a kind */
	const struct record_table *table;
	void *object;
};

struct parts {
	struct part *list;
	size_t count, room;
	bool failed; /* no memory */
};

__attribute__((format(printf, 4, 5))) void parts_add(struct parts *parts,
						     const struct record_table *table, void *object,
						     const char *name, ...);
void parts_free(struct parts *parts);

void parts_encode(struct record_buffer *to, const struct parts *parts);
/* All of them, no more and no fewer; then what follows from each. */
int parts_decode(struct record_reader *from, const struct parts *parts, struct ls_clock *clock,
		 struct ls_error *err);

#endif
