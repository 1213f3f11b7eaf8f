/* SPDX-License-Identifier: Apache-2.0 */
/* A small 64-bit ELF file for tests of loaders (System V ABI, gABI 4.1, chapters 4 and 5). */
#ifndef LOCKSTEP_TESTS_ELF_FILE_H
#define LOCKSTEP_TESTS_ELF_FILE_H

#include <elf.h>
#include <stdint.h>
#include <string.h>

/* Where things are in it. */
#define ELF_CODE     0x200 /* "0123456789abcdef" */
#define ELF_NOTE     0x280
#define ELF_SYMBOLS  0x300
#define ELF_STRINGS  0x380
#define ELF_SECTIONS 0x400
#define ELF_SIZE     0x600

#define ELF_NOTE_SIZE 24

struct elf_file {
	uint8_t bytes[ELF_SIZE];
};

struct elf_parts {
	uint64_t entry;
	Elf64_Phdr load[2]; /* the second one may be empty */
	const void *note;
	Elf64_Sym symbol[4]; /* the first one is none */
	const char *strings;
	size_t strings_size;
};

static inline void elf_put(struct elf_file *file, size_t at, const void *from, size_t size)
{
	memcpy(file->bytes + at, from, size);
}

static inline struct elf_file elf_file(const struct elf_parts *parts)
{
	unsigned int loads = parts->load[1].p_memsz ? 2 : 1;
	struct elf_file file = {{0}};
	Elf64_Ehdr header = {.e_type = ET_EXEC,
			     .e_machine = EM_X86_64,
			     .e_version = 1,
			     .e_entry = parts->entry,
			     .e_phoff = sizeof(header),
			     .e_shoff = ELF_SECTIONS,
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = (uint16_t)(loads + 1),
			     .e_shentsize = sizeof(Elf64_Shdr),
			     .e_shnum = 3};
	Elf64_Phdr note = {.p_type = PT_NOTE,
			   .p_offset = ELF_NOTE,
			   .p_filesz = ELF_NOTE_SIZE,
			   .p_memsz = ELF_NOTE_SIZE,
			   .p_align = 4};
	Elf64_Shdr sections[] = {
		{0},
		{.sh_type = SHT_SYMTAB,
		 .sh_offset = ELF_SYMBOLS,
		 .sh_size = sizeof(parts->symbol),
		 .sh_link = 2,
		 .sh_entsize = sizeof(parts->symbol[0])},
		{.sh_type = SHT_STRTAB, .sh_offset = ELF_STRINGS, .sh_size = parts->strings_size}};

	memcpy(header.e_ident, "\177ELF\2\1\1", 7);
	elf_put(&file, 0, &header, sizeof(header));
	elf_put(&file, sizeof(header), parts->load, loads * sizeof(parts->load[0]));
	elf_put(&file, sizeof(header) + loads * sizeof(note), &note, sizeof(note));
	elf_put(&file, ELF_CODE, "0123456789abcdef", 16);
	elf_put(&file, ELF_NOTE, parts->note, ELF_NOTE_SIZE);
	elf_put(&file, ELF_SYMBOLS, parts->symbol, sizeof(parts->symbol));
	elf_put(&file, ELF_STRINGS, parts->strings, parts->strings_size);
	elf_put(&file, ELF_SECTIONS, sections, sizeof(sections));
	return file;
}

#endif
