/* SPDX-License-Identifier: Apache-2.0 */
/* Split virtqueues: virtio 1.2, 2.7. Everything read from the rings is the driver's word. */
#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <string.h>

#include "machine/virtio.h"

/* Buffers served at one go; a driver that refills the ring from another vCPU as fast as it is
 * emptied must not hold the machine. */
#define BATCH    (16 * VIRTQ_MAX_SIZE)
#define PAUSE_NS 10000 /* of guest time, until it goes on */

#define AVAIL_IDX  2
#define AVAIL_RING 4
#define USED_IDX   2
#define USED_RING  4

static int ring_read(struct virtqueue *queue, uint64_t gpa, void *to, uint32_t len)
{
	const struct pci_host *host = &queue->device->pci.bus->host;

	if (host->dma_read(host->opaque, gpa, to, len) == 0)
		return 0;
	virtio_break(queue->device, "a ring or buffer is outside of memory");
	return -EIO;
}

static int ring_write(struct virtqueue *queue, uint64_t gpa, const void *from, uint32_t len)
{
	const struct pci_host *host = &queue->device->pci.bus->host;

	if (host->dma_write(host->opaque, gpa, from, len) == 0)
		return 0;
	virtio_break(queue->device, "a ring or buffer is outside of memory");
	return -EIO;
}

static uint64_t used_event_gpa(const struct virtqueue *queue)
{
	return queue->avail + AVAIL_RING + 2ull * queue->size;
}

static uint64_t avail_event_gpa(const struct virtqueue *queue)
{
	return queue->used + USED_RING + sizeof(struct vring_used_elem) * queue->size;
}

void virtq_reset(struct virtqueue *queue)
{
	struct virtio_device *device = queue->device;
	unsigned int index = queue->index;

	*queue = (struct virtqueue){
		.device = device,
		.index = index,
		.size = VIRTQ_MAX_SIZE,
		.vector = VIRTIO_NO_VECTOR,
	};
}

void virtq_enable(struct virtqueue *queue)
{
	queue->enabled = true;
	/* 2.7: the parts' alignment. */
	if (queue->desc % VRING_DESC_ALIGN_SIZE || queue->avail % VRING_AVAIL_ALIGN_SIZE ||
	    queue->used % VRING_USED_ALIGN_SIZE)
		virtio_break(queue->device, "a virtqueue is not aligned");
}

/* How many buffers wait; negative if the device is broken. */
static int waiting(struct virtqueue *queue)
{
	uint16_t idx, count;

	if (ring_read(queue, queue->avail + AVAIL_IDX, &idx, sizeof(idx)) < 0)
		return -EIO;
	/* 2.7.13: the entries are written before idx. */
	atomic_thread_fence(memory_order_acquire);
	count = (uint16_t)(idx - queue->next_avail);
	if (count > queue->size) {
		virtio_break(queue->device, "more buffers are available than a queue holds");
		return -EIO;
	}
	return count;
}

/* 2.7.10: asks to be told of the next buffer, and looks again for one that came meanwhile. */
static int wait_for_more(struct virtqueue *queue)
{
	if (!virtio_has(queue->device, VIRTIO_RING_F_EVENT_IDX))
		return 0;
	if (ring_write(queue, avail_event_gpa(queue), &queue->next_avail,
		       sizeof(queue->next_avail)) < 0)
		return -EIO;
	atomic_thread_fence(memory_order_seq_cst);
	return waiting(queue);
}

static int add_segment(struct virtqueue *queue, struct virtq_chain *chain,
		       const struct vring_desc *desc)
{
	bool write = desc->flags & VRING_DESC_F_WRITE;
	uint32_t *len = write ? &chain->write_len : &chain->read_len;
	unsigned int count = chain->readable + chain->writable;
	const char *why = NULL;

	if (count == VIRTQ_MAX_SIZE)
		why = "a descriptor chain has a loop or is too long";
	else if (!write && chain->writable)
		why = "a device-readable descriptor follows a writable one"; /* 2.7.4.2 */
	else if (desc->len > UINT32_MAX - *len)
		why = "a descriptor chain is longer than 4 GiB"; /* 2.7.5.2 */
	if (why) {
		virtio_break(queue->device, why);
		return -EIO;
	}
	chain->segments[count] = (struct virtq_segment){.gpa = desc->addr, .len = desc->len};
	*len += desc->len;
	if (write)
		chain->writable++;
	else
		chain->readable++;
	return 0;
}

/* Where descriptors come from: the queue's table, then perhaps one indirect table. */
struct table {
	uint64_t gpa;
	uint32_t count;
	bool indirect;
};

static int enter_indirect(struct virtqueue *queue, struct table *table,
			  const struct vring_desc *desc)
{
	const char *why = NULL;

	if (!virtio_has(queue->device, VIRTIO_RING_F_INDIRECT_DESC))
		why = "an indirect descriptor was not negotiated"; /* 2.7.5.3.1 */
	else if (table->indirect)
		why = "an indirect table refers to another one";
	else if (desc->flags & VRING_DESC_F_NEXT)
		why = "an indirect descriptor has a next one";
	else if (!desc->len || desc->len % sizeof(*desc))
		why = "an indirect table has no whole number of entries";
	if (why) {
		virtio_break(queue->device, why);
		return -EIO;
	}
	*table = (struct table){desc->addr, desc->len / (uint32_t)sizeof(*desc), true};
	return 0;
}

