/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio driver that does anything. The input's first bytes choose a device, features and
 * queue size; then follows what the driver does: pokes at memory where the rings are,
 * notifications, register and configuration writes. Whatever it does, the device must not
 * crash, hang, leak, or touch memory that is not the guest's.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/machine/virtio_rig.h"
#include "machine/virtio_blk.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_rng.h"

#define RINGS      0x1000u
#define RING_SPACE 0x1000u
#define DISK_SIZE  0x8000

struct input {
	const uint8_t *at, *end;
};

struct run {
	struct rig *rig;
	struct driver driver;
	struct driver_queue queues[2];
	struct virtio_console *console;
	struct net_backend *wire;
};

static uint8_t next8(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static uint16_t next16(struct input *input)
{
	uint16_t low = next8(input);

	return (uint16_t)(low | next8(input) << 8);
}

static uint32_t next32(struct input *input)
{
	uint32_t low = next16(input);

	return low | (uint32_t)next16(input) << 16;
}

/* --- devices --- */

static void echo(struct net_backend *wire, const uint8_t *frame, size_t len)
{
	wire->receive(wire->opaque, frame, len);
}

static void wire_destroy(struct net_backend *wire)
{
	free(wire);
}

static const struct net_backend_ops wire_ops = {.send = echo, .destroy = wire_destroy};

static int add_disk(struct run *run)
{
	struct virtio_blk_options options = {.serial = "fuzz"};
	int fd = memfd_create("disk", MFD_CLOEXEC), ret;
	char path[64];

	if (fd < 0 || ftruncate(fd, DISK_SIZE) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	options.path = path;
	ret = virtio_blk_create(run->rig->bus, &options, NULL);
	close(fd);
	return ret;
}

static int add_console(struct run *run)
{
	struct virtio_console_options options = {.columns = 80, .rows = 25};

	run->console = virtio_console_create(run->rig->bus, &options, NULL);
	return run->console ? 0 : -1;
}

static int add_rng(struct run *run)
{
	struct virtio_rng_options options = {.seed = 1};

	return virtio_rng_create(run->rig->bus, &options, NULL);
}

static int add_net(struct run *run)
{
	struct virtio_net_options options = {.backend = calloc(1, sizeof(*options.backend))};

	options.backend->ops = &wire_ops;
	run->wire = options.backend;
	return virtio_net_create(run->rig->bus, &options, NULL);
}

static int add_user_net(struct run *run)
{
	struct virtio_net_options options = {.backend = net_slirp_create(&run->rig->clock, NULL)};

	run->wire = options.backend;
	return virtio_net_create(run->rig->bus, &options, NULL);
}

static int (*const add_device[])(struct run *run) = {add_disk, add_console, add_rng, add_net,
						     add_user_net};

/* --- what a driver may do --- */

static void poke(struct run *run, struct input *input)
{
	uint32_t at = RINGS + next16(input) % (2 * RING_SPACE);
	uint8_t len = next8(input) % 64;

	while (len--)
		run->rig->memory[at++] = next8(input);
}

static void describe(struct run *run, struct input *input)
{
	struct driver_queue *queue = &run->queues[next8(input) & 1];
	uint8_t where = next8(input), at = next8(input);
	uint64_t gpa = next16(input) * 16ull;
	uint32_t len = next16(input);

	/* Mostly in memory; sometimes at its end, at 4 GiB or at the very top. */
	if (where & 0x80)
		gpa = (where & 0x40   ? RIG_MEMORY
		       : where & 0x20 ? UINT64_MAX
				      : 1ull << 32) -
		      len / 2;
	if (where & 0x10)
		len = len << 16 | len;
	queue_desc(queue, at % queue->size, gpa, len, next8(input) & 7, next8(input));
}

static void offer(struct run *run, struct input *input)
{
	struct driver_queue *queue = &run->queues[next8(input) & 1];

	queue_offer(queue, next8(input));
	queue_kick(queue);
}

static void kick(struct run *run, struct input *input)
{
	bus_write(&run->rig->mmio, run->driver.notify + next16(input) % 4096, 2, 0);
}

static void write_common(struct run *run, struct input *input)
{
	unsigned int offset = next8(input) % 64;

	common_set(&run->driver, offset, 1u << (next8(input) & 3), next32(input));
}

static void read_registers(struct run *run, struct input *input)
{
	uint64_t at = run->driver.common + next16(input) % 0x4000;

	bus_read(&run->rig->mmio, at, 1u << (next8(input) & 3));
}

static void write_device(struct run *run, struct input *input)
{
	if (run->driver.device)
		bus_write(&run->rig->mmio, run->driver.device + next8(input) % 64,
			  1u << (next8(input) & 3), next32(input));
}

static void write_config(struct run *run, struct input *input)
{
	unsigned int offset = next8(input);

	rig_config_write(run->rig, 1, offset, 1u << next8(input) % 3, next32(input));
	rig_config_read(run->rig, 1, next8(input) & 0xfc, 4);
}

static void from_host(struct run *run, struct input *input)
{
	uint8_t bytes[1600] = {0};
	size_t len = next16(input) % sizeof(bytes);

	if (run->console)
		virtio_console_input(run->console, bytes, len);
	if (run->wire && run->wire->receive)
		run->wire->receive(run->wire->opaque, bytes, len);
}

static void pass_time(struct run *run, struct input *input)
{
	run->rig->now += next32(input);
	rig_fire(run->rig);
}

static void restart(struct run *run, struct input *input)
{
	uint8_t choice = next8(input);
	uint64_t features = (uint64_t)(choice & 3) << VIRTIO_RING_F_INDIRECT_DESC;
	uint16_t size = (uint16_t)(1u << (choice >> 2) % 9);
	unsigned int i;

	run->driver = driver_probe(run->rig, 1);
	driver_negotiate(&run->driver, features);
	for (i = 0; i < 2; i++)
		run->queues[i] = driver_queue(&run->driver, i, size, RINGS + i * 2 * RING_SPACE);
	driver_set_status(&run->driver, STATUS_3);
}

static void (*const actions[])(struct run *run, struct input *input) = {
	describe, offer,        poke,         kick,      write_common, read_registers,
	describe, write_device, write_config, from_host, pass_time,    restart,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	struct run run = {.rig = rig_create()};

	if (add_device[next8(&input) % (sizeof(add_device) / sizeof(add_device[0]))](&run) < 0)
		abort();
	pci_reset(run.rig->bus);
	pci_assign(run.rig->bus);
	restart(&run, &input);
	while (input.at < input.end)
		actions[next8(&input) % (sizeof(actions) / sizeof(actions[0]))](&run, &input);
	rig_destroy(run.rig);
	return 0;
}
