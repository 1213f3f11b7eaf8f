/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot Specification 0.6.96. */
#include <inttypes.h>
#include <string.h>

#include "machine/internal.h"
#include "machine/load.h"

#define HEADER_SEARCH 8192
#define HEADER_MAGIC  0x1badb002
#define LOADER_MAGIC  0x2badb002
#define LOADER_NAME   "lockstep"

enum { /* header flags, 3.1.2 */
       WANT_PAGE_ALIGN = 1 << 0,
       WANT_MEMORY = 1 << 1,
       WANT_VIDEO = 1 << 2, /* a wish */
       WANT_ADDRESSES = 1 << 16,
};
#define WANT_UNKNOWN 0xfff8 /* bits 3..15: must be understood or refused */

enum { /* information flags, 3.3 */
       HAS_MEMORY = 1 << 0,
       HAS_CMDLINE = 1 << 2,
       HAS_MODULES = 1 << 3,
       HAS_MAP = 1 << 6,
       HAS_LOADER = 1 << 9,
};

struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_address, load_address, load_end, bss_end, entry;
};

struct information {
	uint32_t flags, memory_lower, memory_upper, boot_device, cmdline, module_count, modules,
		syms[4], map_length, map, drives_length, drives, config_table, loader_name,
		apm_table, vbe[4];
};

struct module {
	uint32_t start, end, string, reserved;
};

struct map_entry {
	uint32_t size; /* of what follows */
	struct memory_map_entry entry;
} __attribute__((packed));

/* Where the parts of the information lie, from BOOT_TABLES on. */
struct tables {
	struct module module;
	struct map_entry map[MEMORY_MAP_MAX];
	char loader[16];
	char module_string[4096];
};

_Static_assert(BOOT_TABLES + sizeof(struct tables) <= BOOT_TABLES_END, "boot tables");

#define TABLE_AT(member) ((uint32_t)(BOOT_TABLES + offsetof(struct tables, member)))

static bool header_find(const struct image *image, struct header *header, size_t *offset)
{
	for (size_t at = 0; at + 12 <= image->size && at + 12 <= HEADER_SEARCH; at += 4) {
		size_t room = image->size - at;

		memset(header, 0, sizeof(*header));
		memcpy(header, image->data + at, room < sizeof(*header) ? room : sizeof(*header));
		if (header->magic == HEADER_MAGIC &&
		    header->magic + header->flags + header->checksum == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

/* An image whose header says where it goes (flag 16). */
static int load_by_addresses(struct machine *machine, const struct image *image,
			     const struct header *header, size_t offset, struct elf_image *out,
			     struct ls_error *err)
{
	uint32_t before = header->header_address - header->load_address;
	uint64_t size = header->load_end ? header->load_end - header->load_address
					 : image->size - (offset - before);
	uint64_t end = header->load_address + size;
	int ret;

	if (header->header_address < header->load_address || before > offset ||
	    size > image->size - (offset - before))
		return ls_error_set(err, -ENOEXEC,
				    "'%s' is truncated or its multiboot addresses are wrong",
				    image->path);
	ret = load_bytes(machine, header->load_address, image->data + (offset - before), size,
			 "the payload", err);
	if (!ret && header->bss_end > end) {
		if (machine_dma_zero(machine, end, header->bss_end - end) < 0)
			return ls_error_set(err, -ENOSPC,
					    "'%s' does not fit the machine's memory; give it more",
					    image->path);
		end = header->bss_end;
	}
	*out = (struct elf_image){
		.entry = header->entry, .start = header->load_address, .end = end, .bits = 32};
	return ret;
}

static int write_information(struct machine *machine, const struct elf_image *loaded,
			     struct ls_error *err)
{
	struct memory_map_entry map[MEMORY_MAP_MAX];
	size_t entries = memory_map_fill(machine, map);
	struct tables tables = {0};
	struct information info = {
		.flags = HAS_MEMORY | HAS_CMDLINE | HAS_MAP | HAS_LOADER,
		.memory_lower = BOOT_EBDA >> 10,
		.memory_upper = (uint32_t)((machine_memory_low(machine) - BOOT_HIGH) >> 10),
		.cmdline = BOOT_CMDLINE,
		.modules = TABLE_AT(module),
		.map_length = (uint32_t)(entries * sizeof(struct map_entry)),
		.map = TABLE_AT(map),
		.loader_name = TABLE_AT(loader),
	};
	uint64_t start, size;
	int ret = load_initrd(machine, loaded->end, UINT32_MAX, &start, &size, err);

	if (ret)
		return ret;
	if (size) {
		info.flags |= HAS_MODULES;
		info.module_count = 1;
		tables.module = (struct module){.start = (uint32_t)start,
						.end = (uint32_t)(start + size),
						.string = TABLE_AT(module_string)};
		snprintf(tables.module_string, sizeof(tables.module_string), "%s",
			 machine->config.initrd);
	}
	for (size_t i = 0; i < entries; i++)
		tables.map[i] = (struct map_entry){.size = sizeof(map[i]), .entry = map[i]};
	strcpy(tables.loader, LOADER_NAME);
	ret = load_bytes(machine, BOOT_TABLES, &tables, sizeof(tables), "boot tables", err);
	if (!ret)
		ret = load_bytes(machine, BOOT_INFO, &info, sizeof(info), "boot tables", err);
	return ret;
}

int load_multiboot(struct machine *machine, const struct image *payload, struct boot_state *boot,
		   struct ls_error *err)
{
	struct elf_image loaded;
	struct header header;
	size_t offset;
	int ret;

	if (!header_find(payload, &header, &offset))
		return 1;
	if (header.flags & WANT_UNKNOWN)
		return ls_error_set(err, -ENOEXEC,
				    "the multiboot payload '%s' asks for unknown features (flags "
				    "0x%" PRIx32 ")",
				    payload->path, header.flags);
	if (header.flags & WANT_ADDRESSES)
		ret = load_by_addresses(machine, payload, &header, offset, &loaded, err);
	else
		ret = elf_load(machine, payload, &loaded, err);
	if (!ret)
		ret = load_cmdline(machine,
				   machine->config.kernel_name ? machine->config.kernel_name
							       : payload->path,
				   BOOT_CMDLINE_ROOM, err);
	if (!ret)
		ret = write_information(machine, &loaded, err);
	if (ret)
		return ret;
	*boot = (struct boot_state){.mode = BOOT_PROTECTED,
				    .entry = loaded.entry,
				    .rax = LOADER_MAGIC,
				    .rbx = BOOT_INFO};
	return 0;
}
