/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio console with one port: virtio 1.2, 5.3. */
#ifndef LOCKSTEP_MACHINE_VIRTIO_CONSOLE_H
#define LOCKSTEP_MACHINE_VIRTIO_CONSOLE_H

#include "machine/pci.h"

struct virtio_console;

struct virtio_console_options {
	/* The guest's bytes, under the machine lock. NULL: dropped. */
	void (*output)(void *opaque, const uint8_t *bytes, size_t n);
	void *opaque;
	uint16_t columns, rows; /* 0: not told to the guest */
};

/* NULL: *err says why. The bus owns what is returned. */
struct virtio_console *virtio_console_create(struct pci_bus *bus,
					     const struct virtio_console_options *options,
					     struct ls_error *err);
/* Bytes for the guest, under the machine lock. They wait until it has a buffer for them;
 * returns how many were taken (less than @n when 4 KiB are waiting). */
size_t virtio_console_input(struct virtio_console *console, const void *bytes, size_t n);
/* How many bytes it would take now; none before its driver is up. */
size_t virtio_console_room(const struct virtio_console *console);
/* The terminal's size changed. */
void virtio_console_resize(struct virtio_console *console, uint16_t columns, uint16_t rows);

#endif
