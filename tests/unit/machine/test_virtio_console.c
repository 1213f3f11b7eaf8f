/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2, 5.3 and 5.4: console and entropy device. */
#include "../check.h"
#include "machine/virtio_console.h"
#include "machine/virtio_rng.h"
#include "virtio_rig.h"

#include <linux/virtio_console.h>

#define RECEIVE_RINGS  0x1000u
#define TRANSMIT_RINGS 0x2000u
#define DATA           0x8000u
#define BUFFER         0x9000u

struct fixture {
	struct rig *rig;
	struct virtio_console *console;
	struct driver driver;
	struct driver_queue receive, transmit;
	char output[64];
	size_t printed;
};

static void output(void *opaque, const uint8_t *bytes, size_t n)
{
	struct fixture *f = opaque;

	for (; n && f->printed < sizeof(f->output); n--)
		f->output[f->printed++] = (char)*bytes++;
}

static void start(struct fixture *f)
{
	struct virtio_console_options options = {
		.output = output, .opaque = f, .columns = 80, .rows = 25};

	memset(f, 0, sizeof(*f));
	f->rig = rig_create();
	f->console = virtio_console_create(f->rig->bus, &options, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f->console);
	pci_reset(f->rig->bus);
	pci_assign(f->rig->bus);
	f->driver = driver_probe(f->rig, 1);
	CU_ASSERT_TRUE_FATAL(driver_negotiate(&f->driver, 1ull << VIRTIO_CONSOLE_F_SIZE));
	f->receive = driver_queue(&f->driver, 0, 4, RECEIVE_RINGS);
	f->transmit = driver_queue(&f->driver, 1, 4, TRANSMIT_RINGS);
	driver_set_status(&f->driver, STATUS_3);
}

/* 5.3.6: bytes in transmitq come out, in order, over as many descriptors as there are. */
static void test_output(void)
{
	struct fixture f;
	uint32_t id, len;

	start(&f);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_DEVICE_ID, 2), 0x1043);
	memcpy(f.rig->memory + DATA, "hello, world", 12);
	queue_desc(&f.transmit, 0, DATA, 7, VRING_DESC_F_NEXT, 1);
	queue_desc(&f.transmit, 1, DATA + 7, 5, 0, 0);
	queue_offer(&f.transmit, 0);
	queue_kick(&f.transmit);
	CHECK_EQUAL(f.printed, 12);
	CU_ASSERT_EQUAL(memcmp(f.output, "hello, world", 12), 0);
	CU_ASSERT_TRUE(queue_take(&f.transmit, &id, &len));
	CHECK_EQUAL(len, 0);
	rig_destroy(f.rig);
}

static void offer_buffer(struct fixture *f, uint32_t len)
{
	queue_desc(&f->receive, 0, BUFFER, len, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->receive, 0);
	queue_kick(&f->receive);
}

/* 5.3.6: input goes to receiveq's buffers as they come, and waits while there are none. */
static void test_input(void)
{
	struct fixture f;
	uint32_t id, len;

	start(&f);
	CHECK_EQUAL(virtio_console_input(f.console, "abcdef", 6), 6);
	CU_ASSERT_FALSE(queue_take(&f.receive, &id, &len));
	offer_buffer(&f, 4);
	CU_ASSERT_TRUE(queue_take(&f.receive, &id, &len));
	CHECK_EQUAL(len, 4);
	CU_ASSERT_EQUAL(memcmp(f.rig->memory + BUFFER, "abcd", 4), 0);
	offer_buffer(&f, 4);
	CU_ASSERT_TRUE(queue_take(&f.receive, &id, &len));
	CHECK_EQUAL(len, 2);
	CU_ASSERT_EQUAL(memcmp(f.rig->memory + BUFFER, "ef", 2), 0);
	/* A buffer that waits takes what comes, with an interrupt. */
	offer_buffer(&f, 4);
	CU_ASSERT_FALSE(queue_take(&f.receive, &id, &len));
	bus_read(&f.rig->mmio, f.driver.isr, 1);
	virtio_console_input(f.console, "x", 1);
	CU_ASSERT_TRUE(queue_take(&f.receive, &id, &len));
	CHECK_EQUAL(len, 1);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.isr, 1), 1);
	rig_destroy(f.rig);
}

