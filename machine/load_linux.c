/* SPDX-License-Identifier: Apache-2.0 */
/* Linux, Documentation/arch/x86/boot.rst: "64-bit boot protocol". */
#include <asm/bootparam.h>
#include <inttypes.h>
#include <string.h>

#include "machine/acpi/tables.h"
#include "machine/internal.h"
#include "machine/load.h"

#define HEADER_AT      0x1f1
#define MAGIC          0x53726448 /* "HdrS" */
#define BOOT_FLAG      0xaa55
#define FIRST_VERSION  0x020c /* with xloadflags */
#define ENTRY_64       0x200
#define LOADER_UNKNOWN 0xff

struct bzimage {
	struct setup_header header;
	const uint8_t *protected_mode;
	uint64_t protected_size; /* in the file */
	uint64_t address;        /* where it goes */
};

static int bzimage_parse(struct bzimage *bz, const struct image *kernel, struct ls_error *err)
{
	const uint8_t *data = kernel->data;
	size_t header_size, setup_size, wanted;

	if (kernel->size < HEADER_AT + sizeof(bz->header))
		return ls_error_set(
			err, -ENOEXEC,
			"'%s' is no Linux kernel: it has only %zu bytes; name a bzImage "
			"(vmlinuz)",
			kernel->path, kernel->size);
	memset(&bz->header, 0, sizeof(bz->header));
	header_size = 0x202u + data[0x201] - HEADER_AT;
	if (header_size > sizeof(bz->header))
		header_size = sizeof(bz->header);
	memcpy(&bz->header, data + HEADER_AT, header_size);
	if (bz->header.header != MAGIC || bz->header.boot_flag != BOOT_FLAG)
		return ls_error_set(err, -ENOEXEC,
				    "'%s' is no Linux kernel: the boot header is missing; name a "
				    "bzImage (vmlinuz)",
				    kernel->path);
	if (bz->header.version < FIRST_VERSION || !(bz->header.xloadflags & XLF_KERNEL_64) ||
	    !(bz->header.loadflags & LOADED_HIGH))
		return ls_error_set(err, -ENOEXEC,
				    "the kernel '%s' (boot protocol %u.%02u) has no 64-bit entry; "
				    "name an x86-64 kernel of Linux 3.8 or later",
				    kernel->path, bz->header.version >> 8,
				    bz->header.version & 0xff);
	setup_size = ((bz->header.setup_sects ? bz->header.setup_sects : 4u) + 1) * 512;
	wanted = setup_size + (size_t)bz->header.syssize * 16;
	/* syssize is rounded up to 16 bytes; the file need not be. */
	if (kernel->size + 15 < wanted || kernel->size <= setup_size + ENTRY_64)
		return ls_error_set(err, -ENOEXEC,
				    "the kernel '%s' is truncated: %zu bytes of %zu; get it again",
				    kernel->path, kernel->size, wanted);
	bz->protected_mode = data + setup_size;
	bz->protected_size = kernel->size - setup_size;
	return 0;
}

/* The kernel's preferred address, or, if memory ends before it, as low as it may go. */
static int bzimage_place(struct bzimage *bz, struct machine *machine, struct ls_error *err)
{
	uint64_t low = machine_memory_low(machine);
	uint64_t room = bz->header.init_size, align = bz->header.kernel_alignment;
	uint64_t address = bz->header.pref_address;

	if (room < bz->protected_size)
		room = bz->protected_size;
	if (bz->header.relocatable_kernel && align && (address > low || room > low - address))
		address = (BOOT_HIGH + align - 1) / align * align;
	if (address < BOOT_HIGH || address > low || room > low - address)
		return ls_error_set(err, -ENOSPC,
				    "the kernel '%s' needs %" PRIu64 " MiB from 0x%" PRIx64
				    " on, more than the machine's %" PRIu64
				    " MiB hold; give it more memory",
				    machine->config.kernel, (room + 0xfffff) >> 20, address,
				    machine->config.memory >> 20);
	bz->address = address;
	bz->header.init_size = (uint32_t)room;
	return 0;
}

static int write_boot_params(struct machine *machine, const struct bzimage *bz, uint64_t initrd,
			     uint64_t initrd_size, struct ls_error *err)
{
	struct memory_map_entry map[MEMORY_MAP_MAX];
	size_t entries = memory_map_fill(machine, map);
	struct boot_params params;

	memset(&params, 0, sizeof(params));
	params.hdr = bz->header;
	params.hdr.type_of_loader = LOADER_UNKNOWN;
	params.hdr.cmd_line_ptr = BOOT_CMDLINE;
	params.hdr.ramdisk_image = (uint32_t)initrd;
	params.hdr.ramdisk_size = (uint32_t)initrd_size;
	params.hdr.code32_start = (uint32_t)bz->address;
	params.acpi_rsdp_addr = ACPI_RSDP_ADDRESS;
	params.e820_entries = (uint8_t)entries;
	for (size_t i = 0; i < entries; i++)
		params.e820_table[i] = (struct boot_e820_entry){
			.addr = map[i].base, .size = map[i].size, .type = map[i].type};
	return load_bytes(machine, BOOT_INFO, &params, sizeof(params), "the boot parameters", err);
}

int load_linux(struct machine *machine, const struct image *kernel, struct boot_state *boot,
	       struct ls_error *err)
{
	uint64_t initrd, initrd_size;
	struct bzimage bz;
	int ret;

	ret = bzimage_parse(&bz, kernel, err);
	if (!ret)
		ret = bzimage_place(&bz, machine, err);
	if (!ret)
		ret = load_cmdline(machine, NULL, (size_t)bz.header.cmdline_size + 1, err);
	if (!ret)
		ret = load_initrd(machine, bz.address + bz.header.init_size,
				  (uint64_t)bz.header.initrd_addr_max + 1, &initrd, &initrd_size,
				  err);
	if (!ret)
		ret = load_bytes(machine, bz.address, bz.protected_mode, bz.protected_size,
				 "the kernel", err);
	if (!ret)
		ret = write_boot_params(machine, &bz, initrd, initrd_size, err);
	if (ret)
		return ret;
	*boot = (struct boot_state){
		.mode = BOOT_LONG, .entry = bz.address + ENTRY_64, .rsi = BOOT_INFO};
	return 0;
}