/* Follows the chain from chain->head. Ends: every turn either adds a segment, of which there
 * are VIRTQ_MAX_SIZE at most, or enters the one indirect table. */
static int walk(struct virtqueue *queue, struct virtq_chain *chain)
{
	struct table table = {queue->desc, queue->size, false};
	struct vring_desc desc;
	uint32_t next = chain->head;

	do {
		if (next >= table.count) {
			virtio_break(queue->device, "a descriptor index is out of range");
			return -EIO;
		}
		if (ring_read(queue, table.gpa + next * sizeof(desc), &desc, sizeof(desc)) < 0)
			return -EIO;
		next = desc.next;
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (enter_indirect(queue, &table, &desc) < 0)
				return -EIO;
			next = 0;
			desc.flags = VRING_DESC_F_NEXT;
		} else if (add_segment(queue, chain, &desc) < 0) {
			return -EIO;
		}
	} while (desc.flags & VRING_DESC_F_NEXT);
	return 0;
}

int virtq_pop(struct virtqueue *queue, struct virtq_chain *chain)
{
	uint64_t slot;
	int count;

	if (!queue->enabled || !virtio_live(queue->device))
		return queue->device->broken ? -EIO : 0;
	count = waiting(queue);
	if (count == 0)
		count = wait_for_more(queue);
	if (count <= 0)
		return count;
	chain->readable = chain->writable = 0;
	chain->read_len = chain->write_len = 0;
	slot = queue->avail + AVAIL_RING + 2ull * (queue->next_avail & (queue->size - 1u));
	if (ring_read(queue, slot, &chain->head, sizeof(chain->head)) < 0 || walk(queue, chain) < 0)
		return -EIO;
	queue->next_avail++;
	return 1;
}

void virtq_unpop(struct virtqueue *queue)
{
	queue->next_avail--;
}

/* Calls ring_read or ring_write for the pieces of [offset, offset + len) of some segments. */
static int transfer(struct virtqueue *queue, const struct virtq_segment *segment, uint32_t offset,
		    uint8_t *bytes, uint32_t len, bool write)
{
	while (len) {
		uint32_t piece;
		int ret;

		if (offset >= segment->len) {
			offset -= segment->len;
			segment++;
			continue;
		}
		piece = segment->len - offset < len ? segment->len - offset : len;
		ret = write ? ring_write(queue, segment->gpa + offset, bytes, piece)
			    : ring_read(queue, segment->gpa + offset, bytes, piece);
		if (ret < 0)
			return ret;
		bytes += piece;
		len -= piece;
		offset = 0;
		segment++;
	}
	return 0;
}

int virtq_read(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t offset, void *to,
	       uint32_t len)
{
	if (offset > chain->read_len || len > chain->read_len - offset)
		return -EINVAL;
	return transfer(queue, chain->segments, offset, to, len, false);
}

int virtq_write(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t offset,
		const void *from, uint32_t len)
{
	if (offset > chain->write_len || len > chain->write_len - offset)
		return -EINVAL;
	return transfer(queue, chain->segments + chain->readable, offset, (uint8_t *)from, len,
			true);
}

void virtq_push(struct virtqueue *queue, const struct virtq_chain *chain, uint32_t written)
{
	struct vring_used_elem elem = {.id = chain->head, .len = written};
	uint64_t slot =
		queue->used + USED_RING + sizeof(elem) * (queue->next_used & (queue->size - 1u));

	if (ring_write(queue, slot, &elem, sizeof(elem)) < 0)
		return;
	/* 2.7.8.2: the entry is complete before idx says so. */
	atomic_thread_fence(memory_order_release);
	queue->next_used++;
	ring_write(queue, queue->used + USED_IDX, &queue->next_used, sizeof(queue->next_used));
}

/* 2.7.7.2: does the driver want to hear of the used entries since the last time? */
static bool driver_listens(struct virtqueue *queue)
{
	uint16_t word;

	atomic_thread_fence(memory_order_seq_cst);
	if (!virtio_has(queue->device, VIRTIO_RING_F_EVENT_IDX)) {
		if (ring_read(queue, queue->avail, &word, sizeof(word)) < 0)
			return false;
		return !(word & VRING_AVAIL_F_NO_INTERRUPT);
	}
	if (ring_read(queue, used_event_gpa(queue), &word, sizeof(word)) < 0)
		return false;
	return vring_need_event(word, queue->next_used, queue->signalled);
}

void virtq_flush(struct virtqueue *queue)
{
	if (queue->signalled == queue->next_used || !virtio_live(queue->device))
		return;
	if (driver_listens(queue))
		virtio_signal_queue(queue->device, queue);
	queue->signalled = queue->next_used;
}

static void go_on_later(struct virtqueue *queue)
{
	struct ls_clock *clock = queue->device->pci.bus->host.clock;

	queue->more = true;
	if (clock)
		clock->arm(clock, &queue->device->later, clock->now(clock) + PAUSE_NS);
}

void virtq_drain(struct virtqueue *queue,
		 uint32_t (*serve)(struct virtqueue *queue, const struct virtq_chain *chain))
{
	unsigned int left = BATCH;
	struct virtq_chain chain;

	while (left && virtq_pop(queue, &chain) > 0) {
		uint32_t written = serve(queue, &chain);

		if (queue->device->broken)
			return;
		virtq_push(queue, &chain, written);
		left--;
	}
	virtq_flush(queue);
	if (!left)
		go_on_later(queue);
}
