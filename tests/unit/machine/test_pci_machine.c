/* SPDX-License-Identifier: Apache-2.0 */
/* PCI inside a machine: what a direct boot finds set up, and what firmware finds untouched. */
#include "../check.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/bus.h"
#include "machine/machine.h"
#include "machine/memory.h"

static uint64_t config(struct machine *machine, unsigned int slot, unsigned int offset,
		       unsigned int size)
{
	return bus_read(machine_mmio(machine), MEMORY_ECAM_BASE + (slot << 15) + offset, size);
}

/* kvm-unit-tests' lib/pci.c takes each BAR as it finds it, and uses it without turning
 * decoding on: firmware has. */
static void test_direct_boot(void)
{
	struct machine_config options = {
		.engine = &ls_engine_sim,
		.memory = 4 << 20,
		.pci_testdev = true,
		.virtio_rng = true,
		.virtio_console = true,
		.net = {.kind = MACHINE_NET_USER},
	};
	struct ls_error err = {0};
	struct machine *machine = machine_create(&options, &err);
	unsigned int slot;
	uint64_t bar;

	if (!machine)
		fprintf(stderr, "%s\n", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	CHECK_EQUAL(config(machine, 1, PCI_VENDOR_ID, 4), 0x00051b36);
	bar = config(machine, 1, PCI_BASE_ADDRESS_0, 4);
	CU_ASSERT(bar >= MEMORY_PCI_BASE && bar < MEMORY_PCI_END);
	CHECK_EQUAL(bus_read(machine_mmio(machine), bar + 1, 1), 1); /* the test's width */
	bar = config(machine, 1, PCI_BASE_ADDRESS_1, 4) & ~3ull;
	CU_ASSERT(bar >= MEMORY_PCI_IO_BASE && bar < MEMORY_PCI_IO_END);
	CHECK_EQUAL(bus_read(machine_ports(machine), bar + 1, 1), 1);
	/* Three virtio devices follow, of different kinds. */
	for (slot = 2; slot < 5; slot++)
		CHECK_EQUAL(config(machine, slot, PCI_VENDOR_ID, 2), 0x1af4);
	CHECK_EQUAL(config(machine, slot, PCI_VENDOR_ID, 2), 0xffff);
	/* Configuration address and reset control share four ports (PCI 3.0, 3.2.2.3.2). */
	bus_write(machine_ports(machine), 0xcf8, 4, 0x80000800);
	CHECK_EQUAL(bus_read(machine_ports(machine), 0xcfc, 4), 0x00051b36);
	machine_destroy(machine);
}

/* PCI 3.0, 6.1: until firmware comes, a device answers configuration only. */
static void test_firmware_boot(void)
{
	static const uint8_t image[65536];
	char path[] = "/tmp/test_pci_machine.XXXXXX";
	int fd = mkstemp(path);
	struct machine_config options = {
		.engine = &ls_engine_sim,
		.memory = 4 << 20,
		.pci_testdev = true,
		.boot = MACHINE_BOOT_FIRMWARE,
		.kernel = path,
	};
	struct machine *machine;
	uint32_t word = ~0u;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, image, sizeof(image)), sizeof(image));
	machine = machine_create(&options, NULL);
	unlink(path);
	close(fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	/* What the reset vector holds can be looked at, and not written. */
	CHECK_EQUAL(machine_dma_read(machine, 0xfffffff0, &word, sizeof(word)), 0);
	CHECK_EQUAL(word, 0);
	CHECK_EQUAL(machine_dma_write(machine, 0xfffffff0, &word, sizeof(word)), -EFAULT);
	CHECK_EQUAL(config(machine, 1, PCI_COMMAND, 2), 0);
	CHECK_EQUAL(config(machine, 1, PCI_BASE_ADDRESS_0, 4), 0);
	CHECK_EQUAL(config(machine, 1, PCI_BASE_ADDRESS_1, 4), 1);
	machine_destroy(machine);
}

/* Reads fw_cfg's file @name through its ports (QEMU, docs/specs/fw_cfg). */
static void fw_cfg_file(struct machine *machine, const char *name, char *text, size_t room)
{
	struct bus *ports = machine_ports(machine);
	uint8_t entry[64], count[4];
	unsigned int files, i, j;

	bus_write(ports, 0x510, 2, 0x19);
	for (i = 0; i < 4; i++)
		count[i] = (uint8_t)bus_read(ports, 0x511, 1);
	files = (unsigned int)(count[2] << 8 | count[3]);
	memset(text, 0, room);
	for (i = 0; i < files; i++) {
		for (j = 0; j < sizeof(entry); j++)
			entry[j] = (uint8_t)bus_read(ports, 0x511, 1);
		if (strcmp((const char *)entry + 8, name))
			continue;
		bus_write(ports, 0x510, 2, (uint64_t)(entry[4] << 8 | entry[5]));
		for (j = 0; j < (unsigned int)(entry[2] << 8 | entry[3]) && j < room - 1; j++)
			text[j] = (char)bus_read(ports, 0x511, 1);
		return;
	}
}

/* Firmware is told to boot from the disks in their order (SeaBIOS, docs/Runtime_config.md). */
static void test_boot_order(void)
{
	char path[] = "/tmp/test_pci_machine.XXXXXX", order[256];
	int fd = mkstemp(path);
	struct machine_config options = {
		.engine = &ls_engine_sim,
		.memory = 4 << 20,
		.pci_testdev = true,
		.disks = {{.path = path}, {.path = path}},
		.disk_count = 2,
	};
	struct machine *machine;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 512), 0);
	machine = machine_create(&options, NULL);
	unlink(path);
	close(fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(machine);
	fw_cfg_file(machine, "bootorder", order, sizeof(order));
	CU_ASSERT_STRING_EQUAL(order, "/pci@i0cf8/scsi@2/disk@0,0\n/pci@i0cf8/scsi@3/disk@0,0\n");
	machine_destroy(machine);
}

/* A device that can't be made refuses the machine, in one line that names it. */
static void test_refused(void)
{
	struct machine_config options = {
		.engine = &ls_engine_sim,
		.memory = 4 << 20,
		.disks = {{.path = "/nonexistent/disk.img"}},
		.disk_count = 1,
	};
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(machine_create(&options, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/disk.img"));
	err = (struct ls_error){0};
	options.disk_count = 0;
	options.net.kind = MACHINE_NET_TAP;
	options.net.tap = "a-name-too-long-for-an-interface";
	CU_ASSERT_PTR_NULL(machine_create(&options, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, options.net.tap));
}

static CU_TestInfo tests[] = {
	{"a direct boot", test_direct_boot},
	{"a firmware boot (PCI 3.0, 6.1)", test_firmware_boot},
	{"firmware's boot order", test_boot_order},
	{"devices that can't be made", test_refused},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("pci machine", tests)
