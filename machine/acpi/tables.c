/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI specification 6.4, chapter 5.2; MCFG: PCI Firmware Specification 3.2, 4.1.2. */
#include "machine/acpi/tables.h"

#include <string.h>

#include "machine/irq.h"
#include "machine/memory.h"
#include "machine/pm.h"

#include "dsdt.hex" /* made from dsdt.asl by iasl: dsdt_aml_code */

struct table_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address { /* generic address structure, 5.2.3.2 */
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

#define SPACE_IO 1

struct fadt { /* revision 4: 244 bytes */
	struct table_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4_request, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0,
		gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length,
		gpe0_length, gpe1_length, gpe1_base, cstate_control;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value, reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
		x_pm_timer, x_gpe0, x_gpe1;
} __attribute__((packed));

_Static_assert(sizeof(struct fadt) == 244, "FADT revision 4");

enum { /* FADT flags, table 5-10 */
       FADT_WBINVD = 1 << 0,
       FADT_PROC_C1 = 1 << 2,
       FADT_NO_POWER_BUTTON = 1 << 4, /* none in fixed hardware */
       FADT_NO_SLEEP_BUTTON = 1 << 5,
       FADT_TIMER_32_BIT = 1 << 8,
       FADT_RESET_REGISTER = 1 << 10,
};

enum { /* boot architecture flags, table 5-11 */
       BOOT_LEGACY_DEVICES = 1 << 0,
       BOOT_8042 = 1 << 1,
       BOOT_NO_VGA = 1 << 2,
};

struct facs {
	char signature[4];
	uint32_t length, hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version, reserved[31];
} __attribute__((packed));

_Static_assert(sizeof(struct facs) == 64, "FACS");

struct madt {
	struct table_header header;
	uint32_t lapic_address, flags;
} __attribute__((packed));

struct madt_lapic { /* 5.2.12.2 */
	uint8_t type, length, processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic { /* 5.2.12.3 */
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));

struct madt_override { /* 5.2.12.5 */
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

struct madt_nmi { /* 5.2.12.7 */
	uint8_t type, length, processor;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

struct mcfg {
	struct table_header header;
	uint64_t reserved, base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved1;
} __attribute__((packed));

struct rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == ACPI_RSDP_SIZE, "RSDP");

/* Appends @length zeroed bytes at a multiple of @align; returns their offset. Running out of
 * room shows in tables->size, which acpi_build checks at the end. */
static uint32_t blob_take(struct acpi_tables *tables, uint32_t length, uint32_t align)
{
	uint32_t at = (tables->size + align - 1) & ~(align - 1);

	if (at > ACPI_BLOB_ROOM || length > ACPI_BLOB_ROOM - at) {
		tables->size = UINT32_MAX / 2;
		return 0;
	}
	tables->size = at + length;
	return at;
}

static void add_pointer(struct acpi_tables *tables, bool in_rsdp, size_t offset, uint8_t size)
{
	tables->pointers[tables->pointer_count++] =
		(struct acpi_pointer){.in_rsdp = in_rsdp, .offset = (uint32_t)offset, .size = size};
}

static void add_sum(struct acpi_tables *tables, bool in_rsdp, size_t offset, size_t start,
		    size_t length)
{
	tables->sums[tables->sum_count++] = (struct acpi_sum){.in_rsdp = in_rsdp,
							      .offset = (uint32_t)offset,
							      .start = (uint32_t)start,
							      .length = (uint32_t)length};
}

static void fill_header(struct table_header *header, const char *signature, size_t length,
			uint8_t revision)
{
	memcpy(header->signature, signature, 4);
	header->length = (uint32_t)length;
	header->revision = revision;
	memcpy(header->oem_id, "LOCKST", 6);
	memcpy(header->oem_table_id, "LOCKSTEP", 8);
	header->oem_revision = 1;
	memcpy(header->creator_id, "LSTP", 4);
	header->creator_revision = 1;
}

/* A table with room for @length bytes, its header filled and its checksum noted. */
static uint32_t table_begin(struct acpi_tables *tables, const char *signature, size_t length,
			    uint8_t revision)
{
	uint32_t at = blob_take(tables, (uint32_t)length, 16);

	fill_header((struct table_header *)(tables->blob + at), signature, length, revision);
	add_sum(tables, false, at + offsetof(struct table_header, checksum), at, length);
	return at;
}

static uint32_t add_facs(struct acpi_tables *tables)
{
	uint32_t at = blob_take(tables, sizeof(struct facs), ACPI_ALIGN);
	struct facs *facs = (void *)(tables->blob + at);

	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 1;
	tables->facs = at;
	return at;
}

static uint32_t add_dsdt(struct acpi_tables *tables)
{
	uint32_t at = blob_take(tables, sizeof(dsdt_aml_code), 16);

	memcpy(tables->blob + at, dsdt_aml_code, sizeof(dsdt_aml_code)); /* with checksum */
	return at;
}

static struct address io_address(uint16_t port, uint8_t width)
{
	return (struct address){.space = SPACE_IO, .width = width, .address = port};
}

static uint32_t add_fadt(struct acpi_tables *tables, uint32_t facs, uint32_t dsdt)
{
	uint32_t at = table_begin(tables, "FACP", sizeof(struct fadt), 4);
	struct fadt *fadt = (void *)(tables->blob + at);

	fadt->facs = facs;
	fadt->dsdt = dsdt;
	fadt->x_dsdt = dsdt;
	fadt->sci = IRQ_GSI_SCI;
	fadt->pm1a_event = PM_EVENT_PORT;
	fadt->pm1a_control = PM_CONTROL_PORT;
	fadt->pm_timer = PM_TIMER_PORT;
	fadt->pm1_event_length = 4;
	fadt->pm1_control_length = 2;
	fadt->pm_timer_length = 4;
	fadt->c2_latency = 0xfff; /* no C2, no C3 */
	fadt->c3_latency = 0xfff;
	fadt->century = 0x32;
	fadt->boot_flags = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_NO_VGA;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON |
		      FADT_TIMER_32_BIT | FADT_RESET_REGISTER;
	fadt->reset = io_address(PM_RESET_PORT, 8);
	fadt->reset_value = PM_RESET_VALUE;
	fadt->x_pm1a_event = io_address(PM_EVENT_PORT, 32);
	fadt->x_pm1a_control = io_address(PM_CONTROL_PORT, 16);
	fadt->x_pm_timer = io_address(PM_TIMER_PORT, 32);
	add_pointer(tables, false, at + offsetof(struct fadt, facs), 4);
	add_pointer(tables, false, at + offsetof(struct fadt, dsdt), 4);
	add_pointer(tables, false, at + offsetof(struct fadt, x_dsdt), 8);
	return at;
}

/* MPS INTI flags: bits 1:0 polarity, 3:2 trigger mode. */
#define INTI_HIGH_LEVEL 0x000d

static uint32_t add_madt(struct acpi_tables *tables, unsigned int vcpus)
{
	static const struct madt_override overrides[] = {
		{.type = 2, .length = 10, .source = 0, .gsi = 2},
		{.type = 2,
		 .length = 10,
		 .source = IRQ_GSI_SCI,
		 .gsi = IRQ_GSI_SCI,
		 .flags = INTI_HIGH_LEVEL},
	};
	size_t length = sizeof(struct madt) + vcpus * sizeof(struct madt_lapic) +
			sizeof(struct madt_ioapic) + sizeof(overrides) + sizeof(struct madt_nmi);
	uint32_t at = table_begin(tables, "APIC", length, 3);
	struct madt *madt = (void *)(tables->blob + at);
	struct madt_lapic *lapic = (void *)(madt + 1);
	struct madt_ioapic *ioapic;

	madt->lapic_address = (uint32_t)MEMORY_LAPIC;
	madt->flags = 1; /* 8259s are there as well */
	for (unsigned int i = 0; i < vcpus; i++, lapic++)
		*lapic = (struct madt_lapic){.length = sizeof(*lapic),
					     .processor = (uint8_t)i,
					     .apic_id = (uint8_t)i,
					     .flags = 1};
	ioapic = (void *)lapic;
	*ioapic = (struct madt_ioapic){
		.type = 1, .length = sizeof(*ioapic), .address = (uint32_t)MEMORY_IOAPIC};
	memcpy(ioapic + 1, overrides, sizeof(overrides));
	*(struct madt_nmi *)((uint8_t *)(ioapic + 1) + sizeof(overrides)) = (struct madt_nmi){
		.type = 4, .length = sizeof(struct madt_nmi), .processor = 0xff, .lint = 1};
	return at;
}

static uint32_t add_mcfg(struct acpi_tables *tables)
{
	uint32_t at = table_begin(tables, "MCFG", sizeof(struct mcfg), 1);
	struct mcfg *mcfg = (void *)(tables->blob + at);

	mcfg->base = MEMORY_ECAM_BASE;
	mcfg->last_bus = (uint8_t)((MEMORY_ECAM_SIZE >> 20) - 1);
	return at;
}

/* RSDT (4-byte entries) or XSDT (8). */
static uint32_t add_root(struct acpi_tables *tables, const char *signature, uint8_t entry,
			 const uint32_t *list, size_t count)
{
	uint32_t at =
		table_begin(tables, signature, sizeof(struct table_header) + count * entry, 1);

	for (size_t i = 0; i < count; i++) {
		size_t offset = at + sizeof(struct table_header) + i * entry;

		memcpy(tables->blob + offset, &list[i], 4);
		add_pointer(tables, false, offset, entry);
	}
	return at;
}

static void fill_rsdp(struct acpi_tables *tables, uint32_t rsdt, uint32_t xsdt)
{
	struct rsdp *rsdp = (void *)tables->rsdp;

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "LOCKST", 6);
	rsdp->revision = 2;
	rsdp->rsdt = rsdt;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	add_pointer(tables, true, offsetof(struct rsdp, rsdt), 4);
	add_pointer(tables, true, offsetof(struct rsdp, xsdt), 8);
	add_sum(tables, true, offsetof(struct rsdp, checksum), 0, 20);
	add_sum(tables, true, offsetof(struct rsdp, extended_checksum), 0, sizeof(*rsdp));
}

int acpi_build(struct acpi_tables *tables, const struct acpi_config *config, struct ls_error *err)
{
	uint32_t list[3], rsdt, xsdt;
	size_t count = 0;

	*tables = (struct acpi_tables){0};
	list[count] = add_facs(tables);
	list[count] = add_fadt(tables, list[count], add_dsdt(tables));
	count++;
	list[count++] = add_madt(tables, config->vcpus);
	if (config->pci)
		list[count++] = add_mcfg(tables);
	rsdt = add_root(tables, "RSDT", 4, list, count);
	xsdt = add_root(tables, "XSDT", 8, list, count);
	fill_rsdp(tables, rsdt, xsdt);
	if (tables->size > ACPI_BLOB_ROOM)
		return ls_error_set(err, -ENOSPC, "the ACPI tables do not fit %d bytes",
				    ACPI_BLOB_ROOM);
	return 0;
}

void acpi_place(struct acpi_tables *tables, uint64_t base)
{
	for (unsigned int i = 0; i < tables->pointer_count; i++) {
		const struct acpi_pointer *pointer = &tables->pointers[i];
		uint8_t *at = (pointer->in_rsdp ? tables->rsdp : tables->blob) + pointer->offset;
		uint64_t value = 0;

		memcpy(&value, at, pointer->size);
		value += base;
		memcpy(at, &value, pointer->size);
	}
	for (unsigned int i = 0; i < tables->sum_count; i++) {
		const struct acpi_sum *sum = &tables->sums[i];
		uint8_t *in = sum->in_rsdp ? tables->rsdp : tables->blob;
		uint8_t total = 0;

		in[sum->offset] = 0;
		for (uint32_t j = 0; j < sum->length; j++)
			total = (uint8_t)(total + in[sum->start + j]);
		in[sum->offset] = (uint8_t)-total;
	}
}
