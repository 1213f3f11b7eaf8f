/* SPDX-License-Identifier: Apache-2.0 */
/* Function and object names of what was booted, for disassembly and messages. */
#ifndef LOCKSTEP_MACHINE_SYMBOLS_H
#define LOCKSTEP_MACHINE_SYMBOLS_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

struct symbol {
	uint64_t address;
	uint64_t size; /* 0: unknown, reaches to the next one, the last for 4 KiB */
	char *name;
};

struct symbols {
	struct symbol *table; /* by address, larger ones first among equals */
	size_t count, room;
};

/* Copies @name; 0 or -ENOMEM. Call symbols_sort after the last one. */
int symbols_add(struct symbols *symbols, uint64_t address, uint64_t size, const char *name);
void symbols_sort(struct symbols *symbols);
/* The symbol that covers @address, and how far into it in *offset (may be NULL); or NULL. */
const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address,
				  uint64_t *offset);
const struct symbol *symbols_by_name(const struct symbols *symbols, const char *name);
/* Adds what @elf's symbol tables have, and sorts. */
void symbols_collect(struct symbols *symbols, Elf *elf);
/* Adds those of an ELF file or of a System.map. */
int symbols_load(struct symbols *symbols, const char *path, struct ls_error *err);
void symbols_free(struct symbols *symbols);

#endif
