/* SPDX-License-Identifier: Apache-2.0 */
/* Network by an existing tap interface of the host. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine/net.h"

/* Frames taken at one look, so that a flood can't hold the machine. */
#define BATCH 64

struct net_tap {
	struct net_backend backend;
	int fd;
};

static struct net_tap *from_backend(struct net_backend *backend)
{
	return (struct net_tap *)backend;
}

static void net_tap_send(struct net_backend *backend, const uint8_t *frame, size_t len)
{
	/* A full or absent link loses frames, as a wire does. */
	(void)!write(from_backend(backend)->fd, frame, len);
}

static int net_tap_fill(struct net_backend *backend, struct pollfd *fds, int room, int *timeout_ms)
{
	(void)timeout_ms;
	if (!room)
		return 0;
	fds[0] = (struct pollfd){.fd = from_backend(backend)->fd, .events = POLLIN};
	return 1;
}

static void net_tap_ready(struct net_backend *backend, struct pollfd *fds, int count)
{
	uint8_t frame[NET_FRAME_MAX + 1]; /* one more shows what is too long */
	int i;

	if (!count || !(fds[0].revents & POLLIN))
		return;
	for (i = 0; i < BATCH; i++) {
		ssize_t got = read(from_backend(backend)->fd, frame, sizeof(frame));

		if (got <= 0)
			return;
		if (backend->receive)
			backend->receive(backend->opaque, frame, (size_t)got);
	}
}

static bool net_tap_paces(struct net_backend *backend)
{
	(void)backend;
	return true;
}

static void net_tap_destroy(struct net_backend *backend)
{
	struct net_tap *tap = from_backend(backend);

	close(tap->fd);
	free(tap);
}

static const struct net_backend_ops net_tap_ops = {
	.send = net_tap_send,
	.fill = net_tap_fill,
	.ready = net_tap_ready,
	.paces = net_tap_paces,
	.destroy = net_tap_destroy,
};

static int tap_open(const char *interface, struct ls_error *err)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd, ret;

	if (!interface || !*interface || strlen(interface) >= sizeof(request.ifr_name))
		return ls_error_set(err, -EINVAL, "'%s' is not a network interface's name",
				    interface ? interface : "");
	/* TUNSETIFF would make one, for whoever may. */
	if (!if_nametoindex(interface))
		return ls_error_set(err, -ENODEV,
				    "there is no tap %s; make it with "
				    "'ip tuntap add dev %s mode tap user $USER'",
				    interface, interface);
	memcpy(request.ifr_name, interface, strlen(interface));
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ls_error_set(err, -errno, "cannot open /dev/net/tun: %s", strerror(errno));
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		ret = -errno;
		close(fd);
		return ls_error_set(err, ret,
				    "cannot attach to tap %s: %s; make it with "
				    "'ip tuntap add dev %s mode tap user $USER'",
				    interface, strerror(-ret), interface);
	}
	return fd;
}

struct net_backend *net_tap_create(const char *interface, struct ls_error *err)
{
	struct net_tap *tap = calloc(1, sizeof(*tap));

	if (!tap) {
		ls_error_set(err, -ENOMEM, "no memory for tap %s", interface);
		return NULL;
	}
	tap->backend.ops = &net_tap_ops;
	tap->fd = tap_open(interface, err);
	if (tap->fd < 0) {
		free(tap);
		return NULL;
	}
	return &tap->backend;
}
