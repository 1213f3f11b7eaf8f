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
				    "%s region %s at 0x%" PRIx64 " overlaps %s at 0x%" PRIx64
				    "; choose another address",
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

/* What takes the start of an access of @size at @address, and how much of it: a region, or
 * (false) a hole, which is counted. Copied: a handler may add or remove regions. */
static bool bus_next(struct bus *bus, uint64_t address, unsigned int size,
		     struct bus_region *region, unsigned int *piece)
{
	size_t at = bus_position(bus, address);
	const struct bus_region *next = at < bus->count ? &bus->regions[at] : NULL;

	if (next && next->base <= address) {
		*region = *next;
		*piece = bus_piece(region, address, size);
		return true;
	}
	bus->unclaimed++;
	*piece = next && next->base - address < size ? (unsigned int)(next->base - address) : size;
	return false;
}

uint64_t bus_read(struct bus *bus, uint64_t address, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int done = 0, piece; done < size; done += piece) {
		uint64_t at = address + done, part = UINT64_MAX;
		struct bus_region region;

		if (bus_next(bus, at, size - done, &region, &piece) && region.ops->read)
			part = region.ops->read(region.opaque, at - region.base, piece);
		value |= (part & all_ones(piece)) << (8 * done);
	}
	return value;
}

void bus_write(struct bus *bus, uint64_t address, unsigned int size, uint64_t value)
{
	for (unsigned int done = 0, piece; done < size; done += piece) {
		uint64_t at = address + done;
		struct bus_region region;

		if (bus_next(bus, at, size - done, &region, &piece) && region.ops->write)
			region.ops->write(region.opaque, at - region.base, piece,
					  (value >> (8 * done)) & all_ones(piece));
	}
}
