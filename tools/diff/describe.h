/* SPDX-License-Identifier: Apache-2.0 */
/* Events and instructions as text. */
#ifndef LOCKSTEP_TOOLS_DIFF_DESCRIBE_H
#define LOCKSTEP_TOOLS_DIFF_DESCRIBE_H

#include "tools/diff/side/side.h"

/* "write of 4 bytes to port 0x5a0: 0xd00000006". To be freed. */
char *describe_event(const struct diff_event *event);
/* The instruction at the event's RIP. To be freed. */
char *describe_instruction(const struct diff_fields *fields, const struct diff_event *event);

#endif
