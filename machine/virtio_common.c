/* SPDX-License-Identifier: Apache-2.0 */
/* The common configuration structure of virtio over PCI: virtio 1.2, 4.1.4.3. */
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "machine/virtio.h"

/* NULL if queue_select names none. */
static struct virtqueue *selected(struct virtio_device *device)
{
	return device->queue_select < device->type->queues ? &device->queues[device->queue_select]
							   : NULL;
}

/* 4.1.4.3.1: pages of features other than 0 and 1 read as 0. */
static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static void common_fill(struct virtio_device *device, struct virtio_pci_common_cfg *common)
{
	const struct virtqueue *queue = selected(device);

	*common = (struct virtio_pci_common_cfg){
		.device_feature_select = device->device_feature_select,
		.device_feature = feature_word(device->offered, device->device_feature_select),
		.guest_feature_select = device->driver_feature_select,
		.guest_feature = feature_word(device->accepted, device->driver_feature_select),
		.msix_config = device->config_vector,
		.num_queues = (uint16_t)device->type->queues,
		.device_status = device->status,
		.config_generation = device->generation,
		.queue_select = device->queue_select,
	};
	if (!queue)
		return;
	common->queue_size = queue->size;
	common->queue_msix_vector = queue->vector;
	common->queue_enable = queue->enabled;
	common->queue_notify_off = (uint16_t)queue->index;
	common->queue_desc_lo = (uint32_t)queue->desc;
	common->queue_desc_hi = (uint32_t)(queue->desc >> 32);
	common->queue_avail_lo = (uint32_t)queue->avail;
	common->queue_avail_hi = (uint32_t)(queue->avail >> 32);
	common->queue_used_lo = (uint32_t)queue->used;
	common->queue_used_hi = (uint32_t)(queue->used >> 32);
}

uint32_t virtio_common_read(struct virtio_device *device, unsigned int offset, unsigned int size)
{
	struct virtio_pci_common_cfg common;
	uint32_t value = 0;

	if (offset + size > sizeof(common))
		return 0;
	common_fill(device, &common);
	memcpy(&value, (const char *)&common + offset, size);
	return value;
}

/* 4.1.5.1.2.1: a vector that does not exist reads back as NO_VECTOR. */
static uint16_t usable_vector(const struct virtio_device *device, uint32_t vector)
{
	return vector < pci_msix_vectors(&device->pci) ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

static void set_accepted(struct virtio_device *device, uint32_t value)
{
	unsigned int shift = 32 * device->driver_feature_select;

	/* 3.1.1: features are settled by FEATURES_OK. */
	if (device->driver_feature_select > 1 || device->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	device->accepted &= ~(0xffffffffull << shift);
	device->accepted |= (uint64_t)value << shift;
}

static void common_write_device(struct virtio_device *device, unsigned int offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		device->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		device->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		set_accepted(device, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		device->config_vector = usable_vector(device, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_set_status(device, (uint8_t)value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		device->queue_select = (uint16_t)value;
		break;
	}
}

static void set_half(uint64_t *address, bool high, uint32_t value)
{
	unsigned int shift = high ? 32 : 0;

	*address &= ~(0xffffffffull << shift);
	*address |= (uint64_t)value << shift;
}

static void common_write_queue(struct virtqueue *queue, unsigned int offset, uint32_t value)
{
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX) {
		queue->vector = usable_vector(queue->device, value);
		return;
	}
	/* 4.1.4.3.2: the rest is configured before the queue is enabled. */
	if (queue->enabled)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (value && value <= VIRTQ_MAX_SIZE && !(value & (value - 1)))
			queue->size = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtq_enable(queue);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&queue->desc, offset & 4, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&queue->avail, offset & 4, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&queue->used, offset & 4, value);
		break;
	}
}

/* 4.1.3.1: the driver uses each field's own width; writes of another width are dropped. */
static unsigned int common_width(unsigned int offset)
{
	if (offset == VIRTIO_PCI_COMMON_STATUS || offset == VIRTIO_PCI_COMMON_CFGGENERATION)
		return 1;
	if (offset < VIRTIO_PCI_COMMON_MSIX || offset >= VIRTIO_PCI_COMMON_Q_DESCLO)
		return 4;
	return 2;
}

void virtio_common_write(struct virtio_device *device, unsigned int offset, unsigned int size,
			 uint32_t value)
{
	struct virtqueue *queue = selected(device);

	if (size != common_width(offset) || offset % size)
		return;
	if (offset < VIRTIO_PCI_COMMON_Q_SIZE)
		common_write_device(device, offset, value);
	else if (queue)
		common_write_queue(queue, offset, value);
}
