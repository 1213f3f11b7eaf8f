/* SPDX-License-Identifier: Apache-2.0 */
/* Network in user space, by libslirp. */
#include <slirp/libslirp.h>
#include <stdlib.h>

#include "machine/net.h"

#define NS_PER_MS 1000000ull

struct net_slirp {
	struct net_backend backend;
	Slirp *slirp;
	struct ls_clock *clock;
	struct ls_timer timer; /* when slirp wants to look at its connections */
	unsigned int sockets;  /* host sockets at the last look */
};

/* What the callbacks of one look share. fds is NULL when nothing is ready by definition. */
struct look {
	struct pollfd *fds;
	int count, room;
};

static struct net_slirp *from_backend(struct net_backend *backend)
{
	return (struct net_slirp *)backend;
}

static const struct {
	int slirp, host;
} events[] = {
	{SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
	{SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int add_poll(int fd, int wanted, void *opaque)
{
	struct look *look = opaque;
	size_t i;

	if (!look->fds)
		return look->count++;
	if (look->count == look->room)
		return -1;
	look->fds[look->count] = (struct pollfd){.fd = fd};
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (wanted & events[i].slirp)
			look->fds[look->count].events |= (short)events[i].host;
	return look->count++;
}

static int get_events(int index, void *opaque)
{
	struct look *look = opaque;
	int got = 0;
	size_t i;

	if (!look->fds || index < 0 || index >= look->count)
		return 0;
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (look->fds[index].revents & events[i].host)
			got |= events[i].slirp;
	return got;
}

/* Asks which sockets matter, and by when slirp must be called again: in guest time. */
static void fill(struct net_slirp *net, struct look *look)
{
	uint32_t timeout = UINT32_MAX;
	uint64_t deadline;

	slirp_pollfds_fill(net->slirp, &timeout, add_poll, look);
	net->sockets = (unsigned int)look->count;
	if (timeout == UINT32_MAX) {
		net->clock->disarm(net->clock, &net->timer);
		return;
	}
	deadline = net->clock->now(net->clock) + (timeout + 1) * NS_PER_MS;
	if (deadline < net->timer.deadline)
		net->clock->arm(net->clock, &net->timer, deadline);
}

static void look_without_sockets(struct net_slirp *net)
{
	struct look look = {0};

	fill(net, &look);
	slirp_pollfds_poll(net->slirp, 0, get_events, &look);
}

static void timer_fired(struct ls_timer *timer, uint64_t now)
{
	(void)now;
	look_without_sockets(timer->opaque);
}

static void net_slirp_send(struct net_backend *backend, const uint8_t *frame, size_t len)
{
	slirp_input(from_backend(backend)->slirp, frame, (int)len);
}

static int net_slirp_fill(struct net_backend *backend, struct pollfd *fds, int room,
			  int *timeout_ms)
{
	struct look look = {.fds = fds, .room = room};

	(void)timeout_ms; /* slirp's timeouts are guest time: the timer's business */
	fill(from_backend(backend), &look);
	return look.count;
}

static void net_slirp_ready(struct net_backend *backend, struct pollfd *fds, int count)
{
	struct look look = {.fds = fds, .count = count};

	slirp_pollfds_poll(from_backend(backend)->slirp, 0, get_events, &look);
}

static bool net_slirp_paces(struct net_backend *backend)
{
	return from_backend(backend)->sockets;
}

static void net_slirp_destroy(struct net_backend *backend)
{
	struct net_slirp *net = from_backend(backend);

	net->clock->disarm(net->clock, &net->timer);
	slirp_cleanup(net->slirp);
	free(net);
}

static const struct net_backend_ops net_slirp_ops = {
	.send = net_slirp_send,
	.fill = net_slirp_fill,
	.ready = net_slirp_ready,
	.paces = net_slirp_paces,
	.destroy = net_slirp_destroy,
};

/* --- what slirp calls --- */

static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
	struct net_backend *backend = opaque;

	if (backend->receive)
		backend->receive(backend->opaque, frame, len);
	return (ssize_t)len;
}

static void guest_error(const char *message, void *opaque)
{
	/* The guest's mistakes are its own; slirp has dropped the packet. */
	(void)message;
	(void)opaque;
}

static int64_t clock_get_ns(void *opaque)
{
	struct net_slirp *net = opaque;

	return (int64_t)net->clock->now(net->clock);
}

/* slirp's own timers serve IPv6 router advertisements, which are off. */
static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
	(void)callback;
	(void)callback_opaque;
	return opaque;
}

static void timer_free(void *timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	(void)timer;
	(void)expire_ms;
	(void)opaque;
}

/* All sockets are named anew at each look. */
static void poll_fd_changed(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd_changed,
	.unregister_poll_fd = poll_fd_changed,
	.notify = notify,
};

static struct in_addr address(uint8_t last)
{
	return (struct in_addr){.s_addr = htonl(0x0a000200u | last)};
}

struct net_backend *net_slirp_create(struct ls_clock *clock, struct ls_error *err)
{
	SlirpConfig config = {
		.version = 1,
		.in_enabled = true,
		.vnetwork = address(0),
		.vnetmask = {.s_addr = htonl(0xffffff00)},
		.vhost = address(2),
		.vnameserver = address(3),
		.vdhcp_start = address(15),
		.vhostname = "lockstep",
	};
	struct net_slirp *net = calloc(1, sizeof(*net));

	if (!net) {
		ls_error_set(err, -ENOMEM, "no memory for the user network");
		return NULL;
	}
	net->backend.ops = &net_slirp_ops;
	net->clock = clock;
	net->timer = (struct ls_timer){.deadline = LS_NEVER, .fn = timer_fired, .opaque = net};
	net->slirp = slirp_new(&config, &callbacks, net);
	if (!net->slirp) {
		ls_error_set(err, -EINVAL, "libslirp did not start the user network");
		free(net);
		return NULL;
	}
	return &net->backend;
}
