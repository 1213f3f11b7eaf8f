/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/virtio_net.h"

#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "machine/virtio.h"
#include "record/record.h"

#define RECEIVE  0 /* queue numbers: 5.1.2 */
#define TRANSMIT 1
#define HEADER   ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define WAITING  32u /* frames that wait for the guest's buffers; more are lost */

struct frame {
	uint32_t len;
	uint8_t bytes[NET_FRAME_MAX];
};

struct virtio_net {
	struct virtio_device device;
	struct net_backend *backend;
	struct frame waiting[WAITING]; /* a ring */
	unsigned int first, count;
};

static const uint8_t default_mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static struct virtio_net *from_device(struct virtio_device *device)
{
	return (struct virtio_net *)((char *)device - offsetof(struct virtio_net, device));
}

/* 5.1.6.2: no offload is offered, so the header says nothing and a frame follows it. */
static uint32_t serve_transmit(struct virtqueue *queue, const struct virtq_chain *chain)
{
	struct virtio_net *net = from_device(queue->device);
	uint8_t frame[NET_FRAME_MAX];
	uint32_t len = chain->read_len;

	if (len < HEADER) {
		virtio_break(queue->device, "a transmit buffer is shorter than its header");
		return 0;
	}
	len -= HEADER;
	if (len < NET_FRAME_MIN || len > sizeof(frame))
		return 0; /* no Ethernet frame: lost */
	if (virtq_read(queue, chain, HEADER, frame, len) == 0)
		net->backend->ops->send(net->backend, frame, len);
	return 0;
}

/* 5.1.6.4.1: num_buffers is 1 without mergeable buffers, and the rest is 0 without offloads. */
static uint32_t put_frame(struct virtqueue *queue, const struct virtq_chain *chain,
			  const struct frame *frame)
{
	struct virtio_net_hdr_v1 header = {.num_buffers = 1};

	if (virtq_write(queue, chain, 0, &header, HEADER) < 0 ||
	    virtq_write(queue, chain, HEADER, frame->bytes, frame->len) < 0)
		return 0;
	return HEADER + frame->len;
}

static void deliver(struct virtio_net *net)
{
	struct virtqueue *queue = &net->device.queues[RECEIVE];
	struct virtq_chain chain;

	while (net->count && virtq_pop(queue, &chain) > 0) {
		const struct frame *frame = &net->waiting[net->first];

		if (chain.write_len < HEADER + frame->len) {
			/* The frame is lost; the buffer may do for a shorter one. */
			virtq_unpop(queue);
		} else {
			uint32_t written = put_frame(queue, &chain, frame);

			if (net->device.broken)
				return;
			virtq_push(queue, &chain, written);
		}
		net->first = (net->first + 1) % WAITING;
		net->count--;
	}
	virtq_flush(queue);
}

static void receive(void *opaque, const uint8_t *bytes, size_t len)
{
	struct virtio_net *net = opaque;
	struct frame *frame = &net->waiting[(net->first + net->count) % WAITING];

	/* A card without a driver is a wire without an end. */
	if (len < NET_FRAME_MIN || len > sizeof(frame->bytes) || !virtio_live(&net->device) ||
	    net->count == WAITING)
		return;
	memcpy(frame->bytes, bytes, len);
	frame->len = (uint32_t)len;
	net->count++;
	deliver(net);
}

static void net_notify(struct virtio_device *device, unsigned int index)
{
	if (index == TRANSMIT)
		virtq_drain(&device->queues[index], serve_transmit);
	else
		deliver(from_device(device));
}

static void net_reset(struct virtio_device *device)
{
	struct virtio_net *net = from_device(device);

	net->first = net->count = 0;
}

static void net_destroy(struct virtio_device *device)
{
	struct virtio_net *net = from_device(device);

	virtio_remove(device);
	net->backend->ops->destroy(net->backend);
	free(net);
}

static const struct record_field net_fields[] = {
	RECORD_FIELD(struct virtio_net, waiting),
	RECORD_FIELD(struct virtio_net, first),
	RECORD_FIELD(struct virtio_net, count),
};
static const struct record_table net_table = {
	.name = "network", .version = 1, RECORD_FIELDS(net_fields)};

static const struct virtio_type net_type = {
	.name = "virtio net",
	.id = VIRTIO_ID_NET,
	.class = 0x020000,
	.queues = 2,
	.config_size = offsetof(struct virtio_net_config, max_virtqueue_pairs),
	.state = &net_table,
	.notify = net_notify,
	.reset = net_reset,
	.destroy = net_destroy,
};

int virtio_net_create(struct pci_bus *bus, const struct virtio_net_options *options,
		      struct ls_error *err)
{
	static const uint8_t none[6];
	uint64_t features = VIRTIO_FEATURE(VIRTIO_NET_F_MAC) | VIRTIO_FEATURE(VIRTIO_NET_F_STATUS);
	struct virtio_net_config config = {.status = VIRTIO_NET_S_LINK_UP};
	struct virtio_net *net = calloc(1, sizeof(*net));
	int ret;

	if (!net)
		return ls_error_set(err, -ENOMEM, "no memory for a virtio network card");
	memcpy(config.mac, memcmp(options->mac, none, 6) ? options->mac : default_mac, 6);
	memcpy(net->device.config, &config, net_type.config_size);
	net->backend = options->backend;
	ret = virtio_add(&net->device, &net_type, features, bus, PCI_SLOT_AUTO, err);
	if (ret < 0) {
		free(net);
		return ret;
	}
	net->backend->receive = receive;
	net->backend->opaque = net;
	return 0;
}
