/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2, 2.7: split virtqueues, also with drivers that break the rules. */
#include "virtio_copier.h"

/* 2.7.13, 2.7.14: a chain is served when the driver notifies, and comes back in the used ring
 * with the length written. 2.7.4: the device makes nothing of how it is cut up. */
static void test_chain(void)
{
	struct fixture f;
	uint32_t id, len;

	start(&f, 0);
	queue_desc(&f.queue, 5, DATA, 3, VRING_DESC_F_NEXT, 2);
	queue_desc(&f.queue, 2, DATA + 3, 7, VRING_DESC_F_NEXT, 7);
	queue_desc(&f.queue, 7, ANSWER, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 0);
	queue_desc(&f.queue, 0, ANSWER + 0x100, 20, VRING_DESC_F_WRITE, 0xffff);
	queue_offer(&f.queue, 5);
	CU_ASSERT_FALSE(queue_take(&f.queue, &id, &len));
	queue_kick(&f.queue);
	CU_ASSERT_TRUE(queue_take(&f.queue, &id, &len));
	CHECK_EQUAL(id, 5);
	CHECK_EQUAL(len, 10);
	CU_ASSERT_EQUAL(f.rig->memory[ANSWER], '0');
	CU_ASSERT_EQUAL(memcmp(f.rig->memory + ANSWER + 0x100, "123456789\0", 10), 0);
	CU_ASSERT_FALSE(queue_take(&f.queue, &id, &len));
	/* 2.7.5.1: nothing was written to the descriptors. */
	CHECK_EQUAL(get16(f.rig, f.queue.desc + 16 * 5 + 14), 2);
	finish(&f);
}

/* 2.7.6: indices run through 65535 to 0. */
static void test_index_wrap(void)
{
	struct fixture f;
	uint32_t id, len, i;

	start(&f, EVENT_IDX);
	queue_desc(&f.queue, 0, DATA, 4, VRING_DESC_F_NEXT, 1);
	queue_desc(&f.queue, 1, ANSWER, 4, VRING_DESC_F_WRITE, 0);
	for (i = 0; i < 65536 + 20; i++) {
		queue_offer(&f.queue, 0);
		queue_kick(&f.queue);
		if (!queue_take(&f.queue, &id, &len) || len != 4)
			break;
	}
	CHECK_EQUAL(i, 65536 + 20);
	CHECK_EQUAL(get16(f.rig, f.queue.used + 2), 20);
	finish(&f);
}

static void put_table(struct fixture *f, unsigned int at, uint64_t gpa, uint32_t len,
		      uint16_t flags, uint16_t next)
{
	struct vring_desc desc = {.addr = gpa, .len = len, .flags = flags, .next = next};

	put(f->rig, TABLE + 16ull * at, &desc, sizeof(desc));
}

/* 2.7.5.3: normal descriptors followed by one indirect one; its WRITE flag says nothing. */
static void test_indirect(void)
{
	struct fixture f;
	uint32_t id, len;

	start(&f, INDIRECT);
	put_table(&f, 0, DATA + 2, 4, VRING_DESC_F_NEXT, 2);
	put_table(&f, 2, ANSWER, 32, VRING_DESC_F_WRITE, 0);
	queue_desc(&f.queue, 1, DATA, 2, VRING_DESC_F_NEXT, 3);
	queue_desc(&f.queue, 3, TABLE, 3 * 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE, 0);
	queue_offer(&f.queue, 1);
	queue_kick(&f.queue);
	CU_ASSERT_TRUE(queue_take(&f.queue, &id, &len));
	CHECK_EQUAL(id, 1);
	CHECK_EQUAL(len, 6);
	CU_ASSERT_EQUAL(memcmp(f.rig->memory + ANSWER, "012345", 6), 0);
	finish(&f);
}

/* 2.7.7.2 without EVENT_IDX: flags 0 wants a notification, 1 doesn't. 4.1.4.5: without MSI-X
 * it is the pin, the ISR bit 0, and reading ISR takes both back. */
static void test_interrupt_flags(void)
{
	struct fixture f;
	unsigned int gsi = pci_intx_gsi(1, 0);

	start(&f, 0);
	offer_plain(&f);
	CU_ASSERT_TRUE(f.rig->wires[gsi]);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
		    PCI_STATUS_INTERRUPT);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.isr, 1), 1);
	CU_ASSERT_FALSE(f.rig->wires[gsi]);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.isr, 1), 0);
	put16(f.rig, f.queue.avail, VRING_AVAIL_F_NO_INTERRUPT);
	offer_plain(&f);
	CU_ASSERT_FALSE(f.rig->wires[gsi]);
	CHECK_EQUAL(get16(f.rig, f.queue.used + 2), 2);
	/* 2.7.7.2: an index of the event kind is ignored: still none. */
	put16(f.rig, f.queue.avail + 4 + 2 * QUEUE_SIZE, 2);
	offer_plain(&f);
	CU_ASSERT_FALSE(f.rig->wires[gsi]);
	finish(&f);
}

/* 2.7.7.2 with EVENT_IDX: a notification exactly when idx passes used_event, whatever the
 * flag says. 4.1.5.1.2: through the vector that the queue was given. */
