/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio 1.2 over PCI: what a device type builds on. A device is modern only (no legacy
 * interface) and has split virtqueues. Requests are served while the driver's notification is
 * being written, so their completions fall on a fixed instruction; or, where the engine has
 * doorbells, beside the guest.
 *
 * The driver is not trusted. What it must not do (a chain with a loop, an address that is not
 * RAM, an index that runs away) breaks the device: it sets DEVICE_NEEDS_RESET and touches no
 * queue until the driver resets it.
 */
#ifndef LOCKSTEP_MACHINE_VIRTIO_H
#define LOCKSTEP_MACHINE_VIRTIO_H

#include "machine/pci.h"

#define VIRTIO_MAX_QUEUES   4
#define VIRTIO_CONFIG_SIZE  64
#define VIRTQ_MAX_SIZE      256
#define VIRTIO_NO_VECTOR    0xffff
#define VIRTIO_FEATURE(bit) (1ull << (bit))

struct virtio_device;
struct virtqueue;

/* A device type. Constant. */
struct virtio_type {
	const char *name;
	uint16_t id;                      /* virtio device ID: 5 of the specification */
	uint32_t class;                   /* PCI class code */
	unsigned int queues;              /* at most VIRTIO_MAX_QUEUES, each of VIRTQ_MAX_SIZE */
	unsigned int config_size;         /* of the device-specific configuration */
	const struct record_table *state; /* of the type's own object, whose head is its
					   * struct virtio_device; NULL: nothing */
	/* Buffers may be waiting in queue @index: the driver said so, or it has just set
	 * DRIVER_OK. Only called on a live device. */
	void (*notify)(struct virtio_device *device, unsigned int index);
	void (*reset)(struct virtio_device *device); /* may be NULL */
	/* The driver wrote a configuration field. device->config is not changed by such writes;
	 * may be NULL. */
	void (*config_write)(struct virtio_device *device, unsigned int offset, unsigned int size,
			     uint32_t value);
	void (*destroy)(struct virtio_device *device);
};

struct virtqueue {
	struct virtio_device *device;
	unsigned int index;
	bool enabled;
	uint16_t size, vector;
	uint64_t desc, avail, used; /* guest-physical */
	uint16_t next_avail;        /* index of the next available entry to take */
	uint16_t next_used;         /* index of the next used entry to fill */
	uint16_t signalled;         /* next_used when the driver was last considered */
	bool more;                  /* left off with buffers waiting */
};

struct virtio_device {
	struct pci_device pci;
	const struct virtio_type *type;
	uint64_t offered, accepted; /* feature bits */
	uint32_t device_feature_select, driver_feature_select;
	uint16_t config_vector, queue_select;
	uint8_t status, isr, generation;
	uint8_t config[VIRTIO_CONFIG_SIZE]; /* device-specific configuration, little-endian */
	struct virtqueue queues[VIRTIO_MAX_QUEUES];
	unsigned int access_cap; /* the PCI configuration access capability */
	struct doorbell *bell;   /* all queues' notifications; NULL: they come as accesses */
	struct ls_timer later;   /* goes on where a long batch was cut */
	const char *broken;      /* why it needs a reset; NULL if it doesn't */
};

/* --- transport (virtio_pci.c) --- */

/* Fills @device (zeroed) and puts it on @bus, which from then on owns it; on failure the
 * caller still does. @features: the type's own bits; the ring's are added. */
int virtio_add(struct virtio_device *device, const struct virtio_type *type, uint64_t features,
	       struct pci_bus *bus, int slot, struct ls_error *err);
/* Frees what virtio_add took; for a type's destroy. */
void virtio_remove(struct virtio_device *device);
/* The device-specific configuration changed. */
void virtio_config_changed(struct virtio_device *device);
/* Used buffer notification for a queue. */
void virtio_signal_queue(struct virtio_device *device, const struct virtqueue *queue);
/* Sets DEVICE_NEEDS_RESET. @why: a string constant. */
void virtio_break(struct virtio_device *device, const char *why);
/* DRIVER_OK, not broken, and allowed to do DMA. */
bool virtio_live(const struct virtio_device *device);

static inline bool virtio_has(const struct virtio_device *device, unsigned int feature)
{
	return device->accepted >> feature & 1;
}

/* --- the common configuration structure (virtio_common.c) --- */
uint32_t virtio_common_read(struct virtio_device *device, unsigned int offset, unsigned int size);
void virtio_common_write(struct virtio_device *device, unsigned int offset, unsigned int size,
			 uint32_t value);

/* --- core (virtio.c): what the registers do, whatever bus they are on --- */

void virtio_reset(struct virtio_device *device);
extern const struct record_table virtio_table;
void virtio_set_status(struct virtio_device *device, uint8_t status);
/* Tells the type that queue @index may have work. */
void virtio_kick(struct virtio_device *device, unsigned int index);
uint32_t virtio_config_read(const struct virtio_device *device, unsigned int offset,
			    unsigned int size);

/* --- queues (virtio_ring.c) --- */

struct virtq_segment {
	uint64_t gpa;
	uint32_t len;
};

/* One buffer: device-readable segments, then device-writable ones. */
struct virtq_chain {
	uint16_t head;
	unsigned int readable, writable; /* segments of each kind */
	uint32_t read_len, write_len;    /* bytes of each kind */
	struct virtq_segment segments[VIRTQ_MAX_SIZE];
};

/* Checks what the driver wrote and starts the queue; breaks the device if it is nonsense. */
void virtq_enable(struct virtqueue *queue);
void virtq_reset(struct virtqueue *queue);
/* Takes the next buffer. 1, 0 if there is none, -EIO if the device is (now) broken. */
int virtq_pop(struct virtqueue *queue, struct virtq_chain *chain);
/* Leaves the buffer just taken for the next virtq_pop. */
void virtq_unpop(struct virtqueue *queue);
/* Copies from the readable or to the writable part. -EINVAL if the buffer is not that long;
 * -EIO if an address was not RAM, which breaks the device. */
int virtq_read(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t offset, void *to,
	       uint32_t len);
int virtq_write(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t offset,
		const void *from, uint32_t len);
/* Returns the buffer; its first @written writable bytes hold data. */
void virtq_push(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t written);
/* Notifies the driver of what was pushed, if it wants to know. */
void virtq_flush(struct virtqueue *queue);
/* Serves all waiting buffers. @serve returns how many bytes it wrote. */
void virtq_drain(struct virtqueue *queue,
		 uint32_t (*serve)(struct virtqueue *queue, const struct virtq_chain *chain));

#endif
