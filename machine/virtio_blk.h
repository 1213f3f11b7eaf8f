/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio disk over a raw image: virtio 1.2, 5.2. */
#ifndef LOCKSTEP_MACHINE_VIRTIO_BLK_H
#define LOCKSTEP_MACHINE_VIRTIO_BLK_H

#include "machine/pci.h"

struct machine;

struct virtio_blk_options {
	const char *path; /* a regular file or block device of whole 512-byte sectors */
	bool read_only;
	const char *serial; /* up to 20 characters; NULL: none */
	/* For the input log; may be NULL. While the machine replays one, no image is opened: what
	 * is read comes from the log, what is written goes nowhere, and *sectors is the caller's.
	 */
	struct machine *machine;
	uint64_t *sectors; /* how many it has; NULL: nobody wants to know */
};

/* Opens the image and puts the disk on @bus. Returns its slot, or -errno with nothing changed. */
int virtio_blk_create(struct pci_bus *bus, const struct virtio_blk_options *options,
		      struct ls_error *err);

#endif
