/* SPDX-License-Identifier: Apache-2.0 */
/* virtio 1.2: the PCI transport's registers (4.1), status and features (2.1, 2.2). */
#include "virtio_copier.h"

/* 4.1.2: identity. 4.1.4: every structure once, inside its BAR and aligned as required. */
static void test_discovery(void)
{
	struct fixture f;

	probe(&f);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_VENDOR_ID, 2), 0x1af4);
	CHECK_EQUAL(rig_config_read(f.rig, 1, PCI_DEVICE_ID, 2), 0x1040 + 0x3f);
	CU_ASSERT(rig_config_read(f.rig, 1, PCI_REVISION_ID, 1) >= 1);
	CU_ASSERT(rig_config_read(f.rig, 1, PCI_SUBSYSTEM_ID, 2) >= 0x40);
	CU_ASSERT(f.driver.common && f.driver.notify && f.driver.isr && f.driver.device);
	CU_ASSERT(f.driver.access_cap && f.driver.msix_cap);
	CHECK_EQUAL(f.driver.common % 4, 0); /* 4.1.4.3.1 */
	CHECK_EQUAL(f.driver.notify % 2, 0); /* 4.1.4.4.1 */
	CHECK_EQUAL(f.driver.device % 4, 0); /* 4.1.4.6.1 */
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_NUMQ, 2), 2);
	finish(&f);
}

/* 2.2, 4.1.4.3: features by halves of 32; 6.1: VERSION_1 is offered. */
static void test_features(void)
{
	struct fixture f;
	uint64_t offered;

	probe(&f);
	offered = driver_offered(&f.driver);
	CHECK_EQUAL(offered, 1ull << OWN_FEATURE | EVENT_IDX | INDIRECT | 1ull << 32);
	common_set(&f.driver, VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_DF, 4), 0);
	/* What was not offered is refused: FEATURES_OK does not stay (3.1.1, step 6). */
	CU_ASSERT_FALSE(driver_negotiate(&f.driver, 1ull << 20));
	CHECK_EQUAL(driver_status(&f.driver), STATUS_1);
	CU_ASSERT_TRUE(driver_negotiate(&f.driver, 1ull << OWN_FEATURE));
	/* Settled: later writes change nothing. */
	driver_accept(&f.driver, 0);
	common_set(&f.driver, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_GF, 4), 1u << OWN_FEATURE);
	/* 6.1: a driver without VERSION_1 is a legacy one. */
	driver_set_status(&f.driver, 0);
	driver_set_status(&f.driver, STATUS_1);
	driver_accept(&f.driver, 0);
	driver_set_status(&f.driver, STATUS_2);
	CHECK_EQUAL(driver_status(&f.driver), STATUS_1);
	finish(&f);
}

/* 4.1.4.3.1, 4.1.4.3.2: queue registers, before and after a reset by device_status. */
static void test_queue_registers(void)
{
	struct fixture f;
	unsigned int resets;

	start(&f, 0);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), QUEUE_SIZE);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_DESCLO, 4), RINGS);
	/* An enabled queue stays as it is. */
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x7000);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_DESCLO, 4), RINGS);
	/* DEVICE_NEEDS_RESET is the device's to set (2.1). */
	driver_set_status(&f.driver, STATUS_3 | VIRTIO_CONFIG_S_NEEDS_RESET);
	CHECK_EQUAL(driver_status(&f.driver), STATUS_3);
	/* A queue that does not exist has size 0. */
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	/* Sizes are powers of two up to the maximum. */
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2, 24);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTQ_MAX_SIZE);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2, 2 * VIRTQ_MAX_SIZE);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTQ_MAX_SIZE);
	resets = f.copier->resets;
	driver_set_status(&f.driver, 0);
	CHECK_EQUAL(driver_status(&f.driver), 0);
	CHECK_EQUAL(f.copier->resets, resets + 1);
	common_set(&f.driver, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	CHECK_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTQ_MAX_SIZE);
	finish(&f);
}

