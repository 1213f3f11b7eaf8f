/* SPDX-License-Identifier: Apache-2.0 */
/* What a network card is plugged into. */
#ifndef LOCKSTEP_MACHINE_NET_H
#define LOCKSTEP_MACHINE_NET_H

#include <lockstep/clock.h>
#include <lockstep/error.h>

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An Ethernet frame without its check sequence: 1500 bytes, header and VLAN tag. */
#define NET_FRAME_MAX 1518
#define NET_FRAME_MIN 14

struct net_backend;

struct net_backend_ops {
	/* A frame from the guest. */
	void (*send)(struct net_backend *backend, const uint8_t *frame, size_t len);
	/* As a poll source's (poll.h); NULL if there is nothing to poll. */
	int (*fill)(struct net_backend *backend, struct pollfd *fds, int room, int *timeout_ms);
	void (*ready)(struct net_backend *backend, struct pollfd *fds, int count);
	/* Somebody outside, who keeps real time, may be about to answer. */
	bool (*paces)(struct net_backend *backend);
	void (*destroy)(struct net_backend *backend);
};

/* The head of each backend's own object. Everything runs under the machine lock. */
struct net_backend {
	const struct net_backend_ops *ops;
	/* A frame for the guest; set by the card. May be called from inside send. */
	void (*receive)(void *opaque, const uint8_t *frame, size_t len);
	void *opaque;
};

/* libslirp's user network, 10.0.2.0/24: gateway and host 10.0.2.2, DNS 10.0.2.3, DHCP from
 * 10.0.2.15 on. What stays inside it happens at fixed guest times. */
struct net_backend *net_slirp_create(struct ls_clock *clock, struct ls_error *err);
/* An existing tap interface. */
struct net_backend *net_tap_create(const char *interface, struct ls_error *err);

#endif
