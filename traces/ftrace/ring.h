/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of the kernel's ring buffer (kernel/trace/ring_buffer.c): a head, then events. */
#ifndef LOCKSTEP_TRACES_FTRACE_RING_H
#define LOCKSTEP_TRACES_FTRACE_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_PAGE 4096u
#define RING_HEAD 16u /* time of its first event, bytes of events */

/* An event's first word: type_len in bits 4:0, time_delta above. A type below these is the event's
 * size in words; 0: the next word has the size in bytes. */
#define RING_TYPE_PADDING     29u
#define RING_TYPE_TIME_EXTEND 30u
#define RING_TYPE_TIME_STAMP  31u
#define RING_DELTA_BITS       27u

/* One CPU's pages, the last one in the making. */
struct ring {
	uint8_t *bytes;
	size_t used, room; /* whole pages */
	size_t fill;       /* of the last one */
	uint64_t time;     /* of the last event */
};

/* Time does not go back. 0 or -ENOMEM. */
int ring_add(struct ring *ring, uint64_t time, const void *event, size_t size);

#endif
