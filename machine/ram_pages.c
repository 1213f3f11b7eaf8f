/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/ram_pages.h"

#include <stdlib.h>

#include "machine/internal.h"

uint64_t ram_page_of(const struct machine *machine, uint64_t gpa)
{
	if (gpa >= MEMORY_HIGH_START)
		gpa += machine->memory.ram[0].size - MEMORY_HIGH_START;
	return gpa / RAM_PAGE;
}

uint64_t ram_page_gpa(const struct machine *machine, uint64_t page)
{
	uint64_t gpa = page * RAM_PAGE, low = machine->memory.ram[0].size;

	return gpa < low ? gpa : gpa - low + MEMORY_HIGH_START;
}

const uint8_t *ram_page_bytes(struct machine *machine, uint64_t page)
{
	return machine_memory_ptr(machine, ram_page_gpa(machine, page), RAM_PAGE);
}

size_t ram_pages_words(const struct machine *machine)
{
	uint64_t size = machine->memory.ram[0].size + machine->memory.ram[1].size;

	return (size_t)(size / RAM_PAGE + 63) / 64;
}

uint64_t *ram_pages_none(const struct machine *machine)
{
	return calloc(ram_pages_words(machine), sizeof(uint64_t));
}
