/* SPDX-License-Identifier: Apache-2.0 */
/* PCI 3.0, 6.8: MSI and MSI-X. */
#include "../check.h"
#include "pci_rig.h"

#define SLOT    1
#define VECTORS 5
#define ADDRESS 0xfee01000u

static void plain_destroy(struct pci_device *device)
{
	free(device);
}

static const struct pci_device_ops plain_ops = {.destroy = plain_destroy};

struct fixture {
	struct rig *rig;
	struct pci_device *device;
	unsigned int cap;
	uint64_t table, pba;
};

static void command(struct fixture *f, uint16_t value)
{
	rig_config_write(f->rig, SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | value);
}

static struct fixture start(uint8_t cap)
{
	static const struct pci_identity id = {.vendor = 1, .device = 2, .pin = 1};
	struct fixture f = {.rig = rig_create(), .device = calloc(1, sizeof(struct pci_device))};

	pci_device_init(f.device, "plain", &id, &plain_ops);
	if (cap == PCI_CAP_ID_MSIX) {
		CU_ASSERT_EQUAL(pci_msix_init(f.device, 2, VECTORS, NULL), 0);
	} else {
		CU_ASSERT_EQUAL(pci_msi_init(f.device, 4, NULL), 0);
	}
	CU_ASSERT_EQUAL(pci_add(f.rig->bus, f.device, SLOT, NULL), 0);
	pci_reset(f.rig->bus);
	pci_assign(f.rig->bus);
	command(&f, PCI_COMMAND_MASTER);
	f.cap = rig_find_cap(f.rig, SLOT, cap, 0);
	CU_ASSERT_NOT_EQUAL_FATAL(f.cap, 0);
	if (cap == PCI_CAP_ID_MSIX) {
		uint32_t table = rig_config_read(f.rig, SLOT, f.cap + PCI_MSIX_TABLE, 4);
		uint32_t pba = rig_config_read(f.rig, SLOT, f.cap + PCI_MSIX_PBA, 4);

		/* 6.8.2.4, 6.8.2.5: BIR and QWORD-aligned offset. */
		CHECK_EQUAL(table & 7, 2);
		CHECK_EQUAL(pba & 7, 2);
		f.table = rig_config_read(f.rig, SLOT, PCI_BASE_ADDRESS_2, 4) + (table & ~7u);
		f.pba = rig_config_read(f.rig, SLOT, PCI_BASE_ADDRESS_2, 4) + (pba & ~7u);
	}
	return f;
}

static void flags(struct fixture *f, uint16_t value)
{
	rig_config_write(f->rig, SLOT, f->cap + 2, 2, value);
}

static void entry(struct fixture *f, unsigned int vector, uint32_t data, uint32_t control)
{
	uint64_t at = f->table + 16 * vector;

	bus_write(&f->rig->mmio, at, 4, ADDRESS);
	bus_write(&f->rig->mmio, at + 4, 4, 0);
	bus_write(&f->rig->mmio, at + 8, 4, data);
	bus_write(&f->rig->mmio, at + 12, 4, control);
}

/* 6.8.2.3: table size is N - 1 and read-only; 6.8.2.9: entries start masked. */
static void test_msix_layout(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);
	unsigned int vector;

	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSIX_FLAGS, 2), VECTORS - 1);
	flags(&f, 0xffff);
	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSIX_FLAGS, 2),
		    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL | (VECTORS - 1));
	for (vector = 0; vector < VECTORS; vector++)
		CHECK_EQUAL(bus_read(&f.rig->mmio, f.table + 16 * vector + 12, 4), 1);
	/* 6.8.2.6: address bits 1:0 are 0; 6.8.2.9: only the mask bit of the control. */
	bus_write(&f.rig->mmio, f.table, 4, 0xffffffff);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.table, 4), 0xfffffffc);
	bus_write(&f.rig->mmio, f.table + 12, 4, 0xffffffff);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.table + 12, 4), 1);
	/* A QWORD write reaches both DWORDs. */
	bus_write(&f.rig->mmio, f.table + 16, 8, 0x1234567811223344);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.table + 16, 8), 0x1234567811223344);
	rig_destroy(f.rig);
}

/* 6.8.2: an enabled, unmasked vector sends its own address and data. */
static void test_msix_send(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);

	entry(&f, 3, 0x4041, 0);
	pci_msix_notify(f.device, 3);
	CHECK_EQUAL(f.rig->messages, 0); /* not enabled */
	flags(&f, PCI_MSIX_FLAGS_ENABLE);
	pci_msix_notify(f.device, 3);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].address, ADDRESS);
	CHECK_EQUAL(f.rig->message[0].data, 0x4041);
	/* A vector that doesn't exist sends nothing. */
	pci_msix_notify(f.device, VECTORS);
	CHECK_EQUAL(f.rig->messages, 1);
	rig_destroy(f.rig);
}

/* 6.8.2.9, 6.8.2.10: a masked vector becomes pending, and is sent once when unmasked. */
static void test_msix_vector_mask(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);

	flags(&f, PCI_MSIX_FLAGS_ENABLE);
	entry(&f, 1, 0x31, 1);
	pci_msix_notify(f.device, 1);
	pci_msix_notify(f.device, 1);
	CHECK_EQUAL(f.rig->messages, 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.pba, 4), 1u << 1);
	/* 6.8.2.10: software must not write the pending bits. */
	bus_write(&f.rig->mmio, f.pba, 4, 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.pba, 8), 1u << 1);
	entry(&f, 1, 0x32, 0);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].data, 0x32);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.pba, 4), 0);
	rig_destroy(f.rig);
}

