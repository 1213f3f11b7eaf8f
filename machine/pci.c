/* SPDX-License-Identifier: Apache-2.0 */
/* The bus as a whole: its bridge, its devices, reset, and what firmware would set up. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "machine/memory.h"
#include "machine/parts.h"
#include "machine/pci.h"

/* A generic host bridge; the subsystem is what SeaBIOS knows a virtual machine by. */
#define BRIDGE_VENDOR    0x1b36
#define BRIDGE_DEVICE    0x0008
#define SUBSYSTEM_VENDOR 0x1af4
#define SUBSYSTEM        0x1100

static void bridge_destroy(struct pci_device *device)
{
	free(device);
}

static const struct pci_device_ops bridge_ops = {.destroy = bridge_destroy};

static int bridge_create(struct pci_bus *bus, struct ls_error *err)
{
	static const struct pci_identity id = {
		.vendor = BRIDGE_VENDOR,
		.device = BRIDGE_DEVICE,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class = 0x060000,
	};
	struct pci_device *bridge = calloc(1, sizeof(*bridge));

	if (!bridge)
		return ls_error_set(err, -ENOMEM, "no memory for the PCI host bridge");
	pci_device_init(bridge, "PCI host bridge", &id, &bridge_ops);
	return pci_add(bus, bridge, 0, err);
}

struct pci_bus *pci_create(const struct pci_host *host, struct ls_error *err)
{
	struct pci_bus *bus = calloc(1, sizeof(*bus));

	if (!bus) {
		ls_error_set(err, -ENOMEM, "no memory for the PCI bus");
		return NULL;
	}
	bus->host = *host;
	bus_init(&bus->memory, "PCI memory", 0);
	bus_init(&bus->io, "PCI I/O", 0);
	if (pci_config_attach(bus, err) < 0 || bridge_create(bus, err) < 0) {
		pci_destroy(bus);
		return NULL;
	}
	return bus;
}

void pci_destroy(struct pci_bus *bus)
{
	unsigned int slot;

	if (!bus)
		return;
	pci_config_detach(bus);
	for (slot = PCI_SLOTS; slot-- > 0;) {
		struct pci_device *device = bus->devices[slot];

		if (!device)
			continue;
		pci_unmap(device);
		pci_intx_set(device, false);
		pci_msix_free(device);
		device->ops->destroy(device);
	}
	bus_free(&bus->memory);
	bus_free(&bus->io);
	free(bus);
}

void pci_reset(struct pci_bus *bus)
{
	unsigned int slot;

	bus->address = 0;
	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->devices[slot];

		if (!device)
			continue;
		memcpy(device->config, device->initial, sizeof(device->config));
		pci_unmap(device);
		pci_msix_reset(device);
		pci_intx_set(device, false);
		if (device->ops->reset)
			device->ops->reset(device);
	}
}

static int bus_loaded(void *opaque, struct ls_error *err)
{
	(void)err;
	pci_remap(opaque);
	return 0;
}

static const struct record_field bus_fields[] = {RECORD_FIELD(struct pci_bus, address)};
/* Its part comes after its devices', whose BARs it maps. */
static const struct record_table bus_table = {
	.name = "PCI bus", .version = 1, RECORD_FIELDS(bus_fields), .loaded = bus_loaded};

static const struct record_field device_fields[] = {
	RECORD_FIELD(struct pci_device, config),
	RECORD_FIELD(struct pci_device, intx),
	RECORD_FIELD(struct pci_device, wire.level),
};
static const struct record_table device_table = {
	.name = "PCI device", .version = 1, RECORD_FIELDS(device_fields)};

void pci_add_parts(struct pci_bus *bus, struct parts *parts)
{
	unsigned int slot;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->devices[slot];

		if (!device)
			continue;
		parts_add(parts, &device_table, device, "PCI slot %u", slot);
		pci_msix_add_parts(device, parts);
		if (device->state)
			parts_add(parts, device->state, device, "PCI slot %u %s", slot,
				  device->state->name);
		if (device->more_state)
			parts_add(parts, device->more_state, device, "PCI slot %u %s", slot,
				  device->more_state->name);
	}
	parts_add(parts, &bus_table, bus, "PCI bus");
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static void assign_bar(struct pci_device *device, unsigned int index, uint64_t *memory,
		       uint64_t *io)
{
	struct pci_bar *bar = &device->bars[index];
	uint64_t *next = bar->kind == PCI_BAR_IO ? io : memory;
	uint64_t end = bar->kind == PCI_BAR_IO ? MEMORY_PCI_IO_END : MEMORY_PCI_END;
	uint64_t base = align_up(*next, bar->size);

	/* A window that is full leaves the BAR at 0, which does not decode. */
	if (base >= end || end - base < bar->size)
		return;
	pci_bar_set(device, index, base);
	*next = base + bar->size;
}

