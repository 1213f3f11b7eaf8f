/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/virtio_rng.h"

#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "machine/virtio.h"
#include "record/record.h"

/* 5.4.6.2: a buffer need not be filled. */
#define REQUEST_MAX 4096u

struct virtio_rng {
	struct virtio_device device;
	struct virtio_rng_options options;
	uint64_t state;
};

static struct virtio_rng *from_device(struct virtio_device *device)
{
	return (struct virtio_rng *)((char *)device - offsetof(struct virtio_rng, device));
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static uint64_t next_word(struct virtio_rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t random_bytes(struct virtio_rng *rng, uint8_t *bytes, uint32_t len)
{
	uint32_t done, piece;

	if (rng->options.host_entropy) {
		ssize_t got = getrandom(bytes, len, 0);

		return got > 0 ? (uint32_t)got : 0;
	}
	for (done = 0; done < len; done += piece) {
		uint64_t word = next_word(rng);

		piece = len - done < sizeof(word) ? len - done : (uint32_t)sizeof(word);
		memcpy(bytes + done, &word, piece);
	}
	return len;
}

static uint32_t serve(struct virtqueue *queue, const struct virtq_chain *chain)
{
	uint32_t len = chain->write_len < REQUEST_MAX ? chain->write_len : REQUEST_MAX;
	uint8_t bytes[REQUEST_MAX];

	len = random_bytes(from_device(queue->device), bytes, len);
	return virtq_write(queue, chain, 0, bytes, len) < 0 ? 0 : len;
}

static void rng_notify(struct virtio_device *device, unsigned int index)
{
	virtq_drain(&device->queues[index], serve);
}

static void rng_destroy(struct virtio_device *device)
{
	virtio_remove(device);
	free(from_device(device));
}

static const struct record_field rng_fields[] = {
	RECORD_FIELD(struct virtio_rng, state),
};
static const struct record_table rng_table = {
	.name = "entropy", .version = 1, RECORD_FIELDS(rng_fields)};

static const struct virtio_type rng_type = {
	.name = "virtio rng",
	.id = VIRTIO_ID_RNG,
	.class = 0x00ff00,
	.queues = 1,
	.state = &rng_table,
	.notify = rng_notify,
	.destroy = rng_destroy,
};

int virtio_rng_create(struct pci_bus *bus, const struct virtio_rng_options *options,
		      struct ls_error *err)
{
	struct virtio_rng *rng = calloc(1, sizeof(*rng));
	int ret;

	if (!rng)
		return ls_error_set(err, -ENOMEM, "no memory for a virtio rng");
	rng->options = *options;
	rng->state = options->seed;
	ret = virtio_add(&rng->device, &rng_type, 0, bus, PCI_SLOT_AUTO, err);
	if (ret < 0)
		free(rng);
	return ret;
}