static void test_interrupt_event(void)
{
	struct fixture f;
	uint64_t used_event;

	start(&f, EVENT_IDX);
	used_event = f.queue.avail + 4 + 2 * QUEUE_SIZE;
	driver_vector(&f.driver, 1, 0x41);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_MSIX, 2), 1);
	put16(f.rig, f.queue.avail, VRING_AVAIL_F_NO_INTERRUPT);
	put16(f.rig, used_event, 1);
	offer_plain(&f);
	CHECK_EQUAL(f.rig->messages, 0);
	offer_plain(&f);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].data, 0x41);
	offer_plain(&f);
	CHECK_EQUAL(f.rig->messages, 1);
	/* Several at once pass it too: one message. */
	put16(f.rig, used_event, 4);
	queue_offer(&f.queue, 0);
	queue_offer(&f.queue, 0);
	offer_plain(&f);
	CHECK_EQUAL(f.rig->messages, 2);
	CU_ASSERT_FALSE(f.rig->wires[pci_intx_gsi(1, 0)]);
	/* 4.1.5.1.2.1: a vector that isn't there reads back as none. */
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_MSIX, 2, 200);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	finish(&f);
}

/* 2.7.10.2 with EVENT_IDX: the device asks for the notification of the next buffer. */
static void test_avail_event(void)
{
	struct fixture f;
	uint64_t avail_event;

	start(&f, EVENT_IDX);
	avail_event = f.queue.used + 4 + 8 * QUEUE_SIZE;
	put16(f.rig, avail_event, 0x7777);
	queue_offer(&f.queue, 0);
	queue_offer(&f.queue, 0);
	offer_plain(&f);
	CHECK_EQUAL(get16(f.rig, avail_event), 3);
	CHECK_EQUAL(get16(f.rig, f.queue.used), 0);
	finish(&f);
}

/* A driver that refills the ring as fast as it is emptied does not hold the machine: the
 * device goes on later, and nothing is lost. */
static void test_endless_driver(void)
{
	struct fixture f;
	unsigned int first;

	start(&f, EVENT_IDX);
	f.copier->refill = true;
	offer_plain(&f);
	first = f.copier->served;
	CU_ASSERT(first > QUEUE_SIZE);
	/* Time has to pass: else firing what is due would never end. */
	CU_ASSERT_FALSE(rig_fire(f.rig));
	f.rig->now += 100000;
	CU_ASSERT_TRUE(rig_fire(f.rig));
	CU_ASSERT(f.copier->served > first);
	CU_ASSERT_FALSE(rig_fire(f.rig));
	f.copier->refill = false;
	f.rig->now += 100000;
	CU_ASSERT_TRUE(rig_fire(f.rig));
	CHECK_EQUAL(get16(f.rig, f.queue.used + 2), f.queue.offered);
	CU_ASSERT_FALSE(needs_reset(&f));
	finish(&f);
}

/* --- drivers that break the rules --- */

