/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's half of virtio over PCI, as virtio 1.2 tells a driver to do it (3.1, 4.1): it
 * finds the registers through the capabilities and reaches them through the BARs. */
#ifndef LOCKSTEP_TESTS_VIRTIO_RIG_H
#define LOCKSTEP_TESTS_VIRTIO_RIG_H

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "pci_rig.h"

struct driver {
	struct rig *rig;
	unsigned int slot;
	uint64_t common, notify, isr, device; /* 0: no such structure */
	uint32_t multiplier;
	unsigned int access_cap, msix_cap;
};

/* A queue and where its parts lie in the rig's memory. */
struct driver_queue {
	struct driver *driver;
	unsigned int index;
	uint16_t size;
	uint64_t desc, avail, used;
	uint64_t notify;
	uint16_t offered, taken; /* indices */
};

static inline void put(struct rig *rig, uint64_t gpa, const void *from, size_t len)
{
	memcpy(rig->memory + gpa, from, len);
}

static inline void put16(struct rig *rig, uint64_t gpa, uint16_t value)
{
	put(rig, gpa, &value, sizeof(value));
}

static inline uint16_t get16(struct rig *rig, uint64_t gpa)
{
	uint16_t value;

	memcpy(&value, rig->memory + gpa, sizeof(value));
	return value;
}

static inline uint32_t get32(struct rig *rig, uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, rig->memory + gpa, sizeof(value));
	return value;
}

static inline uint32_t common_get(struct driver *driver, unsigned int offset, unsigned int size)
{
	return (uint32_t)bus_read(&driver->rig->mmio, driver->common + offset, size);
}

static inline void common_set(struct driver *driver, unsigned int offset, unsigned int size,
			      uint32_t value)
{
	bus_write(&driver->rig->mmio, driver->common + offset, size, value);
}

static inline uint8_t driver_status(struct driver *driver)
{
	return (uint8_t)common_get(driver, VIRTIO_PCI_COMMON_STATUS, 1);
}

