/* SPDX-License-Identifier: Apache-2.0 */
/* A virtio device for tests of what all devices share: it copies what it may read into what it
 * may write. And a driver that has it running. */
#ifndef LOCKSTEP_TESTS_VIRTIO_COPIER_H
#define LOCKSTEP_TESTS_VIRTIO_COPIER_H

#include "../check.h"
#include "machine/virtio.h"
#include "virtio_rig.h"

struct copier {
	struct virtio_device device;
	unsigned int served, resets, writes;
	bool refill; /* offers the driver's next buffer itself: a driver that never rests */
	struct driver_queue *queue;
};

static inline uint32_t copier_serve(struct virtqueue *queue, const struct virtq_chain *chain)
{
	struct copier *copier = (struct copier *)(void *)queue->device;
	uint32_t len = chain->read_len < chain->write_len ? chain->read_len : chain->write_len;
	uint8_t bytes[64];

	copier->served++;
	if (copier->refill)
		queue_offer(copier->queue, 0);
	if (len > sizeof(bytes))
		len = sizeof(bytes);
	if (virtq_read(queue, chain, 0, bytes, len) < 0 ||
	    virtq_write(queue, chain, 0, bytes, len) < 0)
		return 0;
	return len;
}

static inline void copier_notify(struct virtio_device *device, unsigned int index)
{
	virtq_drain(&device->queues[index], copier_serve);
}

static inline void copier_reset(struct virtio_device *device)
{
	((struct copier *)(void *)device)->resets++;
}

static inline void copier_config_write(struct virtio_device *device, unsigned int offset,
				       unsigned int size, uint32_t value)
{
	(void)offset;
	(void)size;
	(void)value;
	((struct copier *)(void *)device)->writes++;
}

static inline void copier_destroy(struct virtio_device *device)
{
	virtio_remove(device);
	free(device);
}

#define OWN_FEATURE 7

static const struct virtio_type copier_type = {
	.name = "copier",
	.id = 0x3f,
	.class = 0x00ff00,
	.queues = 2,
	.config_size = 8,
	.notify = copier_notify,
	.reset = copier_reset,
	.config_write = copier_config_write,
	.destroy = copier_destroy,
};

#define QUEUE_SIZE 8
#define RINGS      0x1000u
#define DATA       0x4000u
#define ANSWER     0x6000u
#define TABLE      0x8000u
#define EVENT_IDX  (1ull << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT   (1ull << VIRTIO_RING_F_INDIRECT_DESC)

struct fixture {
	struct rig *rig;
	struct copier *copier;
	struct driver driver;
	struct driver_queue queue;
};

static inline void probe(struct fixture *f)
{
	f->rig = rig_create();
	f->copier = calloc(1, sizeof(*f->copier));
	CU_ASSERT_EQUAL_FATAL(virtio_add(&f->copier->device, &copier_type, 1ull << OWN_FEATURE,
					 f->rig->bus, 1, NULL),
			      0);
	pci_reset(f->rig->bus);
	pci_assign(f->rig->bus);
	f->driver = driver_probe(f->rig, 1);
}

/* A running device with one queue. */
static inline void start(struct fixture *f, uint64_t features)
{
	probe(f);
	CU_ASSERT_TRUE_FATAL(driver_negotiate(&f->driver, features));
	f->queue = driver_queue(&f->driver, 0, QUEUE_SIZE, RINGS);
	driver_set_status(&f->driver, STATUS_3);
	memcpy(f->rig->memory + DATA, "0123456789abcdefghijklmnopqrstuv", 32);
	f->copier->queue = &f->queue;
}

static inline void finish(struct fixture *f)
{
	rig_destroy(f->rig);
}

static inline bool needs_reset(struct fixture *f)
{
	return driver_status(&f->driver) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static inline void offer_plain(struct fixture *f)
{
	queue_desc(&f->queue, 0, DATA, 4, VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, ANSWER, 4, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->queue, 0);
	queue_kick(&f->queue);
}

#endif
