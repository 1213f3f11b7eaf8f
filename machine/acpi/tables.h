/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI tables, built once as a blob whose pointers are offsets into it, with the lists of
 * pointers and checksums to be fixed once its place is known. A direct boot fixes and places
 * them itself; firmware gets blob and lists through fw_cfg ("etc/table-loader").
 */
#ifndef LOCKSTEP_MACHINE_ACPI_TABLES_H
#define LOCKSTEP_MACHINE_ACPI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

#define ACPI_BLOB_ROOM    32768
#define ACPI_RSDP_SIZE    36
#define ACPI_MAX_POINTERS 32
#define ACPI_MAX_SUMS     16
#define ACPI_ALIGN        64 /* the FACS wants it */

struct acpi_pointer {
	bool in_rsdp; /* else in the blob */
	uint32_t offset;
	uint8_t size; /* 4 or 8 */
};

struct acpi_sum {
	bool in_rsdp;
	uint32_t offset, start, length;
};

struct acpi_tables {
	uint8_t blob[ACPI_BLOB_ROOM];
	uint32_t size;
	uint32_t facs; /* its offset in the blob */
	uint8_t rsdp[ACPI_RSDP_SIZE];
	struct acpi_pointer pointers[ACPI_MAX_POINTERS];
	unsigned int pointer_count;
	struct acpi_sum sums[ACPI_MAX_SUMS]; /* in the order in which they are to be computed */
	unsigned int sum_count;
};

struct acpi_config {
	unsigned int vcpus;
	bool pci;
};

/* -ENOSPC if they do not fit. */
int acpi_build(struct acpi_tables *tables, const struct acpi_config *config, struct ls_error *err);
/* Fixes everything for a blob that will lie at @base. */
void acpi_place(struct acpi_tables *tables, uint64_t base);

struct machine;

/* For a direct boot: RSDP and tables from 0xe0000 on. */
#define ACPI_RSDP_ADDRESS   0xe0000
#define ACPI_TABLES_ADDRESS 0xe0040
int acpi_install(struct machine *machine, struct ls_error *err);
/* For firmware: fw_cfg's etc/acpi/tables, etc/acpi/rsdp and etc/table-loader. */
int acpi_offer(struct machine *machine, struct ls_error *err);
/* The firmware waking vector in the FACS that acpi_install wrote; 0 if the guest set
 * none. */
uint32_t acpi_waking_vector(struct machine *machine);

#endif
