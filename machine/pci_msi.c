/* SPDX-License-Identifier: Apache-2.0 */
/* MSI: PCI 3.0, 6.8.1. The state lives in config space. */
#include <linux/pci_regs.h>
#include <string.h>

#include "machine/pci.h"

/* With a 64-bit address and per-vector masking (6.8.1). */
#define MSI_CAP_SIZE 24

static unsigned int msi_log2(unsigned int vectors)
{
	return (unsigned int)__builtin_ctz(vectors);
}

int pci_msi_init(struct pci_device *device, unsigned int vectors, struct ls_error *err)
{
	unsigned int cap = pci_device_cap(device, PCI_CAP_ID_MSI, MSI_CAP_SIZE);
	uint8_t *writable = device->writable + cap;

	if (!cap)
		return ls_error_set(err, -ENOSPC, "%s: no room for an MSI capability",
				    device->name);
	device->msi_cap = (uint8_t)cap;
	pci_set16(device, cap + PCI_MSI_FLAGS,
		  (uint16_t)(msi_log2(vectors) << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT));
	writable[PCI_MSI_FLAGS] = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE;
	writable[PCI_MSI_ADDRESS_LO] = 0xfc;
	memset(writable + PCI_MSI_ADDRESS_LO + 1, 0xff, 7);
	memset(writable + PCI_MSI_DATA_64, 0xff, 2);
	memset(writable + PCI_MSI_MASK_64, 0xff, 4);
	return 0;
}

bool pci_msi_enabled(const struct pci_device *device)
{
	return device->msi_cap &&
	       device->config[device->msi_cap + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_ENABLE;
}

/* How many vectors software gave us: no more than we asked for. */
static unsigned int msi_allocated(const struct pci_device *device)
{
	uint8_t flags = device->config[device->msi_cap + PCI_MSI_FLAGS];
	unsigned int asked = (flags & PCI_MSI_FLAGS_QMASK) >> 1;
	unsigned int given = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;

	return 1u << (given < asked ? given : asked);
}

static void msi_send(struct pci_device *device, unsigned int vector)
{
	unsigned int cap = device->msi_cap;
	uint64_t address = pci_get32(device, cap + PCI_MSI_ADDRESS_LO) |
			   (uint64_t)pci_get32(device, cap + PCI_MSI_ADDRESS_HI) << 32;
	uint32_t data = pci_get16(device, cap + PCI_MSI_DATA_64);

	/* 6.8.1.3: the low bits of the data tell the vectors apart. */
	data = (data & ~(msi_allocated(device) - 1)) | vector;
	device->bus->host.msi_send(device->bus->host.opaque, address, data);
}

void pci_msi_notify(struct pci_device *device, unsigned int vector)
{
	unsigned int cap = device->msi_cap;

	if (!pci_msi_enabled(device) || !pci_is_master(device))
		return;
	vector &= msi_allocated(device) - 1;
	if (pci_get32(device, cap + PCI_MSI_MASK_64) >> vector & 1)
		pci_set32(device, cap + PCI_MSI_PENDING_64,
			  pci_get32(device, cap + PCI_MSI_PENDING_64) | 1u << vector);
	else
		msi_send(device, vector);
}

void pci_msi_config_written(struct pci_device *device)
{
	unsigned int cap = device->msi_cap, vector;
	uint32_t ready;

	if (!pci_msi_enabled(device) || !pci_is_master(device))
		return;
	ready = pci_get32(device, cap + PCI_MSI_PENDING_64) &
		~pci_get32(device, cap + PCI_MSI_MASK_64);
	/* 6.8.1.7: unmasking sends what was pending, once. */
	pci_set32(device, cap + PCI_MSI_PENDING_64,
		  pci_get32(device, cap + PCI_MSI_PENDING_64) & ~ready);
	for (vector = 0; vector < 32; vector++)
		if (ready >> vector & 1)
			msi_send(device, vector & (msi_allocated(device) - 1));
}
