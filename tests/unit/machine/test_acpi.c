/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI specification 6.4, chapter 5; PCI Firmware Specification 3.2, 4.1.2 (MCFG). Offsets are
 * the specification's. */
#include "fake_engine.h"
#include "machine/acpi/tables.h"
#include "machine/internal.h"
#include "machine/load.h"
#include "machine/rtc.h"
#include "tests/unit/check.h"

#define RSDP 0xe0000u

static uint64_t get(struct machine *machine, uint64_t at, unsigned int size)
{
	uint64_t value = 0;

	CHECK_EQUAL(machine_dma_read(machine, at, &value, size), 0);
	return value;
}

static uint8_t sum(struct machine *machine, uint64_t at, uint64_t length)
{
	uint8_t total = 0;

	for (uint64_t i = 0; i < length; i++)
		total = (uint8_t)(total + get(machine, at + i, 1));
	return total;
}

/* Follows the XSDT (or the RSDT) to the table with @signature; 0 if it is not listed. */
static uint64_t find(struct machine *machine, const char *signature, bool by_rsdt)
{
	unsigned int entry = by_rsdt ? 4 : 8;
	uint64_t root = by_rsdt ? get(machine, RSDP + 16, 4) : get(machine, RSDP + 24, 8);
	uint64_t length = get(machine, root + 4, 4);
	uint32_t wanted;

	memcpy(&wanted, signature, 4);
	for (uint64_t at = root + 36; at < root + length; at += entry) {
		uint64_t table = get(machine, at, entry);

		if (get(machine, table, 4) == wanted)
			return table;
	}
	return 0;
}

static struct machine *machine_with(unsigned int vcpus, bool pci)
{
	struct machine_config config = fake_config();

	config.vcpus = vcpus;
	config.no_pci = !pci;
	return machine_create(&config, NULL);
}

/* 5.2.5: on a 16-byte boundary from 0xe0000, sums over 20 and all bytes. */
static void test_rsdp(void)
{
	struct machine *machine = machine_with(1, true);

	CHECK_EQUAL(get(machine, RSDP, 8), 0x2052545020445352); /* "RSD PTR " */
	CHECK_EQUAL(sum(machine, RSDP, 20), 0);
	CHECK_EQUAL(get(machine, RSDP + 20, 4), 36);
	CHECK_EQUAL(sum(machine, RSDP, 36), 0);
	CHECK_EQUAL(get(machine, RSDP + 15, 1), 2);
	machine_destroy(machine);
}

static void test_checksums(void)
{
	static const char *const tables[] = {"FACP", "APIC", "MCFG"};
	struct machine *machine = machine_with(4, true);
	uint64_t dsdt;

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t table = find(machine, tables[i], false);

		CU_ASSERT(table != 0);
		CHECK_EQUAL(find(machine, tables[i], true), table);
		CHECK_EQUAL(sum(machine, table, get(machine, table + 4, 4)), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t root = i ? get(machine, RSDP + 16, 4) : get(machine, RSDP + 24, 8);

		CHECK_EQUAL(get(machine, root, 4), i ? 0x54445352 : 0x54445358);
		CHECK_EQUAL(sum(machine, root, get(machine, root + 4, 4)), 0);
	}
	dsdt = get(machine, find(machine, "FACP", false) + 40, 4);
	CHECK_EQUAL(get(machine, dsdt, 4), 0x54445344);
	CHECK_EQUAL(sum(machine, dsdt, get(machine, dsdt + 4, 4)), 0);
	machine_destroy(machine);
}