static void bad_loop(struct fixture *f)
{
	queue_desc(&f->queue, 0, DATA, 4, VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, DATA, 4, VRING_DESC_F_NEXT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_next(struct fixture *f)
{
	queue_desc(&f->queue, 0, DATA, 4, VRING_DESC_F_NEXT, QUEUE_SIZE);
	queue_offer(&f->queue, 0);
}

static void bad_head(struct fixture *f)
{
	queue_offer(&f->queue, 0xffff);
}

static void bad_buffer_address(struct fixture *f)
{
	queue_desc(&f->queue, 0, DATA, 4, VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, UINT64_MAX - 1, 4, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->queue, 0);
}

static void bad_buffer_end(struct fixture *f)
{
	queue_desc(&f->queue, 0, RIG_MEMORY - 2, 4, VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, ANSWER, 4, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->queue, 0);
}

static void bad_length(struct fixture *f)
{
	queue_desc(&f->queue, 0, DATA, UINT32_MAX, VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, DATA, 1, 0, 0);
	queue_offer(&f->queue, 0);
}

static void bad_order(struct fixture *f)
{
	queue_desc(&f->queue, 0, ANSWER, 4, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	queue_desc(&f->queue, 1, DATA, 4, 0, 0);
	queue_offer(&f->queue, 0);
}

static void bad_index(struct fixture *f)
{
	put16(f->rig, f->queue.avail + 2, QUEUE_SIZE + 1);
}

static void bad_index_back(struct fixture *f)
{
	put16(f->rig, f->queue.avail + 2, 0xffff);
}

static void bad_indirect_not_negotiated(struct fixture *f)
{
	driver_set_status(&f->driver, 0);
	driver_negotiate(&f->driver, 0);
	f->queue = driver_queue(&f->driver, 0, QUEUE_SIZE, RINGS);
	driver_set_status(&f->driver, STATUS_3);
	put_table(f, 0, DATA, 4, 0, 0);
	queue_desc(&f->queue, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_twice(struct fixture *f)
{
	put_table(f, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	queue_desc(&f->queue, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_next(struct fixture *f)
{
	put_table(f, 0, DATA, 4, 0, 0);
	queue_desc(&f->queue, 0, TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	queue_desc(&f->queue, 1, DATA, 4, 0, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_size(struct fixture *f)
{
	put_table(f, 0, DATA, 4, 0, 0);
	queue_desc(&f->queue, 0, TABLE, 17, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_empty(struct fixture *f)
{
	queue_desc(&f->queue, 0, TABLE, 0, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_loop(struct fixture *f)
{
	put_table(f, 0, DATA, 4, VRING_DESC_F_NEXT, 0);
	queue_desc(&f->queue, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static void bad_indirect_address(struct fixture *f)
{
	queue_desc(&f->queue, 0, UINT64_MAX - 15, 16 * 4096, VRING_DESC_F_INDIRECT, 0);
	queue_offer(&f->queue, 0);
}

static const struct {
	const char *what;
	void (*offer)(struct fixture *f);
} offences[] = {
	{"a loop (2.7.5.2)", bad_loop},
	{"next out of range (2.7.5)", bad_next},
	{"head out of range (2.7.6)", bad_head},
	{"a writable buffer outside of memory", bad_buffer_address},
	{"a readable buffer beyond the end of memory", bad_buffer_end},
	{"more than 4 GiB (2.7.5.2)", bad_length},
	{"readable after writable (2.7.4.2)", bad_order},
	{"more buffers than entries (2.7.6)", bad_index},
	{"an index that went back (2.7.6.1)", bad_index_back},
	{"an indirect table that was not negotiated (2.7.5.3.1)", bad_indirect_not_negotiated},
	{"an indirect table in an indirect table (2.7.5.3.1)", bad_indirect_twice},
	{"INDIRECT with NEXT (2.7.5.3.1)", bad_indirect_next},
	{"an indirect table with part of an entry (2.7.5.3)", bad_indirect_size},
	{"an empty indirect table (2.7.5.3)", bad_indirect_empty},
	{"a loop in an indirect table (2.7.5.3.1)", bad_indirect_loop},
	{"an indirect table outside of memory", bad_indirect_address},
};

/* 2.1.2: the device asks for a reset, tells the driver by a configuration change, touches
 * nothing more, and works again after the reset. */
static void test_offences(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(offences) / sizeof(offences[0]); i++) {
		struct fixture f;
		uint16_t used;

		start(&f, INDIRECT);
		offences[i].offer(&f);
		queue_kick(&f.queue);
		CHECK_ROW(needs_reset(&f), "not noticed: %s", offences[i].what);
		CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.isr, 1) & 2, 2);
		used = get16(f.rig, f.queue.used + 2);
		CHECK_EQUAL(used, 0);
		put16(f.rig, f.queue.avail + 2, 0);
		f.queue.offered = 0;
		offer_plain(&f);
		CHECK_EQUAL(get16(f.rig, f.queue.used + 2), used);
		/* The bit is the device's: a driver's write does not take it away. */
		driver_set_status(&f.driver, STATUS_3);
		CU_ASSERT_TRUE(needs_reset(&f));

		CU_ASSERT_TRUE(driver_negotiate(&f.driver, 0));
		memset(f.rig->memory + RINGS, 0, 0x1000);
		f.queue = driver_queue(&f.driver, 0, QUEUE_SIZE, RINGS);
		driver_set_status(&f.driver, STATUS_3);
		offer_plain(&f);
		CHECK_EQUAL(get16(f.rig, f.queue.used + 2), 1);
		CU_ASSERT_FALSE(needs_reset(&f));
		finish(&f);
	}
}

/* 2.7: rings outside of memory, and rings that are not aligned. */
static void test_bad_rings(void)
{
	static const uint64_t bases[] = {RIG_MEMORY, UINT64_MAX & ~0xfffull, RINGS + 8};
	unsigned int i;

	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct fixture f;

		probe(&f);
		driver_negotiate(&f.driver, EVENT_IDX);
		f.queue = driver_queue(&f.driver, 0, QUEUE_SIZE, bases[i]);
		driver_set_status(&f.driver, STATUS_3);
		queue_kick(&f.queue);
		CU_ASSERT_TRUE(needs_reset(&f));
		finish(&f);
	}
}

static CU_TestInfo tests[] = {
	{"a chain (virtio 1.2, 2.7.4, 2.7.13)", test_chain},
	{"indices wrap (virtio 1.2, 2.7.6, 2.7.8)", test_index_wrap},
	{"indirect descriptors (virtio 1.2, 2.7.5.3)", test_indirect},
	{"interrupts by flag, and ISR (virtio 1.2, 2.7.7.2, 4.1.4.5)", test_interrupt_flags},
	{"interrupts by event index (virtio 1.2, 2.7.7.2)", test_interrupt_event},
	{"avail_event (virtio 1.2, 2.7.10.2)", test_avail_event},
	{"a driver that never rests", test_endless_driver},
	{"drivers that break the rules (virtio 1.2, 2.7)", test_offences},
	{"rings that can't be (virtio 1.2, 2.7)", test_bad_rings},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("virtio ring", tests)
