/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/bus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void bus_init(struct bus *bus, const char *name, uint64_t limit)
{
	*bus = (struct bus){.name = name, .limit = limit};
}

void bus_free(struct bus *bus)
{
	free(bus->regions);
	bus->regions = NULL;
	bus->count = bus->room = 0;
}

/* Index of the first region that ends beyond @address. */
static size_t bus_position(const struct bus *bus, uint64_t address)
{
	size_t low = 0, high = bus->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct bus_region *region = &bus->regions[middle];

		if (region->base + (region->size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct bus_region *bus_find(const struct bus *bus, uint64_t address)
{
	size_t i = bus_position(bus, address);

	if (i == bus->count || bus->regions[i].base > address)
		return NULL;
	return &bus->regions[i];
}

static int bus_check(const struct bus *bus, const struct bus_region *region, struct ls_error *err)
{
	uint64_t last = region->base + (region->size - 1);

	if (!region->size || last < region->base || (bus->limit && last >= bus->limit))
		return ls_error_set(err, -EINVAL,
				    "%s region %s at 0x%" PRIx64 " of 0x%" PRIx64
				    " bytes does not fit its address space",
				    bus->name, region->name, region->base, region->size);
	return 0;
}

int bus_add(struct bus *bus, const struct bus_region *region, struct ls_error *err)
{
	size_t at;
	int ret = bus_check(bus, region, err);

	if (ret)
		return ret;
	at = bus_position(bus, region->base);
	if (at < bus->count && bus->regions[at].base <= region->base + (region->size - 1))
		return ls_error_set(err, -EEXIST,
				    "%s region %s at 0x%" PRIx64 " overlaps %s at 0x%" PRIx64,
				    bus->name, region->name, region->base, bus->regions[at].name,
				    bus->regions[at].base);
	if (bus->count == bus->room) {
		size_t room = bus->room ? 2 * bus->room : 16;
		struct bus_region *regions = realloc(bus->regions, room * sizeof(*regions));

		if (!regions)
			return ls_error_set(err, -ENOMEM, "no memory for %s regions", bus->name);
		bus->regions = regions;
		bus->room = room;
	}
	memmove(&bus->regions[at + 1], &bus->regions[at],
		(bus->count - at) * sizeof(*bus->regions));
	bus->regions[at] = *region;
	bus->count++;
	return 0;
}

int bus_remove(struct bus *bus, uint64_t base)
{
	size_t at = bus_position(bus, base);

	if (at == bus->count || bus->regions[at].base != base)
		return -ENOENT;
	bus->count--;
	memmove(&bus->regions[at], &bus->regions[at + 1],
		(bus->count - at) * sizeof(*bus->regions));
	return 0;
}

static uint64_t all_ones(unsigned int size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
}

static bool size_is_plain(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* The largest piece of an access at @address that @region takes at once. */
static unsigned int bus_piece(const struct bus_region *region, uint64_t address, unsigned int size)
{
	unsigned int widest = region->ops->widest ? region->ops->widest : 8;

	if (region->reach == size && address == region->base)
		return size;
	if (!size_is_plain(size) || size - 1 > region->base + (region->size - 1) - address)
		return 1;
	return size < widest ? size : widest;
}

/* How much of an access at @address, which nothing claims, nothing claims. */
static unsigned int bus_hole(const struct bus *bus, uint64_t address, unsigned int size)
{
	size_t next = bus_position(bus, address);

	if (next < bus->count && bus->regions[next].base - address < size)
		return (unsigned int)(bus->regions[next].base - address);
	return size;
}

uint64_t bus_read(struct bus *bus, uint64_t address, unsigned int size)
{
	uint64_t value = 0;
	unsigned int done = 0;

	while (done < size) {
		uint64_t at = address + done;
		/* Copied: a handler may add or remove regions. */
		const struct bus_region *found = bus_find(bus, at);
		struct bus_region region;
		unsigned int piece;
		uint64_t part;

		if (!found) {
			bus->unclaimed++;
			piece = bus_hole(bus, at, size - done);
			part = all_ones(piece);
		} else {
			region = *found;
			piece = bus_piece(&region, at, size - done);
			part = region.ops->read
				       ? region.ops->read(region.opaque, at - region.base, piece)
				       : UINT64_MAX;
			part &= all_ones(piece);
		}
		value |= part << (8 * done);
		done += piece;
	}
	return value;
}

void bus_write(struct bus *bus, uint64_t address, unsigned int size, uint64_t value)
{
	unsigned int done = 0;

	while (done < size) {
		uint64_t at = address + done;
		const struct bus_region *found = bus_find(bus, at);
		struct bus_region region;
		unsigned int piece;

		if (!found) {
			bus->unclaimed++;
			piece = bus_hole(bus, at, size - done);
		} else {
			region = *found;
			piece = bus_piece(&region, at, size - done);
			if (region.ops->write)
				region.ops->write(region.opaque, at - region.base, piece,
						  (value >> (8 * done)) & all_ones(piece));
		}
		done += piece;
	}
}
