/* SPDX-License-Identifier: Apache-2.0 */
/* PCI Local Bus Specification 3.0: configuration space, base addresses, interrupt pins. */
#include "../check.h"
#include "machine/pci_testdev.h"
#include "pci_rig.h"

/* A device with one BAR of each kind, each answering with what it was asked. */
struct probe {
	struct pci_device pci;
	uint64_t last_write;
	unsigned int resets;
};

static uint64_t probe_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)opaque;
	(void)size;
	return 0x40 + offset;
}

static void probe_write(void *opaque, uint64_t offset, unsigned int size, uint64_t value)
{
	struct probe *probe = opaque;

	(void)size;
	probe->last_write = offset << 32 | value;
}

static const struct bus_ops probe_bar_ops = {.read = probe_read, .write = probe_write};

static void probe_reset(struct pci_device *pci)
{
	((struct probe *)(void *)pci)->resets++;
}

static void probe_destroy(struct pci_device *pci)
{
	free(pci);
}

static const struct pci_device_ops probe_ops = {.reset = probe_reset, .destroy = probe_destroy};

#define SLOT       3
#define BAR(n)     (PCI_BASE_ADDRESS_0 + 4 * (n))
#define MEM32_SIZE 0x1000u
#define IO_SIZE    0x20u
#define MEM64_SIZE 0x10000ull

static struct probe *add_probe(struct rig *rig, int slot)
{
	static const struct pci_identity id = {
		.vendor = 0x1234,
		.device = 0x5678,
		.subsystem_vendor = 0x9abc,
		.subsystem = 0xdef0,
		.class = 0x0c0330,
		.revision = 7,
		.pin = 1,
	};
	struct probe *probe = calloc(1, sizeof(*probe));

	pci_device_init(&probe->pci, "probe", &id, &probe_ops);
	pci_device_bar(&probe->pci, 0, PCI_BAR_MEM32, MEM32_SIZE, &probe_bar_ops, probe);
	pci_device_bar(&probe->pci, 1, PCI_BAR_IO, IO_SIZE, &probe_bar_ops, probe);
	pci_device_bar(&probe->pci, 2, PCI_BAR_MEM64, MEM64_SIZE, &probe_bar_ops, probe);
	CU_ASSERT_EQUAL(pci_add(rig->bus, &probe->pci, slot, NULL), 0);
	return probe;
}

/* 6.1: the header's layout; 6.2.1: an absent device reads as all ones. */
static void test_header(void)
{
	struct rig *rig = rig_create();

	add_probe(rig, SLOT);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_VENDOR_ID, 4), 0x56781234);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_CLASS_REVISION, 4), 0x0c033007);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_HEADER_TYPE, 1), 0);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_SUBSYSTEM_VENDOR_ID, 4), 0xdef09abc);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_INTERRUPT_PIN, 1), 1);
	CHECK_EQUAL(rig_config_read(rig, SLOT + 1, PCI_VENDOR_ID, 4), 0xffffffff);
	/* The bridge: base class 06, subclass 00 (appendix D.7). */
	CHECK_EQUAL(rig_config_read(rig, 0, PCI_CLASS_DEVICE, 2), 0x0600);
	/* Identity is read-only. */
	rig_config_write(rig, SLOT, PCI_VENDOR_ID, 4, 0);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_VENDOR_ID, 4), 0x56781234);
	rig_destroy(rig);
}

/* 3.2.2.3.2: the address register takes whole DWORDs, bit 31 enables, bits 1:0 read as 0. */
static void test_mechanism_1(void)
{
	struct rig *rig = rig_create();

	add_probe(rig, SLOT);
	bus_write(&rig->ports, 0xcf8, 4, 0x80001803);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcf8, 4), 0x80001800);
	/* A byte is not for the address register. */
	bus_write(&rig->ports, 0xcf8, 1, 0x3c);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcf8, 4), 0x80001800);
	/* Without the enable bit nothing answers. */
	bus_write(&rig->ports, 0xcf8, 4, 0x00001800);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfc, 4), 0xffffffff);
	bus_write(&rig->ports, 0xcf8, 4, 0x80001800);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfc, 4), 0x56781234);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfe, 2), 0x5678);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcff, 1), 0x56);
	/* Other functions and other buses are empty. */
	bus_write(&rig->ports, 0xcf8, 4, 0x80001900);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfc, 4), 0xffffffff);
	bus_write(&rig->ports, 0xcf8, 4, 0x80011800);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfc, 4), 0xffffffff);
	rig_destroy(rig);
}