void pci_assign(struct pci_bus *bus)
{
	uint64_t memory = MEMORY_PCI_BASE, io = MEMORY_PCI_IO_BASE;
	unsigned int slot, index;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_device *device = bus->devices[slot];
		uint16_t command;

		if (!device)
			continue;
		command = pci_get16(device, PCI_COMMAND);
		for (index = 0; index < PCI_BARS; index++) {
			enum pci_bar_kind kind = device->bars[index].kind;

			if (kind == PCI_BAR_NONE || kind == PCI_BAR_UPPER)
				continue;
			assign_bar(device, index, &memory, &io);
			command |= kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
		}
		pci_set16(device, PCI_COMMAND, command);
		if (device->config[PCI_INTERRUPT_PIN])
			device->config[PCI_INTERRUPT_LINE] = (uint8_t)device->wire.gsi;
	}
	pci_remap(bus);
}

void pci_device_init(struct pci_device *device, const char *name, const struct pci_identity *id,
		     const struct pci_device_ops *ops)
{
	device->name = name;
	device->ops = ops;
	pci_set16(device, PCI_VENDOR_ID, id->vendor);
	pci_set16(device, PCI_DEVICE_ID, id->device);
	pci_set32(device, PCI_CLASS_REVISION, id->class << 8 | id->revision);
	pci_set16(device, PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor);
	pci_set16(device, PCI_SUBSYSTEM_ID, id->subsystem);
	device->config[PCI_INTERRUPT_PIN] = id->pin;
	device->free_cap = PCI_STD_HEADER_SIZEOF;
	/* 6.2.2, 6.2.4: the bits of the header that software may set. */
	device->writable[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	device->writable[PCI_COMMAND + 1] = (PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE) >> 8;
	device->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	device->writable[PCI_INTERRUPT_LINE] = 0xff;
}

unsigned int pci_device_cap(struct pci_device *device, uint8_t id, unsigned int size)
{
	unsigned int offset = device->free_cap;

	if (!offset || offset + size > PCI_CONFIG_SIZE)
		return 0;
	device->config[offset] = id;
	device->config[device->last_cap ? device->last_cap + 1u : PCI_CAPABILITY_LIST] =
		(uint8_t)offset;
	device->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	device->last_cap = (uint8_t)offset;
	/* 6.7: capabilities are DWORD aligned. Wraps to 0 when config space is full. */
	device->free_cap = (uint8_t)align_up(offset + size, 4);
	return offset;
}

int pci_add(struct pci_bus *bus, struct pci_device *device, int slot, struct ls_error *err)
{
	if (slot == PCI_SLOT_AUTO)
		for (slot = 0; slot < PCI_SLOTS && bus->devices[slot];)
			slot++;
	if (slot < 0 || slot >= PCI_SLOTS)
		return ls_error_set(err, -ENOSPC, "no PCI slot is free for %s", device->name);
	if (bus->devices[slot])
		return ls_error_set(err, -EEXIST, "PCI slot %d is wanted by %s but has %s in it",
				    slot, device->name, bus->devices[slot]->name);
	bus->devices[slot] = device;
	device->bus = bus;
	device->slot = (unsigned int)slot;
	if (device->config[PCI_INTERRUPT_PIN])
		device->wire.gsi =
			pci_intx_gsi(device->slot, device->config[PCI_INTERRUPT_PIN] - 1u);
	memcpy(device->initial, device->config, sizeof(device->config));
	return 0;
}

bool pci_is_master(const struct pci_device *device)
{
	return device->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

void pci_intx_update(struct pci_device *device)
{
	bool masked = pci_get16(device, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;

	if (!device->config[PCI_INTERRUPT_PIN] || !device->bus)
		return;
	/* 6.2.3: the status bit shows the request even while the pin is disabled.
	 * 6.8.1, 6.8.2: a function with MSI or MSI-X enabled must not use its pin. */
	if (device->intx)
		device->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		device->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	masked |= pci_msi_enabled(device) || pci_msix_enabled(device);
	device->bus->host.wire_set(device->bus->host.opaque, &device->wire,
				   device->intx && !masked);
}

void pci_intx_set(struct pci_device *device, bool level)
{
	device->intx = level;
	pci_intx_update(device);
}
