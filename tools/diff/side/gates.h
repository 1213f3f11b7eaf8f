/* SPDX-License-Identifier: Apache-2.0 */
/* Which exception or interrupt brought a vCPU where it is. */
#ifndef LOCKSTEP_TOOLS_DIFF_SIDE_GATES_H
#define LOCKSTEP_TOOLS_DIFF_SIDE_GATES_H

#include "tools/diff/side/side.h"

/* The vector whose gate leads to the present event's RIP, or to the instruction before it; -1: none
 * does. */
int gate_entered(struct side *side, const struct diff_fields *fields,
		 const struct diff_event *event);

#define GATES 32 /* of the exceptions */
/* Where these lead to by the present code segment; how many there are. */
unsigned int gates_of(struct side *side, const struct diff_fields *fields,
		      const struct diff_event *event, uint64_t handler[GATES]);

#endif
