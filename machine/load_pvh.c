/* SPDX-License-Identifier: Apache-2.0 */
/* Xen, docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h. */
#include <string.h>

#include "machine/acpi/tables.h"
#include "machine/internal.h"
#include "machine/load.h"

#define START_MAGIC 0x336ec578

struct start_info { /* version 1 */
	uint32_t magic, version, flags, modules;
	uint64_t module_list, cmdline, rsdp, memory_map;
	uint32_t memory_map_entries, reserved;
};

struct start_module {
	uint64_t address, size, cmdline, reserved;
};

struct start_memory {
	uint64_t address, size;
	uint32_t type, reserved;
};

int load_pvh(struct machine *machine, const struct image *kernel, struct boot_state *boot,
	     struct ls_error *err)
{
	struct start_memory memory[MEMORY_MAP_MAX] = {0};
	struct memory_map_entry map[MEMORY_MAP_MAX];
	size_t entries = memory_map_fill(machine, map);
	struct start_info info = {.magic = START_MAGIC, .version = 1};
	struct start_module module = {0};
	struct elf_image elf;
	int ret = elf_load(machine, kernel, &elf, err);

	if (ret)
		return ret;
	if (!elf.has_pvh_entry)
		return ls_error_set(err, -ENOEXEC,
				    "'%s' is an ELF file without a PVH entry note; name a bzImage "
				    "(vmlinuz), or start it as a payload",
				    kernel->path);
	for (size_t i = 0; i < entries; i++)
		memory[i] = (struct start_memory){
			.address = map[i].base, .size = map[i].size, .type = map[i].type};
	ret = load_initrd(machine, elf.end, UINT32_MAX, &module.address, &module.size, err);
	if (!ret)
		ret = load_cmdline(machine, NULL, BOOT_CMDLINE_ROOM, err);
	info.cmdline = BOOT_CMDLINE;
	info.rsdp = ACPI_RSDP_ADDRESS;
	info.modules = module.size ? 1 : 0;
	info.module_list = BOOT_TABLES;
	info.memory_map = BOOT_TABLES + sizeof(module);
	info.memory_map_entries = (uint32_t)entries;
	if (!ret)
		ret = load_bytes(machine, BOOT_TABLES, &module, sizeof(module), "boot tables", err);
	if (!ret)
		ret = load_bytes(machine, info.memory_map, memory, sizeof(memory), "boot tables",
				 err);
	if (!ret)
		ret = load_bytes(machine, BOOT_INFO, &info, sizeof(info), "boot tables", err);
	if (ret)
		return ret;
	*boot = (struct boot_state){
		.mode = BOOT_PROTECTED, .entry = elf.pvh_entry, .rbx = BOOT_INFO};
	return 0;
}