/* 6.8.2.3: function mask holds all vectors back. */
static void test_msix_function_mask(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);

	entry(&f, 0, 0x50, 0);
	entry(&f, 4, 0x54, 0);
	flags(&f, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_msix_notify(f.device, 4);
	pci_msix_notify(f.device, 0);
	CHECK_EQUAL(f.rig->messages, 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.pba, 4), 0x11);
	flags(&f, PCI_MSIX_FLAGS_ENABLE);
	CHECK_EQUAL(f.rig->messages, 2);
	CHECK_EQUAL(f.rig->message[0].data, 0x50);
	CHECK_EQUAL(f.rig->message[1].data, 0x54);
	rig_destroy(f.rig);
}

/* 6.2.2: a message is a memory write: it needs bus master enable. 6.8.2: no pin meanwhile. */
static void test_msix_master_and_pin(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);
	unsigned int gsi = pci_intx_gsi(SLOT, 0);

	pci_intx_set(f.device, true);
	CU_ASSERT_TRUE(f.rig->wires[gsi]);
	entry(&f, 0, 0x60, 0);
	flags(&f, PCI_MSIX_FLAGS_ENABLE);
	CU_ASSERT_FALSE(f.rig->wires[gsi]);
	command(&f, 0);
	pci_msix_notify(f.device, 0);
	CHECK_EQUAL(f.rig->messages, 0);
	command(&f, PCI_COMMAND_MASTER);
	CHECK_EQUAL(f.rig->messages, 1);
	flags(&f, 0);
	CU_ASSERT_TRUE(f.rig->wires[gsi]);
	rig_destroy(f.rig);
}

/* Reset masks every vector and forgets what was pending. */
static void test_msix_reset(void)
{
	struct fixture f = start(PCI_CAP_ID_MSIX);

	flags(&f, PCI_MSIX_FLAGS_ENABLE);
	entry(&f, 2, 0x70, 1);
	pci_msix_notify(f.device, 2);
	pci_reset(f.rig->bus);
	pci_assign(f.rig->bus);
	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSIX_FLAGS, 2), VECTORS - 1);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.pba, 4), 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.table + 2 * 16 + 8, 4), 0);
	CHECK_EQUAL(bus_read(&f.rig->mmio, f.table + 2 * 16 + 12, 4), 1);
	rig_destroy(f.rig);
}

static void msi_program(struct fixture *f, unsigned int log2)
{
	rig_config_write(f->rig, SLOT, f->cap + PCI_MSI_ADDRESS_LO, 4, ADDRESS | 3);
	rig_config_write(f->rig, SLOT, f->cap + PCI_MSI_ADDRESS_HI, 4, 1);
	rig_config_write(f->rig, SLOT, f->cap + PCI_MSI_DATA_64, 2, 0x4043);
	flags(f, (uint16_t)(PCI_MSI_FLAGS_ENABLE | log2 << 4));
}

/* 6.8.1.3: capable of 4, 64-bit addresses, masking; nothing enabled. 6.8.1.5: the low bits of
 * the data carry the vector, as many as were allocated. */
static void test_msi_send(void)
{
	struct fixture f = start(PCI_CAP_ID_MSI);

	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSI_FLAGS, 2),
		    2 << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT);
	pci_msi_notify(f.device, 2);
	CHECK_EQUAL(f.rig->messages, 0);
	msi_program(&f, 2);
	pci_msi_notify(f.device, 2);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].address, 0x100000000ull | ADDRESS);
	CHECK_EQUAL(f.rig->message[0].data, 0x4042);
	/* One vector allocated: the data is sent as it is. */
	msi_program(&f, 0);
	pci_msi_notify(f.device, 2);
	CHECK_EQUAL(f.rig->message[1].data, 0x4043);
	rig_destroy(f.rig);
}

/* 6.8.1.7, 6.8.1.8: mask and pending bits. */
static void test_msi_mask(void)
{
	struct fixture f = start(PCI_CAP_ID_MSI);

	msi_program(&f, 2);
	rig_config_write(f.rig, SLOT, f.cap + PCI_MSI_MASK_64, 4, 1u << 1);
	pci_msi_notify(f.device, 1);
	CHECK_EQUAL(f.rig->messages, 0);
	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSI_PENDING_64, 4), 1u << 1);
	rig_config_write(f.rig, SLOT, f.cap + PCI_MSI_MASK_64, 4, 0);
	CHECK_EQUAL(f.rig->messages, 1);
	CHECK_EQUAL(f.rig->message[0].data, 0x4041);
	CHECK_EQUAL(rig_config_read(f.rig, SLOT, f.cap + PCI_MSI_PENDING_64, 4), 0);
	rig_destroy(f.rig);
}

static CU_TestInfo tests[] = {
	{"MSI-X layout (PCI 3.0, 6.8.2.3 to 6.8.2.9)", test_msix_layout},
	{"MSI-X message (PCI 3.0, 6.8.2)", test_msix_send},
	{"MSI-X vector mask (PCI 3.0, 6.8.2.9)", test_msix_vector_mask},
	{"MSI-X function mask (PCI 3.0, 6.8.2.3)", test_msix_function_mask},
	{"MSI-X, bus master and pin (PCI 3.0, 6.2.2, 6.8.2)", test_msix_master_and_pin},
	{"MSI-X reset (PCI 3.0, 6.8.2.9)", test_msix_reset},
	{"MSI message (PCI 3.0, 6.8.1.3)", test_msi_send},
	{"MSI masking (PCI 3.0, 6.8.1.7)", test_msi_mask},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("msi", tests)
