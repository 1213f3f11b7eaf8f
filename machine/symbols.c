/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int symbols_add(struct symbols *symbols, uint64_t address, uint64_t size, const char *name)
{
	struct symbol *symbol;

	if (symbols->count == symbols->room) {
		size_t room = symbols->room ? 2 * symbols->room : 64;
		struct symbol *table = realloc(symbols->table, room * sizeof(*table));

		if (!table)
			return -ENOMEM;
		symbols->table = table;
		symbols->room = room;
	}
	symbol = &symbols->table[symbols->count];
	*symbol = (struct symbol){.address = address, .size = size, .name = strdup(name)};
	if (!symbol->name)
		return -ENOMEM;
	symbols->count++;
	return 0;
}

static int symbol_compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	/* qsort is not stable: sized before unsized, then by name, so that runs agree. */
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

void symbols_sort(struct symbols *symbols)
{
	if (symbols->count)
		qsort(symbols->table, symbols->count, sizeof(*symbols->table), symbol_compare);
}

/* Nothing says where the last one ends. */
#define LAST_REACH 4096

static uint64_t symbol_reach(const struct symbols *symbols, const struct symbol *symbol)
{
	const struct symbol *last = &symbols->table[symbols->count - 1];

	if (symbol->size)
		return symbol->size;
	return symbol->address == last->address ? LAST_REACH : UINT64_MAX;
}

const struct symbol *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = symbols->count;
	const struct symbol *symbol;

	while (low < high) { /* first entry beyond @address */
		size_t middle = low + (high - low) / 2;

		if (symbols->table[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	symbol = &symbols->table[low - 1];
	while (symbol > symbols->table && symbol[-1].address == symbol->address)
		symbol--;
	if (address - symbol->address >= symbol_reach(symbols, symbol))
		return NULL;
	if (offset)
		*offset = address - symbol->address;
	return symbol;
}

const struct symbol *symbols_by_name(const struct symbols *symbols, const char *name)
{
	for (size_t i = 0; i < symbols->count; i++) {
		if (!strcmp(symbols->table[i].name, name))
			return &symbols->table[i];
	}
	return NULL;
}

void symbols_free(struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->count; i++)
		free(symbols->table[i].name);
	free(symbols->table);
	*symbols = (struct symbols){0};
}
