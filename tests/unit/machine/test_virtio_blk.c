/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2, 5.2: the block device, over a file that the test looks at from outside. */
#include "../check.h"
#include "machine/virtio_blk.h"
#include "virtio_rig.h"

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <unistd.h>

#define SECTORS 64u
#define SECTOR  512u
#define RINGS   0x1000u
#define HEADER  0x8000u
#define STATUS  0x8100u
#define DATA    0x10000u

struct fixture {
	struct rig *rig;
	struct driver driver;
	struct driver_queue queue;
	char path[64];
	int fd; /* the image, from outside */
};

static uint8_t pattern(unsigned int sector, unsigned int byte)
{
	return (uint8_t)(sector * 7 + byte);
}

static void make_image(struct fixture *f, off_t size)
{
	uint8_t bytes[SECTOR];
	unsigned int sector, i;

	strcpy(f->path, "/tmp/test_virtio_blk.XXXXXX");
	f->fd = mkstemp(f->path);
	CU_ASSERT_FATAL(f->fd >= 0);
	for (sector = 0; sector < size / SECTOR; sector++) {
		for (i = 0; i < SECTOR; i++)
			bytes[i] = pattern(sector, i);
		CU_ASSERT_EQUAL(write(f->fd, bytes, SECTOR), SECTOR);
	}
	CU_ASSERT_EQUAL(ftruncate(f->fd, size), 0);
}

static void start(struct fixture *f, bool read_only, uint64_t features)
{
	struct virtio_blk_options options = {.read_only = read_only, .serial = "LS-0001"};

	f->rig = rig_create();
	make_image(f, SECTORS * SECTOR);
	options.path = f->path;
	CU_ASSERT_EQUAL_FATAL(virtio_blk_create(f->rig->bus, &options, NULL), 1);
	pci_reset(f->rig->bus);
	pci_assign(f->rig->bus);
	f->driver = driver_probe(f->rig, 1);
	CU_ASSERT_TRUE_FATAL(driver_negotiate(&f->driver, features));
	f->queue = driver_queue(&f->driver, 0, 16, RINGS);
	driver_set_status(&f->driver, STATUS_3);
}

static void finish(struct fixture *f)
{
	rig_destroy(f->rig);
	close(f->fd);
	unlink(f->path);
}

/* 5.2.6: header, data, status; the data in two pieces of odd sizes. Returns the status. */
static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len,
		       uint32_t *used)
{
	struct virtio_blk_outhdr header = {.type = type, .sector = sector};
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	uint16_t flags = VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0);
	uint32_t id = 99, first = len / 3;

	put(f->rig, HEADER, &header, sizeof(header));
	f->rig->memory[STATUS] = 0xee;
	queue_desc(&f->queue, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, len ? 1 : 3);
	queue_desc(&f->queue, 1, DATA, first, flags, 2);
	queue_desc(&f->queue, 2, DATA + first, len - first, flags, 3);
	queue_desc(&f->queue, 3, STATUS, 1, VRING_DESC_F_WRITE, 0);
	queue_offer(&f->queue, 0);
	queue_kick(&f->queue);
	CU_ASSERT_TRUE(queue_take(&f->queue, &id, used));
	CHECK_EQUAL(id, 0);
	return f->rig->memory[STATUS];
}

/* 5.2.4: capacity in sectors of 512 bytes; 5.2.3: what a writable disk can do. */
static void test_config(void)
{
	struct fixture f;
	uint64_t offered;

	start(&f, false, 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device, 8), SECTORS);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_DEVICE_ID, 2), 0x1042);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_CLASS_DEVICE + 1, 1), 0x01);
	offered = driver_offered(&f.driver);
	CU_ASSERT_FALSE(offered >> VIRTIO_BLK_F_RO & 1);
	CU_ASSERT_TRUE(offered >> VIRTIO_BLK_F_FLUSH & 1);
	/* seg_max leaves room for header and status in a chain. */
	CU_ASSERT(bus_read(&f.rig->mmio, f.driver.device + 12, 4) <= 256 - 2);
	finish(&f);
}

/* VIRTIO_BLK_T_IN: data from the sector on, and the length with the status byte. */
static void test_read(void)
{
	struct fixture f;
	unsigned int i;
	uint32_t used;

	start(&f, true, 1ull << VIRTIO_BLK_F_FLUSH);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, 5, 3 * SECTOR, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(used, 3 * SECTOR + 1);
	for (i = 0; i < 3 * SECTOR; i++)
		if (f.rig->memory[DATA + i] != pattern(5 + i / SECTOR, i % SECTOR))
			break;
	CHECK_EQUAL(i, 3 * SECTOR);
	/* The whole disk at once, and its last sector. */
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, 0, SECTORS * SECTOR, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, SECTORS - 1, SECTOR, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(f.rig->memory[DATA], pattern(SECTORS - 1, 0));
	finish(&f);
}