/* 5.2.9, table 5-9. */
static void test_fadt(void)
{
	struct machine *machine = machine_with(1, true);
	uint64_t fadt = find(machine, "FACP", false);
	uint64_t facs = get(machine, fadt + 36, 4);

	CHECK_EQUAL(facs % 64, 0); /* 5.2.10 */
	CHECK_EQUAL(get(machine, facs, 4), 0x53434146);
	CHECK_EQUAL(get(machine, facs + 4, 4), 64);
	CHECK_EQUAL(get(machine, fadt + 46, 2), 9);              /* SCI_INT */
	CHECK_EQUAL(get(machine, fadt + 48, 4), 0);              /* SMI_CMD */
	CHECK_EQUAL(get(machine, fadt + 56, 4), 0x600);          /* PM1a_EVT_BLK */
	CHECK_EQUAL(get(machine, fadt + 64, 4), 0x604);          /* PM1a_CNT_BLK */
	CHECK_EQUAL(get(machine, fadt + 76, 4), 0x608);          /* PM_TMR_BLK */
	CHECK_EQUAL(get(machine, fadt + 88, 1), 4);              /* PM1_EVT_LEN */
	CHECK_EQUAL(get(machine, fadt + 89, 1), 2);              /* PM1_CNT_LEN */
	CHECK_EQUAL(get(machine, fadt + 91, 1), 4);              /* PM_TMR_LEN */
	CHECK_EQUAL(get(machine, fadt + 108, 1), 0x32);          /* CENTURY */
	CHECK_EQUAL(get(machine, fadt + 112, 4) & 0x501, 0x501); /* WBINVD, 32-bit timer, reset */
	CHECK_EQUAL(get(machine, fadt + 116, 1), 1);             /* RESET_REG: I/O space */
	CHECK_EQUAL(get(machine, fadt + 120, 8), 0xcf9);
	CHECK_EQUAL(get(machine, fadt + 128, 1), 6);                          /* RESET_VALUE */
	CHECK_EQUAL(get(machine, fadt + 140, 8), get(machine, fadt + 40, 4)); /* X_DSDT */
	CHECK_EQUAL(get(machine, fadt + 152, 8), 0x600); /* X_PM1a_EVT_BLK's address */
	CHECK_EQUAL(get(machine, fadt + 212, 8), 0x608); /* X_PM_TMR_BLK's */
	machine_destroy(machine);
}

/* 5.2.12: one local APIC each, the I/O APIC, IRQ 0 on GSI 2, IRQ 9 level and active high,
 * LINT1 as NMI. */
static void test_madt(void)
{
	struct machine *machine = machine_with(3, true);
	uint64_t madt = find(machine, "APIC", false);
	uint64_t end = madt + get(machine, madt + 4, 4), at;
	unsigned int lapics = 0, overrides = 0, ioapics = 0, nmis = 0;

	CHECK_EQUAL(get(machine, madt + 36, 4), 0xfee00000);
	CHECK_EQUAL(get(machine, madt + 40, 4), 1);
	for (at = madt + 44; at < end; at += get(machine, at + 1, 1)) {
		switch (get(machine, at, 1)) {
		case 0:
			CHECK_EQUAL(get(machine, at + 1, 1), 8);
			CHECK_EQUAL(get(machine, at + 3, 1), lapics); /* APIC ID */
			CHECK_EQUAL(get(machine, at + 4, 4), 1);      /* enabled */
			lapics++;
			break;
		case 1:
			CHECK_EQUAL(get(machine, at + 1, 1), 12);
			CHECK_EQUAL(get(machine, at + 4, 4), 0xfec00000);
			CHECK_EQUAL(get(machine, at + 8, 4), 0);
			ioapics++;
			break;
		case 2:
			CHECK_EQUAL(get(machine, at + 1, 1), 10);
			if (get(machine, at + 3, 1) == 0) {
				CHECK_EQUAL(get(machine, at + 4, 4), 2);
				CHECK_EQUAL(get(machine, at + 8, 2), 0);
			} else {
				CHECK_EQUAL(get(machine, at + 3, 1), 9);
				CHECK_EQUAL(get(machine, at + 4, 4), 9);
				CHECK_EQUAL(get(machine, at + 8, 2), 0x0d);
			}
			overrides++;
			break;
		case 4:
			CHECK_EQUAL(get(machine, at + 1, 1), 6);
			CHECK_EQUAL(get(machine, at + 2, 1), 0xff);
			CHECK_EQUAL(get(machine, at + 5, 1), 1);
			nmis++;
			break;
		default:
			CU_FAIL("unknown MADT entry");
		}
	}
	CHECK_EQUAL(at, end);
	CHECK_EQUAL(lapics, 3);
	CHECK_EQUAL(ioapics, 1);
	CHECK_EQUAL(overrides, 2);
	CHECK_EQUAL(nmis, 1);
	machine_destroy(machine);
}