/* PCI Express Base 3.0, 7.2.2: bus << 20 | device << 15 | function << 12 | register. */
static void test_ecam(void)
{
	struct rig *rig = rig_create();
	uint64_t at = MEMORY_ECAM_BASE + (SLOT << 15);

	add_probe(rig, SLOT);
	CHECK_EQUAL(bus_read(&rig->mmio, at, 4), 0x56781234);
	CHECK_EQUAL(bus_read(&rig->mmio, at + PCI_DEVICE_ID, 2), 0x5678);
	bus_write(&rig->mmio, at + PCI_INTERRUPT_LINE, 1, 0x55);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_INTERRUPT_LINE, 1), 0x55);
	/* A conventional device has 256 bytes. */
	CHECK_EQUAL(bus_read(&rig->mmio, at + 0x100, 4), 0xffffffff);
	CHECK_EQUAL(bus_read(&rig->mmio, at + (1 << 20), 4), 0xffffffff);
	CHECK_EQUAL(bus_read(&rig->mmio, at + (1 << 12), 4), 0xffffffff);
	rig_destroy(rig);
}

/* 6.2.5.1: all ones read back as the size's complement with the kind in the low bits; the two
 * halves of a 64-bit BAR are sized as one. */
static void test_sizing(void)
{
	struct rig *rig = rig_create();
	unsigned int n;

	add_probe(rig, SLOT);
	for (n = 0; n < 6; n++)
		rig_config_write(rig, SLOT, BAR(n), 4, 0xffffffff);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(0), 4), ~(MEM32_SIZE - 1));
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(1), 4), ~(IO_SIZE - 1) | 1);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(2), 4), (uint32_t) ~(MEM64_SIZE - 1) | 4);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(3), 4), 0xffffffff);
	/* Absent BARs are hardwired to 0. */
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(4), 4), 0);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(5), 4), 0);
	rig_destroy(rig);
}

#define MEM_AT 0xe0000000u
#define IO_AT  0xc100u
#define M64_AT 0xe1000000u

static void place(struct rig *rig, unsigned int slot)
{
	rig_config_write(rig, slot, BAR(0), 4, MEM_AT);
	rig_config_write(rig, slot, BAR(1), 4, IO_AT);
	rig_config_write(rig, slot, BAR(2), 4, M64_AT);
	rig_config_write(rig, slot, BAR(3), 4, 0);
}

/* 6.2.2: nothing decodes until the command register says so, memory and I/O apart. */
static void test_decode_enable(void)
{
	struct rig *rig = rig_create();
	struct probe *probe = add_probe(rig, SLOT);

	place(rig, SLOT);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 8, 1), 0xff);
	CHECK_EQUAL(bus_read(&rig->ports, IO_AT + 8, 1), 0xff);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 8, 1), 0x48);
	CHECK_EQUAL(bus_read(&rig->mmio, M64_AT + 0x10, 1), 0x50);
	CHECK_EQUAL(bus_read(&rig->ports, IO_AT + 8, 1), 0xff);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	CHECK_EQUAL(bus_read(&rig->ports, IO_AT + 8, 1), 0x48);
	bus_write(&rig->ports, IO_AT + 4, 4, 0xcafe);
	CHECK_EQUAL(probe->last_write, 4ull << 32 | 0xcafe);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, 0);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 8, 1), 0xff);
	rig_destroy(rig);
}

/* 6.2.5: a BAR decodes where it was moved to, and no longer where it was; sizing it with
 * decoding on (as test programs do) leaves it where it was afterwards. */
