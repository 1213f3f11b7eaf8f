/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gdb/stub.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "machine/poll.h"
#include "tools/gdb/internal.h"
#include "tools/gdb/listen.h"
#include "tools/log.h"

/* --- answers --- */

struct machine_view gdb_view(const struct gdb_stub *stub)
{
	return (struct machine_view){
		.vcpu = stub->vcpu, .level = stub->level, .physical = stub->physical};
}

void gdb_reply(struct gdb_stub *stub, const char *text)
{
	if (stub->link.fd >= 0 && !gdb_link_send(&stub->link, text, strlen(text)))
		gdb_leave(stub);
}

void gdb_reply_error(struct gdb_stub *stub, int code)
{
	g_autofree char *text = g_strdup_printf("E%02x", code < 0 ? -code & 0xff : code & 0xff);

	gdb_reply(stub, text);
}

/* --- gdb comes and goes --- */

static void arrive(struct gdb_stub *stub)
{
	int fd = gdb_accept(stub->listener);

	if (fd < 0)
		return;
	stub->link = (struct gdb_link){.fd = fd};
	stub->vcpu = stub->step_vcpu = 0;
	stub->level = VIEW_RUNNING;
	stub->physical = false;
	if (!stub->pauses)
		gdb_interrupt(stub, GDB_SIGNAL_TRAP);
}

void gdb_leave(struct gdb_stub *stub)
{
	if (stub->link.fd >= 0)
		close(stub->link.fd);
	stub->link.fd = -1;
	stub->vm_entry = stub->vm_exit = false;
	gdb_let_go(stub);
}

static void serve(struct gdb_stub *stub)
{
	static const size_t room = GDB_PACKET_MAX + 1;
	g_autofree char *packet = g_malloc(room);
	enum gdb_received received = gdb_link_fill(&stub->link);
	size_t size;

	while (received != GDB_GONE && stub->link.fd >= 0) {
		received = gdb_link_next(&stub->link, packet, &size);
		if (received == GDB_PACKET)
			gdb_request(stub, packet, size);
		else if (received == GDB_INTERRUPT && stub->running)
			gdb_interrupt(stub, GDB_SIGNAL_INT);
		else if (received == GDB_NOTHING)
			return;
	}
	if (stub->link.fd >= 0)
		gdb_leave(stub);
}

/* --- the machine's polling --- */

static int stub_fill(void *opaque, struct pollfd *fds, int room, int *timeout_ms)
{
	struct gdb_stub *stub = opaque;

	if (stub->running && stub->stop_count)
		*timeout_ms = 0;
	if (room < 1)
		return 0;
	fds[0] = (struct pollfd){.fd = stub->link.fd >= 0 ? stub->link.fd : stub->listener,
				 .events = POLLIN};
	return 1;
}

static void stub_ready(void *opaque, struct pollfd *fds, int count)
{
	struct gdb_stub *stub = opaque;

	if (count && fds[0].revents && stub->link.fd >= 0)
		serve(stub);
	else if (count && fds[0].revents)
		arrive(stub);
	gdb_tell(stub);
	gdb_refresh(stub);
}

/* --- life --- */

struct gdb_stub *gdb_stub_create(const char *where, bool wait, struct ls_error *err)
{
	struct gdb_stub *stub;
	int listener = gdb_listen(where, err);

	if (listener < 0)
		return NULL;
	stub = g_new0(struct gdb_stub, 1);
	stub->listener = listener;
	stub->path = strchr(where, '/') ? g_strdup(where) : NULL;
	stub->link.fd = -1;
	stub->wait = wait;
	stub->stepping = GDB_NO_STEP;
	return stub;
}

void gdb_stub_configure(struct gdb_stub *stub, struct machine_config *config, bool traced)
{
	config->debug = gdb_stopped;
	config->debug_opaque = stub;
	config->debug_lift = gdb_lift;
	config->history = !traced;
}

int gdb_stub_attach(struct gdb_stub *stub, struct machine *machine)
{
	const struct poll_source source = {.fill = stub_fill, .ready = stub_ready, .opaque = stub};
	int ret = machine_poll_add(machine, &source);

	stub->machine = machine;
	if (!ret && stub->wait)
		gdb_interrupt(stub, GDB_SIGNAL_TRAP);
	return ret;
}

void gdb_stub_end(struct gdb_stub *stub, int status)
{
	g_autofree char *text = g_strdup_printf("W%02x", (unsigned int)status & 0xff);

	if (stub->machine)
		machine_poll_remove(stub->machine, stub);
	/* A reply to what it waits for; when it does not, it sees the line close. */
	if (stub->running)
		gdb_reply(stub, text);
	stub->machine = NULL;
}

void gdb_stub_free(struct gdb_stub *stub)
{
	if (!stub)
		return;
	if (stub->link.fd >= 0)
		close(stub->link.fd);
	close(stub->listener);
	if (stub->path)
		unlink(stub->path);
	g_free(stub->path);
	g_free(stub);
}
