/* SPDX-License-Identifier: Apache-2.0 */
/* Base address registers: PCI 3.0, 6.2.5. */
#include <linux/pci_regs.h>

#include "machine/pci.h"

static unsigned int bar_offset(unsigned int index)
{
	return PCI_BASE_ADDRESS_0 + index * 4;
}

static void set_writable(struct pci_device *device, unsigned int offset, uint32_t mask)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		device->writable[offset + i] = (uint8_t)(mask >> (8 * i));
}

void pci_device_bar(struct pci_device *device, unsigned int index, enum pci_bar_kind kind,
		    uint64_t size, const struct bus_ops *ops, void *opaque)
{
	struct pci_bar *bar = &device->bars[index];
	uint64_t mask = ~(size - 1);

	*bar = (struct pci_bar){.kind = kind, .size = size, .ops = ops, .opaque = opaque};
	/* 6.2.5.1: address bits below the size are hardwired to 0, which is how software sizes
	 * a BAR; the low bits tell its kind. */
	set_writable(device, bar_offset(index), (uint32_t)mask);
	if (kind == PCI_BAR_IO)
		device->config[bar_offset(index)] = PCI_BASE_ADDRESS_SPACE_IO;
	if (kind == PCI_BAR_MEM64) {
		device->config[bar_offset(index)] = PCI_BASE_ADDRESS_MEM_TYPE_64;
		device->bars[index + 1].kind = PCI_BAR_UPPER;
		set_writable(device, bar_offset(index + 1), (uint32_t)(mask >> 32));
	}
}

uint64_t pci_bar_address(const struct pci_device *device, unsigned int index)
{
	const struct pci_bar *bar = &device->bars[index];
	uint64_t value = pci_get32(device, bar_offset(index));

	if (bar->kind == PCI_BAR_MEM64)
		value |= (uint64_t)pci_get32(device, bar_offset(index + 1)) << 32;
	return value & ~(bar->size - 1);
}

void pci_bar_set(struct pci_device *device, unsigned int index, uint64_t address)
{
	unsigned int offset = bar_offset(index);
	uint32_t kind = device->initial[offset] & 0xfu;

	pci_set32(device, offset, (uint32_t)address | kind);
	if (device->bars[index].kind == PCI_BAR_MEM64)
		pci_set32(device, offset + 4, (uint32_t)(address >> 32));
}

/* Where BAR @index should decode now; false if nowhere. The bridge forwards its windows only,
 * so that a BAR (also one that is being sized) can't hide RAM or the machine's own devices. */
static bool bar_decodes(const struct pci_device *device, unsigned int index, uint64_t *base)
{
	enum pci_bar_kind kind = device->bars[index].kind;
	uint16_t enable = kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (kind == PCI_BAR_NONE || kind == PCI_BAR_UPPER)
		return false;
	*base = pci_bar_address(device, index);
	return pci_get16(device, PCI_COMMAND) & enable;
}

static struct bus *bar_space(struct pci_device *device, const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_IO ? &device->bus->io : &device->bus->memory;
}

static void bar_unmap(struct pci_device *device, struct pci_bar *bar)
{
	if (bar->mapped)
		bus_remove(bar_space(device, bar), bar->base);
	bar->mapped = false;
}

static void bar_map(struct pci_device *device, struct pci_bar *bar, uint64_t base)
{
	struct bus_region region = {
		.name = device->name,
		.base = base,
		.size = bar->size,
		.ops = bar->ops,
		.opaque = bar->opaque,
	};

	/* Two BARs on one address: the one that was there first keeps it, until it moves. */
	if (bus_add(bar_space(device, bar), &region, NULL) < 0)
		return;
	bar->mapped = true;
	bar->base = base;
}

void pci_unmap(struct pci_device *device)
{
	unsigned int index;

	for (index = 0; index < PCI_BARS; index++)
		bar_unmap(device, &device->bars[index]);
}

/* First everything that moved lets go, then everything that can settles. */
static void remap_pass(struct pci_bus *bus, bool map)
{
	unsigned int slot, index;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->devices[slot];

		for (index = 0; device && index < PCI_BARS; index++) {
			struct pci_bar *bar = &device->bars[index];
			uint64_t base = 0;
			bool decodes = bar_decodes(device, index, &base);

			if (!map && (!decodes || base != bar->base))
				bar_unmap(device, bar);
			if (map && decodes && !bar->mapped)
				bar_map(device, bar, base);
		}
	}
}

void pci_remap(struct pci_bus *bus)
{
	unsigned int slot;

	remap_pass(bus, false);
	remap_pass(bus, true);
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->devices[slot];

		if (device && device->ops->moved)
			device->ops->moved(device);
	}
}

static struct pci_bar *bar_at(struct pci_device *device, unsigned int index, uint64_t offset,
			      unsigned int size)
{
	struct pci_bar *bar = index < PCI_BARS ? &device->bars[index] : NULL;

	if (!bar || !bar->size || offset >= bar->size || bar->size - offset < size)
		return NULL;
	return bar;
}

uint32_t pci_bar_read(struct pci_device *device, unsigned int index, uint64_t offset,
		      unsigned int size)
{
	struct pci_bar *bar = bar_at(device, index, offset, size);

	return bar ? (uint32_t)bar->ops->read(bar->opaque, offset, size) : 0;
}

void pci_bar_write(struct pci_device *device, unsigned int index, uint64_t offset,
		   unsigned int size, uint32_t value)
{
	struct pci_bar *bar = bar_at(device, index, offset, size);

	if (bar)
		bar->ops->write(bar->opaque, offset, size, value);
}
