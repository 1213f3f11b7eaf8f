/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host input: file descriptors whose readiness matters to a device or to the tool (a tap,
 * libslirp, the terminal). They are looked at between two turns of the scheduler, never in
 * the middle of one, on the thread that called machine_run, under the machine lock.
 */
#ifndef LOCKSTEP_MACHINE_POLL_H
#define LOCKSTEP_MACHINE_POLL_H

#include <poll.h>
#include <stdbool.h>

struct machine;

#define POLL_MAX_FDS 256

struct poll_source {
	/* Fills up to @room entries of @fds and returns how many; lowers *timeout_ms (-1: none)
	 * if it wants to be called again by then. */
	int (*fill)(void *opaque, struct pollfd *fds, int room, int *timeout_ms);
	/* Called after every poll with its own @count entries, ready or not. */
	void (*ready)(void *opaque, struct pollfd *fds, int count);
	void *opaque;
	/* True while the source can wake a guest that is otherwise halted for ever. NULL: never. */
	bool (*wakes)(void *opaque);
	/* True while somebody outside, who keeps real time, may be about to answer (an open
	 * connection): then, while the guest idles, guest time passes no faster than the host's.
	 * NULL: never. */
	bool (*paces)(void *opaque);
};

/* Copies @source; 0 or -ENOMEM. */
int machine_poll_add(struct machine *machine, const struct poll_source *source);
void machine_poll_remove(struct machine *machine, void *opaque);

#endif
