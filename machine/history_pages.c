/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/history_pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "machine/ram_pages.h"
#include "machine/recording.h"
#include "machine/snapshot_file.h"

static int make_room(struct history_pages *pages, size_t count)
{
	pages->number = malloc((count + 1) * sizeof(*pages->number));
	pages->bytes = malloc((count + 1) * sizeof(*pages->bytes));
	return pages->number && pages->bytes ? 0 : -ENOMEM;
}

static void add(struct history_pages *pages, uint32_t number, uint8_t *bytes)
{
	pages->number[pages->count] = number;
	pages->bytes[pages->count++] = bytes;
	pages->full += bytes != NULL;
}

static int add_copy(struct history_pages *pages, uint64_t number, const uint8_t *from)
{
	uint8_t *bytes = NULL;

	if (!snapshot_page_is_zero(from)) {
		bytes = malloc(RAM_PAGE);
		if (!bytes)
			return -ENOMEM;
		memcpy(bytes, from, RAM_PAGE);
	}
	add(pages, (uint32_t)number, bytes);
	return 0;
}

int history_pages_copy(struct machine *machine, const uint64_t *set, struct history_pages *pages)
{
	size_t count = 0;
	int ret;

	*pages = (struct history_pages){0};
	for (size_t word = 0; word < ram_pages_words(machine); word++)
		count += (unsigned int)__builtin_popcountll(set[word]);
	ret = make_room(pages, count);
	RAM_PAGES_EACH(machine, set, page)
	if (!ret)
		ret = add_copy(pages, page, ram_page_bytes(machine, page));
	if (ret)
		history_pages_free(pages);
	return ret;
}

int history_pages_merge(struct history_pages *older, struct history_pages *newer)
{
	struct history_pages all = {0};
	size_t o = 0, n = 0;

	if (make_room(&all, older->count + newer->count)) {
		free(all.number);
		free(all.bytes);
		return -ENOMEM;
	}
	while (o < older->count || n < newer->count) {
		bool both = o < older->count && n < newer->count &&
			    older->number[o] == newer->number[n];

		if (both)
			free(older->bytes[o++]);
		if (both || o == older->count ||
		    (n < newer->count && newer->number[n] < older->number[o])) {
			add(&all, newer->number[n], newer->bytes[n]);
			n++;
		} else {
			add(&all, older->number[o], older->bytes[o]);
			o++;
		}
	}
	free(older->number);
	free(older->bytes);
	free(newer->number);
	free(newer->bytes);
	*older = (struct history_pages){0};
	*newer = all;
	return 0;
}

void history_pages_restore(struct machine *machine, const struct history_pages *pages,
			   uint64_t *set)
{
	for (size_t i = 0; i < pages->count; i++)
		if (ram_pages_take(set, pages->number[i]))
			machine_restore_page(machine, ram_page_gpa(machine, pages->number[i]),
					     pages->bytes[i]);
}

void history_pages_free(struct history_pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		free(pages->bytes[i]);
	free(pages->number);
	free(pages->bytes);
	*pages = (struct history_pages){0};
}
