/* SPDX-License-Identifier: Apache-2.0 */
/* Device status, feature negotiation and configuration: virtio 1.2, 2.1 to 2.5, 3.1. */
#include <linux/virtio_config.h>
#include <string.h>

#include "machine/virtio.h"
#include "record/record.h"

void virtio_reset(struct virtio_device *device)
{
	struct ls_clock *clock = device->pci.bus->host.clock;
	unsigned int i;

	if (clock)
		clock->disarm(clock, &device->later);
	device->accepted = 0;
	device->device_feature_select = device->driver_feature_select = 0;
	device->config_vector = VIRTIO_NO_VECTOR;
	device->queue_select = 0;
	device->status = device->isr = 0;
	device->broken = NULL;
	for (i = 0; i < device->type->queues; i++)
		virtq_reset(&device->queues[i]);
	pci_intx_set(&device->pci, false);
	if (device->type->reset)
		device->type->reset(device);
}

bool virtio_live(const struct virtio_device *device)
{
	return device->status & VIRTIO_CONFIG_S_DRIVER_OK && !device->broken &&
	       pci_is_master(&device->pci);
}

/* Why it broke isn't kept: nobody asks. */
static int virtio_loaded(void *opaque, struct ls_error *err)
{
	struct virtio_device *device = opaque;

	(void)err;
	device->broken = device->status & VIRTIO_CONFIG_S_NEEDS_RESET ? "it was when saved" : NULL;
	return 0;
}

static const struct record_field queue_fields[] = {
	RECORD_FIELD(struct virtqueue, enabled),    RECORD_FIELD(struct virtqueue, size),
	RECORD_FIELD(struct virtqueue, vector),     RECORD_FIELD(struct virtqueue, desc),
	RECORD_FIELD(struct virtqueue, avail),      RECORD_FIELD(struct virtqueue, used),
	RECORD_FIELD(struct virtqueue, next_avail), RECORD_FIELD(struct virtqueue, next_used),
	RECORD_FIELD(struct virtqueue, signalled),  RECORD_FIELD(struct virtqueue, more),
};
static const struct record_table queue_table = {
	.name = "virtqueue", .version = 1, RECORD_FIELDS(queue_fields)};

static const struct record_field virtio_fields[] = {
	RECORD_FIELD_SAME(struct virtio_device, offered),
	RECORD_FIELD(struct virtio_device, accepted),
	RECORD_FIELD(struct virtio_device, device_feature_select),
	RECORD_FIELD(struct virtio_device, driver_feature_select),
	RECORD_FIELD(struct virtio_device, config_vector),
	RECORD_FIELD(struct virtio_device, queue_select),
	RECORD_FIELD(struct virtio_device, status),
	RECORD_FIELD(struct virtio_device, isr),
	RECORD_FIELD(struct virtio_device, generation),
	RECORD_FIELD(struct virtio_device, config),
	RECORD_FIELD_EACH(struct virtio_device, queues, &queue_table),
	RECORD_FIELD_TIMER(struct virtio_device, later),
};
const struct record_table virtio_table = {
	.name = "virtio", .version = 1, RECORD_FIELDS(virtio_fields), .loaded = virtio_loaded};

void virtio_break(struct virtio_device *device, const char *why)
{
	if (device->broken)
		return;
	device->broken = why;
	device->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	/* 2.1.2: the driver is told, once it has a driver's ears. */
	if (device->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_config_changed(device);
}

/* 2.2.2, 6.1: nothing that was not offered, and VERSION_1. */
static bool features_acceptable(const struct virtio_device *device)
{
	return !(device->accepted & ~device->offered) && virtio_has(device, VIRTIO_F_VERSION_1);
}

void virtio_set_status(struct virtio_device *device, uint8_t status)
{
	uint8_t risen = status & ~device->status;
	unsigned int i;

	if (!status) {
		virtio_reset(device);
		return;
	}
	/* The device's own bit. */
	status &= (uint8_t)~VIRTIO_CONFIG_S_NEEDS_RESET;
	if (risen & VIRTIO_CONFIG_S_FEATURES_OK && !features_acceptable(device))
		status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	/* 3.1.1: without FEATURES_OK the device is not usable. */
	if (!(status & VIRTIO_CONFIG_S_FEATURES_OK))
		status &= (uint8_t)~VIRTIO_CONFIG_S_DRIVER_OK;
	if (device->broken)
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	risen = status & ~device->status;
	device->status = status;
	if (risen & VIRTIO_CONFIG_S_DRIVER_OK)
		for (i = 0; i < device->type->queues; i++)
			virtio_kick(device, i);
}

void virtio_kick(struct virtio_device *device, unsigned int index)
{
	if (index >= device->type->queues || !device->queues[index].enabled)
		return;
	device->queues[index].more = false;
	if (virtio_live(device))
		device->type->notify(device, index);
}

uint32_t virtio_config_read(const struct virtio_device *device, unsigned int offset,
			    unsigned int size)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < size && offset + i < device->type->config_size; i++)
		value |= (uint32_t)device->config[offset + i] << (8 * i);
	return value;
}
