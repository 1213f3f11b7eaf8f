/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port I/O and MMIO: two address spaces of the same kind. Regions are kept sorted and found
 * by binary search; they never overlap.
 */
#ifndef LOCKSTEP_MACHINE_BUS_H
#define LOCKSTEP_MACHINE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

/* @offset is relative to the region's base; @size is 1, 2, 4 or 8 and at most the region's
 * `widest`. Values are little-endian and zero-extended. */
struct bus_ops {
	uint64_t (*read)(void *opaque, uint64_t offset, unsigned int size);
	void (*write)(void *opaque, uint64_t offset, unsigned int size, uint64_t value);
	/* Wider accesses are split into pieces of this size, lowest address first; 0 means 8.
	 * An access that crosses a region's end is split into bytes. */
	unsigned int widest;
};

struct bus_region {
	const char *name;
	uint64_t base;
	uint64_t size;
	const struct bus_ops *ops;
	void *opaque;
	/* Not 0: an access of exactly this size at @base belongs to the region whole, although
	 * what it covers beyond the region's end is claimed by others (port 0xcf8 is PCI's for
	 * 4-byte accesses, its second byte is the reset register). */
	unsigned int reach;
};

struct bus {
	const char *name; /* "port" or "MMIO", for messages */
	struct bus_region *regions;
	size_t count, room;
	uint64_t limit;     /* first address beyond the space; 0: none */
	uint64_t unclaimed; /* accesses nothing answered */
};

void bus_init(struct bus *bus, const char *name, uint64_t limit);
void bus_free(struct bus *bus);

/* Copies @region. -EEXIST if it overlaps another (both named in @err), -EINVAL if it is
 * empty or beyond the space, -ENOMEM. May be called by a handler; a region must not remove
 * itself from inside its own handler. */
int bus_add(struct bus *bus, const struct bus_region *region, struct ls_error *err);
/* Takes away the region that starts at @base; -ENOENT. */
int bus_remove(struct bus *bus, uint64_t base);
const struct bus_region *bus_find(const struct bus *bus, uint64_t address);

/* Reads of addresses nothing claims give all ones, writes to them are dropped; both are
 * counted. @size is 1..8. */
uint64_t bus_read(struct bus *bus, uint64_t address, unsigned int size);
void bus_write(struct bus *bus, uint64_t address, unsigned int size, uint64_t value);

#endif
