/* SPDX-License-Identifier: Apache-2.0 */
/* Where the ACPI tables go: into memory, or to firmware through fw_cfg. */
#include <stdlib.h>
#include <string.h>

#include "machine/acpi/tables.h"
#include "machine/fw_cfg.h"
#include "machine/internal.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"

#define ZONE_HIGH 1
#define ZONE_FSEG 2

/* One command of QEMU's table loader (SeaBIOS, src/fw/romfile_loader.h documents it). */
struct loader_command {
	uint32_t command;
	union {
		struct {
			char file[FW_CFG_NAME_SIZE];
			uint32_t align;
			uint8_t zone;
		} __attribute__((packed)) allocate;
		struct {
			char in[FW_CFG_NAME_SIZE], to[FW_CFG_NAME_SIZE];
			uint32_t offset;
			uint8_t size;
		} __attribute__((packed)) pointer;
		struct {
			char file[FW_CFG_NAME_SIZE];
			uint32_t offset, start, length;
		} __attribute__((packed)) sum;
		uint8_t room[124];
	};
} __attribute__((packed));

_Static_assert(sizeof(struct loader_command) == 128, "loader command");

enum { COMMAND_ALLOCATE = 1, COMMAND_POINTER, COMMAND_SUM };

#define LOADER_ROOM (2 + ACPI_MAX_POINTERS + ACPI_MAX_SUMS)

static int tables_for(struct machine *machine, struct acpi_tables **tables, struct ls_error *err)
{
	struct acpi_config config = {.vcpus = machine->vcpu_count, .pci = !machine->config.no_pci};
	int ret;

	*tables = malloc(sizeof(**tables));
	if (!*tables)
		return ls_error_set(err, -ENOMEM, "no memory for the ACPI tables");
	ret = acpi_build(*tables, &config, err);
	if (ret) {
		free(*tables);
		*tables = NULL;
	}
	return ret;
}

int acpi_install(struct machine *machine, struct ls_error *err)
{
	struct acpi_tables *tables;
	int ret = tables_for(machine, &tables, err);

	if (ret)
		return ret;
	acpi_place(tables, ACPI_TABLES_ADDRESS);
	ret = machine_dma_write(machine, ACPI_RSDP_ADDRESS, tables->rsdp, sizeof(tables->rsdp));
	if (!ret)
		ret = machine_dma_write(machine, ACPI_TABLES_ADDRESS, tables->blob, tables->size);
	free(tables);
	return ret ? ls_error_set(err, ret, "no room for the ACPI tables in guest memory") : 0;
}

static const char *file_of(bool in_rsdp)
{
	return in_rsdp ? RSDP_FILE : TABLES_FILE;
}

static size_t loader_script(const struct acpi_tables *tables, struct loader_command *commands)
{
	struct loader_command *command = commands;

	command->command = COMMAND_ALLOCATE;
	strcpy(command->allocate.file, TABLES_FILE);
	command->allocate.align = ACPI_ALIGN;
	command->allocate.zone = ZONE_HIGH;
	command++;
	command->command = COMMAND_ALLOCATE;
	strcpy(command->allocate.file, RSDP_FILE);
	command->allocate.align = 16;
	command->allocate.zone = ZONE_FSEG;
	command++;
	for (unsigned int i = 0; i < tables->pointer_count; i++, command++) {
		const struct acpi_pointer *pointer = &tables->pointers[i];

		command->command = COMMAND_POINTER;
		strcpy(command->pointer.in, file_of(pointer->in_rsdp));
		strcpy(command->pointer.to, TABLES_FILE);
		command->pointer.offset = pointer->offset;
		command->pointer.size = pointer->size;
	}
	for (unsigned int i = 0; i < tables->sum_count; i++, command++) {
		const struct acpi_sum *sum = &tables->sums[i];

		command->command = COMMAND_SUM;
		strcpy(command->sum.file, file_of(sum->in_rsdp));
		command->sum.offset = sum->offset;
		command->sum.start = sum->start;
		command->sum.length = sum->length;
	}
	return (size_t)(command - commands);
}

int acpi_offer(struct machine *machine, struct ls_error *err)
{
	struct loader_command *commands = calloc(LOADER_ROOM, sizeof(*commands));
	struct acpi_tables *tables = NULL;
	int ret = -ENOMEM;

	if (!commands)
		return ls_error_set(err, -ENOMEM, "no memory for the ACPI tables");
	ret = tables_for(machine, &tables, err);
	if (!ret)
		ret = fw_cfg_add_file(machine->fw_cfg, TABLES_FILE, tables->blob, tables->size,
				      err);
	if (!ret)
		ret = fw_cfg_add_file(machine->fw_cfg, RSDP_FILE, tables->rsdp,
				      sizeof(tables->rsdp), err);
	if (!ret)
		ret = fw_cfg_add_file(machine->fw_cfg, LOADER_FILE, commands,
				      loader_script(tables, commands) * sizeof(*commands), err);
	free(tables);
	free(commands);
	return ret;
}

uint32_t acpi_waking_vector(struct machine *machine)
{
	struct acpi_tables *tables;
	struct ls_error err = {0};
	uint32_t vector = 0;

	/* Only a direct boot resumes without firmware, and it put the tables there itself. */
	if (tables_for(machine, &tables, &err))
		return 0;
	/* ACPI 6.4, 5.2.10: the waking vector is at offset 12 of the FACS. */
	machine_dma_read(machine, ACPI_TABLES_ADDRESS + tables->facs + 12, &vector, sizeof(vector));
	free(tables);
	return vector;
}
