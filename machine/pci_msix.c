/* SPDX-License-Identifier: Apache-2.0 */
/* MSI-X: PCI 3.0, 6.8.2. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "machine/parts.h"
#include "machine/pci.h"

#define MSIX_BAR_SIZE    4096
#define MSIX_PBA         2048 /* the table fills the first half of the BAR */
#define MSIX_MAX_VECTORS 127

struct msix_entry {
	uint32_t address_lo, address_hi, data, control;
};

struct pci_msix {
	unsigned int vectors;
	uint64_t pending[2];
	struct msix_entry table[];
};

static bool vector_masked(const struct pci_device *device, unsigned int vector)
{
	return pci_get16(device, device->msix_cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL ||
	       device->msix->table[vector].control & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static bool vector_pending(const struct pci_msix *msix, unsigned int vector)
{
	return msix->pending[vector / 64] >> (vector % 64) & 1;
}

static void vector_send(struct pci_device *device, unsigned int vector)
{
	const struct msix_entry *entry = &device->msix->table[vector];

	device->msix->pending[vector / 64] &= ~(1ull << (vector % 64));
	device->bus->host.msi_send(device->bus->host.opaque,
				   (uint64_t)entry->address_hi << 32 | entry->address_lo,
				   entry->data);
}

/* 6.8.2.9: what became pending while masked is sent when the mask goes. */
static void send_pending(struct pci_device *device)
{
	unsigned int vector;

	if (!pci_msix_enabled(device) || !pci_is_master(device))
		return;
	for (vector = 0; vector < device->msix->vectors; vector++)
		if (vector_pending(device->msix, vector) && !vector_masked(device, vector))
			vector_send(device, vector);
}

static uint32_t *table_word(struct pci_msix *msix, uint64_t offset)
{
	if (offset >= msix->vectors * sizeof(struct msix_entry))
		return NULL;
	return (uint32_t *)(void *)msix->table + offset / 4;
}

/* One DWORD of the BAR. */
static uint32_t msix_word(struct pci_msix *msix, uint64_t offset)
{
	const uint32_t *word = table_word(msix, offset);

	if (word)
		return *word;
	if (offset >= MSIX_PBA && offset < MSIX_PBA + sizeof(msix->pending))
		return (uint32_t)(msix->pending[(offset - MSIX_PBA) / 8] >> (8 * (offset & 4)));
	return 0;
}

static uint64_t msix_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct pci_device *device = opaque;
	uint64_t value = msix_word(device->msix, offset & ~3ull) >> (8 * (offset & 3));

	return size == 4 ? value : value & ((1u << (8 * size)) - 1);
}

static void msix_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct pci_device *device = opaque;
	uint32_t *word = table_word(device->msix, offset & ~3ull);

	/* 6.8.2: only aligned DWORD accesses are defined; the pending bits are read-only. */
	if (!word || size != 4 || offset & 3)
		return;
	switch (offset & 15) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		*word = (uint32_t)value & ~3u;
		break;
	case PCI_MSIX_ENTRY_VECTOR_CTRL:
		*word = (uint32_t)value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		break;
	default:
		*word = (uint32_t)value;
	}
	send_pending(device);
}

static const struct bus_ops msix_ops = {.read = msix_read, .write = msix_write, .widest = 4};

int pci_msix_init(struct pci_device *device, unsigned int bar, unsigned int vectors,
		  struct ls_error *err)
{
	unsigned int cap;

	if (vectors < 1 || vectors > MSIX_MAX_VECTORS)
		return ls_error_set(err, -EINVAL, "%s: %u MSI-X vectors; 1 to %d are possible",
				    device->name, vectors, MSIX_MAX_VECTORS);
	cap = pci_device_cap(device, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	if (!cap)
		return ls_error_set(err, -ENOSPC, "%s: no room for an MSI-X capability",
				    device->name);
	device->msix = calloc(1, sizeof(*device->msix) + vectors * sizeof(struct msix_entry));
	if (!device->msix)
		return ls_error_set(err, -ENOMEM, "%s: no memory for MSI-X", device->name);
	device->msix->vectors = vectors;
	device->msix_cap = (uint8_t)cap;
	pci_set16(device, cap + PCI_MSIX_FLAGS, (uint16_t)(vectors - 1));
	device->writable[cap + PCI_MSIX_FLAGS + 1] =
		(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8;
	pci_set32(device, cap + PCI_MSIX_TABLE, bar);
	pci_set32(device, cap + PCI_MSIX_PBA, MSIX_PBA | bar);
	pci_device_bar(device, bar, PCI_BAR_MEM32, MSIX_BAR_SIZE, &msix_ops, device);
	pci_msix_reset(device);
	return 0;
}

void pci_msix_free(struct pci_device *device)
{
	free(device->msix);
	device->msix = NULL;
	device->msix_cap = 0;
}

/* 6.8.2.9: every vector starts out masked. */
void pci_msix_reset(struct pci_device *device)
{
	struct pci_msix *msix = device->msix;
	unsigned int vector;

	if (!msix)
		return;
	memset(msix->pending, 0, sizeof(msix->pending));
	for (vector = 0; vector < msix->vectors; vector++)
		msix->table[vector] = (struct msix_entry){.control = PCI_MSIX_ENTRY_CTRL_MASKBIT};
}

bool pci_msix_enabled(const struct pci_device *device)
{
	return device->msix_cap &&
	       pci_get16(device, device->msix_cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

unsigned int pci_msix_vectors(const struct pci_device *device)
{
	return device->msix ? device->msix->vectors : 0;
}

void pci_msix_notify(struct pci_device *device, unsigned int vector)
{
	if (!pci_msix_enabled(device) || vector >= device->msix->vectors)
		return;
	if (vector_masked(device, vector) || !pci_is_master(device))
		device->msix->pending[vector / 64] |= 1ull << (vector % 64);
	else
		vector_send(device, vector);
}

static const struct record_field msix_fields[] = {
	RECORD_FIELD_SAME(struct pci_msix, vectors),
	RECORD_FIELD(struct pci_msix, pending),
};
static const struct record_table msix_table = {
	.name = "MSI-X", .version = 1, RECORD_FIELDS(msix_fields)};

static const struct record_field vector_fields[] = {
	RECORD_FIELD(struct msix_entry, address_lo),
	RECORD_FIELD(struct msix_entry, address_hi),
	RECORD_FIELD(struct msix_entry, data),
	RECORD_FIELD(struct msix_entry, control),
};
static const struct record_table vector_table = {
	.name = "MSI-X vector", .version = 1, RECORD_FIELDS(vector_fields)};

void pci_msix_add_parts(struct pci_device *device, struct parts *parts)
{
	struct pci_msix *msix = device->msix;
	unsigned int vector;

	if (!msix)
		return;
	parts_add(parts, &msix_table, msix, "PCI slot %u MSI-X", device->slot);
	for (vector = 0; vector < msix->vectors; vector++)
		parts_add(parts, &vector_table, &msix->table[vector], "PCI slot %u vector %u",
			  device->slot, vector);
}

void pci_msix_config_written(struct pci_device *device)
{
	if (device->msix)
		send_pending(device);
}