static void test_relocation(void)
{
	struct rig *rig = rig_create();

	add_probe(rig, SLOT);
	place(rig, SLOT);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	rig_config_write(rig, SLOT, BAR(0), 4, MEM_AT + 0x5000);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 1, 1), 0xff);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 0x5001, 1), 0x41);
	rig_config_write(rig, SLOT, BAR(0), 4, 0xffffffff);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 0x5001, 1), 0xff);
	rig_config_write(rig, SLOT, BAR(0), 4, MEM_AT + 0x5000);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT + 0x5001, 1), 0x41);
	/* Beyond 4 GiB there is no window; the low half alone must not decode. */
	rig_config_write(rig, SLOT, BAR(3), 4, 1);
	CHECK_EQUAL(bus_read(&rig->mmio, M64_AT, 1), 0xff);
	rig_config_write(rig, SLOT, BAR(3), 4, 0);
	CHECK_EQUAL(bus_read(&rig->mmio, M64_AT, 1), 0x40);
	/* The bridge forwards its windows only: a BAR can't lie over RAM. */
	rig_config_write(rig, SLOT, BAR(0), 4, 0x1000);
	CU_ASSERT_PTR_NULL(bus_find(&rig->mmio, 0x1000));
	CHECK_EQUAL(bus_read(&rig->mmio, 0x1001, 1), 0xff);
	rig_destroy(rig);
}

/* Two BARs on one address: one of them answers, and the other once the first has gone. */
static void test_overlap(void)
{
	struct rig *rig = rig_create();
	struct probe *second;

	add_probe(rig, SLOT);
	second = add_probe(rig, SLOT + 1);
	place(rig, SLOT);
	place(rig, SLOT + 1);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	rig_config_write(rig, SLOT + 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bus_write(&rig->mmio, MEM_AT, 4, 1);
	CHECK_EQUAL(second->last_write, 0);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, 0);
	bus_write(&rig->mmio, MEM_AT, 4, 2);
	CHECK_EQUAL(second->last_write, 2);
	rig_destroy(rig);
}

/* 6.2.2, 6.2.3: interrupt disable takes the pin down, the status bit still shows the request. */
static void test_intx(void)
{
	struct rig *rig = rig_create();
	struct probe *probe = add_probe(rig, SLOT);
	unsigned int gsi = pci_intx_gsi(SLOT, 0);

	CU_ASSERT(gsi >= 16 && gsi < IRQ_GSI_COUNT);
	pci_intx_set(&probe->pci, true);
	CU_ASSERT_TRUE(rig->wires[gsi]);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
		    PCI_STATUS_INTERRUPT);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	CU_ASSERT_FALSE(rig->wires[gsi]);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
		    PCI_STATUS_INTERRUPT);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, 0);
	CU_ASSERT_TRUE(rig->wires[gsi]);
	pci_intx_set(&probe->pci, false);
	CU_ASSERT_FALSE(rig->wires[gsi]);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0);
	rig_destroy(rig);
}

/* 6.1: reset leaves a device that answers configuration only; what firmware does after it
 * gives every BAR a place of its own, naturally aligned and inside the windows. */
static void test_reset_and_assign(void)
{
	struct rig *rig = rig_create();
	struct probe *probe = add_probe(rig, SLOT);
	uint32_t bar[4];
	unsigned int n;

	place(rig, SLOT);
	rig_config_write(rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_intx_set(&probe->pci, true);
	pci_reset(rig->bus);
	CHECK_EQUAL(probe->resets, 1);
	CU_ASSERT_FALSE(rig->wires[pci_intx_gsi(SLOT, 0)]);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_COMMAND, 2), 0);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(0), 4), 0);
	CHECK_EQUAL(rig_config_read(rig, SLOT, BAR(1), 4), 1);
	CHECK_EQUAL(bus_read(&rig->mmio, MEM_AT, 1), 0xff);

	pci_assign(rig->bus);
	for (n = 0; n < 4; n++)
		bar[n] = rig_config_read(rig, SLOT, BAR(n), 4);
	CHECK_EQUAL(bar[0] % MEM32_SIZE, 0);
	CHECK_EQUAL(bar[2] % MEM64_SIZE, 4);
	CHECK_EQUAL(bar[3], 0);
	CHECK_EQUAL(bar[1] % IO_SIZE, 1);
	CU_ASSERT(bar[0] >= MEMORY_PCI_BASE && bar[2] >= MEMORY_PCI_BASE);
	CU_ASSERT(bar[0] + MEM32_SIZE <= MEMORY_PCI_END && bar[2] + MEM64_SIZE <= MEMORY_PCI_END);
	CHECK_EQUAL(bus_read(&rig->mmio, bar[0] + 2, 1), 0x42);
	CHECK_EQUAL(bus_read(&rig->mmio, (bar[2] & ~0xfu) + 3, 1), 0x43);
	CHECK_EQUAL(bus_read(&rig->ports, (bar[1] & ~3u) + 4, 1), 0x44);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_COMMAND, 2),
		    PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	CHECK_EQUAL(rig_config_read(rig, SLOT, PCI_INTERRUPT_LINE, 1), pci_intx_gsi(SLOT, 0));
	rig_destroy(rig);
}