static void test_mcfg(void)
{
	struct machine *machine = machine_with(1, true);
	uint64_t mcfg = find(machine, "MCFG", false);

	CHECK_EQUAL(get(machine, mcfg + 4, 4), 60);
	CHECK_EQUAL(get(machine, mcfg + 44, 8), 0xc0000000);
	CHECK_EQUAL(get(machine, mcfg + 54, 1), 0);
	CHECK_EQUAL(get(machine, mcfg + 55, 1), 255);
	machine_destroy(machine);
	machine = machine_with(1, false);
	CHECK_EQUAL(find(machine, "MCFG", false), 0);
	machine_destroy(machine);
}

/* The table loader's commands, applied as firmware does (SeaBIOS, src/fw/romfile_loader.c),
 * give the tables that a direct boot places at the same address. */
static void test_loader(void)
{
	struct acpi_config config = {.vcpus = 2, .pci = true};
	struct acpi_tables *direct = malloc(sizeof(*direct));
	struct acpi_tables *firmware = malloc(sizeof(*firmware));
	uint64_t base = 0x7fe0040;

	CHECK_EQUAL(acpi_build(direct, &config, NULL), 0);
	*firmware = *direct;
	acpi_place(direct, base);
	for (unsigned int i = 0; i < firmware->pointer_count; i++) {
		struct acpi_pointer *p = &firmware->pointers[i];
		uint8_t *at = (p->in_rsdp ? firmware->rsdp : firmware->blob) + p->offset;
		uint64_t value = 0;

		memcpy(&value, at, p->size);
		CU_ASSERT(value < firmware->size); /* an offset into the blob until then */
		value += base;
		memcpy(at, &value, p->size);
	}
	for (unsigned int i = 0; i < firmware->sum_count; i++) {
		struct acpi_sum *s = &firmware->sums[i];
		uint8_t *in = s->in_rsdp ? firmware->rsdp : firmware->blob;
		uint8_t total = 0;

		for (uint32_t j = 0; j < s->length; j++)
			total = (uint8_t)(total + in[s->start + j]);
		in[s->offset] = (uint8_t)(in[s->offset] - total);
	}
	CHECK_EQUAL(memcmp(direct->blob, firmware->blob, direct->size), 0);
	CHECK_EQUAL(memcmp(direct->rsdp, firmware->rsdp, ACPI_RSDP_SIZE), 0);
	free(direct);
	free(firmware);
}

/* 16.1.3 and 5.2.10: S3 ends, on the RTC's alarm, in real mode at the waking vector. */
static void test_sleep(void)
{
	struct machine *machine = machine_with(1, false);
	struct fake_engine *fake = fake_of(machine);
	uint64_t facs = get(machine, find(machine, "FACP", false) + 36, 4);
	uint32_t vector = 0x12345;

	machine_dma_write(machine, facs + 12, &vector, 4);
	for (uint8_t i = 1; i <= 5; i += 2) {
		out8(machine, 0x70, i);
		out8(machine, 0x71, 0xc0);
	}
	out8(machine, 0x70, 0x0b);
	out8(machine, 0x71, 0x22);
	bus_write(machine_ports(machine), 0x602, 2, 0x0400); /* RTC_EN */
	bus_write(machine_ports(machine), 0x604, 2, 0x2400); /* SLP_EN, S3 */
	CU_ASSERT(control_service(machine));
	CU_ASSERT(machine->suspended);
	CU_ASSERT(!control_enter(machine, &machine->vcpus[0]));
	fake_advance(fake, 1000000000);
	CU_ASSERT(control_service(machine));
	CU_ASSERT(!machine->suspended);
	CHECK_EQUAL(fake->vcpus[0]->sregs.cs.base, 0x12340);
	CHECK_EQUAL(fake->vcpus[0]->sregs.cs.selector, 0x1234);
	CHECK_EQUAL(fake->vcpus[0]->regs.rip, 5);
	CHECK_EQUAL(bus_read(machine_ports(machine), 0x600, 2) & 0x8000, 0x8000); /* WAK_STS */
	machine_destroy(machine);
}

static CU_TestInfo tests[] = {
	{"RSDP", test_rsdp},
	{"every table is listed and sums to 0", test_checksums},
	{"FADT and FACS", test_fadt},
	{"MADT", test_madt},
	{"MCFG", test_mcfg},
	{"firmware's loader arrives at the same tables", test_loader},
	{"S3 and its waking vector", test_sleep},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/acpi", tests)