/* VIRTIO_BLK_T_OUT and VIRTIO_BLK_T_FLUSH: what was written is in the file, and only that. */
static void test_write(void)
{
	struct fixture f;
	uint8_t bytes[3 * SECTOR];
	uint32_t used;

	start(&f, false, 1ull << VIRTIO_BLK_F_FLUSH);
	memset(f.rig->memory + DATA, 0xa5, SECTOR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_OUT, 9, SECTOR, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(used, 1);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_FLUSH, 0, 0, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(used, 1);
	CU_ASSERT_EQUAL(pread(f.fd, bytes, sizeof(bytes), 8 * SECTOR), sizeof(bytes));
	CHECK_EQUAL(bytes[SECTOR - 1], pattern(8, SECTOR - 1));
	CHECK_EQUAL(bytes[SECTOR], 0xa5);
	CHECK_EQUAL(bytes[2 * SECTOR - 1], 0xa5);
	CHECK_EQUAL(bytes[2 * SECTOR], pattern(10, 0));
	finish(&f);
}

/* 5.2.6.2: a write to a read-only disk is an I/O error and writes nothing. */
static void test_read_only(void)
{
	struct fixture f;
	uint8_t byte;
	uint32_t used;

	start(&f, true, 1ull << VIRTIO_BLK_F_RO);
	memset(f.rig->memory + DATA, 0xa5, SECTOR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_OUT, 0, SECTOR, &used), VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL(pread(f.fd, &byte, 1, 0), 1);
	CHECK_EQUAL(byte, pattern(0, 0));
	CU_ASSERT_FALSE(driver_offered(&f.driver) >> VIRTIO_BLK_F_DISCARD & 1);
	finish(&f);
}

/* 5.2.6.1: what a driver must not ask for; the disk must not grow. */
static void test_out_of_range(void)
{
	struct fixture f;
	uint32_t used;

	start(&f, false, 0);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, SECTORS, SECTOR, &used), VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(used, 0);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, SECTORS - 1, 2 * SECTOR, &used),
		    VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_OUT, SECTORS, SECTOR, &used), VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_OUT, UINT64_MAX / SECTOR + 1, SECTOR, &used),
		    VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, UINT64_MAX, SECTOR, &used), VIRTIO_BLK_S_IOERR);
	/* No whole number of sectors. */
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, 0, SECTOR - 1, &used), VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_OUT, 0, SECTOR + 8, &used), VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL(lseek(f.fd, 0, SEEK_END), SECTORS * SECTOR);
	finish(&f);
}

/* 5.2.6: an image that shrank under the device is an I/O error, and no more. */
static void test_host_error(void)
{
	struct fixture f;
	uint32_t used;

	start(&f, true, 0);
	CU_ASSERT_EQUAL(ftruncate(f.fd, 4 * SECTOR), 0);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, 3, SECTOR, &used), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_IN, 3, 2 * SECTOR, &used), VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(driver_status(&f.driver), STATUS_3);
	finish(&f);
}

