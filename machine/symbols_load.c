/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols from a file by itself: ELF, or a System.map of Linux. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/symbols.h"

void symbols_collect(struct symbols *symbols, Elf *elf)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB ||
		    !header.sh_entsize || !(data = elf_getdata(section, NULL)))
			continue;
		for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
			const char *name;
			GElf_Sym symbol;

			if (!gelf_getsym(data, (int)i, &symbol))
				break; /* fewer than the header says */
			if (GELF_ST_TYPE(symbol.st_info) > STT_FUNC ||
			    symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
				continue;
			name = elf_strptr(elf, header.sh_link, symbol.st_name);
			if (name && *name)
				symbols_add(symbols, symbol.st_value, symbol.st_size, name);
		}
	}
	symbols_sort(symbols);
}

static int not_symbols(const char *path, struct ls_error *err)
{
	return ls_error_set(err, -ENOEXEC,
			    "'%s' has no symbols; name an ELF file that is not stripped, or a "
			    "System.map",
			    path);
}

/* "ffffffff81000000 T _text" */
static int load_map(struct symbols *symbols, const char *path, struct ls_error *err)
{
	FILE *from = fopen(path, "re");
	char line[1024], name[512], kind;
	uint64_t address;

	if (!from)
		return ls_error_set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	while (fgets(line, sizeof(line), from))
		if (sscanf(line, "%" SCNx64 " %c %511s", &address, &kind, name) == 3 &&
		    strchr("tTwW", kind))
			symbols_add(symbols, address, 0, name);
	fclose(from);
	symbols_sort(symbols);
	return symbols->count ? 0 : not_symbols(path, err);
}

int symbols_load(struct symbols *symbols, const char *path, struct ls_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	Elf *elf;

	if (fd < 0)
		return ls_error_set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		symbols_collect(symbols, elf);
		ret = symbols->count ? 0 : not_symbols(path, err);
	} else {
		ret = load_map(symbols, path, err);
	}
	elf_end(elf);
	close(fd);
	return ret;
}
