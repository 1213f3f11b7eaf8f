/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/virtio_console.h"

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "machine/virtio.h"
#include "record/record.h"

#define RECEIVE  0 /* queue numbers: 5.3.2 */
#define TRANSMIT 1
#define WAITING  4096u
/* A guest that offers gigabytes of output gets this much of each buffer written. */
#define OUTPUT_MAX (1u << 20)

struct virtio_console {
	struct virtio_device device;
	struct virtio_console_options options;
	uint8_t waiting[WAITING]; /* a ring */
	uint32_t first, count;
};

static struct virtio_console *from_device(struct virtio_device *device)
{
	return (struct virtio_console *)((char *)device - offsetof(struct virtio_console, device));
}

static void emit(struct virtio_console *console, const uint8_t *bytes, size_t n)
{
	if (console->options.output && n)
		console->options.output(console->options.opaque, bytes, n);
}

static uint32_t serve_transmit(struct virtqueue *queue, const struct virtq_chain *chain)
{
	struct virtio_console *console = from_device(queue->device);
	uint32_t len = chain->read_len < OUTPUT_MAX ? chain->read_len : OUTPUT_MAX;
	uint8_t bytes[512];
	uint32_t done, piece;

	for (done = 0; done < len; done += piece) {
		piece = len - done < sizeof(bytes) ? len - done : (uint32_t)sizeof(bytes);
		if (virtq_read(queue, chain, done, bytes, piece) < 0)
			return 0;
		emit(console, bytes, piece);
	}
	return 0;
}

/* Moves up to a whole buffer's worth of what waits into the buffer. */
static uint32_t fill_buffer(struct virtio_console *console, struct virtqueue *queue,
			    const struct virtq_chain *chain)
{
	uint32_t done = 0;

	while (console->count && done < chain->write_len) {
		uint32_t piece = WAITING - console->first;

		if (piece > console->count)
			piece = console->count;
		if (piece > chain->write_len - done)
			piece = chain->write_len - done;
		if (virtq_write(queue, chain, done, console->waiting + console->first, piece) < 0)
			return 0;
		console->first = (console->first + piece) % WAITING;
		console->count -= piece;
		done += piece;
	}
	return done;
}

static void deliver(struct virtio_console *console)
{
	struct virtqueue *queue = &console->device.queues[RECEIVE];
	struct virtq_chain chain;

	while (console->count && virtq_pop(queue, &chain) > 0) {
		uint32_t written = fill_buffer(console, queue, &chain);

		/* Ends: each turn takes from what waits. */
		if (!written)
			virtio_break(&console->device, "a receive buffer has no room");
		if (console->device.broken)
			return;
		virtq_push(queue, &chain, written);
	}
	virtq_flush(queue);
}

static void console_notify(struct virtio_device *device, unsigned int index)
{
	if (index == TRANSMIT)
		virtq_drain(&device->queues[index], serve_transmit);
	else
		deliver(from_device(device));
}

/* 5.3.4: emergency write, before there are queues. */
static void console_config_write(struct virtio_device *device, unsigned int offset,
				 unsigned int size, uint32_t value)
{
	uint8_t byte = (uint8_t)value;

	(void)size;
	if (offset == offsetof(struct virtio_console_config, emerg_wr))
		emit(from_device(device), &byte, 1);
}

static void console_reset(struct virtio_device *device)
{
	struct virtio_console *console = from_device(device);

	console->first = console->count = 0;
}

static void machine_console_destroy(struct virtio_device *device)
{
	virtio_remove(device);
	free(from_device(device));
}

static const struct record_field console_fields[] = {
	RECORD_FIELD(struct virtio_console, waiting),
	RECORD_FIELD(struct virtio_console, first),
	RECORD_FIELD(struct virtio_console, count),
};
static const struct record_table console_table = {
	.name = "console", .version = 1, RECORD_FIELDS(console_fields)};

static const struct virtio_type console_type = {
	.name = "virtio console",
	.id = VIRTIO_ID_CONSOLE,
	.class = 0x078000,
	.queues = 2,
	.config_size = sizeof(struct virtio_console_config),
	.state = &console_table,
	.notify = console_notify,
	.reset = console_reset,
	.config_write = console_config_write,
	.destroy = machine_console_destroy,
};

static void set_size(struct virtio_console *console, uint16_t columns, uint16_t rows)
{
	struct virtio_console_config config = {.cols = columns, .rows = rows, .max_nr_ports = 1};

	memcpy(console->device.config, &config, sizeof(config));
}

struct virtio_console *virtio_console_create(struct pci_bus *bus,
					     const struct virtio_console_options *options,
					     struct ls_error *err)
{
	uint64_t features = VIRTIO_FEATURE(VIRTIO_CONSOLE_F_EMERG_WRITE);
	struct virtio_console *console = calloc(1, sizeof(*console));

	if (!console) {
		ls_error_set(err, -ENOMEM, "no memory for a virtio console");
		return NULL;
	}
	console->options = *options;
	if (options->columns && options->rows)
		features |= VIRTIO_FEATURE(VIRTIO_CONSOLE_F_SIZE);
	set_size(console, options->columns, options->rows);
	if (virtio_add(&console->device, &console_type, features, bus, PCI_SLOT_AUTO, err) < 0) {
		free(console);
		return NULL;
	}
	return console;
}

size_t virtio_console_input(struct virtio_console *console, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	size_t taken;

	for (taken = 0; taken < n && console->count < WAITING; taken++) {
		console->waiting[(console->first + console->count) % WAITING] = from[taken];
		console->count++;
	}
	if (virtio_live(&console->device))
		deliver(console);
	return taken;
}

size_t virtio_console_room(const struct virtio_console *console)
{
	return virtio_live(&console->device) ? WAITING - console->count : 0;
}

void virtio_console_resize(struct virtio_console *console, uint16_t columns, uint16_t rows)
{
	set_size(console, columns, rows);
	if (virtio_live(&console->device) && virtio_has(&console->device, VIRTIO_CONSOLE_F_SIZE))
		virtio_config_changed(&console->device);
}
