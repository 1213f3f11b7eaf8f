/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *last_page(struct ring *ring)
{
	return ring->bytes + ring->used - RING_PAGE;
}

static bool add_page(struct ring *ring, uint64_t time)
{
	if (ring->used == ring->room) {
		size_t room = 2 * ring->room + 16 * RING_PAGE;
		uint8_t *bytes = realloc(ring->bytes, room);

		if (!bytes)
			return false;
		ring->bytes = bytes;
		ring->room = room;
	}
	ring->used += RING_PAGE;
	ring->fill = 0;
	ring->time = time;
	memset(last_page(ring), 0, RING_PAGE);
	memcpy(last_page(ring), &time, sizeof(time));
	return true;
}

static void append(struct ring *ring, const void *bytes, size_t size)
{
	uint64_t commit = ring->fill + size;

	memcpy(last_page(ring) + RING_HEAD + ring->fill, bytes, size);
	memcpy(last_page(ring) + 8, &commit, sizeof(commit));
	ring->fill = commit;
}

int ring_add(struct ring *ring, uint64_t time, const void *event, size_t size)
{
	size_t words = (size + 3) / 4;
	uint32_t head[2];

	if (time < ring->time)
		time = ring->time;
	if ((!ring->used || ring->fill + 12 + 4 * words > RING_PAGE - RING_HEAD) &&
	    !add_page(ring, time))
		return -ENOMEM;
	if ((time - ring->time) >> RING_DELTA_BITS) {
		head[0] = RING_TYPE_TIME_EXTEND | (uint32_t)(time - ring->time)
							  << (32 - RING_DELTA_BITS);
		head[1] = (uint32_t)((time - ring->time) >> RING_DELTA_BITS);
		append(ring, head, sizeof(head));
		ring->time = time;
	}
	head[0] = (uint32_t)words | (uint32_t)(time - ring->time) << (32 - RING_DELTA_BITS);
	append(ring, head, sizeof(head[0]));
	append(ring, event, 4 * words);
	ring->time = time;
	return 0;
}
