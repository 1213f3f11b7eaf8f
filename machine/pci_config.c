/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways into the bus: configuration mechanism #1 (PCI 3.0, 3.2.2.3.2), ECAM (PCI Express Base
 * 3.0, 7.2.2), and the windows behind which the BARs lie.
 */
#include <linux/pci_regs.h>

#include "machine/memory.h"
#include "machine/pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_ENABLE  0x80000000u

void pci_set16(struct pci_device *device, unsigned int offset, uint16_t value)
{
	device->config[offset] = (uint8_t)value;
	device->config[offset + 1] = (uint8_t)(value >> 8);
}

void pci_set32(struct pci_device *device, unsigned int offset, uint32_t value)
{
	pci_set16(device, offset, (uint16_t)value);
	pci_set16(device, offset + 2, (uint16_t)(value >> 16));
}

/* Only bus 0 and function 0 of each slot have anything. */
static struct pci_device *device_at(struct pci_bus *bus, unsigned int function)
{
	if (function & ~0xf8u)
		return NULL;
	return bus->devices[function >> 3];
}

uint32_t pci_config_read(struct pci_bus *bus, unsigned int function, unsigned int offset,
			 unsigned int size)
{
	struct pci_device *device = device_at(bus, function);
	uint32_t value = 0;
	unsigned int i;

	if (device && device->ops->config_reading)
		device->ops->config_reading(device, offset, size);
	for (i = 0; i < size; i++) {
		bool there = device && offset + i < PCI_CONFIG_SIZE;

		value |= (uint32_t)(there ? device->config[offset + i] : 0xff) << (8 * i);
	}
	return value;
}

static bool overlaps(unsigned int offset, unsigned int size, unsigned int first, unsigned int end)
{
	return offset < end && offset + size > first;
}

void pci_config_write(struct pci_bus *bus, unsigned int function, unsigned int offset,
		      unsigned int size, uint32_t value)
{
	struct pci_device *device = device_at(bus, function);
	unsigned int i;

	if (!device)
		return;
	for (i = 0; i < size && offset + i < PCI_CONFIG_SIZE; i++) {
		uint8_t mask = device->writable[offset + i];
		uint8_t byte = (uint8_t)(value >> (8 * i));

		device->config[offset + i] =
			(uint8_t)((device->config[offset + i] & ~mask) | (byte & mask));
	}
	if (overlaps(offset, size, PCI_COMMAND, PCI_COMMAND + 2) ||
	    overlaps(offset, size, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_5 + 4))
		pci_remap(bus);
	pci_intx_update(device);
	pci_msi_config_written(device);
	pci_msix_config_written(device);
	if (device->ops->config_written)
		device->ops->config_written(device, offset, size);
}

/* CONFIG_ADDRESS takes 4-byte accesses only; narrower ones at 0xcf8 are nobody's, and those
 * at 0xcf9 are the reset register's. */
static uint64_t address_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_bus *bus = opaque;

	(void)offset;
	return size == 4 ? bus->address & ~3u : UINT32_MAX >> (32 - 8 * size);
}

static void address_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_bus *bus = opaque;

	(void)offset;
	if (size == 4)
		bus->address = (uint32_t)value & (CONFIG_ENABLE | 0xffffffu);
}

/* Bits 1:0 of the address read as 0. They still count: test programs put the byte's number
 * there and read the data port at its base. */
static uint64_t data_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_bus *bus = opaque;

	if (!(bus->address & CONFIG_ENABLE))
		return UINT32_MAX >> (32 - 8 * size);
	return pci_config_read(bus, bus->address >> 8 & 0xffff, (bus->address & 0xff) | offset,
			       size);
}

static void data_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_bus *bus = opaque;

	if (!(bus->address & CONFIG_ENABLE))
		return;
	pci_config_write(bus, bus->address >> 8 & 0xffff, (bus->address & 0xff) | offset, size,
			 (uint32_t)value);
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned int size)
{
	return pci_config_read(opaque, (unsigned int)(offset >> 12), offset & 0xfff, size);
}

static void ecam_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	pci_config_write(opaque, (unsigned int)(offset >> 12), offset & 0xfff, size,
			 (uint32_t)value);
}

static uint64_t memory_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_bus *bus = opaque;

	return bus_read(&bus->memory, MEMORY_PCI_BASE + offset, size);
}

static void memory_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_bus *bus = opaque;

	bus_write(&bus->memory, MEMORY_PCI_BASE + offset, size, value);
}

static uint64_t io_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_bus *bus = opaque;

	return bus_read(&bus->io, MEMORY_PCI_IO_BASE + offset, size);
}

static void io_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_bus *bus = opaque;

	bus_write(&bus->io, MEMORY_PCI_IO_BASE + offset, size, value);
}

static const struct bus_ops address_ops = {
	.read = address_read, .write = address_write, .widest = 4};
static const struct bus_ops data_ops = {.read = data_read, .write = data_write, .widest = 4};
static const struct bus_ops ecam_ops = {.read = ecam_read, .write = ecam_write, .widest = 4};
static const struct bus_ops memory_ops = {.read = memory_read, .write = memory_write};
static const struct bus_ops io_ops = {.read = io_read, .write = io_write};

/* The bridge's regions; `ports` picks the space. */
static const struct way {
	const char *name;
	bool ports;
	uint64_t base, size;
	const struct bus_ops *ops;
	unsigned int reach;
} ways[] = {
	{"PCI configuration address", true, CONFIG_ADDRESS, 1, &address_ops, 4},
	{"PCI configuration data", true, CONFIG_ADDRESS + 4, 4, &data_ops, 0},
	{"PCI I/O window", true, MEMORY_PCI_IO_BASE, MEMORY_PCI_IO_END - MEMORY_PCI_IO_BASE,
	 &io_ops, 0},
	{"PCI ECAM", false, MEMORY_ECAM_BASE, MEMORY_ECAM_SIZE, &ecam_ops, 0},
	{"PCI memory window", false, MEMORY_PCI_BASE, MEMORY_PCI_END - MEMORY_PCI_BASE, &memory_ops,
	 0},
};

int pci_config_attach(struct pci_bus *bus, struct ls_error *err)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct bus_region region = {
			.name = ways[i].name,
			.base = ways[i].base,
			.size = ways[i].size,
			.ops = ways[i].ops,
			.opaque = bus,
			.reach = ways[i].reach,
		};
		int ret = bus_add(ways[i].ports ? bus->host.ports : bus->host.mmio, &region, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

void pci_config_detach(struct pci_bus *bus)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct bus *space = ways[i].ports ? bus->host.ports : bus->host.mmio;
		const struct bus_region *region = bus_find(space, ways[i].base);

		if (region && region->opaque == bus)
			bus_remove(space, ways[i].base);
	}
}