static void test_slots(void)
{
	struct rig *rig = rig_create();
	struct ls_error err = {0};
	struct probe *extra;
	unsigned int slot;

	for (slot = 1; slot < PCI_SLOTS; slot++)
		CHECK_EQUAL(add_probe(rig, PCI_SLOT_AUTO)->pci.slot, slot);
	extra = calloc(1, sizeof(*extra));
	extra->pci.name = "extra";
	CU_ASSERT_EQUAL(pci_add(rig->bus, &extra->pci, PCI_SLOT_AUTO, &err), -ENOSPC);
	err.code = 0;
	CU_ASSERT_EQUAL(pci_add(rig->bus, &extra->pci, 1, &err), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "slot 1"));
	free(extra);
	rig_destroy(rig);
}

/* QEMU's docs/specs/pci-testdev.rst: the header's layout, and that the count of a test is the
 * number of its writes. */
static void test_testdev_side(struct rig *rig, struct bus *space, uint64_t base)
{
	unsigned int test, i;

	for (test = 0;; test++) {
		uint64_t width, offset, data;

		bus_write(space, base, 1, test);
		CHECK_EQUAL(bus_read(space, base + 12, 4), 0);
		width = bus_read(space, base + 1, 1);
		if (width != 1 && width != 2 && width != 4)
			break;
		offset = bus_read(space, base + 4, 4);
		data = bus_read(space, base + 8, 4);
		CU_ASSERT(offset >= 16);
		for (i = 0; i < 16; i++)
			bus_write(space, base + offset, (unsigned int)width, data);
		CHECK_EQUAL(bus_read(space, base + 12, 4), 16);
		/* A name is there and ends. */
		CU_ASSERT_NOT_EQUAL(bus_read(space, base + 16, 1), 0);
		for (i = 0; i < 48 && bus_read(space, base + 16 + i, 1); i++)
			;
		CU_ASSERT(i < 48);
	}
	/* kvm-unit-tests' lib/pci.h: at least three. */
	CU_ASSERT(test >= 3);
	(void)rig;
}

static void test_testdev(void)
{
	struct rig *rig = rig_create();
	uint32_t memory, io;

	CU_ASSERT_EQUAL(pci_testdev_create(rig->bus, NULL), 0);
	pci_assign(rig->bus);
	CHECK_EQUAL(rig_config_read(rig, 1, PCI_VENDOR_ID, 4), 0x00051b36);
	memory = rig_config_read(rig, 1, BAR(0), 4);
	io = rig_config_read(rig, 1, BAR(1), 4);
	CHECK_EQUAL(memory & 1, 0);
	CHECK_EQUAL(io & 1, 1);
	test_testdev_side(rig, &rig->mmio, memory);
	test_testdev_side(rig, &rig->ports, io & ~3u);
	/* The way kvm-unit-tests reads a word at register 2: low bits in 0xcf8. */
	bus_write(&rig->ports, 0xcf8, 4, 0x80000802);
	CHECK_EQUAL(bus_read(&rig->ports, 0xcfc, 2), 0x0005);
	rig_destroy(rig);
}

static CU_TestInfo tests[] = {
	{"header (PCI 3.0, 6.1)", test_header},
	{"configuration mechanism #1 (PCI 3.0, 3.2.2.3.2)", test_mechanism_1},
	{"ECAM (PCIe 3.0, 7.2.2)", test_ecam},
	{"BAR sizing (PCI 3.0, 6.2.5.1)", test_sizing},
	{"decode enable (PCI 3.0, 6.2.2)", test_decode_enable},
	{"BAR relocation (PCI 3.0, 6.2.5)", test_relocation},
	{"overlapping BARs", test_overlap},
	{"interrupt pin (PCI 3.0, 6.2.2, 6.2.3)", test_intx},
	{"reset, and addresses without firmware (PCI 3.0, 6.1)", test_reset_and_assign},
	{"slots", test_slots},
	{"pci-testdev", test_testdev},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("pci", tests)
