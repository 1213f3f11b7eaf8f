/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BAR 0 is memory, BAR 1 is I/O. Each starts with a header that describes the test which the
 * guest chose: where to write what. The device counts the writes that match.
 */
#include "machine/pci_testdev.h"

#include "record/record.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_SIZE 4096
#define IO_SIZE     256

struct header {
	uint8_t test;
	uint8_t width;
	uint8_t pad[2];
	uint32_t offset;
	uint32_t data;
	uint32_t count;
	char name[];
};

/* The tests differ in how an engine may be told of the write beforehand (ioeventfd); what is
 * written and counted is the same. */
enum test { NO_EVENTFD, WILDCARD_EVENTFD, DATAMATCH_EVENTFD, TESTS };

static const char *const test_names[TESTS] = {
	[NO_EVENTFD] = "no-eventfd",
	[WILDCARD_EVENTFD] = "wildcard-eventfd",
	[DATAMATCH_EVENTFD] = "datamatch-eventfd",
};

#define TEST_WIDTH 1
#define TEST_DATA  0xfa

struct side {
	const char *prefix;
	uint32_t size;
	uint8_t test;
	uint32_t count;
};

struct pci_testdev {
	struct pci_device pci;
	struct side memory, io;
};

/* Each test writes to an address of its own, in the second half of the BAR. */
static uint32_t test_offset(const struct side *side)
{
	return side->size / 2 + side->test;
}

static void header_bytes(const struct side *side, uint8_t *bytes, size_t room)
{
	struct header *header = (struct header *)(void *)bytes;
	char *name = header->name;
	size_t left = room - sizeof(*header);

	memset(bytes, 0, room);
	/* Any width but 1, 2 and 4 tells the guest that there is no such test. */
	if (side->test >= TESTS)
		return;
	header->test = side->test;
	header->width = TEST_WIDTH;
	header->offset = test_offset(side);
	header->data = TEST_DATA;
	header->count = side->count;
	snprintf(name, left, "%s-%s", side->prefix, test_names[side->test]);
}

static uint64_t side_read(void *opaque, uint64_t offset, unsigned int size)
{
	_Alignas(8) uint8_t bytes[64];
	uint64_t value = 0;

	header_bytes(opaque, bytes, sizeof(bytes));
	if (offset + size <= sizeof(bytes))
		memcpy(&value, bytes + offset, size);
	return value;
}

static void side_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct side *side = opaque;

	if (offset == offsetof(struct header, test)) {
		side->test = (uint8_t)value;
		side->count = 0;
	} else if (side->test < TESTS && offset == test_offset(side) && size == TEST_WIDTH) {
		/* Only the data-matching test looks at what is written. */
		if (side->test != DATAMATCH_EVENTFD || value == TEST_DATA)
			side->count++;
	}
}

static const struct bus_ops side_ops = {.read = side_read, .write = side_write, .widest = 4};

static struct pci_testdev *from_pci(struct pci_device *pci)
{
	return (struct pci_testdev *)((char *)pci - offsetof(struct pci_testdev, pci));
}

static void testdev_reset(struct pci_device *pci)
{
	struct pci_testdev *dev = from_pci(pci);

	dev->memory.test = dev->io.test = 0;
	dev->memory.count = dev->io.count = 0;
}

static void testdev_destroy(struct pci_device *pci)
{
	free(from_pci(pci));
}

static const struct pci_device_ops testdev_ops = {
	.reset = testdev_reset,
	.destroy = testdev_destroy,
};

static const struct record_field testdev_fields[] = {
	RECORD_FIELD(struct pci_testdev, memory.test),
	RECORD_FIELD(struct pci_testdev, memory.count),
	RECORD_FIELD(struct pci_testdev, io.test),
	RECORD_FIELD(struct pci_testdev, io.count),
};
static const struct record_table testdev_table = {
	.name = "test device", .version = 1, RECORD_FIELDS(testdev_fields)};

int pci_testdev_create(struct pci_bus *bus, struct ls_error *err)
{
	static const struct pci_identity id = {
		.vendor = 0x1b36,
		.device = 0x0005,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class = 0x00ff00,
	};
	struct pci_testdev *dev = calloc(1, sizeof(*dev));
	int ret;

	if (!dev)
		return ls_error_set(err, -ENOMEM, "no memory for pci-testdev");
	dev->memory = (struct side){.prefix = "mmio", .size = MEMORY_SIZE};
	dev->io = (struct side){.prefix = "portio", .size = IO_SIZE};
	pci_device_init(&dev->pci, "pci-testdev", &id, &testdev_ops);
	dev->pci.state = &testdev_table;
	pci_device_bar(&dev->pci, 0, PCI_BAR_MEM32, MEMORY_SIZE, &side_ops, &dev->memory);
	pci_device_bar(&dev->pci, 1, PCI_BAR_IO, IO_SIZE, &side_ops, &dev->io);
	ret = pci_add(bus, &dev->pci, PCI_SLOT_AUTO, err);
	if (ret < 0)
		free(dev);
	return ret;
}
