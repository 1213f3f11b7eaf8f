/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio network card with one pair of queues: virtio 1.2, 5.1. */
#ifndef LOCKSTEP_MACHINE_VIRTIO_NET_H
#define LOCKSTEP_MACHINE_VIRTIO_NET_H

#include "machine/net.h"
#include "machine/pci.h"

struct virtio_net_options {
	uint8_t mac[6];              /* all zero: 52:54:00:12:34:56 */
	struct net_backend *backend; /* the card owns it, once it is created */
};

int virtio_net_create(struct pci_bus *bus, const struct virtio_net_options *options,
		      struct ls_error *err);

#endif