/* VIRTIO_BLK_T_GET_ID: 20 bytes, padded with NUL. 5.2.6: an unknown type is UNSUPP. */
static void test_id_and_unknown(void)
{
	static const char id[VIRTIO_BLK_ID_BYTES] = "LS-0001";
	struct fixture f;
	uint32_t used;

	start(&f, false, 0);
	memset(f.rig->memory + DATA, 0xff, 32);
	CHECK_EQUAL(request(&f, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES, &used),
		    VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL(memcmp(f.rig->memory + DATA, id, sizeof(id)), 0);
	CHECK_EQUAL(f.rig->memory[DATA + sizeof(id)], 0xff);
	CHECK_EQUAL(request(&f, 77, 0, SECTOR, &used), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQUAL(request(&f, 0x80000000, 0, SECTOR, &used), VIRTIO_BLK_S_UNSUPP);
	finish(&f);
}

static uint8_t range(struct fixture *f, uint32_t type, uint64_t sector, uint32_t count,
		     uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = sector, .num_sectors = count, .flags = flags};
	uint32_t used;

	put(f->rig, DATA, &range, sizeof(range));
	return request(f, type, 0, sizeof(range), &used);
}

/* VIRTIO_BLK_T_WRITE_ZEROES and VIRTIO_BLK_T_DISCARD; 5.2.6.2: flags. */
static void test_ranges(void)
{
	static const uint8_t zero[2 * SECTOR];
	struct fixture f;
	uint8_t bytes[2 * SECTOR];

	start(&f, false, 1ull << VIRTIO_BLK_F_WRITE_ZEROES | 1ull << VIRTIO_BLK_F_DISCARD);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_WRITE_ZEROES, 10, 2, 0), VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL(pread(f.fd, bytes, sizeof(bytes), 10 * SECTOR), sizeof(bytes));
	CU_ASSERT_EQUAL(memcmp(bytes, zero, sizeof(zero)), 0);
	CU_ASSERT_EQUAL(pread(f.fd, bytes, 1, 12 * SECTOR), 1);
	CHECK_EQUAL(bytes[0], pattern(12, 0));
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_WRITE_ZEROES, 20, 1, 1), VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL(pread(f.fd, bytes, SECTOR, 20 * SECTOR), SECTOR);
	CU_ASSERT_EQUAL(memcmp(bytes, zero, SECTOR), 0);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_DISCARD, 30, 2, 0), VIRTIO_BLK_S_OK);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_DISCARD, 30, 2, 1), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_WRITE_ZEROES, 30, 2, 2), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_WRITE_ZEROES, SECTORS, 1, 0), VIRTIO_BLK_S_IOERR);
	CHECK_EQUAL(range(&f, VIRTIO_BLK_T_DISCARD, 0, UINT32_MAX, 0), VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL(lseek(f.fd, 0, SEEK_END), SECTORS * SECTOR);
	finish(&f);
}

/* 5.2.6: a chain without a header or without a status byte is no request. */
static void test_no_request(void)
{
	struct fixture f;

	start(&f, false, 0);
	queue_desc(&f.queue, 0, HEADER, 15, VRING_DESC_F_NEXT, 1);
	queue_desc(&f.queue, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	queue_offer(&f.queue, 0);
	queue_kick(&f.queue);
	CU_ASSERT_TRUE(driver_status(&f.driver) & VIRTIO_CONFIG_S_NEEDS_RESET);
	finish(&f);
	start(&f, false, 0);
	queue_desc(&f.queue, 0, HEADER, 16, 0, 0);
	queue_offer(&f.queue, 0);
	queue_kick(&f.queue);
	CU_ASSERT_TRUE(driver_status(&f.driver) & VIRTIO_CONFIG_S_NEEDS_RESET);
	finish(&f);
}

/* Bad images are refused in one line that names them; nothing is left on the bus. */
static void test_bad_images(void)
{
	struct fixture f = {.rig = rig_create()};
	struct virtio_blk_options options = {.path = "/nonexistent/disk.img"};
	struct ls_error err = {0};

	CU_ASSERT_EQUAL(virtio_blk_create(f.rig->bus, &options, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/disk.img"));
	err.code = 0;
	options.path = "/";
	CU_ASSERT(virtio_blk_create(f.rig->bus, &options, &err) < 0);
	err.code = 0;
	options.read_only = true;
	CU_ASSERT_EQUAL(virtio_blk_create(f.rig->bus, &options, &err), -EINVAL);
	make_image(&f, 1000);
	options.path = f.path;
	err.code = 0;
	CU_ASSERT_EQUAL(virtio_blk_create(f.rig->bus, &options, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "512"));
	CU_ASSERT_PTR_NULL(strchr(err.text, '\n'));
	CU_ASSERT_EQUAL(ftruncate(f.fd, 0), 0);
	err.code = 0;
	CU_ASSERT_EQUAL(virtio_blk_create(f.rig->bus, &options, &err), -EINVAL);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_VENDOR_ID, 4), 0xffffffff);
	finish(&f);
}

static CU_TestInfo tests[] = {
	{"configuration (virtio 1.2, 5.2.4)", test_config},
	{"read (virtio 1.2, 5.2.6)", test_read},
	{"write and flush (virtio 1.2, 5.2.6)", test_write},
	{"read-only (virtio 1.2, 5.2.6.2)", test_read_only},
	{"out of range (virtio 1.2, 5.2.6.1)", test_out_of_range},
	{"errors of the host (virtio 1.2, 5.2.6)", test_host_error},
	{"ID and unknown requests (virtio 1.2, 5.2.6)", test_id_and_unknown},
	{"write zeroes and discard (virtio 1.2, 5.2.6.2)", test_ranges},
	{"chains that are no requests (virtio 1.2, 5.2.6)", test_no_request},
	{"images that can't be used", test_bad_images},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("virtio blk", tests)
