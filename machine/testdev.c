/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test device of kvm-unit-tests (its lib/x86 and x86/ use it as "pc-testdev"):
 *
 *   0xe0-0xe3  four bytes that read back what was written, in any width
 *   0xe4-0xe7  a physical address whose page the host should drop from its tables; this
 *              machine has none that the guest could notice, so writes do nothing
 *   0xe8-0xeb  four bytes as at 0xe0, byte accesses only (0xe9 is then the test device's)
 *   0x2000+n   a write of v drives GSI n (0..23) to high if v is not 0, low if it is
 *   0xff000000 64 KiB of memory behind MMIO
 */
#include <stdlib.h>
#include <string.h>

#include "machine/chips.h"
#include "machine/internal.h"
#include "record/record.h"

#define ECHO_PORT  0xe0
#define FLUSH_PORT 0xe4
#define BYTE_PORT  0xe8
#define LINES_PORT 0x2000
#define IOMEM_BASE 0xff000000ull
#define IOMEM_SIZE 0x10000

struct testdev {
	struct machine *machine;
	struct irq_wire wires[IRQ_GSI_COUNT];
	uint8_t echo[4], bytes[4];
	uint8_t iomem[IOMEM_SIZE];
};

static uint64_t memory_get(const uint8_t *from, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, from, size);
	return value;
}

static uint64_t echo_read(void *opaque, uint64_t offset, unsigned int size)
{
	return memory_get(((struct testdev *)opaque)->echo + offset, size);
}

static void echo_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	memcpy(((struct testdev *)opaque)->echo + offset, &value, size);
}

static uint64_t bytes_read(void *opaque, uint64_t offset, unsigned int size)
{
	return memory_get(((struct testdev *)opaque)->bytes + offset, size);
}

static void bytes_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	memcpy(((struct testdev *)opaque)->bytes + offset, &value, size);
}

static void lines_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct testdev *dev = opaque;

	(void)size;
	irq_set(dev->machine, &dev->wires[offset], value != 0);
}

static uint64_t iomem_read(void *opaque, uint64_t offset, unsigned int size)
{
	return memory_get(((struct testdev *)opaque)->iomem + offset, size);
}

static void iomem_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	memcpy(((struct testdev *)opaque)->iomem + offset, &value, size);
}

static void testdev_reset(void *opaque)
{
	struct testdev *dev = opaque;

	for (unsigned int i = 0; i < IRQ_GSI_COUNT; i++)
		irq_set(dev->machine, &dev->wires[i], false);
}

static const struct record_field testdev_fields[] = {
	RECORD_FIELD_OF_EACH(struct testdev, wires, level),
	RECORD_FIELD(struct testdev, echo),
	RECORD_FIELD(struct testdev, bytes),
	RECORD_FIELD(struct testdev, iomem),
};
static const struct record_table testdev_table = {
	.name = "testdev", .version = 1, RECORD_FIELDS(testdev_fields)};

static const struct bus_ops echo_ops = {.read = echo_read, .write = echo_write, .widest = 4};
static const struct bus_ops flush_ops = {.widest = 4};
static const struct bus_ops bytes_ops = {.read = bytes_read, .write = bytes_write, .widest = 1};
static const struct bus_ops lines_ops = {.write = lines_write, .widest = 1};
static const struct bus_ops iomem_ops = {.read = iomem_read, .write = iomem_write};

int testdev_create(struct machine *machine, struct ls_error *err)
{
	struct testdev *dev = calloc(1, sizeof(*dev));
	struct machine_device device = {.name = "testdev",
					.state = &testdev_table,
					.reset = testdev_reset,
					.destroy = free,
					.opaque = dev};
	struct bus_region memory = {.name = "test device memory",
				    .base = IOMEM_BASE,
				    .size = IOMEM_SIZE,
				    .ops = &iomem_ops,
				    .opaque = dev};
	const struct bus_region ports[] = {
		{"test device echo", ECHO_PORT, 4, &echo_ops, dev, 0},
		{"test device flush", FLUSH_PORT, 4, &flush_ops, dev, 0},
		{"test device bytes", BYTE_PORT, 4, &bytes_ops, dev, 0},
		{"test device lines", LINES_PORT, IRQ_GSI_COUNT, &lines_ops, dev, 0},
	};
	int ret;

	if (!dev)
		return ls_error_set(err, -ENOMEM, "no memory for the test device");
	dev->machine = machine;
	for (unsigned int i = 0; i < IRQ_GSI_COUNT; i++)
		dev->wires[i].gsi = i;
	ret = chip_add(machine, &device, ports, sizeof(ports) / sizeof(ports[0]), err);
	return ret ? ret : bus_add(&machine->mmio, &memory, err);
}
