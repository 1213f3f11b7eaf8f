/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU, docs/specs/fw_cfg.rst. */
#include <endian.h>

#include "fake_engine.h"
#include "machine/fw_cfg.h"
#include "machine/internal.h"
#include "tests/unit/check.h"

static void choose(struct machine *machine, uint16_t key)
{
	bus_write(machine_ports(machine), 0x510, 2, key);
}

static uint64_t get(struct machine *machine, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)in8(machine, 0x511) << (8 * i);
	return value;
}

static void test_ports(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;

	config.vcpus = 3;
	machine = machine_create(&config, NULL);
	choose(machine, 0x00);
	CHECK_EQUAL(get(machine, 4), 0x554d4551); /* "QEMU" */
	CHECK_EQUAL(get(machine, 1), 0);          /* beyond the end */
	choose(machine, 0x01);
	CHECK_EQUAL(get(machine, 4), 3); /* ports and DMA */
	choose(machine, 0x03);
	CHECK_EQUAL(get(machine, 8), 16 << 20);
	choose(machine, 0x05);
	CHECK_EQUAL(get(machine, 2), 3);
	choose(machine, 0x7777);
	CHECK_EQUAL(get(machine, 4), 0); /* no such item */
	choose(machine, 0x00);
	get(machine, 2);
	choose(machine, 0x00); /* starts over */
	CHECK_EQUAL(get(machine, 1), 'Q');
	machine_destroy(machine);
}

/* Finds a file as firmware does; returns its key, 0 if it is not there. */
static uint16_t find(struct machine *machine, const char *name, uint32_t *size)
{
	uint32_t count;
	uint16_t key = 0;

	choose(machine, 0x19);
	count = be32toh((uint32_t)get(machine, 4));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t this_size = be32toh((uint32_t)get(machine, 4));
		uint16_t this_key = be16toh((uint16_t)get(machine, 2));
		char this_name[57] = {0};

		get(machine, 2);
		for (unsigned int j = 0; j < 56; j++)
			this_name[j] = (char)get(machine, 1);
		if (!strcmp(this_name, name)) {
			key = this_key;
			*size = this_size;
		}
	}
	return key;
}

static void test_files(void)
{
	struct machine *machine = fake_machine();
	uint32_t size = 0;
	uint16_t key;

	CHECK_EQUAL(fw_cfg_add_file(machine->fw_cfg, "opt/test", "hello", 5, NULL), 0);
	key = find(machine, "opt/test", &size);
	CU_ASSERT(key >= 0x20);
	CHECK_EQUAL(size, 5);
	choose(machine, key);
	CHECK_EQUAL(get(machine, 5), 0x6f6c6c6568);
	CHECK_EQUAL(fw_cfg_add_file(machine->fw_cfg, "opt/test", "bye", 3, NULL), 0);
	CHECK_EQUAL(find(machine, "opt/test", &size), key); /* replaced */
	CHECK_EQUAL(size, 3);
	CU_ASSERT(find(machine, "etc/acpi/tables", &size) != 0);
	CU_ASSERT(find(machine, "etc/acpi/rsdp", &size) != 0);
	CU_ASSERT(find(machine, "etc/table-loader", &size) != 0);
	CHECK_EQUAL(find(machine, "missing", &size), 0);
	machine_destroy(machine);
}

/* etc/e820: packed {address, length, type}; RAM as installed, ECAM not there without PCI. */
static void test_e820(void)
{
	struct machine_config config = fake_config();
	struct machine *machine;
	uint32_t size = 0;

	config.memory = 4ull << 30;
	machine = machine_create(&config, NULL);
	choose(machine, find(machine, "etc/e820", &size));
	CHECK_EQUAL(size, 2 * 20);
	CHECK_EQUAL(get(machine, 8), 0);
	CHECK_EQUAL(get(machine, 8), 3ull << 30);
	CHECK_EQUAL(get(machine, 4), 1);
	CHECK_EQUAL(get(machine, 8), 4ull << 30);
	CHECK_EQUAL(get(machine, 8), 1ull << 30);
	CHECK_EQUAL(get(machine, 4), 1);
	machine_destroy(machine);
}

struct access {
	uint32_t control, length;
	uint64_t address;
};

/* Runs one DMA command whose descriptor is at 0x1000; returns its control word afterwards. */
static uint32_t dma(struct machine *machine, uint32_t control, uint32_t length, uint64_t address)
{
	struct access access = {htobe32(control), htobe32(length), htobe64(address)};

	machine_dma_write(machine, 0x1000, &access, sizeof(access));
	bus_write(machine_ports(machine), 0x514, 4, 0);
	bus_write(machine_ports(machine), 0x518, 4, htobe32(0x1000));
	machine_dma_read(machine, 0x1000, &access, sizeof(access));
	return be32toh(access.control);
}

static void test_dma(void)
{
	struct machine *machine = fake_machine();
	char text[8] = "xxxxxxx";

	/* "If the signature is read from the DMA address register: QEMU CFG". */
	CHECK_EQUAL(bus_read(machine_ports(machine), 0x514, 4), 0x554d4551);
	machine_dma_write(machine, 0x2000, text, 8);
	CHECK_EQUAL(dma(machine, 0x00000008 | 0x02, 6, 0x2000), 0); /* select key 0 and read */
	machine_dma_read(machine, 0x2000, text, 8);
	CU_ASSERT_STRING_EQUAL(text, "QEMU"); /* zeroes beyond the item's end... */
	CHECK_EQUAL(text[6], 'x');            /* ...and nothing beyond the length */
	fw_cfg_add(machine->fw_cfg, 0x30, "abcdef", 6, NULL);
	CHECK_EQUAL(dma(machine, 0x00300000 | 0x08 | 0x04, 1, 0), 0); /* select and skip */
	CHECK_EQUAL(dma(machine, 0x04, 1, 0), 0);
	CHECK_EQUAL(dma(machine, 0x02, 3, 0x2000), 0);
	machine_dma_read(machine, 0x2000, text, 3);
	CHECK_EQUAL(memcmp(text, "cde", 3), 0);
	CHECK_EQUAL(in8(machine, 0x511), 'f');             /* one offset for both ways */
	CHECK_EQUAL(dma(machine, 0x02, 3, 1ull << 40), 1); /* outside memory: error */
	CHECK_EQUAL(dma(machine, 0x10, 3, 0x2000), 1);     /* items are read-only */
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"items through the ports", test_ports},
	{"directory and files", test_files},
	{"etc/e820", test_e820},
	{"DMA", test_dma},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/fw_cfg", tests)
