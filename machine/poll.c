/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine/internal.h"

int machine_poll_add(struct machine *machine, const struct poll_source *source)
{
	if (machine->source_count == machine->source_room) {
		size_t room = machine->source_room ? 2 * machine->source_room : 4;
		struct poll_source *sources =
			realloc(machine->sources, room * sizeof(*machine->sources));

		if (!sources)
			return -ENOMEM;
		machine->sources = sources;
		machine->source_room = room;
	}
	machine->sources[machine->source_count++] = *source;
	return 0;
}

void machine_poll_remove(struct machine *machine, void *opaque)
{
	for (size_t i = 0; i < machine->source_count; i++) {
		if (machine->sources[i].opaque != opaque)
			continue;
		machine->source_count--;
		memmove(&machine->sources[i], &machine->sources[i + 1],
			(machine->source_count - i) * sizeof(*machine->sources));
		return;
	}
}

bool poll_can_wake(const struct machine *machine)
{
	bool can = machine->config.host_input;

	for (size_t i = 0; i < machine->source_count && !can; i++) {
		const struct poll_source *source = &machine->sources[i];

		can = source->wakes && source->wakes(source->opaque);
	}
	return can;
}

bool poll_paces(const struct machine *machine)
{
	bool paces = false;

	for (size_t i = 0; i < machine->source_count && !paces; i++) {
		const struct poll_source *source = &machine->sources[i];

		paces = source->paces && source->paces(source->opaque);
	}
	return paces;
}

void machine_poke(struct machine *machine)
{
	uint64_t one = 1;
	ssize_t ignored = write(machine->wake_fd, &one, sizeof(one));

	(void)ignored; /* a full counter wakes as well */
}

static struct timespec poll_timeout(int64_t ns, int source_ms)
{
	if (source_ms >= 0 && (ns < 0 || ns > source_ms * 1000000ll))
		ns = source_ms * 1000000ll;
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

void poll_sources(struct machine *machine, int64_t timeout_ns)
{
	struct pollfd *fds = machine->poll_fds;
	int counts[machine->source_count + 1]; /* a handful: disks have none */
	int used = 1, source_ms = -1;
	size_t sources = machine->source_count;
	struct timespec timeout;
	uint64_t drained;

	fds[0] = (struct pollfd){.fd = machine->wake_fd, .events = POLLIN};
	machine_lock(machine);
	for (size_t i = 0; i < sources; i++) {
		struct poll_source *source = &machine->sources[i];

		counts[i] =
			source->fill(source->opaque, fds + used, POLL_MAX_FDS - used, &source_ms);
		used += counts[i];
	}
	machine_unlock(machine);

	timeout = poll_timeout(timeout_ns, source_ms);
	if (ppoll(fds, (nfds_t)used, timeout_ns < 0 && source_ms < 0 ? NULL : &timeout, NULL) < 0) {
		/* EINTR: a signal, perhaps machine_stop's. Nothing is ready. */
		for (int i = 0; i < used; i++)
			fds[i].revents = 0;
	}
	if (fds[0].revents && read(machine->wake_fd, &drained, sizeof(drained)) < 0)
		drained = 0;

	machine_lock(machine);
	used = 1;
	for (size_t i = 0; i < sources && i < machine->source_count; i++) {
		struct poll_source source = machine->sources[i];

		source.ready(source.opaque, fds + used, counts[i]);
		used += counts[i];
	}
	machine_unlock(machine);
}