/* A buffer that is only readable can't take input: the driver is broken (2.7.5.1). */
static void test_input_nowhere(void)
{
	struct fixture f;

	start(&f);
	queue_desc(&f.receive, 0, BUFFER, 4, 0, 0);
	queue_offer(&f.receive, 0);
	virtio_console_input(f.console, "a", 1);
	CU_ASSERT_TRUE(driver_status(&f.driver) & VIRTIO_CONFIG_S_NEEDS_RESET);
	CHECK_EQUAL(f.rig->memory[BUFFER], 0);
	rig_destroy(f.rig);
}

/* More than the device keeps is refused, not lost silently. */
static void test_input_limit(void)
{
	struct fixture f;
	char bytes[5000] = {0};

	start(&f);
	CHECK_EQUAL(virtio_console_input(f.console, bytes, sizeof(bytes)), 4096);
	CHECK_EQUAL(virtio_console_input(f.console, bytes, 1), 0);
	rig_destroy(f.rig);
}

/* 5.3.4, 5.3.6.2: the size, and that the driver is told of a new one. */
static void test_size(void)
{
	struct fixture f;

	start(&f);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device, 2), 80);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device + 2, 2), 25);
	virtio_console_resize(f.console, 132, 43);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device, 4), 132 | 43 << 16);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.isr, 1), 2);
	rig_destroy(f.rig);
}

/* 5.3.4: a character written to emerg_wr appears, without any queue. */
static void test_emergency(void)
{
	struct fixture f;

	start(&f);
	driver_set_status(&f.driver, 0);
	bus_write(&f.rig->mmio, f.driver.device + 8, 4, '!');
	CHECK_EQUAL(f.printed, 1);
	CHECK_EQUAL(f.output[0], '!');
	rig_destroy(f.rig);
}

/* 5.4.6: bytes of the driver's buffers; returns a copy of the first ones. */
static uint64_t rng_word(uint64_t seed, uint32_t want, uint32_t *len)
{
	struct virtio_rng_options options = {.seed = seed};
	struct rig *rig = rig_create();
	struct driver driver;
	struct driver_queue queue;
	uint64_t word;
	uint32_t id;

	CU_ASSERT_EQUAL_FATAL(virtio_rng_create(rig->bus, &options, NULL), 0);
	pci_reset(rig->bus);
	pci_assign(rig->bus);
	driver = driver_probe(rig, 1);
	CHECK_EQUAL(rig_config_read(rig, 1, PCI_DEVICE_ID, 2), 0x1044);
	CU_ASSERT_TRUE(driver_negotiate(&driver, 0));
	queue = driver_queue(&driver, 0, 4, RECEIVE_RINGS);
	driver_set_status(&driver, STATUS_3);
	queue_desc(&queue, 0, BUFFER, want, VRING_DESC_F_WRITE, 0);
	queue_offer(&queue, 0);
	queue_kick(&queue);
	CU_ASSERT_TRUE(queue_take(&queue, &id, len));
	memcpy(&word, rig->memory + BUFFER, sizeof(word));
	CHECK_EQUAL(rig->memory[BUFFER + *len], 0);
	rig_destroy(rig);
	return word;
}

/* 5.4.6.2: at least one byte, no more than fits. The bytes depend on the seed and on nothing
 * else. Expected: SplitMix64's published first output for seed 1234567. */
static void test_rng(void)
{
	uint32_t len;

	CHECK_EQUAL(rng_word(1234567, 64, &len), 6457827717110365317ull);
	CHECK_EQUAL(len, 64);
	CHECK_EQUAL(rng_word(1234567, 13, &len), 6457827717110365317ull);
	CHECK_EQUAL(len, 13);
	CU_ASSERT_NOT_EQUAL(rng_word(1234568, 64, &len), 6457827717110365317ull);
	rng_word(0, 0x40000, &len);
	CU_ASSERT(len >= 1 && len <= 0x40000);
}

static CU_TestInfo tests[] = {
	{"output (virtio 1.2, 5.3.6)", test_output},
	{"input (virtio 1.2, 5.3.6)", test_input},
	{"input without room (virtio 1.2, 2.7.5.1)", test_input_nowhere},
	{"input that nobody takes", test_input_limit},
	{"size (virtio 1.2, 5.3.4)", test_size},
	{"emergency write (virtio 1.2, 5.3.4)", test_emergency},
	{"entropy device (virtio 1.2, 5.4.6)", test_rng},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("virtio console", tests)