static inline void driver_set_status(struct driver *driver, uint8_t status)
{
	common_set(driver, VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static inline uint64_t driver_bar(struct driver *driver, unsigned int bar)
{
	uint32_t low = rig_config_read(driver->rig, driver->slot, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
	uint64_t high = 0;

	if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		high = rig_config_read(driver->rig, driver->slot, PCI_BASE_ADDRESS_0 + 4 * bar + 4,
				       4);
	return high << 32 | (low & ~0xfu);
}

/* 4.1.5.1.1: looks for the structures, then turns memory decoding and bus mastering on. */
static inline struct driver driver_probe(struct rig *rig, unsigned int slot)
{
	struct driver driver = {.rig = rig, .slot = slot};
	unsigned int cap = 0;

	rig_config_write(rig, slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	while ((cap = rig_find_cap(rig, slot, PCI_CAP_ID_VNDR, cap))) {
		unsigned int bar = rig_config_read(rig, slot, cap + VIRTIO_PCI_CAP_BAR, 1);
		uint64_t at = bar < 6 ? driver_bar(&driver, bar) : 0;

		at += rig_config_read(rig, slot, cap + VIRTIO_PCI_CAP_OFFSET, 4);
		switch (rig_config_read(rig, slot, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			driver.common = at;
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			driver.notify = at;
			driver.multiplier =
				rig_config_read(rig, slot, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
			break;
		case VIRTIO_PCI_CAP_ISR_CFG:
			driver.isr = at;
			break;
		case VIRTIO_PCI_CAP_DEVICE_CFG:
			driver.device = at;
			break;
		case VIRTIO_PCI_CAP_PCI_CFG:
			driver.access_cap = cap;
			break;
		}
	}
	driver.msix_cap = rig_find_cap(rig, slot, PCI_CAP_ID_MSIX, 0);
	return driver;
}

static inline uint64_t driver_offered(struct driver *driver)
{
	uint64_t features;

	common_set(driver, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	features = (uint64_t)common_get(driver, VIRTIO_PCI_COMMON_DF, 4) << 32;
	common_set(driver, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	return features | common_get(driver, VIRTIO_PCI_COMMON_DF, 4);
}

static inline void driver_accept(struct driver *driver, uint64_t features)
{
	common_set(driver, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	common_set(driver, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)features);
	common_set(driver, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	common_set(driver, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)(features >> 32));
}

#define STATUS_1 (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define STATUS_2 (STATUS_1 | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_3 (STATUS_2 | VIRTIO_CONFIG_S_DRIVER_OK)

/* 3.1.1, steps 1 to 6; @features beside VERSION_1. True if the device agreed. */
static inline bool driver_negotiate(struct driver *driver, uint64_t features)
{
	driver_set_status(driver, 0);
	driver_set_status(driver, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	driver_set_status(driver, STATUS_1);
	driver_accept(driver, features | 1ull << VIRTIO_F_VERSION_1);
	driver_set_status(driver, STATUS_2);
	return driver_status(driver) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static inline void driver_address(struct driver *driver, unsigned int offset, uint64_t gpa)
{
	common_set(driver, offset, 4, (uint32_t)gpa);
	common_set(driver, offset + 4, 4, (uint32_t)(gpa >> 32));
}

/* 4.1.5.1.3, with the parts one after the other from @base on. */
static inline struct driver_queue driver_queue(struct driver *driver, unsigned int index,
					       uint16_t size, uint64_t base)
{
	struct driver_queue queue = {.driver = driver, .index = index, .size = size};

	queue.desc = base;
	queue.avail = base + 16ull * size;
	queue.used = (queue.avail + 6 + 2ull * size + 3) & ~3ull;
	common_set(driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	common_set(driver, VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
	driver_address(driver, VIRTIO_PCI_COMMON_Q_DESCLO, queue.desc);
	driver_address(driver, VIRTIO_PCI_COMMON_Q_AVAILLO, queue.avail);
	driver_address(driver, VIRTIO_PCI_COMMON_Q_USEDLO, queue.used);
	queue.notify = driver->notify + (uint64_t)common_get(driver, VIRTIO_PCI_COMMON_Q_NOFF, 2) *
						driver->multiplier;
	common_set(driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	return queue;
}

static inline void queue_desc(struct driver_queue *queue, unsigned int at, uint64_t gpa,
			      uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc desc = {.addr = gpa, .len = len, .flags = flags, .next = next};

	put(queue->driver->rig, queue->desc + 16ull * at, &desc, sizeof(desc));
}

/* 2.7.13: makes the chain at @head available. */
static inline void queue_offer(struct driver_queue *queue, uint16_t head)
{
	struct rig *rig = queue->driver->rig;

	put16(rig, queue->avail + 4 + 2ull * (queue->offered % queue->size), head);
	put16(rig, queue->avail + 2, ++queue->offered);
}

static inline void queue_kick(struct driver_queue *queue)
{
	bus_write(&queue->driver->rig->mmio, queue->notify, 2, queue->index);
}

/* 2.7.14: takes the next used buffer; false (and no length any test expects) if there is
 * none. */
static inline bool queue_take(struct driver_queue *queue, uint32_t *id, uint32_t *len)
{
	struct rig *rig = queue->driver->rig;
	uint64_t elem = queue->used + 4 + 8ull * (queue->taken % queue->size);

	*id = *len = UINT32_MAX;
	if (get16(rig, queue->used + 2) == queue->taken)
		return false;
	*id = get32(rig, elem);
	*len = get32(rig, elem + 4);
	queue->taken++;
	return true;
}

/* Lets MSI-X vector @vector send @data, unmasked, and the capability be on. */
static inline void driver_vector(struct driver *driver, unsigned int vector, uint32_t data)
{
	uint32_t table = rig_config_read(driver->rig, driver->slot, driver->msix_cap + 4, 4);
	uint64_t at = driver_bar(driver, table & 7) + (table & ~7u) + 16 * vector;

	bus_write(&driver->rig->mmio, at, 4, 0xfee00000);
	bus_write(&driver->rig->mmio, at + 4, 4, 0);
	bus_write(&driver->rig->mmio, at + 8, 4, data);
	bus_write(&driver->rig->mmio, at + 12, 4, 0);
	rig_config_write(driver->rig, driver->slot, driver->msix_cap + 2, 2, PCI_MSIX_FLAGS_ENABLE);
}

#endif
