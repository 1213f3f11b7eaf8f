/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio entropy source: virtio 1.2, 5.4. */
#ifndef LOCKSTEP_MACHINE_VIRTIO_RNG_H
#define LOCKSTEP_MACHINE_VIRTIO_RNG_H

#include "machine/pci.h"

struct virtio_rng_options {
	uint64_t seed;     /* the same seed gives the same bytes */
	bool host_entropy; /* getrandom() instead: the run can't be repeated */
};

int virtio_rng_create(struct pci_bus *bus, const struct virtio_rng_options *options,
		      struct ls_error *err);

#endif
