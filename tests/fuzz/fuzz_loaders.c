/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels, payloads and firmware from hostile files: each loader takes one or refuses it in
 * one line. The input's first byte chooses the loader, the second helps past the magic numbers
 * that mutation rarely hits.
 */
#include <elf.h>

#include "machine/load.h"
#include "machine_rig.h"

struct loader {
	int (*load)(struct machine *machine, const struct image *image, struct boot_state *boot,
		    struct ls_error *err);
	/* Puts the format's magic into @data. */
	void (*help)(uint8_t *data, size_t size, uint8_t how);
};

static void put(uint8_t *data, size_t size, size_t at, const void *bytes, size_t n)
{
	if (at <= size && n <= size - at)
		memcpy(data + at, bytes, n);
}

static void help_linux(uint8_t *data, size_t size, uint8_t how)
{
	static const uint8_t flag[] = {0x55, 0xaa}, version[] = {0x0c, 0x02};

	put(data, size, 0x1fe, flag, 2);
	put(data, size, 0x202, "HdrS", 4);
	if (how & 1)
		put(data, size, 0x206, version, 2);
	/* In the real header's size, and without a file of kilobytes: no setup sectors. */
	if (how & 2)
		put(data, size, 0x201, "\x6c", 1);
	if (how & 4)
		put(data, size, 0x1f4, "\0\0\0\0", 4);
	if (how & 8)
		put(data, size, 0x236, "\x01\x00", 2);
	if (how & 16)
		put(data, size, 0x211, "\x01", 1);
}

static void help_elf(uint8_t *data, size_t size, uint8_t how)
{
	Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = how & 3,
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	static const uint32_t load = PT_LOAD, note = PT_NOTE;

	if (how & 4) {
		put(data, size, 0, header.e_ident, EI_CLASS);
		return;
	}
	/* Keeps the entry, the section headers' place and number as they came. */
	put(data, size, 0, &header, offsetof(Elf64_Ehdr, e_entry));
	put(data, size, offsetof(Elf64_Ehdr, e_phoff), &header.e_phoff, 8);
	put(data, size, offsetof(Elf64_Ehdr, e_ehsize), &header.e_ehsize, 6);
	put(data, size, sizeof(header), &load, 4);
	put(data, size, sizeof(header) + sizeof(Elf64_Phdr), how & 8 ? &note : &load, 4);
}

static void help_multiboot(uint8_t *data, size_t size, uint8_t how)
{
	uint32_t header[3] = {0x1badb002, how & 1 ? 0x10000 : how & 2 ? 3 : 0, 0};
	size_t at = how & 4 ? 64 : 0;

	header[2] = 0u - header[0] - header[1];
	if (how & 8)
		help_elf(data, size, (uint8_t)(how >> 4));
	put(data, size, at + (how & 8 ? 0x100u : 0u), header, sizeof(header));
}

static void help_nothing(uint8_t *data, size_t size, uint8_t how)
{
	(void)data;
	(void)size;
	(void)how;
}

static const struct loader loaders[] = {
	{load_linux, help_linux}, {load_multiboot, help_multiboot}, {load_elf, help_elf},
	{load_pvh, help_elf},     {load_firmware, help_nothing},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct loader *loader;
	struct boot_state boot = {.mode = BOOT_RESET};
	struct ls_error err = {0};
	struct ls_engine engine;
	struct machine *machine;
	struct image image = {.path = "input"};
	uint8_t how;
	int ret;

	if (size < 3)
		return -1;
	loader = &loaders[data[0] % (sizeof(loaders) / sizeof(loaders[0]))];
	how = data[1];
	/* Exactly as long as the file, so that one byte too far is seen. */
	image.size = size - 2;
	image.data = malloc(image.size);
	memcpy(image.data, data + 2, image.size);
	loader->help(image.data, image.size, how);

	machine = machine_rig_create(&engine, "console=ttyS0");
	ret = loader->load(machine, &image, &boot, &err);
	/* 1: not this format (load_multiboot). */
	if (ret < 0 && (!err.code || !err.text[0] || strchr(err.text, '\n')))
		abort();
	symbols_find(&machine->symbols, boot.entry, NULL);
	machine_rig_destroy(machine);
	image_free(&image);
	return 0;
}