/* 4.1.4.9: the window in configuration space reaches the same registers. */
static void test_config_access(void)
{
	struct fixture f;
	unsigned int cap;

	probe(&f);
	cap = f.driver.access_cap;
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_BAR, 1, 4);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 1);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_STATUS);
	rig_config_write(f.rig, 1, cap + 16, 1, STATUS_1);
	CHECK_EQUAL(driver_status(&f.driver), STATUS_1);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_NUMQ);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 2);
	CHECK_EQUAL(rig_config_read(f.rig, 1, cap + 16, 2), 2);
	/* It works with decoding off, too: that is what it is for. */
	rig_config_write(f.rig, 1, PCI_COMMAND, 2, 0);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_STATUS);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 1);
	CHECK_EQUAL(rig_config_read(f.rig, 1, cap + 16, 1), STATUS_1);
	/* Nowhere, or not aligned, is nothing. */
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_MSIX + 1);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 2);
	rig_config_write(f.rig, 1, cap + 16, 4, 0x12345678);
	CHECK_EQUAL(rig_config_read(f.rig, 1, cap + 16, 4), 0x12345678);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 1);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_BAR, 1, 0xff);
	CHECK_EQUAL(rig_config_read(f.rig, 1, cap + 16, 1), 0);
	rig_config_write(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4, 0x80000000);
	rig_config_write(f.rig, 1, cap + 16, 4, 0xffffffff);
	CHECK_EQUAL(rig_config_read(f.rig, 1, cap + VIRTIO_PCI_CAP_LENGTH, 4), 0x80000000);
	finish(&f);
}

/* 3.1.1: what was offered before DRIVER_OK is served when it comes; not without bus mastering
 * (PCI 3.0, 6.2.2). */
static void test_driver_ok(void)
{
	struct fixture f;

	probe(&f);
	driver_negotiate(&f.driver, 0);
	f.queue = driver_queue(&f.driver, 0, QUEUE_SIZE, RINGS);
	offer_plain(&f);
	CHECK_EQUAL(f.copier->served, 0);
	driver_set_status(&f.driver, STATUS_3);
	CHECK_EQUAL(f.copier->served, 1);
	rig_config_write(f.rig, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	offer_plain(&f);
	CHECK_EQUAL(f.copier->served, 1);
	rig_config_write(f.rig, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	offer_plain(&f);
	CHECK_EQUAL(f.copier->served, 3);
	finish(&f);
}

/* 4.1.4.3, 4.1.5.4: a configuration change raises the generation and sends its own vector. */
static void test_config_change(void)
{
	struct fixture f;
	uint8_t before;

	start(&f, 0);
	driver_vector(&f.driver, 2, 0x52);
	common_set(&f.driver, VIRTIO_PCI_COMMON_MSIX, 2, 2);
	before = (uint8_t)common_get(&f.driver, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
	f.copier->device.config[4] = 0x99;
	virtio_config_changed(&f.copier->device);
	CU_ASSERT_NOT_EQUAL(common_get(&f.driver, VIRTIO_PCI_COMMON_CFGGENERATION, 1), before);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].data, 0x52);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device + 4, 1), 0x99);
	/* Beyond the structure there is nothing, and writes there go nowhere. */
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.driver.device + 8, 4), 0);
	bus_write(&f.rig->mmio, f.driver.device + 8, 4, 1);
	CHECK_EQUAL(f.copier->writes, 0);
	bus_write(&f.rig->mmio, f.driver.device + 4, 4, 1);
	CHECK_EQUAL(f.copier->writes, 1);
	finish(&f);
}

static CU_TestInfo tests[] = {
	{"discovery (virtio 1.2, 4.1.2, 4.1.4)", test_discovery},
	{"features (virtio 1.2, 2.2, 3.1.1, 6.1)", test_features},
	{"queue registers (virtio 1.2, 4.1.4.3)", test_queue_registers},
	{"configuration access (virtio 1.2, 4.1.4.9)", test_config_access},
	{"DRIVER_OK and bus master (virtio 1.2, 3.1.1)", test_driver_ok},
	{"configuration changes (virtio 1.2, 4.1.5.4)", test_config_change},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("virtio pci", tests)
